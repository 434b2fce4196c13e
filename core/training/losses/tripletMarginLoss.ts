import { printShape } from "../../graph/shape.ts";
import { say } from "../../language/say.ts";
import { float32 } from "../../layers/kit.ts";
import { p } from "../../layers/params.ts";
import { defineLoss, lossSource, MEAN, part } from "./kit.ts";

export const tripletMarginLoss = defineLoss({
  name: "TripletMarginLoss",
  title: "Triplet margin",
  doc: "Takes three vectors a sample, [B, 3, size]: an anchor, one that belongs to it, and one that does not. Needs no targets.",
  formula: "loss = max(0, ‖a − p‖ − ‖a − n‖ + margin)",
  when: "To learn vectors whose distances mean something, from triples. Join the three with Stack, dim 1.",
  source: lossSource("TripletMarginLoss"),
  learns: "any",
  expects: "values",
  params: {
    margin: p.float({ default: 1, doc: "How much further the stranger should be." }),
    p: p.float({ min: 0, default: 2, doc: "The norm: 2 for the usual distance, 1 for the sum of differences." }),
    eps: p.float({ min: 0, default: 1e-6, doc: "Keeps the root away from 0." }),
    swap: p.bool({ default: false, doc: "Also compares the stranger with the one that belongs, and takes the closer." }),
  },
  curve: { of: "‖a − p‖ − ‖a − n‖", at: (further, { margin }) => Math.max(0, further + margin) },
  target(y, { type }) {
    if (y.shape.length !== 3 || y.shape[1] !== 3)
      return {
        problem: say("TripletMarginLoss needs three vectors a sample, [B, 3, size], but the output is {shape}.", { shape: printShape(y.shape) }),
        hint: say("Join anchor, positive and negative with Stack, dim 1."),
      };
    return { target: type ?? { dtype: "int64", shape: y.shape.slice(0, 1) } };
  },
  lower: (b, { y }, { margin, p: norm, eps, swap }) =>
    b.call("aten::triplet_margin_loss", [part(b, y, 0), part(b, y, 1), part(b, y, 2), margin, norm, eps, swap, MEAN], float32([])),
  torch: ({ margin, p: norm, eps, swap }) =>
    `lambda y, t: nn.TripletMarginLoss(margin=${margin}, p=${norm}, eps=${eps}, swap=${swap ? "True" : "False"})(y[:, 0], y[:, 1], y[:, 2])`,
});
