import type { BuilderArg, ProgramBuilder, Value, WeightPlan } from "./kit.ts";

/** PyTorch's default initial values, computed in the same order of operations so that the bounds are the same doubles. */

/**
 * Weight and bias of Linear and the convolutions: `kaiming_uniform_(a=√5)` for the weight, U(±1/√fan_in) for the bias.
 * fan_in is `shape[1]` times the receptive field, also for transposed convolutions, whose axes 0 and 1 are swapped.
 */
export function linearWeights(shape: number[], biasSize: number | null): { [name: string]: WeightPlan } {
  const fanIn = shape.slice(1).reduce((a, b) => a * b, 1);
  const slope = Math.sqrt(5);
  const gain = Math.sqrt(2 / (1 + slope * slope));
  const bound = fanIn === 0 ? 0 : Math.sqrt(3) * (gain / Math.sqrt(fanIn));
  return {
    weight: { shape, init: { kind: "uniform", low: -bound, high: bound } },
    ...(biasSize === null ? {} : { bias: { shape: [biasSize], init: symmetricUniform(fanIn === 0 ? 0 : 1 / Math.sqrt(fanIn)) } }),
  };
}

/** Ones and zeros: the scale and shift of normalization layers. */
export function affineWeights(shape: number[]): { weight: WeightPlan; bias: WeightPlan } {
  return { weight: { shape, init: { kind: "constant", value: 1 } }, bias: { shape, init: { kind: "constant", value: 0 } } };
}

/** Running averages of normalization layers: buffers that start at mean 0 and variance 1. */
function runningWeights(channels: number): { [name: string]: WeightPlan } {
  return {
    running_mean: { shape: [channels], init: { kind: "constant", value: 0 }, trainable: false },
    running_var: { shape: [channels], init: { kind: "constant", value: 1 }, trainable: false },
    num_batches_tracked: { shape: [], init: { kind: "constant", value: 0 }, trainable: false, dtype: "int64" },
  };
}

type RunningNorm = { affine: boolean; track_running_stats: boolean };

/** Weights of BatchNorm and InstanceNorm over so many channels. */
export function runningNormWeights(channels: number, { affine, track_running_stats }: RunningNorm): { [name: string]: WeightPlan } {
  return { ...(affine ? affineWeights([channels]) : {}), ...(track_running_stats ? runningWeights(channels) : {}) };
}

/** The arguments of `aten::batch_norm` and `aten::instance_norm`. */
export function runningNormArguments(b: ProgramBuilder, x: Value, { affine, track_running_stats, momentum, eps }: RunningNorm & { momentum: number; eps: number }): BuilderArg[] {
  return [
    x,
    affine ? b.weight("weight") : null,
    affine ? b.weight("bias") : null,
    track_running_stats ? b.weight("running_mean") : null,
    track_running_stats ? b.weight("running_var") : null,
    track_running_stats ? { flag: "training" } : true,
    momentum,
    eps,
    true, // cudnn_enabled
  ];
}

/** U(−bound, bound) */
export function symmetricUniform(bound: number): { kind: "uniform"; low: number; high: number } {
  return { kind: "uniform", low: -bound, high: bound };
}
