import { drawGpt } from "../templates/gpt.ts";
import { accuracy } from "../training/metrics/accuracy.ts";
import { bitsPer, bitsPerCharacter } from "../training/metrics/bitsPerCharacter.ts";
import { tokenLikelihood } from "../training/metrics/tokenLikelihood.ts";
import { atMost, type TaskRecord } from "./task.ts";

export const languageModel: TaskRecord = {
  id: "language-model",
  title: "Language model",
  input: "text",
  learns: "classes",
  loss: "CrossEntropyLoss",
  metrics: [accuracy, tokenLikelihood],
  metricsOf: ({ text }) => [bitsPer(text?.charactersPerToken ?? 1)],
  judgedBy: null,
  knownBy: bitsPerCharacter.name,
  samples: 0,
  writes: true,
  // About 1,000 steps, clipped as GPTs are.
  recipe: (rows) => {
    const batchSize = atMost(32, rows);
    return { batchSize, epochs: Math.max(1, Math.min(100, Math.round((1_000 * batchSize) / Math.max(1, rows)))), lr: 3e-3, gradClipNorm: 1 };
  },
  starter: ({ text, splits }) => drawGpt(text?.tokens.length ?? 2, splits.train.input.shape[0] ?? 1),
};
