import { xorshift32 } from "./shuffle.ts";
import type { BuiltinDataset, Examples } from "./source.ts";

const SIDE = 64;
const PIXELS = SIDE * SIDE;
const CLASSES = ["background", "circle", "square", "triangle", "cross"] as const;

type Random = () => number;
/** Where a shape lies: its class, middle, size from the middle outwards, and how it is turned. */
type Shape = { kind: number; x: number; y: number; reach: number; cos: number; sin: number; colour: number[] };

/** Drawn here, not photographed: 1,500 pictures of shapes in random colours on noisy grounds, with the class of each pixel. Every pixel follows from one seed. */
export const shapes: BuiltinDataset = {
  id: "shapes",
  name: "Shapes with masks",
  description: "Generated: 1,500 pictures of 64 × 64 with one to four circles, squares, triangles and crosses in any colour, on noisy grounds; each pixel has a class.",
  prepare: async () => {
    const random = xorshift32(64);
    return {
      task: "semantic-segmentation",
      preprocess: { dtype: "uint8", scale: 1 / 255, mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] },
      classes: [...CLASSES],
      columns: [],
      targetName: "class of each pixel",
      source: "Drawn by Tensorloom with seed 64; no photographs",
      licence: "CC0 1.0",
      splits: { train: drawSplit(1_200, random), validation: drawSplit(300, random) },
    };
  },
};

function drawSplit(rows: number, random: Random): Examples {
  const pictures = new Uint8Array(rows * 3 * PIXELS);
  const masks = new Uint8Array(rows * PIXELS);
  for (let row = 0; row < rows; row++) drawPicture(pictures.subarray(row * 3 * PIXELS, (row + 1) * 3 * PIXELS), masks.subarray(row * PIXELS, (row + 1) * PIXELS), random);
  return { input: { dtype: "uint8", shape: [rows, 3, SIDE, SIDE], data: pictures }, target: { dtype: "uint8", shape: [rows, SIDE, SIDE], data: masks } };
}

/** Later shapes lie on top of earlier ones, in the picture and in the mask. */
function drawPicture(picture: Uint8Array, mask: Uint8Array, random: Random): void {
  const ground = [random(), random(), random()];
  const slope = [random() - 0.5, random() - 0.5];
  const noise = 0.02 + 0.08 * random();
  const drawn = Array.from({ length: 1 + Math.floor(random() * 4) }, () => drawShape(ground, random));
  for (let pixel = 0; pixel < PIXELS; pixel++) {
    const [x, y] = [(pixel % SIDE) + 0.5, Math.floor(pixel / SIDE) + 0.5];
    const top = drawn.findLast((shape) => isInside(shape, x, y));
    mask[pixel] = top?.kind ?? 0;
    const shade = 0.5 * (((slope[0] ?? 0) * x + (slope[1] ?? 0) * y) / SIDE);
    for (let channel = 0; channel < 3; channel++) {
      const light = (top?.colour ?? ground)[channel] ?? 0;
      // The sum of two draws falls off to both sides, as grain does.
      const value = light + shade + noise * (random() + random() - 1);
      picture[channel * PIXELS + pixel] = Math.round(255 * Math.min(1, Math.max(0, value)));
    }
  }
}

/** Of any colour but one too near to the ground's. */
function drawShape(ground: readonly number[], random: Random): Shape {
  const reach = 6 + random() * 10;
  const angle = random() * 2 * Math.PI;
  const place = () => reach * 0.7 + random() * (SIDE - reach * 1.4);
  const shape = { kind: 1 + Math.floor(random() * (CLASSES.length - 1)), x: place(), y: place(), reach, cos: Math.cos(angle), sin: Math.sin(angle) };
  for (;;) {
    const colour = [random(), random(), random()];
    const distance = Math.hypot(...colour.map((value, channel) => value - (ground[channel] ?? 0)));
    if (distance > 0.35) return { ...shape, colour };
  }
}

function isInside({ kind, x, y, reach, cos, sin }: Shape, atX: number, atY: number): boolean {
  const [dx, dy] = [(atX - x) / reach, (atY - y) / reach];
  const [u, v] = [cos * dx + sin * dy, cos * dy - sin * dx];
  switch (CLASSES[kind]) {
    case "circle":
      return u * u + v * v < 0.8;
    case "square":
      return Math.max(Math.abs(u), Math.abs(v)) < 0.75;
    case "triangle":
      // Equal sides: below its top edges and above its base.
      return v < 0.5 && v > Math.sqrt(3) * Math.abs(u) - 1;
    case "cross":
      return Math.min(Math.abs(u), Math.abs(v)) < 0.28 && Math.max(Math.abs(u), Math.abs(v)) < 0.95;
    default:
      return false;
  }
}
