import type { Graph } from "../graph/document.ts";
import { type Sketch, sketch } from "./sketch.ts";
import type { Template } from "./template.ts";

/** @see He, Zhang, Ren, Sun, Deep residual learning for image recognition, 2015 */
export const resnetSmall: Template = {
  id: "resnet-small",
  title: "Small ResNet",
  doc: "Three residual blocks with batch norm: shortcuts let the gradient pass, so that depth helps. Takes minutes on a CPU where LeNet-5 takes seconds.",
  task: "image-classification",
  datasetBuiltin: "mnist",
  graph: draw(),
};

function draw(): Graph {
  const s = sketch();
  let last = s.stack(
    [
      ["input", "input", { shape: [1, 28, 28] }],
      ["conv1", "conv2d", { out_channels: 16, kernel_size: 3, padding: 1, bias: false }],
      ["bn1", "batch_norm2d"],
      ["relu1", "relu"],
    ],
    { column: 0, row: 0 },
  );
  last = block(s, "layer1", { from: last, row: 4, channels: 16, stride: 1 });
  last = block(s, "layer2", { from: last, row: 11, channels: 32, stride: 2 });
  last = block(s, "layer3", { from: last, row: 18, channels: 64, stride: 2 });
  s.stack(
    [
      ["avgpool", "adaptive_avg_pool2d", { output_size: 1 }],
      ["flatten", "flatten"],
      ["fc", "linear", { out_features: 10 }],
      ["output", "output"],
    ],
    { column: 0, row: 25 },
    last,
  );
  return s.graph();
}

/**
 * Two convolutions beside the trunk, whose result is added to what went straight down it. Where sizes change, the trunk passes a
 * 1×1 convolution.
 */
function block(s: Sketch, name: string, { from, row, channels, stride }: { from: string; row: number; channels: number; stride: number }): string {
  const branch = s.stack(
    [
      [`${name}_conv1`, "conv2d", { out_channels: channels, kernel_size: 3, stride, padding: 1, bias: false }],
      [`${name}_bn1`, "batch_norm2d"],
      [`${name}_relu1`, "relu"],
      [`${name}_conv2`, "conv2d", { out_channels: channels, kernel_size: 3, padding: 1, bias: false }],
      [`${name}_bn2`, "batch_norm2d"],
    ],
    { column: 1, row },
    from,
  );
  const trunk =
    stride === 1
      ? from
      : s.stack(
          [
            [`${name}_down`, "conv2d", { out_channels: channels, kernel_size: 1, stride, bias: false }],
            [`${name}_down_bn`, "batch_norm2d"],
          ],
          { column: 0, row: row + 2 },
          from,
        );
  const sum = s.put([`${name}_add`, "add"], { column: 0, row: row + 5 }, { a: trunk, b: branch });
  return s.stack([[`${name}_relu2`, "relu"]], { column: 0, row: row + 6 }, sum);
}
