import { chain } from "./sketch.ts";
import type { Template } from "./template.ts";

/** @see LeCun, Bottou, Bengio, Haffner, Gradient-based learning applied to document recognition, 1998; with ReLU and max pooling for tanh and subsampling. */
export const lenet5: Template = {
  id: "lenet5",
  title: "LeNet-5",
  doc: "The convolutional network that read bank cheques, with today's activations. About 99.2 % on MNIST in half a minute.",
  task: "image-classification",
  datasetBuiltin: "mnist",
  settings: { lr: 5e-3 },
  graph: chain([
    ["input", "input", { shape: [1, 28, 28] }],
    ["conv1", "conv2d", { out_channels: 6, kernel_size: 5, padding: 2 }],
    ["relu1", "relu"],
    ["pool1", "max_pool2d", { kernel_size: 2 }],
    ["conv2", "conv2d", { out_channels: 16, kernel_size: 5 }],
    ["relu2", "relu"],
    ["pool2", "max_pool2d", { kernel_size: 2 }],
    ["flatten", "flatten"],
    ["fc1", "linear", { out_features: 120 }],
    ["relu3", "relu"],
    ["fc2", "linear", { out_features: 84 }],
    ["relu4", "relu"],
    ["fc3", "linear", { out_features: 10 }],
    ["output", "output"],
  ]),
};
