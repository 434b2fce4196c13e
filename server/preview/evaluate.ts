import { open } from "node:fs/promises";
import type { Preprocess } from "../../core/data/manifest.ts";
import type { Graph } from "../../core/graph/document.ts";
import type { PreviewAnswer, PreviewOrder, RowArray } from "../../core/preview/order.ts";
import { pictureOf, type Scaling } from "../../core/preview/picture.ts";
import { runnablePart } from "../../core/preview/runnable.ts";
import { inTraining } from "../../core/preview/training.ts";
import { lowerTapped } from "../../core/program/lower.ts";
import { EngineError, run } from "../../native/index.ts";
import { readInputs } from "./rows.ts";

/** A drawing with more places where it breaks shows the first ones. */
const MOST_FAILURES = 4;

/**
 * Sends one row through a drawing and makes small pictures of what its nodes give. What has errors, or breaks while it runs, is left out with
 * all that depends on it.
 */
export async function evaluate(order: PreviewOrder): Promise<PreviewAnswer> {
  const startedMs = performance.now();
  const failures: PreviewAnswer["failures"] = [];
  const wanted = new Set(order.large === null ? order.paths : [...order.paths, order.large]);
  for (;;) {
    const broken = failures.map(({ node }) => node.split("/")[0] ?? node);
    const part = runnablePart(order.graph, broken);
    if (part === null) return { values: [], failures, weights: { matched: 0, total: 0 }, ms: performance.now() - startedMs };
    try {
      return { ...(await pass(part, order, wanted)), failures, ms: performance.now() - startedMs };
    } catch (error) {
      if (!(error instanceof EngineError) || error.failure.node === undefined || failures.length >= MOST_FAILURES) throw error;
      failures.push({ node: error.failure.node, message: error.failure.message });
    }
  }
}

async function pass(graph: Graph, order: PreviewOrder, wanted: ReadonlySet<string>): Promise<Pick<PreviewAnswer, "values" | "weights">> {
  const { preprocess, weights, training, draw, large } = order;
  const { program: plain, taps, atRandom } = lowerTapped(graph, { preprocess, wanted });
  if (taps.length === 0) return { values: [], weights: { matched: 0, total: plain.weights.length } };
  const program = training ? inTraining(plain, atRandom) : plain;
  const [inputs, saved] = await Promise.all([readInputs(program, order.arrays, [order.row]), weights.file === null ? null : readNames(weights.file)]);
  const matched = saved === null ? 0 : program.weights.filter(({ name, shape }) => saved.get(name) === shape.join()).length;
  // A saved weight of another shape would be refused: its own name keeps it from being looked for.
  const fitting =
    saved === null
      ? program
      : { ...program, weights: program.weights.map((weight) => (saved.get(weight.name) === weight.shape.join() ? weight : { ...weight, name: `${weight.name} (fresh)` })) };
  const outputs = await run({
    program: fitting,
    weights: weights.file !== null && matched > 0 ? { file: weights.file, seed: weights.seed } : { seed: weights.seed },
    inputs,
    randomSeed: draw,
  });
  const scaling = scalingOf(preprocess, order.arrays.input);
  const paths = new Set(order.paths);
  return {
    weights: { matched, total: program.weights.length },
    values: taps.flatMap(({ path, port, output }) => {
      const tensor = outputs[output];
      if (!tensor) return [];
      const { dtype, shape } = tensor;
      const data = tensor.dtype === "int64" ? Array.from(tensor.data, Number) : tensor.data;
      const value = { dtype, shape, data };
      return [{ path, port, ...(paths.has(path) ? { small: pictureOf(value, "small", scaling) } : {}), ...(path === large ? { large: pictureOf(value, "large", scaling) } : {}) }];
    }),
  };
}

/** Names and shapes of what a safetensors file holds, from its header; null where it has gone, as checkpoints do. */
async function readNames(path: string): Promise<Map<string, string> | null> {
  const file = await open(path, "r").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
  if (file === null) return null;
  try {
    const size = Buffer.alloc(8);
    await file.read(size, 0, 8, 0);
    const header = Buffer.alloc(Number(size.readBigUInt64LE()));
    await file.read(header, 0, header.length, 8);
    const entries = Object.entries(JSON.parse(header.toString()) as { [name: string]: { shape?: number[] } });
    return new Map(entries.flatMap(([name, { shape }]) => (shape ? [[name, shape.join()]] : [])));
  } finally {
    await file.close();
  }
}

/** What brings numbers back to between black and white, 0 and 1; null where rows are no pictures. */
function scalingOf({ dtype, scale, mean, std }: Preprocess, { shape }: RowArray): Scaling | null {
  if (shape.length !== 3) return null;
  const white = dtype === "uint8" ? 255 * scale : 1;
  return { mean: mean.map((value) => value / white), std: std.map((value) => value / white) };
}
