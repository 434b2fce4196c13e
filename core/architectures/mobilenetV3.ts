import { type Architecture, type Choices, IMAGE_CHOICES, imageInput } from "./architecture.ts";
import { block, Drawing, layer, type Part, sequential } from "./draw.ts";
import { type ActivationType, convNorm } from "./parts.ts";
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
  const features = [convNorm(16, 3, { stride: 2, activation: "hardswish", norm: NORM })];
  let width = 16;
  for (const setting of settings) {
    features.push(invertedResidual(width, setting));
    width = setting[2];
  }
  features.push(convNorm(6 * width, 1, { activation: "hardswish", norm: NORM }));
  d.put("features", sequential("features", features));
  d.put("avgpool", layer("adaptive_avg_pool2d", { output_size: 1 }));
  d.put("flatten", layer("flatten"));
  const classifier = [layer("linear", { out_features: last }), layer("hardswish"), layer("dropout", { p: 0.2 }), layer("linear", { out_features: classes })];
  d.put("classifier", sequential("classifier", classifier));
  d.output();
  return d.graph();
}

function invertedResidual(width: number, [kernel, wide, out, squeeze, activation, stride]: Setting): Part {
  const d = new Drawing();
  const x = d.input();
  const branch = d.put(
    "block",
    sequential("block", [
      ...(wide === width ? [] : [convNorm(wide, 1, { activation, norm: NORM })]),
      convNorm(wide, kernel, { stride, groups: wide, activation, norm: NORM }),
      ...(squeeze ? [squeezeExcitation(wide, toEighths(wide / 4), { activation: "relu", gate: "hardsigmoid" })] : []),
      convNorm(out, 1, { activation: null, norm: NORM }),
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
