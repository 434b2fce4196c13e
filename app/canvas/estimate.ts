import type { Shape, TensorType } from "../../core/graph/shape.ts";
import { readParams } from "../../core/layers/params.ts";
import { findOptimizer } from "../../core/training/optimizers/index.ts";
import type { RunSettings } from "../../core/training/settings.ts";

const BYTES: Record<TensorType["dtype"], number> = { float32: 4, int64: 8, bool: 1, uint8: 1 };

/** Bytes of one sample of this type; sizes known only at run time count as one. */
export function bytesPerSample({ dtype, shape }: TensorType): number {
  return sizeOf(shape) * BYTES[dtype];
}

function sizeOf(shape: Shape): number {
  return shape.reduce<number>((size, dim) => size * (typeof dim === "number" ? dim : 1), 1);
}

/**
 * What training will hold at once, about: weights, their gradients and the optimizer's state, and each node's output for a whole
 * batch until the backward pass has used it. What the operators need for themselves comes on top.
 */
export function estimateMemoryBytes(
  model: { parameters: number; outputs: Iterable<TensorType> },
  settings: Pick<RunSettings, "optimizer" | "optimizerParams" | "batchSize" | "precision">,
): number {
  let perSample = 0;
  for (const type of model.outputs) perSample += bytesPerSample(type);
  const activations = perSample * settings.batchSize * (settings.precision === "bf16" ? 0.5 : 1);
  const optimizer = findOptimizer(settings.optimizer);
  const states = optimizer.states(readParams(optimizer.params, settings.optimizerParams).values);
  return model.parameters * 4 * (2 + states) + activations;
}
