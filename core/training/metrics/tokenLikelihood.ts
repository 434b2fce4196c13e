import { float32 } from "../../layers/kit.ts";
import type { MetricRecord } from "../records.ts";
import { areScores } from "./scores.ts";

/** Sum of the negative log-likelihoods of all tokens, and how many there are. */
export const tokenLikelihood: MetricRecord = {
  name: "token_likelihood",
  title: "Likelihood of tokens",
  doc: "What perplexity is worked out from.",
  reduce: "sum",
  when: "validation",
  fits: (types) => areScores(types) && types.y.shape.length === 3,
  lower(b, { y, target }) {
    const SUM = 2;
    const loss = b.call("aten::cross_entropy_loss", [y, target, null, SUM], float32([]));
    const known = b.call("aten::ne.Scalar", [target, -100], { dtype: "bool", shape: target.type.shape });
    return b.call("aten::stack", [[loss, b.call("aten::sum", [b.call("aten::to.dtype", [known, "float32"], float32(target.type.shape))], float32([]))]], float32([2]));
  },
};
