import { float32, type ProgramBuilder, type Value } from "../../layers/kit.ts";
import { p } from "../../layers/params.ts";
import { defineLoss, lossSource, MEAN, pairTarget, part, signs } from "./kit.ts";

export const cosineEmbeddingLoss = defineLoss({
  name: "CosineEmbeddingLoss",
  title: "Cosine embedding",
  doc: "Takes two vectors a sample, [B, 2, size]: alike where the target is yes (class 1), not alike where it is no.",
  formula: "loss = 1 − cos(a, b) where t = 1, max(0, cos(a, b) − margin) where t = −1",
  when: "To learn vectors that lie close for things that belong together. Join both with Stack, dim 1.",
  source: lossSource("CosineEmbeddingLoss"),
  learns: "classes",
  expects: "values",
  params: { margin: p.float({ min: -1, max: 1, step: 0.1, default: 0, doc: "How alike two strangers may be." }) },
  curve: { of: "cos(a, b) where t = 1", at: (cos) => (Math.abs(cos) <= 1 ? 1 - cos : Number.NaN) },
  target: (y, info) => pairTarget("CosineEmbeddingLoss", y, info, "two vectors a sample, [B, 2, size]", y.shape.length === 3 && y.shape[1] === 2),
  lower: (b, { y, target }, { margin }) => b.call("aten::cosine_embedding_loss", [part(b, y, 0), part(b, y, 1), signs(b, rows(y), target), margin, MEAN], float32([])),
  // Halfway between what a friend and a stranger should have.
  read: (b, { y }, { margin }) => b.call("aten::sub.Scalar", [similarity(b, y), (1 + margin) / 2], rows(y).type),
  torch: ({ margin }) => `lambda y, t: nn.CosineEmbeddingLoss(margin=${margin})(y[:, 0], y[:, 1], 2 * t - 1)`,
});

function similarity(b: ProgramBuilder, y: Value): Value {
  return b.call("aten::cosine_similarity", [part(b, y, 0), part(b, y, 1), 1], rows(y).type);
}

/** One number a sample. */
function rows(y: Value): Value {
  return { id: y.id, type: float32(y.type.shape.slice(0, 1)) };
}
