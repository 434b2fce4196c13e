import { describe, expect, it } from "vitest";
import { layers } from "../../../core/layers/index.ts";
import { inTraining } from "../../../core/preview/training.ts";
import { lowerTapped } from "../../../core/program/lower.ts";
import { chain } from "../../../core/templates/sketch.ts";
import { run } from "../../../native/index.ts";

const augmentations = layers.filter(({ category }) => category === "augmentation");
const SIDE = 6;

/** Images with a number of its own for each pixel, all the same. */
const images = (count: number, channels: number) => Float32Array.from({ length: count * channels * SIDE * SIDE }, (_, i) => 1 + ((i % (channels * SIDE * SIDE)) * 7) / 10);

async function augment(type: string, params: { [name: string]: number | number[] | string }, { seed = 1, training = true, count = 4, channels = 3 } = {}) {
  const graph = chain([
    ["input", "input", { shape: [channels, SIDE, SIDE] }],
    ["augment", type, params],
    ["output", "output"],
  ]);
  const { program, atRandom } = lowerTapped(graph, { wanted: new Set(["augment"]) });
  const data = images(count, channels);
  const { tap_0: y } = await run({
    program: training ? inTraining(program, atRandom) : program,
    weights: { seed: 0 },
    inputs: { x: { dtype: "float32", shape: [count, channels, SIDE, SIDE], data } },
    randomSeed: seed,
  });
  if (y?.dtype !== "float32") throw new Error("An augmentation gives floats.");
  const size = data.length / count;
  return { before: data, after: y.data, rows: Array.from({ length: count }, (_, row) => y.data.slice(row * size, (row + 1) * size)), row: data.slice(0, size) };
}

describe.each(augmentations.map(({ type }) => type))("%s", (type) => {
  it("changes nothing outside training", async () => {
    const { before, after } = await augment(type, {}, { training: false });
    expect(after).toEqual(before);
  });

  it("draws for each image by itself, the same for the same seed", async () => {
    const options = { count: 32 };
    const first = await augment(type, {}, options);
    expect(new Set(first.rows.map((row) => row.join())).size).toBeGreaterThan(1);
    expect((await augment(type, {}, options)).after).toEqual(first.after);
    expect((await augment(type, {}, { ...options, seed: 2 })).after).not.toEqual(first.after);
  });
});

describe("augmentations in training", () => {
  it("mirror images whole", async () => {
    const across = await augment("random_horizontal_flip", { p: 1 });
    const upright = await augment("random_vertical_flip", { p: 1 });
    const pixel = (row: Float32Array, y: number, x: number) => row[y * SIDE + x];
    expect(pixel(across.rows[0] ?? across.row, 1, 0)).toBe(pixel(across.row, 1, SIDE - 1));
    expect(pixel(upright.rows[0] ?? upright.row, 0, 2)).toBe(pixel(upright.row, SIDE - 1, 2));
  });

  it("cut a window of the very pixels out of the padded image", async () => {
    const { rows, row } = await augment("random_crop", { padding: 2, fill: -9 }, { count: 24, channels: 1 });
    const shifts = rows.map((cut) => {
      for (let dy = -2; dy <= 2; dy++)
        for (let dx = -2; dx <= 2; dx++) {
          const at = (i: number) => {
            const [y, x] = [Math.floor(i / SIDE) + dy, (i % SIDE) + dx];
            return y < 0 || x < 0 || y >= SIDE || x >= SIDE ? -9 : row[y * SIDE + x];
          };
          if (cut.every((value, i) => value === at(i))) return `${dy} ${dx}`;
        }
      return "none";
    });
    expect(shifts).not.toContain("none");
    expect(new Set(shifts).size).toBeGreaterThan(4);
  });

  it("leave an image as it is where turn, move, size and slant are none, and turn by the angle asked for", async () => {
    for (const interpolation of ["nearest", "bilinear"]) {
      const { after, before } = await augment("random_affine", { degrees: 0, translate: [0, 0], scale: [1, 1], shear: 0, interpolation });
      for (const [i, value] of after.entries()) expect(value).toBeCloseTo(before[i] ?? 0, 4);
    }
    const turned = await augment("random_rotation", { degrees: 90 }, { count: 8 });
    expect(turned.after).not.toEqual(turned.before);
  });

  it("blot out one rectangle of the share that was asked for, through all channels", async () => {
    const { rows, row } = await augment("random_erasing", { p: 1, scale: [0.25, 0.25], ratio: [1, 1], value: -5 }, { count: 8, channels: 2 });
    for (const erased of rows) {
      const gone = [...erased.keys()].filter((i) => erased[i] === -5);
      expect(gone).toHaveLength(2 * 9);
      const lines = new Set(gone.map((i) => Math.floor((i % 36) / SIDE)));
      const columns = new Set(gone.map((i) => i % SIDE));
      expect([lines.size, columns.size]).toEqual([3, 3]);
      for (const [i, value] of erased.entries()) if (value !== -5) expect(value).toBe(row[i]);
    }
  });

  it("keep colours within what the image had", async () => {
    const { after, before } = await augment("color_jitter", { brightness: 1, contrast: 1, saturation: 1 });
    expect(Math.min(...after)).toBeGreaterThanOrEqual(Math.min(...before));
    expect(Math.max(...after)).toBeLessThanOrEqual(Math.max(...before));
  });
});
