import { defineLoss, mean } from "./kit.ts";

export const value = defineLoss({
  name: "Value",
  title: "The output itself",
  doc: "Makes the output's own mean small, whatever the targets are: the network computes the loss itself.",
  formula: "loss = y",
  when: "For what a network should keep small beside its task: the KL term of a variational autoencoder, the ponder cost of adaptive computation, a penalty.",
  source: "https://pytorch.org/docs/2.13/generated/torch.mean.html",
  learns: "any",
  expects: "values",
  params: {},
  target: (y, { type }) => ({ target: type ?? { dtype: "int64", shape: y.shape.slice(0, 1) } }),
  lower: (b, { y }) => mean(b, y),
  torch: () => "lambda y, t: y.mean()",
});
