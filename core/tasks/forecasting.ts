import { drawLinearForecast } from "../templates/births.ts";
import { errorMoments } from "../training/metrics/errorMoments.ts";
import { mae } from "../training/metrics/mae.ts";
import { mase, maseIn } from "../training/metrics/mase.ts";
import { smape } from "../training/metrics/smape.ts";
import { atMost, type TaskRecord } from "./task.ts";

export const forecasting: TaskRecord = {
  id: "forecasting",
  title: "Forecasting",
  input: "series",
  learns: "values",
  loss: "L1Loss",
  metrics: [mae, smape, errorMoments],
  metricsOf: ({ series }) => (series ? [maseIn(series.scale)] : []),
  judgedBy: mae.name,
  knownBy: mase.name,
  samples: 8,
  recipe: (rows) => {
    const batchSize = atMost(rows < 2_000 ? 16 : 64, rows);
    return { batchSize, epochs: Math.max(5, Math.min(100, Math.round((1_500 * batchSize) / Math.max(1, rows)))), lr: 3e-3 };
  },
  starter: ({ splits: { train }, preprocess }) => drawLinearForecast(train.input.shape[0] ?? 1, train.target.shape[0] ?? 1, preprocess),
};
