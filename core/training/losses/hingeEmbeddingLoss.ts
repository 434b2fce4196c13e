import { float32 } from "../../layers/kit.ts";
import { p } from "../../layers/params.ts";
import { answerTarget, defineLoss, lossCall, lossSource, MEAN, signs } from "./kit.ts";

export const hingeEmbeddingLoss = defineLoss({
  name: "HingeEmbeddingLoss",
  title: "Hinge embedding",
  doc: "Takes a distance: small where the target is yes (class 1), beyond the margin where it is no.",
  formula: "loss = y where t = 1, max(0, margin − y) where t = −1",
  when: "When the network measures how far two things are apart, and the targets say whether they belong together.",
  source: lossSource("HingeEmbeddingLoss"),
  learns: "classes",
  expects: "values",
  params: { margin: p.float({ default: 1, doc: "How far apart is far enough." }) },
  curve: { of: "y where t = −1", at: (y, { margin }) => Math.max(0, margin - y) },
  target: (y, info) => answerTarget("HingeEmbeddingLoss", y, info),
  lower: (b, { y, target }, { margin }) => b.call("aten::hinge_embedding_loss", [y, signs(b, y, target), margin, MEAN], float32([])),
  read: (b, { y }, { margin }) => b.call("aten::rsub.Scalar", [y, margin / 2], float32(y.type.shape)),
  torch: ({ margin }) => lossCall("HingeEmbeddingLoss", { margin: [margin, 1] }),
});
