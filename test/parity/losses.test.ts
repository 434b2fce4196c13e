import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { type Tensor, tensorOf } from "../../core/export/tensor.ts";
import { emptyGraph, type Graph } from "../../core/graph/document.ts";
import { lowerTraining } from "../../core/program/lower.ts";
import { findLoss } from "../../core/training/losses/index.ts";
import { metricsFor } from "../../core/training/metrics/index.ts";
import { run } from "../../native/index.ts";
import { missingOracles, runPython } from "../oracle.ts";

const scores = [2.5, -1, 0.3, 0.1, 1.7, -0.2, -3, 0.9, 0.4, 0.6, 0.2, 0.1];

/** A model that gives back what comes in, so that loss and metrics see exactly these numbers. */
function echo(shape: number[]): Graph {
  return {
    ...emptyGraph,
    nodes: [
      { id: "input", type: "input", params: { shape }, at: { x: 0, y: 0 } },
      { id: "output", type: "output", params: {}, at: { x: 0, y: 0 } },
    ],
    edges: [{ id: "wire", from: { node: "input", port: "y" }, to: { node: "output", port: "x" } }],
  };
}

type LossCase = { name: string; loss: "CrossEntropyLoss" | "MSELoss" | "BCEWithLogitsLoss" | "L1Loss"; y: Tensor; target: Tensor; theirs: string; classes?: number };
const cases: LossCase[] = [
  {
    name: "cross-entropy of classes",
    loss: "CrossEntropyLoss",
    y: tensorOf("float32", [4, 3], scores),
    target: tensorOf("int64", [4], [0, 1, 2, 2]),
    theirs: "F.cross_entropy(y, t), y.argmax(1), t",
  },
  {
    name: "cross-entropy of sequences",
    loss: "CrossEntropyLoss",
    y: tensorOf("float32", [2, 3, 2], scores),
    target: tensorOf("int64", [2, 2], [0, 1, 2, 2]),
    theirs: "F.cross_entropy(y, t), y.argmax(1), t",
  },
  {
    name: "binary, one score",
    loss: "BCEWithLogitsLoss",
    y: tensorOf("float32", [6, 1], scores.slice(0, 6)),
    target: tensorOf("int64", [6], [1, 0, 1, 0, 0, 1]),
    classes: 2,
    theirs: "F.binary_cross_entropy_with_logits(y[:, 0], t.float()), (y[:, 0] > 0).long(), t",
  },
  {
    name: "binary, without a score axis",
    loss: "BCEWithLogitsLoss",
    y: tensorOf("float32", [6], scores.slice(0, 6)),
    target: tensorOf("int64", [6], [1, 0, 1, 0, 0, 1]),
    classes: 2,
    theirs: "F.binary_cross_entropy_with_logits(y, t.float()), (y > 0).long(), t",
  },
  {
    name: "binary, one against the rest",
    loss: "BCEWithLogitsLoss",
    y: tensorOf("float32", [4, 3], scores),
    target: tensorOf("int64", [4], [0, 1, 2, 0]),
    classes: 3,
    theirs: "F.binary_cross_entropy_with_logits(y, F.one_hot(t, 3).float()), y.argmax(1), t",
  },
  {
    name: "squares, [B, 1] against [B]",
    loss: "MSELoss",
    y: tensorOf("float32", [6, 1], scores.slice(0, 6)),
    target: tensorOf("float32", [6], scores.slice(6)),
    theirs: "F.mse_loss(y[:, 0], t), None, None",
  },
  {
    name: "squares, [B] against [B, 1]",
    loss: "MSELoss",
    y: tensorOf("float32", [6], scores.slice(0, 6)),
    target: tensorOf("float32", [6, 1], scores.slice(6)),
    theirs: "F.mse_loss(y, t[:, 0]), None, None",
  },
  {
    name: "absolute, several columns",
    loss: "L1Loss",
    y: tensorOf("float32", [3, 2], scores.slice(0, 6)),
    target: tensorOf("float32", [3, 2], scores.slice(6)),
    theirs: "F.l1_loss(y, t), None, None",
  },
];

/** Loss, and what the metrics should be: accuracy and confusion of classes, mean absolute error of values. */
const program = `
import json, sys, torch
import torch.nn.functional as F
answers = []
for case in json.load(sys.stdin):
    y, t = (torch.tensor(case[k]["data"], dtype=getattr(torch, case[k]["dtype"])).reshape(case[k]["shape"]) for k in ("y", "target"))
    loss, predicted, right = eval(case["theirs"])
    answer = {"loss": loss.item()}
    if predicted is None:
        answer["mae"] = (y.flatten() - t.flatten()).abs().mean().item()
    else:
        classes = max(2, y.shape[1] if y.dim() > 1 else 1)
        matrix = torch.zeros(classes, classes, dtype=torch.long)
        for r, p in zip(right.flatten().tolist(), predicted.flatten().tolist()):
            matrix[r, p] += 1
        answer |= {"accuracy": (predicted == right).float().mean().item(), "confusion": matrix.flatten().tolist()}
    answers.append(answer)
print(json.dumps(answers))
`;

const missing = missingOracles("torch");
describe.skipIf(missing.length > 0)(`losses and metrics are PyTorch's${missing.length > 0 ? ` (not installed: ${missing.join(", ")})` : ""}`, () => {
  let answers: { [name: string]: number | number[] }[];
  beforeAll(async () => {
    const asked = cases.map(({ y, target, theirs }) => ({
      theirs,
      y: { ...y, data: Array.from(y.data, Number) },
      target: { ...target, data: Array.from<number | bigint, number>(target.data, Number) },
    }));
    answers = z.array(z.record(z.string(), z.union([z.number(), z.array(z.number())]))).parse(await runPython(program, asked));
  });

  it.each(cases.map((one, index) => ({ ...one, index })))("$name", async ({ loss, y, target, index, classes = null }) => {
    const { program, metrics } = lowerTraining(echo(y.shape.slice(1)), {
      loss: findLoss(loss),
      metrics: metricsFor(target.dtype === "int64" ? "tabular-classification" : "tabular-regression"),
      target: { classes, type: { dtype: target.dtype, shape: ["B", ...target.shape.slice(1)] } },
    });
    const outputs = await run({ program, weights: { seed: 0 }, inputs: { x: y, target } });
    expect(Object.keys(outputs).sort()).toEqual([...Object.keys(answers[index] ?? {}), "y"].sort());
    expect(metrics.map(({ output }) => output)).toEqual(Object.keys(answers[index] ?? {}).filter((name) => name !== "loss"));
    for (const [name, theirs] of Object.entries(answers[index] ?? {})) {
      const ours = Array.from<number | bigint, number>(outputs[name]?.data ?? [], Number);
      expect(ours).toHaveLength([theirs].flat().length);
      for (const [i, value] of [theirs].flat().entries()) expect(ours[i], name).toBeCloseTo(value, 6);
    }
  });
});
