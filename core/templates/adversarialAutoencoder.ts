import type { Graph } from "../graph/document.ts";
import { decode, encode } from "./convAutoencoder.ts";
import { sketch } from "./sketch.ts";
import type { Template } from "./template.ts";

const SHAPE = [1, 28, 28];
/** Of the discriminator. */
const JUDGES = ["judge1", "judge2", "judge3"];

/** @see Makhzani, Shlens, Jaitly, Goodfellow, Frey, Adversarial autoencoders, 2015 */
export const adversarialAutoencoder: Template = {
  id: "adversarial-autoencoder",
  title: "Adversarial autoencoder",
  doc: "Two networks against each other, with an optimizer each: a discriminator learns to tell the two numbers a digit is squeezed into from numbers drawn at random, and the encoder learns to fool it. So the plane fills up, and every place in it draws something.",
  task: "autoencoder",
  datasetBuiltin: "mnist",
  settings: {
    task: "autoencoder",
    loss: "BCELoss",
    epochs: 8,
    extraLosses: [
      { output: "fooled", loss: "Value", lossParams: {}, weight: 0.02 },
      { output: "told", loss: "Value", lossParams: {}, weight: 1 },
    ],
    furtherOptimizers: [{ nodes: JUDGES, outputs: ["told"], optimizer: "Adam", optimizerParams: {}, lr: 1e-3, weightDecay: 0 }],
  },
  graph: draw(),
};

function draw(): Graph {
  const s = sketch();
  const code = s.stack([...encode(SHAPE), ["hidden", "linear", { out_features: 128 }], ["hidden_relu", "relu"], ["code", "linear", { out_features: 2 }]], { column: 0, row: 0 });
  s.put(["latent", "output", {}, "latent"], { column: 1, row: 9 }, { x: code });
  s.stack(decode(SHAPE), { column: 0, row: 9 }, code);

  /** The discriminator, drawn once for each thing it looks at: a score above 0 means that it takes it for drawn at random. */
  const judge = (name: string, column: number, from: string) =>
    s.stack(
      [
        [`${name}1`, "linear", { out_features: 64 }],
        [`${name}1_act`, "leaky_relu"],
        [`${name}2`, "linear", { out_features: 64 }],
        [`${name}2_act`, "leaky_relu"],
        [`${name}3`, "linear", { out_features: 1 }],
      ],
      { column, row: 11 },
      from,
    );
  // What of a score is lost: softplus(−score) where it should be high, softplus(score) where it should be low.
  const drawn = judge("judge", 2, s.put(["noise", "random_normal"], { column: 2, row: 10 }, { like: code }));
  const seen = judge("seen", 3, s.put(["held", "detach"], { column: 3, row: 10 }, { x: code }));
  const fooled = judge("fool", 4, code);
  s.put(["missed", "softplus"], { column: 2, row: 17 }, { x: s.put(["minus_drawn", "neg"], { column: 2, row: 16 }, { x: drawn }) });
  s.put(["caught", "softplus"], { column: 3, row: 17 }, { x: seen });
  s.put(["sum", "add"], { column: 2, row: 18 }, { a: "missed", b: "caught" });
  s.put(["told", "output", {}, "told"], { column: 2, row: 19 }, { x: "sum" });
  s.put(["unmasked", "softplus"], { column: 4, row: 17 }, { x: s.put(["minus_fool", "neg"], { column: 4, row: 16 }, { x: fooled }) });
  s.put(["fooled", "output", {}, "fooled"], { column: 4, row: 18 }, { x: "unmasked" });
  const graph = s.graph();
  const owner = (id: string) => /^(?:seen|fool)([123])$/.exec(id)?.[1];
  return { ...graph, nodes: graph.nodes.map((node) => (owner(node.id) ? { ...node, weightsOf: `judge${owner(node.id)}` } : node)) };
}
