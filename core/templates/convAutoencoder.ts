import type { Graph } from "../graph/document.ts";
import { type Step, sketch } from "./sketch.ts";
import type { Template } from "./template.ts";

/** @see Hinton, Salakhutdinov, Reducing the dimensionality of data with neural networks, 2006; with convolutions of stride 2 */
export const convAutoencoder: Template = {
  id: "conv-autoencoder",
  title: "Convolutional autoencoder",
  doc: "Squeezes a digit into sixteen numbers and draws it again from those. The map shows where digits lie among them, though nobody told the network which is which. Reconstruction error below 0.01 on MNIST in about a minute.",
  task: "autoencoder",
  datasetBuiltin: "mnist",
  settings: { task: "autoencoder", loss: "BCELoss" },
  graph: drawAutoencoder([1, 28, 28]),
};

/** For pictures of any size: sixteen numbers in the middle. */
export function drawAutoencoder(shape: readonly number[]): Graph {
  const s = sketch();
  const way = encode(shape);
  const code = s.stack([...way, ["code", "linear", { out_features: 16 }]], { column: 0, row: 0 });
  s.put(["latent", "output", {}, "latent"], { column: 1, row: way.length + 1 }, { x: code });
  s.stack(decode(shape), { column: 0, row: way.length + 1 }, code);
  return s.graph();
}

/** How often both sides can be halved until few pixels are left: four times at most. */
function halvings([, height = 1, width = 1]: readonly number[]): number {
  let count = 0;
  while (count < 4 && [height, width].every((side) => side % 2 ** (count + 1) === 0 && side / 2 ** count > 8)) count++;
  return count;
}

/** Channels after so many halvings. */
function channelsAt(level: number): number {
  return Math.min(64, 8 * 2 ** level);
}

/** A picture as a row of features: halved by convolutions of stride 2. */
export function encode(shape: readonly number[]): Step[] {
  const steps: Step[] = [["input", "input", { shape: [...shape] }]];
  for (let level = 1; level <= halvings(shape); level++)
    steps.push([`down${level}`, "conv2d", { out_channels: channelsAt(level), kernel_size: 3, stride: 2, padding: 1 }], [`down${level}_relu`, "relu"]);
  return [...steps, ["flatten", "flatten"]];
}

/** And back: numbers as channels of a single pixel, which grows to a picture. */
export function decode(shape: readonly number[]): Step[] {
  const [channels = 1, height = 1, width = 1] = shape;
  const depth = halvings(shape);
  const least = [height, width].map((side) => side / 2 ** depth);
  const steps: Step[] = [
    ["unflatten", "unflatten", { dim: 1, unflattened_size: [-1, 1, 1] }],
    ["spread", "conv_transpose2d", { out_channels: depth > 0 ? channelsAt(depth) : channels, kernel_size: least, stride: 1 }],
  ];
  for (let level = depth; level >= 1; level--)
    steps.push(
      [`${level === depth ? "spread" : `up${depth - level}`}_relu`, "relu"],
      [`up${depth - level + 1}`, "conv_transpose2d", { out_channels: level > 1 ? channelsAt(level - 1) : channels, kernel_size: 4, stride: 2, padding: 1 }],
    );
  return [...steps, ["sigmoid", "sigmoid"], ["output", "output"]];
}
