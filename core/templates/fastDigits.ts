import { chain } from "./sketch.ts";
import type { Template } from "./template.ts";

/** Pooling comes before batch norm and ReLU, which then work on a quarter of the numbers. Figures: `test/bench/digits.ts`. */
export const fastDigits: Template = {
  id: "fast-digits",
  title: "Fast digits",
  doc: "A small convolutional network with batch norm, which can learn at a high rate: 99 % of MNIST after a single pass, in seconds.",
  task: "image-classification",
  datasetBuiltin: "mnist",
  settings: { epochs: 1, lr: 1e-2 },
  graph: chain([
    ["input", "input", { shape: [1, 28, 28] }],
    ["conv1", "conv2d", { out_channels: 8, kernel_size: 5 }],
    ["pool1", "max_pool2d", { kernel_size: 2 }],
    ["bn1", "batch_norm2d"],
    ["relu1", "relu"],
    ["conv2", "conv2d", { out_channels: 24, kernel_size: 5 }],
    ["pool2", "max_pool2d", { kernel_size: 2 }],
    ["bn2", "batch_norm2d"],
    ["relu2", "relu"],
    ["flatten", "flatten"],
    ["fc1", "linear", { out_features: 64 }],
    ["bn3", "batch_norm1d"],
    ["relu3", "relu"],
    ["fc2", "linear", { out_features: 10 }],
    ["output", "output"],
  ]),
};
