import { adaptiveAvgPool2d } from "./adaptive_avg_pool2d.ts";
import { add } from "./add.ts";
import { avgPool1d } from "./avg_pool1d.ts";
import { avgPool2d } from "./avg_pool2d.ts";
import { batchNorm1d } from "./batch_norm1d.ts";
import { batchNorm2d } from "./batch_norm2d.ts";
import { concat } from "./concat.ts";
import { conv1d } from "./conv1d.ts";
import { conv2d } from "./conv2d.ts";
import { dropout } from "./dropout.ts";
import { flatten } from "./flatten.ts";
import { gelu } from "./gelu.ts";
import { identity } from "./identity.ts";
import { input } from "./input.ts";
import type { Layer } from "./kit.ts";
import { leakyRelu } from "./leaky_relu.ts";
import { linear } from "./linear.ts";
import { maxPool1d } from "./max_pool1d.ts";
import { maxPool2d } from "./max_pool2d.ts";
import { mul } from "./mul.ts";
import { output } from "./output.ts";
import { relu } from "./relu.ts";
import { reshape } from "./reshape.ts";
import { sigmoid } from "./sigmoid.ts";
import { silu } from "./silu.ts";
import { softmax } from "./softmax.ts";
import { tanh } from "./tanh.ts";

/** Every kind of node, in the order the palette shows them within their category. */
export const layers: readonly Layer[] = [
  input,
  output,
  conv2d,
  conv1d,
  linear,
  relu,
  leakyRelu,
  gelu,
  silu,
  sigmoid,
  tanh,
  softmax,
  batchNorm2d,
  batchNorm1d,
  maxPool2d,
  avgPool2d,
  adaptiveAvgPool2d,
  maxPool1d,
  avgPool1d,
  flatten,
  reshape,
  concat,
  identity,
  add,
  mul,
  dropout,
];

const byType = new Map(layers.map((layer) => [layer.type, layer]));

/** The layer of this type, or nothing where this build has none. */
export function findLayer(type: string): Layer | undefined {
  return byType.get(type);
}
