import { describe, expect, it } from "vitest";
import { checkGraph } from "../../../core/graph/check.ts";
import { readParams } from "../../../core/layers/params.ts";
import { chain } from "../../../core/templates/sketch.ts";
import { balancedWeights } from "../../../core/training/classWeights.ts";
import { losses } from "../../../core/training/losses/index.ts";
import { derivedMetrics, goodDirection, metrics } from "../../../core/training/metrics/index.ts";
import { objectiveOf } from "../../../core/training/objective.ts";
import { optimizers } from "../../../core/training/optimizers/index.ts";
import { defaultSettings } from "../../../core/training/recipes.ts";
import { schedules } from "../../../core/training/schedules/index.ts";
import { RunSettings, StoredRunSettings } from "../../../core/training/settings.ts";
import { TrainSpec } from "../../../core/training/spec.ts";

const usual = { ...defaultSettings("image-classification", 1000), datasetId: "d" };

describe("settings", () => {
  it("take parameters that the record has, in its range", () => {
    const settings = { ...usual, optimizer: "SGD" as const, optimizerParams: { momentum: 0.9, nesterov: true }, lossParams: { label_smoothing: 0.1 } };
    expect(RunSettings.parse(settings)).toEqual(settings);
  });

  it.each([
    [{ optimizerParams: { beta1: 1.5 } }, "beta1 of AdamW must be a number from 0 to 0.99999."],
    [{ optimizerParams: { momentum: 0.9 } }, "AdamW has no parameter “momentum”."],
    [{ lossParams: { label_smoothing: "much" } }, "label_smoothing of CrossEntropyLoss must be a number from 0 to 1."],
    [{ lossParams: { weight: "1; 2" } }, "weight of CrossEntropyLoss must be written differently."],
    [{ scheduleParams: { pct_start: -1 } }, "pct_start of OneCycleLR must be a number from 0 to 1."],
    [{ extraLosses: [{ output: "aux", loss: "HuberLoss", lossParams: { delta: 0 }, weight: 1 }] }, "delta of HuberLoss must be a number ≥ 1e-12."],
    [{ gradClipNorm: 1, gradClipValue: 1 }, "Gradients are clipped by norm or by value, not both: set one of them to 0."],
  ])("refuse %j", (change, message) => {
    const read = RunSettings.safeParse({ ...usual, ...change });
    expect(read.error?.issues.map((issue) => issue.message)).toEqual([message]);
  });

  it("of an older release are read as they were meant", () => {
    const { lossParams, extraLosses, optimizerParams, scheduleParams, bucketing, earlyStopping, emaDecay, gradClipValue, oneBatch, ...rest } = usual;
    const before = { ...rest, optimizer: "SGD", momentum: 0.8, nesterov: true, schedule: "cosine" };
    expect(StoredRunSettings.parse(before)).toEqual({ ...usual, optimizer: "SGD", optimizerParams: { momentum: 0.8, nesterov: true }, schedule: "CosineAnnealingLR" });
    expect(StoredRunSettings.parse({ ...rest, momentum: 0.8, nesterov: true, schedule: "one-cycle" })).toEqual(usual);
    expect(StoredRunSettings.parse(usual)).toEqual(usual);
  });
});

describe("class weights", () => {
  it("make every class weigh the same, as scikit-learn has it", () => {
    const counts = [10, 30, 60];
    const weights = balancedWeights(counts);
    expect(weights).toBe("3.333, 1.111, 0.5556");
    const weighed = weights.split(", ").map((weight, i) => Number(weight) * (counts[i] ?? 0));
    for (const weight of weighed) expect(weight).toBeCloseTo(100 / 3, 1);
    expect(balancedWeights([0, 4])).toBe("1, 0.5");
  });

  it("are taken by each loss that says it has them", () => {
    const weighted = losses.filter(({ classWeights }) => classWeights);
    expect(weighted.map(({ name }) => name)).toEqual(expect.arrayContaining(["CrossEntropyLoss", "NLLLoss", "MultiMarginLoss"]));
    for (const { params, classWeights = "" } of weighted) expect(readParams(params, { [classWeights]: balancedWeights([1, 12345, 7]) }).problems).toEqual([]);
  });
});

describe("every record", () => {
  it.each([...losses, ...optimizers, ...schedules].map((record) => [record.name, record] as const))("%s has words, and defaults that it takes itself", (_, record) => {
    for (const words of [record.doc, record.formula, record.when, record.source]) expect(words).toMatch(/\S/);
    const given = Object.fromEntries(Object.entries(record.params).map(([name, param]) => [name, param.default]));
    expect(readParams(record.params, given).problems).toEqual([]);
  });

  it.each(optimizers.map((optimizer) => [optimizer.name, optimizer] as const))("%s makes a part of a spec that the engine's schema takes, and Python code", (_, optimizer) => {
    const { values } = readParams(optimizer.params, {});
    expect(TrainSpec.shape.optimizer.parse(optimizer.toSpec(values, 0.1))).toMatchObject({ kind: optimizer.name, weightDecay: 0.1 });
    expect(optimizer.torch(values, { lr: 0.5, weightDecay: 0.25 })).toContain("model.parameters(), lr=0.5");
  });

  it("metrics have names of their own, and say which way is good", () => {
    const measured = metrics;
    const names = [...measured, ...derivedMetrics].map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { from } of derivedMetrics) expect(measured.find(({ name }) => name === from)?.reduce).toBe("sum");
    expect(["validation/f1", "validation/rmse", "train/loss/aux", "train/accuracy", "validation/confusion", "lr"].map(goodDirection)).toEqual([
      "higher",
      "lower",
      "lower",
      "higher",
      null,
      null,
    ]);
  });
});

describe("a metric that a person writes", () => {
  const graph = chain([
    ["x", "input", { shape: [4] }],
    ["fc", "linear", { out_features: 3 }],
    ["y", "output"],
  ]);
  const problemsOf = (expression: string) =>
    checkGraph(graph, objectiveOf({ loss: "CrossEntropyLoss", lossParams: {}, extraLosses: [], expressionMetrics: [{ name: "own", expression }] })).problems.map(
      ({ code, message }) => [code, message],
    );

  it("goes with the output and the targets", () => {
    expect(problemsOf("argmax(y, axis=1) == target")).toEqual([]);
    expect(problemsOf("y - target")).toEqual([["GRAPH_METRIC", expect.stringContaining("The metric “own”, column 1:")]]);
  });
  it.each([
    ["y -", "Column 4:"],
    ["y - t", "Column 5: There is no t here."],
    ["3 + 4", "Column 1: It looks at neither y nor target."],
    ["y, target", "Column 1: A metric is one figure, and this gives 2."],
    ["sofmax(y)", "There is no function sofmax."],
  ])("%s is refused: %s", (expression, message) => {
    const read = RunSettings.safeParse({ ...usual, expressionMetrics: [{ name: "own", expression }] });
    expect(read.error?.issues[0]?.message).toContain(message);
  });
  it("has a name of its own", () => {
    const metric = { name: "own", expression: "y" };
    expect(RunSettings.safeParse({ ...usual, expressionMetrics: [metric, metric] }).error?.issues[0]?.message).toBe("Two metrics are named own.");
    expect(RunSettings.safeParse({ ...usual, expressionMetrics: [{ ...metric, name: "a/b" }] }).success).toBe(false);
  });
});

describe("losses of several outputs", () => {
  const graph = chain([
    ["x", "input", { shape: [4] }],
    ["fc", "linear", { out_features: 3 }],
    ["y", "output"],
  ]);
  const problemsOf = (extraLosses: RunSettings["extraLosses"]) =>
    checkGraph(graph, objectiveOf({ loss: "CrossEntropyLoss", lossParams: {}, extraLosses })).problems.map(({ code, message }) => [code, message]);

  it("may look at one output twice", () => {
    expect(problemsOf([{ output: "y", loss: "DiceLoss", lossParams: {}, weight: 0.5 }])).toEqual([]);
  });
  it("name outputs that are there", () => {
    expect(problemsOf([{ output: "aux", loss: "Value", lossParams: {}, weight: 1 }])).toEqual([["GRAPH_LOSS", "Value is set for an output “aux”, and the model's are y."]]);
  });
  it("compare with one kind of targets", () => {
    expect(problemsOf([{ output: "y", loss: "MSELoss", lossParams: {}, weight: 1 }])).toEqual([
      ["GRAPH_LOSS", "MSELoss of “y” needs targets float32 [B, 3], but the first loss needs int64 [B]: they come from the same data."],
    ]);
  });
});
