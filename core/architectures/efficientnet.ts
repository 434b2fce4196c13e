import { type Architecture, IMAGE_CHOICES, imageInput } from "./architecture.ts";
import { block, Drawing, layer, type Part, sequential } from "./draw.ts";
import { convNorm } from "./parts.ts";
import { squeezeExcitation } from "./squeezeExcitation.ts";

/** How often a block widens, kernel size, stride of the first, channels that come out, how many blocks. */
const STAGES = [
  [1, 3, 1, 16, 1],
  [6, 3, 2, 24, 2],
  [6, 5, 2, 40, 2],
  [6, 3, 2, 80, 3],
  [6, 5, 1, 112, 3],
  [6, 5, 2, 192, 4],
  [6, 3, 1, 320, 1],
] as const;
/** The share of samples for which the last block is left out; blocks before it, in proportion. */
const STOCHASTIC_DEPTH = 0.2;

/** @see Tan, Le, EfficientNet: rethinking model scaling for convolutional neural networks, 2019 */
export const efficientnetB0: Architecture = {
  id: "efficientnet_b0",
  title: "EfficientNet-B0",
  doc: "MobileNet's blocks with SiLU and weights for channels, and depth, width and size in balance. Better than ResNet-50 with a fifth of its weights, though slower to train than its size suggests.",
  task: "Image classification",
  source: "https://github.com/pytorch/vision/blob/v0.29.1/torchvision/models/efficientnet.py",
  licence: "BSD-3-Clause",
  input: [3, 224, 224],
  parameters: 5_288_548,
  firstWeights: "As PyTorch's layers draw them by default; the original draws convolutions from Kaiming's normal distribution and its Linear layer within ±1/√classes.",
  choices: IMAGE_CHOICES,
  build: ({ classes = 1000, channels = 3 } = {}) => {
    const d = new Drawing();
    d.input("x", imageInput(channels, 224));
    const features = [convNorm(32, 3, { stride: 2, activation: "silu" })];
    const total = STAGES.reduce((sum, [, , , , count]) => sum + count, 0);
    let width = 32;
    let place = 0;
    for (const [stage, [expansion, kernel, stride, out, count]] of STAGES.entries()) {
      const blocks: Part[] = [];
      for (let i = 0; i < count; i++) {
        blocks.push(mbConv(width, out, { expansion, kernel, stride: i === 0 ? stride : 1, skip: (STOCHASTIC_DEPTH * place) / total }));
        width = out;
        place++;
      }
      features.push(sequential(`stage${stage + 1}`, blocks));
    }
    features.push(convNorm(4 * width, 1, { activation: "silu" }));
    d.put("features", sequential("features", features));
    d.put("avgpool", layer("adaptive_avg_pool2d", { output_size: 1 }));
    d.put("flatten", layer("flatten"));
    d.put("classifier", sequential("classifier", [layer("dropout", { p: 0.2 }), layer("linear", { out_features: classes })]));
    d.output();
    return d.graph();
  },
};

function mbConv(width: number, out: number, { expansion, kernel, stride, skip }: { expansion: number; kernel: number; stride: number; skip: number }): Part {
  const wide = width * expansion;
  const d = new Drawing();
  const x = d.input();
  d.put(
    "block",
    sequential("block", [
      ...(expansion === 1 ? [] : [convNorm(wide, 1, { activation: "silu" })]),
      convNorm(wide, kernel, { stride, groups: wide, activation: "silu" }),
      squeezeExcitation(wide, Math.max(1, Math.floor(width / 4)), { activation: "silu", gate: "sigmoid" }),
      convNorm(out, 1, { activation: null }),
    ]),
  );
  if (stride === 1 && width === out) {
    const branch = d.put("stochastic_depth", layer("drop_path", { p: skip }));
    d.put("sum", layer("add"), { a: branch, b: x });
  }
  d.output();
  return block("MBConv", d.body());
}
