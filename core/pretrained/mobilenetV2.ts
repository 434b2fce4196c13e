import { FOLDED_WIDE, KERAS, mobilenetFeatures } from "../architectures/mobilenetV2.ts";
import type { Tensor } from "../export/tensor.ts";
import type { Packaged, PretrainedPictures } from "./pretrained.ts";
import { transpose } from "./tfjs.ts";

/** Keras' MobileNetV2 of width 1.0, as nsfwjs carries it. Its head and its labels are not used. */
export const mobilenetV2Small: Packaged<PretrainedPictures> = {
  id: "mobilenet_v2",
  title: "MobileNetV2",
  doc: "A small network for pictures that runs anywhere. Take it first: a few dozen pictures of each class are enough, and a laptop without a GPU.",
  takes: "pictures",
  weights: { kind: "package", package: "nsfwjs", folder: "mobilenet_v2", sizeBytes: 2_620_044, convert: namesOfPyTorch },
  origin:
    "Keras' MobileNetV2, trained on ImageNet and then further on photographs by the authors of NSFWJS to tell indecent pictures from others. Only the part that sees shapes and colours is used here; what told those pictures apart is left out. Its numbers are kept with 8 bits.",
  licence: "MIT",
  source: "https://github.com/infinitered/nsfwjs",
  // What is published is of the network before it was trained further.
  accuracy: null,
  parameters: 2_223_872,
  size: { trained: 224, smallest: 96 },
  normalize: { mean: 0.5, std: 0.5 },
  gives: "maps",
  features: 1280,
  backbone: { id: "features", part: () => mobilenetFeatures(KERAS) },
  stages: Array.from({ length: 19 }, (_, i) => String(i)),
  upperStages: 4,
};

/** MobileNetV2 of width 1.4 as TensorFlow Hub has it, its batch norms folded into the convolutions, as nsfwjs carries it. Its head and its labels are not used. */
export const mobilenetV2Wide: Packaged<PretrainedPictures> = {
  id: "mobilenet_v2_wide",
  title: "MobileNetV2 ×1.4",
  doc: "The same network with 1.4 times the channels. It tells finer differences apart, and takes about twice the time.",
  takes: "pictures",
  weights: { kind: "package", package: "nsfwjs", folder: "mobilenet_v2_mid", sizeBytes: 4_300_775, convert: namesOfFolded },
  origin:
    "MobileNetV2 of width 1.4 from TensorFlow Hub, trained on ImageNet and then further on photographs by the authors of NSFWJS to tell indecent pictures from others. Only the part that sees shapes and colours is used here; what told those pictures apart is left out. Its numbers are kept with 8 bits, and its batch norms are part of its convolutions.",
  licence: "MIT",
  source: "https://github.com/infinitered/nsfwjs",
  accuracy: null,
  parameters: 4_291_808,
  size: { trained: 224, smallest: 96 },
  normalize: { mean: 0.5, std: 0.5 },
  gives: "maps",
  features: 1792,
  backbone: { id: "features", part: () => mobilenetFeatures(FOLDED_WIDE) },
  stages: Array.from({ length: 19 }, (_, i) => String(i)),
  upperStages: 4,
};

/** A byte for each number leaves some variances at 0, which nothing can be divided by. */
const LEAST_VARIANCE = 1e-5;

const NORM = { gamma: "weight", beta: "bias", moving_mean: "running_mean", moving_variance: "running_var" } as const;

/** Keras' names and layouts to PyTorch's: `block_3_depthwise/depthwise_kernel` [3, 3, 144, 1] is `features.4.conv.1.0.weight` [144, 1, 3, 3]. */
function namesOfPyTorch(tensors: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
  const weights = new Map<string, Tensor>();
  for (const [name, tensor] of tensors) {
    const place = placeOf(name);
    if (!place) continue;
    const { module, part } = place;
    if (part === "kernel") weights.set(`${module}.weight`, transpose(tensor, [3, 2, 0, 1]));
    else if (part === "depthwise_kernel") weights.set(`${module}.weight`, transpose(tensor, [2, 3, 0, 1]));
    else weights.set(`${module}.${NORM[part]}`, part === "moving_variance" ? atLeast(tensor, LEAST_VARIANCE) : tensor);
  }
  return weights;
}

/** The module of a tensor and what it is there; null for those of the head. */
function placeOf(name: string): { module: string; part: "kernel" | "depthwise_kernel" | keyof typeof NORM } | null {
  const match =
    /^(?:(Conv1|bn_Conv1|Conv_1|Conv_1_bn)|(expanded_conv|block_(\d+))_(expand|depthwise|project)(_BN)?)\/(kernel|depthwise_kernel|gamma|beta|moving_mean|moving_variance)$/.exec(
      name,
    );
  if (!match) return null;
  const part = match[6] as "kernel" | "depthwise_kernel" | keyof typeof NORM;
  const ends: { [name: string]: string } = { Conv1: "features.0.0", bn_Conv1: "features.0.1", Conv_1: "features.18.0", Conv_1_bn: "features.18.1" };
  if (match[1]) return { module: ends[match[1]] ?? "", part };
  const block = match[3] === undefined ? 0 : Number(match[3]);
  // The first block does not widen, so its parts stand one place earlier.
  const place = { expand: 0, depthwise: 1, project: 2 }[match[4] as "expand" | "depthwise" | "project"] - (block === 0 ? 1 : 0);
  const isProject = match[4] === "project";
  const inside = isProject ? String(place + (match[5] ? 1 : 0)) : `${place}.${match[5] ? 1 : 0}`;
  return { module: `features.${block + 1}.conv.${inside}`, part };
}

function atLeast(tensor: Tensor, least: number): Tensor {
  return tensor.dtype === "float32" ? { ...tensor, data: tensor.data.map((value) => Math.max(value, least)) } : tensor;
}

/** TensorFlow's names and layouts to PyTorch's: `…/expanded_conv_3/depthwise/depthwise_weights` [3, 3, 192, 1] is `features.4.conv.1.0.weight` [192, 1, 3, 3]. */
function namesOfFolded(tensors: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
  const weights = new Map<string, Tensor>();
  for (const [name, tensor] of tensors) {
    const match = /\/MobilenetV2\/(?:(Conv|Conv_1)|expanded_conv(?:_(\d+))?\/(expand|depthwise|project))\/(Conv2D|depthwise)_(weights|bn_offset)$/.exec(name);
    if (!match) continue;
    const [, end, number, part, kind, what] = match;
    const block = Number(number ?? 0);
    // The first block does not widen, so its parts stand one place earlier; the last convolution of a block stands by itself.
    const place = ["expand", "depthwise", "project"].indexOf(part ?? "") - (block === 0 ? 1 : 0);
    const module = end ? `features.${end === "Conv" ? 0 : 18}.0` : `features.${block + 1}.conv.${place}${part === "project" ? "" : ".0"}`;
    if (what === "bn_offset") weights.set(`${module}.bias`, tensor);
    else weights.set(`${module}.weight`, transpose(tensor, kind === "depthwise" ? [2, 3, 0, 1] : [3, 2, 0, 1]));
  }
  return weights;
}
