import { describe, expect, it } from "vitest";
import type { TensorType } from "../../../core/graph/shape.ts";
import { findLoss } from "../../../core/training/losses/index.ts";
import type { TargetInfo } from "../../../core/training/records.ts";

const y = (...shape: TensorType["shape"]): TensorType => ({ dtype: "float32", shape });
const digits: TargetInfo = { classes: 10, type: { dtype: "int64", shape: ["B"] } };
const pair: TargetInfo = { classes: 2, type: { dtype: "int64", shape: ["B"] } };
const mileage: TargetInfo = { classes: null, type: { dtype: "float32", shape: ["B", 1] } };
const unknown: TargetInfo = { classes: null, type: null };

describe("a loss says what it needs of an output", () => {
  it.each([
    ["CrossEntropyLoss", y("B", 10), digits, ["B"]],
    ["CrossEntropyLoss", y("B", 5, "T"), unknown, ["B", "T"]],
    ["BCEWithLogitsLoss", y("B", 1), pair, ["B"]],
    ["BCEWithLogitsLoss", y("B"), pair, ["B"]],
    ["BCEWithLogitsLoss", y("B", 10), digits, ["B"]],
    ["MSELoss", y("B", 1), mileage, ["B", 1]],
    ["MSELoss", y("B"), mileage, ["B", 1]],
    ["L1Loss", y("B", 3), unknown, ["B", 3]],
  ] as const)("%s takes %j", (name, output, info, shape) => {
    expect(findLoss(name).target(output, info)).toMatchObject({ target: { shape } });
  });

  it.each([
    ["CrossEntropyLoss", y("B", 12), digits, "CrossEntropyLoss needs one score per class: there are 10 classes, but the output has 12 values.", 10],
    ["CrossEntropyLoss", y("B"), digits, "CrossEntropyLoss needs one score per class, [B, 10], but the output is [B].", 10],
    ["CrossEntropyLoss", y("B", 16, 5, 5), digits, "CrossEntropyLoss needs [B, 10] but the output is [B, 16, 5, 5].", undefined],
    ["CrossEntropyLoss", y("B", 10), mileage, "CrossEntropyLoss needs class numbers as targets, but the data set's targets are measured values.", undefined],
    ["BCEWithLogitsLoss", y("B", 3), pair, "BCEWithLogitsLoss needs one score, [B, 1], or one per class, [B, 2], but the output is [B, 3].", 1],
    ["BCEWithLogitsLoss", y("B", 1), digits, "BCEWithLogitsLoss needs one score per class, [B, 10], but the output is [B, 1].", 10],
    ["MSELoss", y("B", 10), digits, "MSELoss needs measured values as targets, but the data set's targets are class numbers.", undefined],
    // PyTorch would stretch [B, 7] against [B, 1] and train on nonsense.
    ["MSELoss", y("B", 7), mileage, "MSELoss needs an output like the targets, [B, 1], but the output is [B, 7].", 1],
  ] as const)("%s refuses %j", (name, output, info, problem, width) => {
    expect(findLoss(name).target(output, info)).toMatchObject({ problem, ...(width === undefined ? {} : { width }) });
  });
});
