import { type Architecture, IMAGE_CHOICES, imageInput } from "./architecture.ts";
import { block, Drawing, layer, type Part, sequential } from "./draw.ts";
import { batchNorm, convNorm, convolution } from "./parts.ts";

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
    const features = [convNorm(32, 3, { stride: 2, activation: "relu6" })];
    let width = 32;
    for (const [expansion, out, count, stride] of STAGES) {
      for (let i = 0; i < count; i++) {
        features.push(invertedResidual(width, out, { expansion, stride: i === 0 ? stride : 1 }));
        width = out;
      }
    }
    features.push(convNorm(1280, 1, { activation: "relu6" }));
    d.put("features", sequential("features", features));
    d.put("avgpool", layer("adaptive_avg_pool2d", { output_size: 1 }));
    d.put("flatten", layer("flatten"));
    d.put("classifier", sequential("classifier", [layer("dropout", { p: 0.2 }), layer("linear", { out_features: classes })]));
    d.output();
    return d.graph();
  },
};

function invertedResidual(width: number, out: number, { expansion, stride }: { expansion: number; stride: number }): Part {
  const wide = width * expansion;
  const d = new Drawing();
  const x = d.input();
  const branch = d.put(
    "conv",
    sequential("conv", [
      ...(expansion === 1 ? [] : [convNorm(wide, 1, { activation: "relu6" })]),
      convNorm(wide, 3, { stride, groups: wide, activation: "relu6" }),
      convolution(out, 1),
      batchNorm(),
    ]),
  );
  if (stride === 1 && width === out) d.put("sum", layer("add"), { a: x, b: branch });
  d.output();
  return block("InvertedResidual", d.body());
}
