import { describe, expect, it } from "vitest";
import { emptyGraph, type Graph } from "../../core/graph/document.ts";
import { lowerTraining } from "../../core/program/lower.ts";
import { taskNamed } from "../../core/tasks/index.ts";
import { findLoss } from "../../core/training/losses/index.ts";
import { figuresOf, measuredBy } from "../../core/training/measured.ts";
import { AVERAGES } from "../../core/training/metrics/average.ts";
import { deriveValues, findMetric } from "../../core/training/metrics/index.ts";
import { run } from "../../native/index.ts";

/** precision_recall_fscore_support(average=…, zero_division=0) of scikit-learn 1.9.1 on the rows of a confusion matrix, [precision, recall, F1]; two with classes that never occur. */
const SCIKIT_LEARN = [
  {
    classes: 4,
    counts: [3, 2, 4, 1, 2, 6, 1, 1, 0, 3, 11, 1, 0, 0, 0, 5],
    macro: [0.614488636364, 0.658333333333, 0.612584190004],
    micro: [0.625, 0.625, 0.625],
    weighted: [0.622301136364, 0.625, 0.605140021269],
  },
  {
    classes: 5,
    counts: [8, 2, 1, 1, 2, 0, 7, 1, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    macro: [0.515555555556, 0.489285714286, 0.487938205585],
    micro: [0.766666666667, 0.766666666667, 0.766666666667],
    weighted: [0.887407407407, 0.766666666667, 0.796038819568],
  },
  {
    classes: 2,
    counts: [7, 5, 4, 9],
    macro: [0.63961038961, 0.637820512821, 0.63768115942],
    micro: [0.64, 0.64, 0.64],
    weighted: [0.63974025974, 0.64, 0.63884057971],
  },
  {
    classes: 3,
    counts: [7, 2, 0, 0, 0, 0, 0, 0, 0],
    macro: [0.5, 0.388888888889, 0.4375],
    micro: [0.777777777778, 0.777777777778, 0.777777777778],
    weighted: [1, 0.777777777778, 0.875],
  },
];

describe.each(AVERAGES)("the %s average of precision, recall and F1", (average) => {
  it.each(SCIKIT_LEARN)("is scikit-learn's, of $classes classes", ({ classes, counts, ...expected }) => {
    const values = deriveValues({ confusion: { shape: [classes, classes], data: counts } }, average);
    const end = average === "macro" ? "" : `_${average}`;
    expect(Object.keys(values).sort()).toEqual(["f1", "precision", "recall"].map((name) => name + end));
    for (const [at, name] of ["precision", "recall", "f1"].entries()) expect(values[name + end]).toBeCloseTo(expected[average][at] ?? Number.NaN, 10);
  });
});

/** Six scores for each of twelve rows, of which scikit-learn's top_k_accuracy_score says these. */
const SCORES = [
  2.041, -2.556, 0.418, -0.568, -0.453, -0.216, -2.02, -0.232, -0.865, 3.323, 0.226, -0.353, -0.281, -0.668, -1.055, -0.391, 0.482, -0.239, 0.958, -0.2, 0.024, 1.546, 0.545,
  -0.505, -0.183, 0.541, 1.935, -0.27, -0.244, 1.002, -0.886, -0.292, 0.883, 0.58, 0.092, 0.67, -2.828, 1.021, -0.96, -1.669, 0.276, 0.701, -0.445, -1.076, 0.026, -0.053, 1.406,
  0.747, 0.194, 1.112, -0.206, -0.926, 0.584, 0.583, -0.215, -0.783, 0.229, -2.494, 0.69, 0.491, -1.639, 0.061, -0.964, 0.757, -2.034, -0.914, 0.71, 1.156, -2.158, -0.498, 0.328,
  -0.609,
];
const TARGETS = [0, 1, 2, 3, 4, 5, 4, 1, 3, 5, 2, 0];

describe("top-k accuracy", () => {
  const echo: Graph = {
    ...emptyGraph,
    nodes: [
      { id: "x", type: "input", params: { shape: [6] }, at: { x: 0, y: 0 } },
      { id: "y", type: "output", params: {}, at: { x: 0, y: 0 } },
    ],
    edges: [{ id: "wire", from: { node: "x", port: "y" }, to: { node: "y", port: "x" } }],
  };
  const lower = (k: number | null) =>
    lowerTraining(echo, {
      loss: findLoss("CrossEntropyLoss"),
      metrics: measuredBy(taskNamed("tabular-classification"), { topK: k }, null),
      target: { classes: 6, type: { dtype: "int64", shape: ["B"] } },
    });

  it.each([
    [1, 1 / 6],
    [2, 5 / 12],
    [3, 7 / 12],
    [5, 0.75],
  ])("of k = %i is scikit-learn's", async (k, expected) => {
    const { program, metrics } = lower(k);
    expect(metrics).toContainEqual({ output: `top${k}`, reduce: "mean", when: "validation" });
    const made = await run({
      program,
      weights: { seed: 0 },
      inputs: {
        x: { dtype: "float32", shape: [12, 6], data: Float32Array.from(SCORES) },
        target: { dtype: "int64", shape: [12], data: BigInt64Array.from(TARGETS, BigInt) },
      },
    });
    expect(Number(made[`top${k}`]?.data[0])).toBeCloseTo(expected, 6);
    expect(findMetric(`top${k}`)).toMatchObject({ title: `Top-${k} accuracy`, isShare: true, better: "higher" });
  });

  it("is left out where it would always be 1, and without being asked for with few classes", () => {
    for (const k of [6, 100, null]) expect(lower(k).metrics.filter(({ output }) => output.startsWith("top"))).toEqual([]);
  });
});

it("what is measured is known before a run: the figures of one average, and those that fit the output", () => {
  const task = taskNamed("image-classification");
  const figures = (average: (typeof AVERAGES)[number], classes: number) =>
    figuresOf(measuredBy(task, { topK: 3 }, null), average, { y: { dtype: "float32", shape: ["B", classes] }, target: { dtype: "int64", shape: ["B"] } }).map(({ name }) => name);
  expect(figures("weighted", 10)).toEqual(["accuracy", "top3", "f1_weighted", "precision_weighted", "recall_weighted"]);
  expect(figures("macro", 2)).toEqual(["accuracy", "f1", "precision", "recall", "roc_auc", "pr_auc"]);
});
