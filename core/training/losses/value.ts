import { p } from "../../layers/params.ts";
import { defineLoss, mean } from "./kit.ts";

/** Nothing, or what can name an Output. */
const OUTPUT_NAME = /^(|\p{L}[\p{L}\p{N} _-]{0,63})$/u;

export const value = defineLoss({
  name: "Value",
  title: "The output itself",
  doc: "Makes an output's own mean small: the network computes the loss itself, from a Target on the canvas or without one.",
  formula: "loss = y",
  when: "For what a network should keep small beside its task: the KL term of a variational autoencoder, the ponder cost of adaptive computation, a penalty. And for a loss of your own, wired from a Target.",
  source: "https://pytorch.org/docs/2.13/generated/torch.mean.html",
  learns: "any",
  expects: "values",
  params: {
    output: p.text({
      default: "",
      pattern: OUTPUT_NAME,
      placeholder: "the one it is set for",
      doc: "The name of the Output that is the loss, such as one wired from a Target; empty: the one it is set for.",
    }),
  },
  output: ({ output }) => output.trim() || null,
  curve: { of: "y", at: (y) => y },
  target: (y, { type }) => ({ target: type ?? { dtype: "int64", shape: y.shape.slice(0, 1) } }),
  lower: (b, { y }) => mean(b, y),
  torch: () => "lambda y, t: y.mean()",
});
