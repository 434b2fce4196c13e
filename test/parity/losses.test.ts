import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { type Tensor, tensorOf } from "../../core/export/tensor.ts";
import { emptyGraph, type Graph } from "../../core/graph/document.ts";
import { lowerTraining } from "../../core/program/lower.ts";
import { taskNamed } from "../../core/tasks/index.ts";
import { findLoss, type LossName, losses } from "../../core/training/losses/index.ts";
import { deriveValues } from "../../core/training/metrics/index.ts";
import type { ParamValues } from "../../core/training/records.ts";
import { run } from "../../native/index.ts";
import { missingOracles, runPython } from "../oracle.ts";

const scores = [2.5, -1, 0.3, 0.1, 1.7, -0.2, -3, 0.9, 0.4, 0.6, 0.2, 0.1];
const shares = [0.9, 0.2, 0.4, 0.7, 0.05, 0.6];

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

type LossCase = {
  name: string;
  loss: LossName;
  lossParams?: ParamValues;
  y: Tensor;
  target: Tensor;
  classes?: number;
  /** The loss in PyTorch's functions, of `y` and `t`. */
  theirs: string;
  /** What metrics are taken of. */
  seen?: string;
  /** The targets that the record's own PyTorch code wants, and the output; null where that code is for other shapes. */
  code?: [y: string, t: string] | null;
};

const floats = (shape: number[], data: readonly number[] = scores) =>
  tensorOf(
    "float32",
    shape,
    data.slice(
      0,
      shape.reduce((a, b) => a * b, 1),
    ),
  );
const classes = (shape: number[], data: readonly number[]) => tensorOf("int64", shape, [...data]);
const yesNo = classes([6], [1, 0, 1, 0, 0, 1]);
const measured = floats([6], scores.slice(6));
const perClass = { y: floats([4, 3]), target: classes([4], [0, 1, 2, 2]) };
const perPixel = { y: floats([2, 3, 2]), target: classes([2, 2], [0, 1, 2, 2]) };

const cases: LossCase[] = [
  { name: "cross-entropy of classes", loss: "CrossEntropyLoss", ...perClass, theirs: "F.cross_entropy(y, t)" },
  { name: "cross-entropy of sequences", loss: "CrossEntropyLoss", ...perPixel, theirs: "F.cross_entropy(y, t)" },
  {
    name: "cross-entropy, weighed and smoothed, with a class left out",
    loss: "CrossEntropyLoss",
    lossParams: { weight: "1, 2.5, 0.5", label_smoothing: 0.1, ignore_index: 1 },
    ...perClass,
    theirs: "F.cross_entropy(y, t, weight=torch.tensor([1, 2.5, 0.5]), ignore_index=1, label_smoothing=0.1)",
  },
  { name: "likelihood", loss: "NLLLoss", lossParams: { weight: "1, 2, 3" }, ...perClass, theirs: "F.nll_loss(y, t, torch.tensor([1., 2, 3]))" },
  {
    name: "binary, one score",
    loss: "BCEWithLogitsLoss",
    y: floats([6, 1]),
    target: yesNo,
    classes: 2,
    theirs: "F.binary_cross_entropy_with_logits(y[:, 0], t.float())",
    code: ["y[:, 0]", "t.float()"],
  },
  {
    name: "binary, without a score axis",
    loss: "BCEWithLogitsLoss",
    lossParams: { pos_weight: "3" },
    y: floats([6]),
    target: yesNo,
    classes: 2,
    theirs: "F.binary_cross_entropy_with_logits(y, t.float(), pos_weight=torch.tensor([3.]))",
    code: ["y", "t.float()"],
  },
  {
    name: "binary, one against the rest",
    loss: "BCEWithLogitsLoss",
    lossParams: { pos_weight: "1, 2, 3" },
    y: floats([4, 3]),
    target: classes([4], [0, 1, 2, 0]),
    classes: 3,
    theirs: "F.binary_cross_entropy_with_logits(y, F.one_hot(t, 3).float(), pos_weight=torch.tensor([1., 2, 3]))",
    code: ["y", "F.one_hot(t, 3).float()"],
  },
  {
    name: "binary, of probabilities",
    loss: "BCELoss",
    y: floats([6, 1], shares),
    target: yesNo,
    classes: 2,
    theirs: "F.binary_cross_entropy(y[:, 0], t.float())",
    seen: "y[:, 0] - 0.5",
    code: ["y[:, 0]", "t.float()"],
  },
  {
    name: "hinge of several classes",
    loss: "MultiMarginLoss",
    lossParams: { p: "2", margin: 0.7, weight: "1, 2, 3" },
    ...perClass,
    theirs: "F.multi_margin_loss(y, t, p=2, margin=0.7, weight=torch.tensor([1., 2, 3]))",
  },
  {
    name: "one against the rest, averaged",
    loss: "MultiLabelSoftMarginLoss",
    ...perClass,
    theirs: "F.multilabel_soft_margin_loss(y, F.one_hot(t, 3).float())",
    code: ["y", "F.one_hot(t, 3).float()"],
  },
  { name: "soft margin", loss: "SoftMarginLoss", y: floats([6, 1]), target: yesNo, classes: 2, theirs: "F.soft_margin_loss(y[:, 0], 2. * t - 1)", code: ["y[:, 0]", "2. * t - 1"] },
  {
    name: "distances",
    loss: "HingeEmbeddingLoss",
    lossParams: { margin: 0.8 },
    y: floats([6], shares),
    target: yesNo,
    classes: 2,
    theirs: "F.hinge_embedding_loss(y, 2. * t - 1, margin=0.8)",
    seen: "0.4 - y",
    code: ["y", "2. * t - 1"],
  },
  {
    name: "pairs of vectors",
    loss: "CosineEmbeddingLoss",
    lossParams: { margin: 0.1 },
    y: floats([3, 2, 2]),
    target: classes([3], [1, 0, 1]),
    classes: 2,
    theirs: "F.cosine_embedding_loss(y[:, 0], y[:, 1], 2 * t - 1, margin=0.1)",
    seen: "F.cosine_similarity(y[:, 0], y[:, 1]) - 0.55",
  },
  {
    name: "pairs of scores",
    loss: "MarginRankingLoss",
    lossParams: { margin: 0.5 },
    y: floats([3, 2]),
    target: classes([3], [1, 0, 1]),
    classes: 2,
    theirs: "F.margin_ranking_loss(y[:, 0], y[:, 1], 2 * t - 1, margin=0.5)",
    seen: "y[:, 0] - y[:, 1]",
  },
  {
    name: "triples",
    loss: "TripletMarginLoss",
    lossParams: { margin: 2, p: 1, swap: true },
    y: floats([2, 3, 2]),
    target: floats([2], scores.slice(3)),
    theirs: "F.triplet_margin_loss(y[:, 0], y[:, 1], y[:, 2], margin=2, p=1, swap=True)",
    seen: "None",
  },
  { name: "squares, [B, 1] against [B]", loss: "MSELoss", y: floats([6, 1]), target: measured, theirs: "F.mse_loss(y[:, 0], t)", code: ["y[:, 0]", "t"] },
  {
    name: "squares, [B] against [B, 1]",
    loss: "MSELoss",
    y: floats([6]),
    target: floats([6, 1], scores.slice(6)),
    theirs: "F.mse_loss(y, t[:, 0])",
    code: ["y", "t[:, 0]"],
  },
  { name: "absolute, several columns", loss: "L1Loss", y: floats([3, 2]), target: floats([3, 2], scores.slice(6)), theirs: "F.l1_loss(y, t)" },
  { name: "smooth absolute", loss: "SmoothL1Loss", lossParams: { beta: 0.4 }, y: floats([6]), target: measured, theirs: "F.smooth_l1_loss(y, t, beta=0.4)" },
  { name: "Huber", loss: "HuberLoss", lossParams: { delta: 0.7 }, y: floats([6]), target: measured, theirs: "F.huber_loss(y, t, delta=0.7)" },
  {
    name: "divergence",
    loss: "KLDivLoss",
    lossParams: { reduction: "batchmean" },
    y: floats([3, 2]),
    target: floats([3, 2], shares),
    theirs: "F.kl_div(y, t, reduction='batchmean')",
  },
  { name: "divergence of logarithms", loss: "KLDivLoss", lossParams: { log_target: true }, y: floats([6]), target: measured, theirs: "F.kl_div(y, t, log_target=True)" },
  {
    name: "counts, from the logarithm of a rate",
    loss: "PoissonNLLLoss",
    lossParams: { full: true },
    y: floats([6]),
    target: floats([6], [3, 1, 2, 0, 4, 7]),
    theirs: "F.poisson_nll_loss(y, t, full=True)",
    seen: "y.exp()",
  },
  {
    name: "counts, from a rate",
    loss: "PoissonNLLLoss",
    lossParams: { log_input: false, eps: 1e-3 },
    y: floats([6], shares),
    target: floats([6], [3, 1, 2, 0, 4, 7]),
    theirs: "F.poisson_nll_loss(y, t, log_input=False, eps=1e-3)",
  },
  {
    name: "means and variances",
    loss: "GaussianNLLLoss",
    lossParams: { full: true, eps: 0.2 },
    y: floats([3, 4]),
    target: floats([3, 2], shares),
    theirs: "F.gaussian_nll_loss(y[:, :2], t, y[:, 2:].exp(), full=True, eps=0.2)",
    seen: "y[:, :2]",
  },
  {
    name: "a latent code",
    loss: "GaussianKLLoss",
    y: floats([3, 4]),
    target: floats([3, 2], shares),
    theirs: "torch.distributions.kl_divergence(torch.distributions.Normal(y[:, :2], (y[:, 2:] / 2).exp()), torch.distributions.Normal(0., 1.)).sum(1).mean()",
    seen: "None",
  },
  {
    name: "Dice of classes",
    loss: "DiceLoss",
    lossParams: { smooth: 0.5 },
    ...perPixel,
    theirs: "1 - sum((2 * (y.softmax(1)[:, c] * (t == c)).sum() + 0.5) / (y.softmax(1)[:, c].sum() + (t == c).sum() + 0.5) for c in range(3)) / 3",
  },
  {
    name: "Dice of a single score",
    loss: "DiceLoss",
    y: floats([6, 1]),
    target: yesNo,
    classes: 2,
    theirs: "1 - (2 * (y.sigmoid()[:, 0] * t).sum() + 1) / (y.sigmoid().sum() + t.sum() + 1)",
    code: null,
  },
  {
    name: "focal",
    loss: "FocalLoss",
    lossParams: { gamma: 1.5, alpha: 0.3 },
    ...perPixel,
    theirs: "-0.3 * sum((1 - q) ** 1.5 * math.log(q) for q in y.softmax(1).gather(1, t[:, None]).flatten().tolist()) / t.numel()",
  },
  {
    name: "focal of a single score",
    loss: "FocalLoss",
    lossParams: { gamma: 2, alpha: 0.25 },
    y: floats([6, 1]),
    target: yesNo,
    classes: 2,
    // As torchvision's sigmoid_focal_loss has it.
    theirs:
      "(lambda x, t: (lambda p, ce: ((0.25 * t + 0.75 * (1 - t)) * ce * (1 - (p * t + (1 - p) * (1 - t))) ** 2).mean())(x.sigmoid(), F.binary_cross_entropy_with_logits(x, t, reduction='none')))(y[:, 0], t.float())",
    code: null,
  },
  { name: "the output itself", loss: "Value", y: floats([6]), target: yesNo, theirs: "y.mean()" },
];

/** Loss, and what the metrics should be, worked out row by row. */
const program = `
import json, math, sys, torch
import torch.nn.functional as F
from torch import nn
answers = []
for case in json.load(sys.stdin):
    y, t = (torch.tensor(case[k]["data"], dtype=getattr(torch, case[k]["dtype"])).reshape(case[k]["shape"]) for k in ("y", "target"))
    answer = {"loss": float(eval(case["theirs"]))}
    if case["code"] is not None:
        answer["code"] = float(eval(case["torch"])(eval(case["code"][0]), eval(case["code"][1])))
    seen = eval(case["seen"])
    if seen is None:
        pass
    elif t.dtype == torch.float32:
        error = (seen.flatten() - t.flatten()).double()
        target = t.flatten().double()
        answer |= {"mae": error.abs().mean().item(), "mse": (error ** 2).mean().item(), "rmse": (error ** 2).mean().sqrt().item()}
        answer["r2"] = 1 - (error ** 2).sum().item() / ((target - target.mean()) ** 2).sum().item()
        if (target != 0).all():
            answer["mape"] = (error / target).abs().mean().item()
    else:
        classes = max(2, seen.shape[1] if seen.dim() > 1 else 1)
        logit = None
        if seen.dim() == 1 or seen.shape[1] == 1:
            logit = seen.flatten()
            predicted = (logit > 0).long()
        else:
            predicted = seen.argmax(1)
        matrix = torch.zeros(classes, classes, dtype=torch.long)
        for r, p in zip(t.flatten().tolist(), predicted.flatten().tolist()):
            matrix[r, p] += 1
        answer |= {"accuracy": (predicted == t).float().mean().item(), "confusion": matrix.flatten().tolist()}
        ratio = lambda a, b: a / b if b else 0
        rows = [(matrix[c, c].item(), matrix[c].sum().item(), matrix[:, c].sum().item()) for c in range(classes) if matrix[c].sum() + matrix[:, c].sum() > 0]
        answer["precision"] = sum(ratio(both, said) for both, true, said in rows) / len(rows)
        answer["recall"] = sum(ratio(both, true) for both, true, said in rows) / len(rows)
        answer["f1"] = sum(ratio(2 * both, true + said) for both, true, said in rows) / len(rows)
        if logit is not None:
            yes, no = logit[t == 1].tolist(), logit[t == 0].tolist()
            answer["roc_auc"] = sum((a > b) + 0.5 * (a == b) for a in yes for b in no) / (len(yes) * len(no))
            ranked = t[logit.argsort(descending=True)].tolist()
            answer["pr_auc"] = sum(sum(ranked[: i + 1]) / (i + 1) for i, one in enumerate(ranked) if one) / sum(ranked)
        if seen.dim() == 3:
            answer["perplexity"] = math.exp(F.cross_entropy(seen, t).item())
    answers.append(answer)
print(json.dumps(answers))
`;

describe("the cases", () => {
  it("leave out no loss", () => {
    expect([...new Set(cases.map(({ loss }) => loss))].sort()).toEqual(losses.map(({ name }) => name).sort());
  });
});

const missing = missingOracles("torch");
describe.skipIf(missing.length > 0)(`losses and metrics are PyTorch's${missing.length > 0 ? ` (not installed: ${missing.join(", ")})` : ""}`, () => {
  let answers: { [name: string]: number | number[] }[];
  beforeAll(async () => {
    const asked = cases.map(({ loss, lossParams, y, target, theirs, seen, code }) => ({
      theirs,
      torch: findLoss(loss, lossParams).torch,
      seen: seen ?? "y",
      code: code === undefined ? ["y", "t"] : code,
      y: { ...y, data: Array.from(y.data, Number) },
      target: { ...target, data: Array.from<number | bigint, number>(target.data, Number) },
    }));
    answers = z.array(z.record(z.string(), z.union([z.number(), z.array(z.number())]))).parse(await runPython(program, asked));
  });

  it.each(cases.map((one, index) => ({ ...one, index })))("$loss: $name", async ({ loss, lossParams, y, target, index, classes: count = null }) => {
    const { program, metrics } = lowerTraining(echo(y.shape.slice(1)), {
      loss: findLoss(loss, lossParams),
      metrics: taskNamed(target.dtype === "int64" ? "tabular-classification" : "tabular-regression").metrics,
      target: { classes: count, type: { dtype: target.dtype, shape: ["B", ...target.shape.slice(1)] } },
    });
    const outputs = await run({ program, weights: { seed: 0 }, inputs: { x: y, target } });
    const summed = metrics.filter(({ reduce }) => reduce === "sum").map(({ output }) => output);
    const tensors = Object.fromEntries(
      summed.map((name) => [name, { shape: outputs[name]?.shape ?? [], data: Array.from<number | bigint, number>(outputs[name]?.data ?? [], Number) }]),
    );
    const ours: { [name: string]: number[] } = Object.fromEntries([
      ...Object.entries(outputs).flatMap(([name, { data }]) =>
        name !== "y" && (name === "confusion" || !summed.includes(name)) ? [[name, Array.from<number | bigint, number>(data, Number)]] : [],
      ),
      ...Object.entries(deriveValues(tensors)).map(([name, value]) => [name, [value]]),
    ]);
    const { code, ...theirs } = answers[index] ?? {};
    expect(Object.keys(ours).sort()).toEqual(Object.keys(theirs).sort());
    if (code !== undefined) expect(code, "the record's own PyTorch code").toBeCloseTo(Number(theirs.loss), 5);
    for (const [name, expected] of Object.entries(theirs)) {
      expect(ours[name]).toHaveLength([expected].flat().length);
      for (const [i, value] of [expected].flat().entries()) expect(ours[name]?.[i], name).toBeCloseTo(value, Math.abs(value) > 10 ? 4 : 5);
    }
  });
});
