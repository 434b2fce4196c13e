import { say } from "../../language/say.ts";
import type { DerivedMetric } from "../records.ts";
import { tokenLikelihood } from "./tokenLikelihood.ts";

export const perplexity: DerivedMetric = {
  name: "perplexity",
  title: "Perplexity",
  doc: "Between how many tokens the model wavers on average, for outputs [B, vocabulary, time].",
  formula: "perplexity = exp(mean −log p(token))",
  use: say("For models of language. Comparable only over the same vocabulary."),
  from: tokenLikelihood.name,
  better: "lower",
  of: ([loss = Number.NaN, count = 0]) => (count > 0 ? Math.exp(loss / count) : null),
};
