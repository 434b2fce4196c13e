import { classification } from "./classification.ts";
import { endsOnly } from "./starters.ts";
import { atMost, type TaskRecord } from "./task.ts";

export const textClassification: TaskRecord = {
  ...classification,
  id: "text-classification",
  title: "Text classification",
  input: "text",
  // Clipped, since a recurrent network's gradients can jump.
  recipe: (rows) => ({ batchSize: atMost(64, rows), epochs: 15, lr: 3e-3, gradClipNorm: 1 }),
  starter: endsOnly,
};
