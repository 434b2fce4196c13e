import { type Architecture, IMAGE_CHOICES, imageInput } from "./architecture.ts";
import { block, chain, Drawing, layer, type Part, sequential } from "./draw.ts";
import { batchNorm, convNorm, convolution, type NormOptions } from "./parts.ts";

/** How often a block widens, its channels, how many blocks, and the stride of the first. */
const STAGES = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const;

/** @see Sandler, Howard, Zhu, Zhmoginov, Chen, MobileNetV2: inverted residuals and linear bottlenecks, 2018 */
export const mobilenetV2: Architecture = {
  id: "mobilenet_v2",
  title: "MobileNetV2",
  doc: "Blocks that widen, filter each channel by itself and narrow again, with shortcuts between the narrow ends. For phones: a third of the weights of ResNet-18, nearly as good.",
  task: "Image classification",
  source: "https://github.com/pytorch/vision/blob/v0.29.1/torchvision/models/mobilenetv2.py",
  licence: "BSD-3-Clause",
  input: [3, 224, 224],
  parameters: 3_504_872,
  firstWeights: "As PyTorch's layers draw them by default; the original draws convolutions from Kaiming's normal distribution and its Linear layer from one of deviation 0.01.",
  choices: IMAGE_CHOICES,
  build: ({ classes = 1000, channels = 3 } = {}) => {
    const d = new Drawing();
    d.input("x", imageInput(channels, 224));
    d.put("features", mobilenetFeatures());
    d.put("avgpool", layer("adaptive_avg_pool2d", { output_size: 1 }));
    d.put("flatten", layer("flatten"));
    d.put("classifier", sequential("classifier", [layer("dropout", { p: 0.2 }), layer("linear", { out_features: classes })]));
    d.output();
    return d.graph();
  },
};

/**
 * How a release of the network differs in what its weights do not say. Keras pads the right and lower edge alone where a convolution
 * takes every second place, and its batch norms have numbers of their own; where they were folded into the convolutions, `norm` is null.
 */
type Dialect = { padsOneSide: boolean; norm: NormOptions | null; width: number };
const TORCHVISION: Dialect = { padsOneSide: false, norm: {}, width: 1 };
export const KERAS: Dialect = { padsOneSide: true, norm: { eps: 1e-3, momentum: 1e-3 }, width: 1 };
/** 1.4 times as wide, without batch norms. */
export const FOLDED_WIDE: Dialect = { padsOneSide: true, norm: null, width: 1.4 };

/** Channels at another width: the nearest multiple of eight that is not more than a tenth too few. */
function widen(channels: number, width: number): number {
  const wide = Math.max(8, Math.floor((channels * width + 4) / 8) * 8);
  return wide < 0.9 * channels * width ? wide + 8 : wide;
}

/** Everything in front of the pooling: pictures to [N, 1280 · width, H/32, W/32]. Weights are called the same in every dialect. */
export function mobilenetFeatures(dialect: Dialect = TORCHVISION): Part {
  let width = widen(32, dialect.width);
  const features = [norm3x3(width, 2, 1, dialect)];
  for (const [expansion, channels, count, stride] of STAGES) {
    const out = widen(channels, dialect.width);
    for (let i = 0; i < count; i++) {
      features.push(invertedResidual(width, out, { expansion, stride: i === 0 ? stride : 1, dialect }));
      width = out;
    }
  }
  features.push(pointwise(widen(1280, Math.max(1, dialect.width)), dialect));
  return sequential("features", features);
}

/** A 3×3 convolution, batch norm and ReLU6. */
function norm3x3(channels: number, stride: number, groups: number, { padsOneSide, norm }: Dialect): Part {
  if (norm && (stride === 1 || !padsOneSide)) return convNorm(channels, 3, { stride, groups, activation: "relu6", norm });
  const plain = { out_channels: channels, kernel_size: 3, ...(groups === 1 ? {} : { groups }) };
  if (!norm && stride === 1) return sequential("Conv ReLU6", [layer("conv2d", { ...plain, padding: 1 }), layer("relu6")]);
  return chain(norm ? "Pad Conv BN ReLU6" : "Pad Conv ReLU6", [
    ["pad", layer("pad", { pad: [0, 1, 0, 1] })],
    ["0", layer("conv2d", { ...plain, stride, ...(norm ? { bias: false } : {}) })],
    ...(norm ? [["1", batchNorm(norm)] as [string, Part], ["2", layer("relu6")] as [string, Part]] : [["1", layer("relu6")] as [string, Part]]),
  ]);
}

/** A 1×1 convolution, batch norm and ReLU6. */
function pointwise(channels: number, { norm }: Dialect): Part {
  return norm ? convNorm(channels, 1, { activation: "relu6", norm }) : sequential("Conv ReLU6", [layer("conv2d", { out_channels: channels, kernel_size: 1 }), layer("relu6")]);
}

function invertedResidual(width: number, out: number, { expansion, stride, dialect }: { expansion: number; stride: number; dialect: Dialect }): Part {
  const wide = width * expansion;
  const d = new Drawing();
  const x = d.input();
  const branch = d.put(
    "conv",
    sequential("conv", [
      ...(expansion === 1 ? [] : [pointwise(wide, dialect)]),
      norm3x3(wide, stride, wide, dialect),
      ...(dialect.norm ? [convolution(out, 1), batchNorm(dialect.norm)] : [layer("conv2d", { out_channels: out, kernel_size: 1 })]),
    ]),
  );
  if (stride === 1 && width === out) d.put("sum", layer("add"), { a: x, b: branch });
  d.output();
  return block("InvertedResidual", d.body());
}
