import type { Manifest } from "../data/manifest.ts";
import { float32, type Value } from "../layers/kit.ts";
import { sketch } from "../templates/sketch.ts";
import { mae } from "../training/metrics/mae.ts";
import { reconstructionError } from "../training/metrics/reconstructionError.ts";
import { inputStep } from "./starters.ts";
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
  recipe: (rows) => ({ batchSize: atMost(128, rows), epochs: 5, lr: 3e-3 }),
  starter(data) {
    const { shape } = data.splits.train.input;
    const s = sketch();
    const code = s.stack([inputStep(data), ["flatten", "flatten"], ["fc1", "linear", { out_features: 128 }], ["relu1", "relu"], ["code", "linear", { out_features: 16 }]], {
      column: 0,
      row: 0,
    });
    s.put(["latent", "output", {}, "latent"], { column: 1, row: 5 }, { x: code });
    s.stack(
      [
        ["fc2", "linear", { out_features: 128 }],
        ["relu2", "relu"],
        ["fc3", "linear", { out_features: shape.reduce((product, size) => product * size, 1) }],
        ["sigmoid", "sigmoid"],
        ["unflatten", "unflatten", { dim: 1, unflattened_size: shape }],
        ["output", "output"],
      ],
      { column: 0, row: 5 },
      code,
    );
    return s.graph();
  },
};

function isPictures({ preprocess, splits }: Manifest): boolean {
  return preprocess.dtype === "uint8" && splits.train.input.shape.length === 3;
}

function withOwnTargets({ train, validation }: Manifest["splits"]): Manifest["splits"] {
  return { train: { ...train, target: train.input, classCounts: [] }, validation: { ...validation, target: validation.input, classCounts: [] } };
}
