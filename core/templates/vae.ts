import type { Graph } from "../graph/document.ts";
import { decode, encode } from "./convAutoencoder.ts";
import { sketch } from "./sketch.ts";
import type { Template } from "./template.ts";

const SHAPE = [1, 28, 28];
const PIXELS = 28 * 28;

/** @see Kingma, Welling, Auto-encoding variational Bayes, 2013 */
export const vae: Template = {
  id: "vae",
  title: "Variational autoencoder",
  doc: "Says of a digit not a point but a small cloud, and draws the digit from any point of it: so the plane of two numbers has no holes, and every place in it draws something. Binary cross-entropy and a KL term beside it, both per pixel; about two minutes on MNIST.",
  task: "autoencoder",
  datasetBuiltin: "mnist",
  settings: { task: "autoencoder", loss: "BCELoss", epochs: 8, extraLosses: [{ output: "kl", loss: "Value", lossParams: {}, weight: Number((1 / PIXELS).toPrecision(4)) }] },
  graph: draw(),
};

function draw(): Graph {
  const s = sketch();
  const seen = s.stack([...encode(SHAPE), ["hidden", "linear", { out_features: 128 }], ["hidden_relu", "relu"]], { column: 0, row: 0 });
  const mu = s.put(["mu", "linear", { out_features: 2 }], { column: 0, row: 8 }, { x: seen });
  const logvar = s.put(["logvar", "linear", { out_features: 2 }], { column: 1, row: 8 }, { x: seen });
  const code = s.put(["code", "reparameterize"], { column: 0, row: 9 }, { mu, logvar });
  // How far the cloud is from the standard normal distribution, in nats for each row.
  s.put(["divergence", "expression", { expression: "0.5 * (mu ** 2 + exp(logvar) - 1 - logvar).sum(axis=1)" }], { column: 2, row: 9 }, { mu, logvar });
  s.put(["kl", "output", {}, "kl"], { column: 2, row: 10 }, { x: "divergence" });
  s.put(["latent", "output", {}, "latent"], { column: 1, row: 10 }, { x: code });
  s.stack(decode(SHAPE), { column: 0, row: 10 }, code);
  return s.graph();
}
