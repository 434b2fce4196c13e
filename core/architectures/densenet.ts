import { type Architecture, IMAGE_CHOICES, imageInput } from "./architecture.ts";
import { block, chain, Drawing, layer, type Part } from "./draw.ts";
import { batchNorm, convolution } from "./parts.ts";

const GROWTH = 32;
/** The 1×1 convolution of a layer gives so many times its growth. */
const BOTTLENECK = 4;
const BLOCKS = [6, 12, 24, 16];

/** @see Huang, Liu, van der Maaten, Weinberger, Densely connected convolutional networks, 2016 */
export const densenet121: Architecture = {
  id: "densenet121",
  title: "DenseNet-121",
  doc: "Each layer sees what all before it in its block have found, and adds 32 channels of its own. Few weights for its quality, but much memory; liked for medical images.",
  task: "Image classification",
  source: "https://github.com/pytorch/vision/blob/v0.29.1/torchvision/models/densenet.py",
  licence: "BSD-3-Clause",
  input: [3, 224, 224],
  parameters: 7_978_856,
  firstWeights: "As PyTorch's layers draw them by default; the original draws convolutions from Kaiming's normal distribution and starts the bias of its Linear layer at 0.",
  choices: IMAGE_CHOICES,
  build: ({ classes = 1000, channels = 3 } = {}) => {
    const parts: [string, Part][] = [
      ["conv0", convolution(64, 7, { stride: 2 })],
      ["norm0", batchNorm()],
      ["relu0", layer("relu")],
      ["pool0", layer("max_pool2d", { kernel_size: 3, stride: 2, padding: 1 })],
    ];
    let width = 64;
    for (const [i, count] of BLOCKS.entries()) {
      parts.push([
        `denseblock${i + 1}`,
        chain(
          `denseblock${i + 1}`,
          Array.from({ length: count }, (_, j): [string, Part] => [`denselayer${j + 1}`, denseLayer()]),
        ),
      ]);
      width += count * GROWTH;
      if (i === BLOCKS.length - 1) continue;
      width /= 2;
      parts.push([`transition${i + 1}`, transition(width)]);
    }
    parts.push(["norm5", batchNorm()]);
    const d = new Drawing();
    d.input("x", imageInput(channels, 224));
    d.put("features", chain("features", parts));
    d.put("relu", layer("relu"));
    d.put("avgpool", layer("adaptive_avg_pool2d", { output_size: 1 }));
    d.put("flatten", layer("flatten"));
    d.put("classifier", layer("linear", { out_features: classes }));
    d.output();
    return d.graph();
  },
};

/** Gives what it was given, and its own channels behind. */
function denseLayer(): Part {
  const d = new Drawing();
  const x = d.input();
  d.put("norm1", batchNorm());
  d.put("relu1", layer("relu"));
  d.put("conv1", convolution(BOTTLENECK * GROWTH, 1));
  d.put("norm2", batchNorm());
  d.put("relu2", layer("relu"));
  const found = d.put("conv2", convolution(GROWTH, 3));
  d.put("all", layer("concat"), { x: [x, found] });
  d.output();
  return block("DenseLayer", d.body());
}

function transition(out: number): Part {
  return chain("Transition", [
    ["norm", batchNorm()],
    ["relu", layer("relu")],
    ["conv", convolution(out, 1)],
    ["pool", layer("avg_pool2d", { kernel_size: 2, stride: 2 })],
  ]);
}
