import { say } from "../../language/say.ts";
import { float32 } from "../../layers/kit.ts";
import { crossEntropyLoss } from "../losses/crossEntropyLoss.ts";
import type { MetricRecord } from "../records.ts";
import { areScores } from "./scores.ts";

/** The metric over tokens that have this many characters on average. */
export function bitsPer(charactersPerToken: number): MetricRecord {
  return {
    name: "bits_per_character",
    title: "Bits per character",
    doc: "How many bits it would take to write down each character, knowing what the network says of it.",
    formula: "bits per character = mean −log₂ p(token) / characters per token",
    use: say("For models of language: it can be compared between vocabularies, as perplexity cannot."),
    reduce: "mean",
    when: "validation",
    better: "lower",
    fits: (types) => areScores(types) && types.y.shape.length === 3,
    lower: (b, values) =>
      b.call("aten::mul.Scalar", [crossEntropyLoss.lower(b, values, { weight: "", ignore_index: -100, label_smoothing: 0 }), 1 / (Math.LN2 * charactersPerToken)], float32([])),
  };
}

export const bitsPerCharacter = bitsPer(1);
