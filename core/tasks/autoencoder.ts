import type { Manifest } from "../data/manifest.ts";
import { float32, type Value } from "../layers/kit.ts";
import { drawAutoencoder } from "../templates/convAutoencoder.ts";
import { mae } from "../training/metrics/mae.ts";
import { reconstructionError } from "../training/metrics/reconstructionError.ts";
import { atMost, type TaskRecord } from "./task.ts";

/** Rebuilds pictures from fewer numbers. What is right is the picture itself, its pixels from 0 to 1, so any data set of pictures will do. */
export const autoencoder: TaskRecord = {
  id: "autoencoder",
  title: "Autoencoder",
  input: "image",
  learns: "shares",
  loss: "MSELoss",
  metrics: [reconstructionError, mae],
  judgedBy: null,
  knownBy: reconstructionError.name,
  samples: 8,
  show: (b, { y }): Value => {
    const type = float32(y.type.shape);
    return b.call("aten::round", [b.call("aten::clamp", [b.call("aten::mul.Scalar", [y, 255], type), 0, 255], type)], type);
  },
  points: "latent",
  from: (data) => (isPictures(data) ? { ...data, task: "autoencoder", classes: [], targetName: "the picture itself", splits: withOwnTargets(data.splits) } : null),
  // Few pictures are seen more often: some 1,000 steps are the least.
  recipe(rows) {
    const batchSize = atMost(rows < 4_000 ? 32 : 128, rows);
    return { batchSize, epochs: Math.max(5, Math.min(100, Math.ceil((1_000 * batchSize) / Math.max(1, rows)))), lr: 3e-3 };
  },
  starter: ({ splits }) => drawAutoencoder(splits.train.input.shape),
};

function isPictures({ preprocess, splits }: Manifest): boolean {
  return preprocess.dtype === "uint8" && splits.train.input.shape.length === 3;
}

function withOwnTargets({ train, validation }: Manifest["splits"]): Manifest["splits"] {
  return { train: { ...train, target: train.input, classCounts: [] }, validation: { ...validation, target: validation.input, classCounts: [] } };
}
