import { type Architecture, type Choices, IMAGE_CHOICES, imageInput } from "./architecture.ts";
import { block, Drawing, layer, type Part, sequential } from "./draw.ts";
import { type ActivationType, convNorm, type NormOptions } from "./parts.ts";
import { squeezeExcitation } from "./squeezeExcitation.ts";

/** Kernel size, channels inside, channels that come out, whether with squeeze and excitation, activation, stride. */
type Setting = readonly [kernel: number, wide: number, out: number, squeeze: boolean, activation: ActivationType, stride: number];

const LARGE: readonly Setting[] = [
  [3, 16, 16, false, "relu", 1],
  [3, 64, 24, false, "relu", 2],
  [3, 72, 24, false, "relu", 1],
  [5, 72, 40, true, "relu", 2],
  [5, 120, 40, true, "relu", 1],
  [5, 120, 40, true, "relu", 1],
  [3, 240, 80, false, "hardswish", 2],
  [3, 200, 80, false, "hardswish", 1],
  [3, 184, 80, false, "hardswish", 1],
  [3, 184, 80, false, "hardswish", 1],
  [3, 480, 112, true, "hardswish", 1],
  [3, 672, 112, true, "hardswish", 1],
  [5, 672, 160, true, "hardswish", 2],
  [5, 960, 160, true, "hardswish", 1],
  [5, 960, 160, true, "hardswish", 1],
];
const SMALL: readonly Setting[] = [
  [3, 16, 16, true, "relu", 2],
  [3, 72, 24, false, "relu", 2],
  [3, 88, 24, false, "relu", 1],
  [5, 96, 40, true, "hardswish", 2],
  [5, 240, 40, true, "hardswish", 1],
  [5, 240, 40, true, "hardswish", 1],
  [5, 120, 48, true, "hardswish", 1],
  [5, 144, 48, true, "hardswish", 1],
  [5, 288, 96, true, "hardswish", 2],
  [5, 576, 96, true, "hardswish", 1],
  [5, 576, 96, true, "hardswish", 1],
];

const NORM = { eps: 0.001, momentum: 0.01 };

const shared = {
  task: "Image classification",
  source: "https://github.com/pytorch/vision/blob/v0.29.1/torchvision/models/mobilenetv3.py",
  licence: "BSD-3-Clause",
  input: [3, 224, 224],
  firstWeights: "As PyTorch's layers draw them by default; the original draws convolutions from Kaiming's normal distribution and Linear layers from one of deviation 0.01.",
  choices: IMAGE_CHOICES,
} as const;

/** @see Howard, Sandler, Chu, Chen, and others, Searching for MobileNetV3, 2019 */
export const mobilenetV3Large: Architecture = {
  id: "mobilenet_v3_large",
  title: "MobileNetV3-Large",
  doc: "MobileNetV2's blocks, found anew by search, with Hardswish and weights for channels. For phones that can afford a little more for better answers.",
  ...shared,
  parameters: 5_483_032,
  build: (choices) => draw(choices, LARGE, 1280),
};

export const mobilenetV3Small: Architecture = {
  id: "mobilenet_v3_small",
  title: "MobileNetV3-Small",
  doc: "The smaller of the two, which halves the size early: a quarter of the work of the large one. For the weakest devices and for quick tries.",
  ...shared,
  parameters: 2_542_856,
  build: (choices) => draw(choices, SMALL, 1024),
};

function draw({ classes = 1000, channels = 3 }: Choices = {}, settings: readonly Setting[], last: number) {
  const d = new Drawing();
  d.input("x", imageInput(channels, 224));
  d.put("features", features(settings, NORM));
  d.put("avgpool", layer("adaptive_avg_pool2d", { output_size: 1 }));
  d.put("flatten", layer("flatten"));
  const classifier = [layer("linear", { out_features: last }), layer("hardswish"), layer("dropout", { p: 0.2 }), layer("linear", { out_features: classes })];
  d.put("classifier", sequential("classifier", classifier));
  d.output();
  return d.graph();
}

/** Everything of the large one in front of the pooling, with other batch norms: [N, 3, H, W] → [N, 960, H / 32, W / 32]. */
export function mobilenetV3Features(norm: NormOptions): Part {
  return features(LARGE, norm);
}

/**
 * The large one as segmentation has it: its last three blocks keep the size and look with gaps instead. Gives y [N, 960, H / 16, W / 16], and
 * aux [N, 40, H / 8, W / 8] from its fourth block.
 */
export function dilatedMobilenetV3(): Part {
  const d = new Drawing();
  let at = d.input();
  let aux = at;
  for (const [i, part] of featureParts(LARGE, NORM, 2).entries()) {
    at = d.put(String(i), part, at);
    if (i === AUX) aux = at;
  }
  d.output(at);
  d.output(aux, "aux");
  return block("features", d.body());
}

/** Where what has an eighth of each side begins. */
const AUX = 4;
/** The last blocks, which lose their stride where a network is to keep places. */
const LAST_BLOCKS = 3;

function features(settings: readonly Setting[], norm: NormOptions): Part {
  return sequential("features", featureParts(settings, norm));
}

function featureParts(settings: readonly Setting[], norm: NormOptions, lastDilation = 1): Part[] {
  const parts = [convNorm(16, 3, { stride: 2, activation: "hardswish", norm })];
  let width = 16;
  for (const [i, setting] of settings.entries()) {
    parts.push(invertedResidual(width, setting, norm, i >= settings.length - LAST_BLOCKS ? lastDilation : 1));
    width = setting[2];
  }
  parts.push(convNorm(6 * width, 1, { activation: "hardswish", norm }));
  return parts;
}

function invertedResidual(width: number, [kernel, wide, out, squeeze, activation, ownStride]: Setting, norm: NormOptions, dilation: number): Part {
  const stride = dilation > 1 ? 1 : ownStride;
  const d = new Drawing();
  const x = d.input();
  const branch = d.put(
    "block",
    sequential("block", [
      ...(wide === width ? [] : [convNorm(wide, 1, { activation, norm })]),
      convNorm(wide, kernel, { stride, groups: wide, activation, norm, dilation }),
      ...(squeeze ? [squeezeExcitation(wide, toEighths(wide / 4), { activation: "relu", gate: "hardsigmoid" })] : []),
      convNorm(out, 1, { activation: null, norm }),
    ]),
  );
  if (stride === 1 && width === out) d.put("sum", layer("add"), { a: branch, b: x });
  d.output();
  return block("InvertedResidual", d.body());
}

/** The nearest multiple of 8, but at least 8, and never less than nine tenths. */
function toEighths(channels: number): number {
  const near = Math.max(8, Math.floor(Math.floor(channels + 4) / 8) * 8);
  return near < 0.9 * channels ? near + 8 : near;
}
