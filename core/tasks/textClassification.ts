import type { Graph } from "../graph/document.ts";
import { drawBag } from "../templates/mailBag.ts";
import { classification } from "./classification.ts";
import { endsOnly } from "./starters.ts";
import { atMost, type StarterData, type TaskRecord } from "./task.ts";

// Clipped, since a recurrent network's gradients can jump.
export const textRecipe: TaskRecord["recipe"] = (rows) => ({ batchSize: atMost(64, rows), epochs: 15, lr: 3e-3, gradClipNorm: 1 });

/** A bag of what the text is cut into; of sequences that are no text, where they come in and go out. */
export function textStarter(data: StarterData, outputs: number): Graph {
  return data.text ? drawBag(data.text.tokens.length, outputs) : endsOnly(data);
}

export const textClassification: TaskRecord = {
  ...classification,
  id: "text-classification",
  title: "Text classification",
  input: "text",
  recipe: textRecipe,
  starter: (data) => textStarter(data, data.classes.length),
};
