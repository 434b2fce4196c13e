import { readFileSync } from "node:fs";
import { afterAll, expect, it } from "vitest";
import { readNpyHeader } from "../../core/data/npy.ts";
import { lowerTraining } from "../../core/program/lower.ts";
import { accuracy } from "../../core/training/metrics/accuracy.ts";
import { objectiveOf } from "../../core/training/objective.ts";
import { type Network, networks } from "./networks.ts";
import { pointsOf, specOf, temporaryFolder, trainAll, writeRows } from "./specs.ts";

const folder = temporaryFolder();
afterAll(folder.remove);

// Not a whole number of batches of 16: means are weighted by rows.
const ROWS = 60;
const [mlp] = networks as [Network];
const train = writeRows(folder.path, "train", mlp, 64, 1);
const validation = writeRows(folder.path, "validation", mlp, ROWS, 2);

it("a metric that a person wrote is the mean of its text over the validation rows", async () => {
  const expressionMetrics = [
    { name: "right", expression: "argmax(y, axis=1) == target" },
    { name: "first class", expression: "p = softmax(y, axis=-1)\nwhere(target == 0, -log(p[:, 0]), 2 * p[:, 0])" },
    { name: "one figure", expression: "max(abs(y)) * 0 + 3" },
  ];
  const lowered = lowerTraining(mlp.graph, { ...objectiveOf({ loss: "CrossEntropyLoss", lossParams: {}, extraLosses: [], expressionMetrics }), metrics: [accuracy] });
  const { events } = await trainAll(specOf(mlp, { train, validation }, { ...lowered, sampleRows: Array.from({ length: ROWS }, (_, i) => i) }));
  const evaluated = events.find((event) => event.type === "evaluated");
  const rows = evaluated?.samples.y ?? [];
  const file = readFileSync(validation.arrays.target?.file ?? "");
  const { offset } = readNpyHeader(file);
  const targets = Array.from({ length: ROWS }, (_, i) => Number(file.readBigInt64LE(offset + 8 * i)));
  expect([rows.length, targets.length]).toEqual([ROWS, ROWS]);
  const first = rows.map((row, i) => {
    const exps = row.map((score) => Math.exp(score ?? Number.NaN));
    const p = (exps[0] ?? 0) / exps.reduce((a, b) => a + b, 0);
    return targets[i] === 0 ? -Math.log(p) : 2 * p;
  });
  expect(evaluated?.values["expression/right"]).toBeCloseTo(evaluated?.values.accuracy ?? Number.NaN, 6);
  // float32 on the engine's side.
  expect(evaluated?.values["expression/first class"]).toBeCloseTo(first.reduce((a, b) => a + b, 0) / ROWS, 5);
  expect(evaluated?.values["expression/one figure"]).toBeCloseTo(3, 6);
  // Training rows are not measured: that would cost each step its time.
  expect(pointsOf(events, "train/expression/right")).toEqual([]);
});
