import { z } from "zod";
import { TEXT_LIMITS, TokenizerPlan, UNKNOWN } from "./text.ts";

/** How one long text becomes a data set that a language model learns from: what a person has seen and corrected. */
export const LanguagePlan = z.strictObject({
  tokenizer: TokenizerPlan,
  /** How many tokens the network is shown at once. */
  context: z.int().min(2).max(TEXT_LIMITS.context),
  /** The end of the text, kept back for validation. */
  validationShare: z.number().min(0.01).max(0.9),
});
export type LanguagePlan = z.infer<typeof LanguagePlan>;

/** A plan to begin with. */
export const usualLanguagePlan: LanguagePlan = { tokenizer: { unit: "characters", lowercase: false, vocabulary: 256 }, context: 128, validationShare: 0.1 };

/**
 * The next token of a text, drawn from its scores over `temperature`; the likeliest where that is 0. Padding and what is not in the
 * vocabulary are never written. `random` is uniform in [0, 1).
 */
export function pickToken(scores: ArrayLike<number>, temperature: number, random: () => number): number {
  let best = UNKNOWN + 1;
  for (let token = best; token < scores.length; token++) if ((scores[token] ?? 0) > (scores[best] ?? 0)) best = token;
  if (temperature <= 0) return best;
  const weights = Array.from(scores, (score, token) => (token <= UNKNOWN ? 0 : Math.exp((score - (scores[best] ?? 0)) / temperature)));
  let left = random() * weights.reduce((sum, weight) => sum + weight, 0);
  for (const [token, weight] of weights.entries()) {
    left -= weight;
    if (left < 0) return token;
  }
  return best;
}
