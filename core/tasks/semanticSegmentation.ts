import type { Value } from "../layers/kit.ts";
import { drawUnet } from "../templates/unetSmall.ts";
import { meanIou } from "../training/metrics/meanIou.ts";
import { pixelConfusion } from "../training/metrics/pixelConfusion.ts";
import { predictedClass } from "../training/metrics/scores.ts";
import { atMost, type TaskRecord } from "./task.ts";

export const semanticSegmentation: TaskRecord = {
  id: "semantic-segmentation",
  title: "Semantic segmentation",
  input: "image",
  learns: "classes",
  loss: "CrossEntropyLoss",
  metrics: [pixelConfusion],
  judgedBy: meanIou.name,
  samples: 8,
  show: (b, { y, target }): Value => predictedClass(b, y, target),
  /**
   * Dice beside cross-entropy: it counts each class the same, where most pixels are background. Few pictures are seen more often: some 1,000 steps
   * are the least.
   */
  recipe(rows) {
    const batchSize = atMost(8, rows);
    return {
      batchSize,
      epochs: Math.max(15, Math.min(100, Math.ceil((1_000 * batchSize) / Math.max(1, rows)))),
      lr: 5e-3,
      extraLosses: [{ output: "y", loss: "DiceLoss", lossParams: {}, weight: 1 }],
    };
  },
  starter: ({ splits, classes }) => drawUnet(splits.train.input.shape, classes.length),
};
