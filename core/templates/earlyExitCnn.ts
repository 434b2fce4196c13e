import type { Graph } from "../graph/document.ts";
import { chain, sketch } from "./sketch.ts";
import type { Template } from "./template.ts";

/** @see Teerapittayanon, McDanel, Kung, BranchyNet: fast inference via early exiting from deep neural networks, 2016 */
export const earlyExitCnn: Template = {
  id: "early-exit-cnn",
  title: "Early-exit CNN",
  doc: "A digit that the small exit behind the first convolutions is sure of leaves there; only the doubtful ones go on. Both ends learn at once, with a loss each. About 99 % on MNIST, and nine digits in ten leave early.",
  task: "image-classification",
  datasetBuiltin: "mnist",
  graph: draw(),
  settings: {
    extraLosses: [
      { output: "exit", loss: "CrossEntropyLoss", lossParams: {}, weight: 0.5 },
      // No loss, but a curve: how many leave early.
      { output: "taken", loss: "Value", lossParams: {}, weight: 0 },
    ],
  },
};

function draw(): Graph {
  const s = sketch();
  const features = s.stack(
    [
      ["input", "input", { shape: [1, 28, 28] }],
      ["conv1", "conv2d", { out_channels: 8, kernel_size: 5, padding: 2 }],
      ["relu1", "relu"],
      ["pool1", "max_pool2d", { kernel_size: 2 }],
      ["conv2", "conv2d", { out_channels: 16, kernel_size: 3, padding: 1 }],
      ["relu2", "relu"],
      ["pool2", "max_pool2d", { kernel_size: 2 }],
    ],
    { column: 0, row: 0 },
  );
  const exit = chain([
    ["x", "input"],
    ["flatten", "flatten"],
    ["fc", "linear", { out_features: 10 }],
    ["y", "output"],
  ]);
  const rest = chain([
    ["x", "input"],
    ["conv3", "conv2d", { out_channels: 32, kernel_size: 3, padding: 1, bias: false }],
    ["bn3", "batch_norm2d"],
    ["relu3", "relu"],
    ["conv4", "conv2d", { out_channels: 32, kernel_size: 3, padding: 1, bias: false }],
    ["bn4", "batch_norm2d"],
    ["relu4", "relu"],
    ["flatten", "flatten"],
    ["fc1", "linear", { out_features: 64 }],
    ["relu5", "relu"],
    ["fc2", "linear", { out_features: 10 }],
    ["y", "output"],
  ]);
  const inside = ({ nodes, edges }: Graph) => ({ nodes, edges });
  s.put(["early_exit", "early_exit", { threshold: 0.95 }], { column: 0, row: 7 }, { x: features }, { exit: inside(exit), rest: inside(rest) });
  s.put(["output", "output"], { column: 0, row: 9 }, { x: "early_exit" });
  s.put(["at_exit", "output", {}, "exit"], { column: 1, row: 9 }, { x: ["early_exit", "exit"] });
  s.put(["share", "output", {}, "taken"], { column: 2, row: 9 }, { x: ["early_exit", "taken"] });
  return s.graph();
}
