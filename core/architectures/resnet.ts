import { type Architecture, type Choices, IMAGE_CHOICES, imageInput } from "./architecture.ts";
import { block, Drawing, layer, type Part, sequential } from "./draw.ts";
import { batchNorm, convolution } from "./parts.ts";

const SOURCE = "https://github.com/pytorch/vision/blob/v0.29.1/torchvision/models/resnet.py";
const shared = {
  task: "Image classification",
  source: SOURCE,
  licence: "BSD-3-Clause",
  input: [3, 224, 224],
  firstWeights: "As PyTorch's layers draw them by default; the original draws convolutions from Kaiming's normal distribution.",
  choices: IMAGE_CHOICES,
} as const;

type Sizes = { layers: readonly number[]; bottleneck: boolean };
const SIZES = { resnet18: { layers: [2, 2, 2, 2], bottleneck: false }, resnet50: { layers: [3, 4, 6, 3], bottleneck: true } } satisfies { [id: string]: Sizes };

/** @see He, Zhang, Ren, Sun, Deep residual learning for image recognition, 2015 */
export const resnet18: Architecture = {
  id: "resnet18",
  title: "ResNet-18",
  doc: "Eight blocks of two convolutions, each with a shortcut around it. The usual first choice for images: small, fast and hard to break.",
  ...shared,
  parameters: 11_689_512,
  build: (choices) => draw(choices, SIZES.resnet18),
};

export const resnet50: Architecture = {
  id: "resnet50",
  title: "ResNet-50",
  doc: "Sixteen blocks that narrow, filter and widen again, with shortcuts. The yardstick of image classification, and the body of many detectors.",
  ...shared,
  parameters: 25_557_032,
  build: (choices) => draw(choices, SIZES.resnet50),
};

function draw({ classes = 1000, channels = 3 }: Choices = {}, sizes: Sizes) {
  const d = new Drawing();
  d.input("x", imageInput(channels, 224));
  drawFeatures(d, sizes);
  d.put("avgpool", layer("adaptive_avg_pool2d", { output_size: 1 }));
  d.put("flatten", layer("flatten"));
  d.put("fc", layer("linear", { out_features: classes }));
  d.output();
  return d.graph();
}

/** Everything in front of the pooling, as one block: [N, 3, H, W] → [N, 512 or 2048, H / 32, W / 32]. */
export function resnetFeatures(id: keyof typeof SIZES): Part {
  const d = new Drawing();
  d.input();
  drawFeatures(d, SIZES[id]);
  d.output();
  return block("ResNetFeatures", d.body());
}

function drawFeatures(d: Drawing, { layers, bottleneck }: Sizes): void {
  d.put("conv1", convolution(64, 7, { stride: 2 }));
  d.put("bn1", batchNorm());
  d.put("relu", layer("relu"));
  d.put("maxpool", layer("max_pool2d", { kernel_size: 3, stride: 2, padding: 1 }));
  const expansion = bottleneck ? 4 : 1;
  let width = 64;
  for (const [stage, count] of layers.entries()) {
    const planes = 64 * 2 ** stage;
    const blocks = Array.from({ length: count }, (_, i) => {
      const stride = stage > 0 && i === 0 ? 2 : 1;
      const downsample = stride !== 1 || width !== planes * expansion;
      width = planes * expansion;
      return residual(planes, { stride, downsample, bottleneck });
    });
    d.put(`layer${stage + 1}`, sequential(`layer${stage + 1}`, blocks));
  }
}

/** torchvision's BasicBlock or Bottleneck; the stride of the latter is at its 3×3. */
function residual(planes: number, { stride, downsample, bottleneck }: { stride: number; downsample: boolean; bottleneck: boolean }): Part {
  const out = bottleneck ? planes * 4 : planes;
  const convolutions = bottleneck
    ? [convolution(planes, 1), convolution(planes, 3, { stride }), convolution(out, 1)]
    : [convolution(planes, 3, { stride }), convolution(planes, 3)];
  const d = new Drawing();
  const x = d.input();
  let last = x;
  for (const [i, part] of convolutions.entries()) {
    d.put(`conv${i + 1}`, part);
    last = d.put(`bn${i + 1}`, batchNorm());
    if (i < convolutions.length - 1) d.put(`relu${i + 1}`, layer("relu"));
  }
  const identity = downsample ? d.put("downsample", sequential("downsample", [convolution(out, 1, { stride }), batchNorm()]), x) : x;
  d.put("sum", layer("add"), { a: last, b: identity });
  d.put("relu", layer("relu"));
  d.output();
  return block(bottleneck ? "Bottleneck" : "BasicBlock", d.body());
}
