import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { lowerTraining } from "../../core/program/lower.ts";
import { taskNamed } from "../../core/tasks/index.ts";
import { chain } from "../../core/templates/sketch.ts";
import { findLoss, type LossName } from "../../core/training/losses/index.ts";
import { deriveValues } from "../../core/training/metrics/index.ts";
import { run } from "../../native/index.ts";
import { randomNumbers } from "../native/specs.ts";
import { missingOracles, runPython } from "../oracle.ts";

/** Classes of pixels stored as bytes, 255 where nothing is known: losses against PyTorch's, figures against their definitions in NumPy. */

const [ROWS, CLASSES, SIDE] = [3, 5, 6];
const random = randomNumbers(31);
const scores = Float32Array.from({ length: ROWS * CLASSES * SIDE * SIDE }, () => random() * 4 - 2);
// Class 4 is in no mask, and class 3 is never the highest score: both are judged apart.
for (let row = 0; row < ROWS; row++) scores.fill(-9, (row * CLASSES + 3) * SIDE * SIDE, (row * CLASSES + 4) * SIDE * SIDE);
const masks = Uint8Array.from({ length: ROWS * SIDE * SIDE }, () => (random() < 0.2 ? 255 : Math.floor(random() * 4)));

const LOSSES: LossName[] = ["CrossEntropyLoss", "DiceLoss", "FocalLoss"];

const program = `
import json, sys
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
asked = json.load(sys.stdin)
y = torch.tensor(asked["scores"], dtype=torch.float32).reshape(asked["shape"])
raw = torch.tensor(asked["masks"]).reshape(y.shape[0], *y.shape[2:])
t = torch.where(raw == 255, -100, raw)
answer = {"gradients": {}}
for name, code in asked["codes"].items():
    own = y.clone().requires_grad_(True)
    loss = eval(code)(own, t)
    loss.backward()
    answer[name] = loss.item()
p, k = y.argmax(1).numpy(), (raw != 255).numpy()
p, m = p[k], raw.numpy()[k]
answer["pixel_accuracy"] = float((p == m).mean())
ious, dices = [], []
for c in range(y.shape[1]):
    there, found = m == c, p == c
    if not (there.any() or found.any()):
        continue
    both = (there & found).sum()
    ious.append(both / (there | found).sum())
    dices.append(2 * both / (there.sum() + found.sum()))
answer["mean_iou"], answer["mean_dice"] = float(np.mean(ious)), float(np.mean(dices))
del answer["gradients"]
print(json.dumps(answer))
`;

const lowered = (loss: LossName) => {
  const task = taskNamed("semantic-segmentation");
  return lowerTraining(
    chain([
      ["input", "input", { shape: [CLASSES, SIDE, SIDE] }],
      ["output", "output"],
    ]),
    {
      loss: findLoss(loss),
      metrics: task.metrics,
      ...(task.show ? { show: task.show } : {}),
      target: { classes: CLASSES, type: { dtype: "int64", shape: ["B", SIDE, SIDE] }, stored: { dtype: "uint8", scale: 1, isInput: false } },
    },
  );
};

const inputs = {
  x: { dtype: "float32" as const, shape: [ROWS, CLASSES, SIDE, SIDE], data: scores },
  target: { dtype: "uint8" as const, shape: [ROWS, SIDE, SIDE], data: masks },
};

describe("of pixels", () => {
  it("the classes with the highest scores are shown, a byte for each", async () => {
    const outputs = await run({ program: lowered("CrossEntropyLoss").program, weights: { seed: 0 }, inputs });
    expect(outputs.y?.shape).toEqual([ROWS, SIDE, SIDE]);
    const at = (row: number, pixel: number) => Array.from({ length: CLASSES }, (_, one) => scores[(row * CLASSES + one) * SIDE * SIDE + pixel] ?? 0);
    for (const [index, found] of Array.from<number | bigint, number>(outputs.y?.data ?? [], Number).entries()) {
      const each = at(Math.floor(index / (SIDE * SIDE)), index % (SIDE * SIDE));
      expect(found).toBe(each.indexOf(Math.max(...each)));
    }
  });
});

const missing = missingOracles("torch", "numpy");
describe.skipIf(missing.length > 0)(`losses and figures of pixels are PyTorch's and NumPy's${missing.length > 0 ? ` (not installed: ${missing.join(", ")})` : ""}`, () => {
  let theirs: { [name: string]: number };
  beforeAll(async () => {
    const codes = Object.fromEntries(LOSSES.map((name) => [name, findLoss(name).torch]));
    theirs = z.record(z.string(), z.number()).parse(await runPython(program, { scores: [...scores], masks: [...masks], shape: [ROWS, CLASSES, SIDE, SIDE], codes }));
  });

  it.each(LOSSES)("%s leaves out what is not known", async (name) => {
    const outputs = await run({ program: lowered(name).program, weights: { seed: 0 }, inputs });
    const loss = Number(outputs.loss?.data[0]);
    // F.cross_entropy without reduction keeps a 0 for each pixel that it leaves out, and so does the mean of them.
    expect(loss).toBeCloseTo(theirs[name] ?? Number.NaN, 5);
  });

  it("pixel accuracy, mean IoU and Dice leave out what is not known and classes that are neither there nor found", async () => {
    const { program, metrics } = lowered("CrossEntropyLoss");
    const outputs = await run({ program, weights: { seed: 0 }, inputs });
    const tensors = Object.fromEntries(
      metrics.map(({ output }) => [output, { shape: outputs[output]?.shape ?? [], data: Array.from<number | bigint, number>(outputs[output]?.data ?? [], Number) }]),
    );
    expect(tensors.pixel_confusion?.data.reduce((sum, count) => sum + count, 0)).toBe(masks.filter((one) => one !== 255).length);
    const ours = deriveValues(tensors);
    for (const name of ["pixel_accuracy", "mean_iou", "mean_dice"]) expect(ours[name], name).toBeCloseTo(theirs[name] ?? Number.NaN, 9);
    expect(Object.keys(ours).sort()).toEqual(["mean_dice", "mean_iou", "pixel_accuracy"]);
  });
});
