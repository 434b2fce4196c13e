import type { Manifest } from "../data/manifest.ts";
import type { Graph } from "../graph/document.ts";
import { readParams } from "../layers/params.ts";
import { type StepMemory, stepMemory } from "../program/memory.ts";
import { lowerOrder } from "./build.ts";
import { findOptimizer } from "./optimizers/index.ts";
import type { RunSettings } from "./settings.ts";

/** What training will hold at once: a model of it, within a factor of two of what the engine counts (`memory.test.ts`). */
export type MemoryEstimate = StepMemory & {
  /** What the optimizer keeps of each weight, and their averages. */
  optimizerBytes: number;
  peakBytes: number;
};

/**
 * How much memory training will take by batch size.
 * @throws GraphInvalid where the graph has errors or the loss does not go with its prediction.
 */
export function memoryModel(graph: Graph, settings: RunSettings, manifest: Manifest): (batchSize: number) => MemoryEstimate {
  const { program, metrics, types } = lowerOrder(graph, settings, manifest);
  const outputs = ["loss", ...metrics.filter(({ when }) => when === "always").map(({ output }) => output)];
  const optimizer = findOptimizer(settings.optimizer);
  const states = optimizer.states(readParams(optimizer.params, settings.optimizerParams).values);
  const { input } = manifest.splits.train;
  // Sequences are as long as the data set's longest.
  const sizes = Object.fromEntries(
    program.inputs.flatMap(({ shape }) => shape.slice(1).flatMap((dim, axis) => (typeof dim === "string" && /^\w+$/.test(dim) ? [[dim, input.shape[axis] ?? 1]] : []))),
  );
  const longest = input.shape[0] ?? 1;
  const batchName = program.inputs[0]?.shape[0];
  return (batchSize) => {
    const memory = stepMemory(program, types, {
      outputs,
      // Of packed sequences: P steps of all rows together, of which S lie one behind another.
      sizes: { S: longest, P: batchSize * longest, ...sizes, [typeof batchName === "string" ? batchName : "B"]: batchSize },
      halfPrecision: settings.precision === "bf16",
    });
    const optimizerBytes = memory.gradientBytes * (states + (settings.emaDecay > 0 ? 1 : 0));
    return { ...memory, optimizerBytes, peakBytes: memory.weightBytes + memory.gradientBytes + optimizerBytes + memory.batchBytes + memory.activationBytes };
  };
}

/**
 * The largest power of two below a batch that did not fit, or would not, with which training ought to fit; null where none does. The model is
 * taken to be as far off as what was seen of the batch says: `neededBytes` is what that would have taken at least.
 */
export function fittingBatch(model: ReturnType<typeof memoryModel>, batchSize: number, limitBytes: number, neededBytes = 0): number | null {
  const factor = Math.max(1, neededBytes / model(batchSize).peakBytes);
  for (let size = 2 ** Math.ceil(Math.log2(batchSize) - 1); size >= 1; size /= 2) if (size < batchSize && factor * model(size).peakBytes <= limitBytes) return size;
  return null;
}
