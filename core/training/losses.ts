import type { Manifest } from "../data/manifest.ts";
import { printShape, type TensorType } from "../graph/shape.ts";
import { float32, type ProgramBuilder, type Value } from "../layers/kit.ts";
import type { LossRecord } from "./records.ts";
import type { RunSettings } from "./settings.ts";

const source = (name: string) => `https://pytorch.org/docs/2.13/generated/torch.nn.${name}.html`;

const CLASSIFICATION = ["image-classification", "tabular-classification"] as const;
const REGRESSION = ["tabular-regression"] as const;

/** `reduction="mean"` as ATen numbers it. */
const MEAN = 1;

/** A loss that a run can be set to, and the tasks whose targets it can learn from. */
type Loss = LossRecord & { name: RunSettings["loss"]; tasks: readonly Manifest["task"][] };

/** The losses, in the order offered. */
export const losses: readonly Loss[] = [
  {
    name: "CrossEntropyLoss",
    title: "Cross-entropy",
    doc: "For choosing one of several classes. Takes one score per class; applies log-softmax itself.",
    source: source("CrossEntropyLoss"),
    tasks: CLASSIFICATION,
    expects: "logits",
    target(y, { classes, type }) {
      const [batch, scores, ...rest] = y.shape;
      if (batch === undefined || scores === undefined) {
        return { problem: `CrossEntropyLoss needs one score per class, [B, ${classes ?? "classes"}], but the output is ${printShape(y.shape)}.`, ...endInLinear(classes) };
      }
      const target: TensorType = { dtype: "int64", shape: [batch, ...rest] };
      if (type?.dtype === "float32") {
        return { problem: "CrossEntropyLoss needs class numbers as targets, but the data set's targets are measured values.", hint: "Use MSELoss or L1Loss." };
      }
      if (type && type.shape.length !== target.shape.length) {
        return {
          problem: `CrossEntropyLoss needs ${printShape([type.shape[0] ?? "B", classes ?? "classes", ...type.shape.slice(1)])} but the output is ${printShape(y.shape)}.`,
          hint: "Put a Flatten, and a Linear with one output per class, in front of the output.",
          fixes: type.shape.length === 1 ? [{ kind: "insert", label: "Insert Flatten", nodes: [{ type: "flatten", params: {} }], port: "x" }] : [],
        };
      }
      if (classes !== null && typeof scores === "number" && scores !== classes) {
        return {
          problem: `CrossEntropyLoss needs one score per class: there are ${classes} classes, but the output has ${scores} ${scores === 1 ? "value" : "values"}.`,
          ...endInLinear(classes),
        };
      }
      return { target };
    },
    lower: (b, { y, target }) => b.call("aten::cross_entropy_loss", [y, target, null, MEAN], float32([])),
    torch: "nn.CrossEntropyLoss()",
  },
  {
    name: "MSELoss",
    title: "Mean squared error",
    doc: "For predicting a number; large errors count most.",
    source: source("MSELoss"),
    tasks: REGRESSION,
    expects: "values",
    target: (y, info) => sameValues("MSELoss", y, info.type),
    lower: (b, { y, target }) => b.call("aten::mse_loss", [reshapeLike(b, y, target), target, MEAN], float32([])),
    torch: "nn.MSELoss()",
  },
  {
    name: "BCEWithLogitsLoss",
    title: "Binary cross-entropy",
    doc: "For yes-or-no questions: one score per question; applies the sigmoid itself.",
    source: source("BCEWithLogitsLoss"),
    tasks: CLASSIFICATION,
    expects: "logits",
    target(y, { classes, type }) {
      if (type?.dtype !== "int64") return sameValues("BCEWithLogitsLoss", y, type);
      const [batch, scores = 1] = y.shape;
      const fits = batch !== undefined && y.shape.length <= 2 && (scores === classes || (scores === 1 && classes === 2));
      if (fits) return { target: { dtype: "int64", shape: [batch] } };
      return {
        problem: `BCEWithLogitsLoss needs ${classes === 2 ? "one score, [B, 1], or one per class, [B, 2]" : `one score per class, [B, ${classes ?? "classes"}]`}, but the output is ${printShape(y.shape)}.`,
        ...endInLinear(classes === 2 ? 1 : classes),
      };
    },
    lower: (b, { y, target }) => b.call("aten::binary_cross_entropy_with_logits", [y, answers(b, y, target), null, null, MEAN], float32([])),
    torch: "nn.BCEWithLogitsLoss()",
  },
  {
    name: "L1Loss",
    title: "Mean absolute error",
    doc: "For predicting a number when outliers should not dominate.",
    source: source("L1Loss"),
    tasks: REGRESSION,
    expects: "values",
    target: (y, info) => sameValues("L1Loss", y, info.type),
    lower: (b, { y, target }) => b.call("aten::l1_loss", [reshapeLike(b, y, target), target, MEAN], float32([])),
    torch: "nn.L1Loss()",
  },
];

/** The losses that can learn from a task's targets, the usual one first. */
export function lossesFor(task: Manifest["task"]): Loss[] {
  return losses.filter(({ tasks }) => tasks.includes(task));
}

export function findLoss(name: RunSettings["loss"]): Loss {
  const found = losses.find((loss) => loss.name === name);
  if (!found) throw new Error(`There is no loss record for ${name}.`);
  return found;
}

type Target = ReturnType<LossRecord["target"]>;
type Advice = Pick<Extract<Target, { problem: string }>, "hint" | "width" | "fixes">;

/** Targets are numbers of the output's own shape, where [B] and [B, 1] say the same. */
function sameValues(name: string, y: TensorType, target: TensorType | null): Target {
  if (!target) return { target: y };
  if (target.dtype === "int64") return { problem: `${name} needs measured values as targets, but the data set's targets are class numbers.`, hint: "Use CrossEntropyLoss." };
  if (printShape(dropUnitAxis(y.shape)) === printShape(dropUnitAxis(target.shape))) return { target };
  const width = target.shape[1] ?? 1;
  return {
    problem: `${name} needs an output like the targets, ${printShape(target.shape)}, but the output is ${printShape(y.shape)}.`,
    ...(target.shape.length <= 2 && typeof width === "number" ? endInLinear(width) : {}),
  };
}

/** What to do about an output of the wrong width. */
function endInLinear(width: number | null): Advice {
  if (width === null) return { hint: "End the network in a Linear with one output per class." };
  return {
    hint: `End the network in a Linear with ${width} ${width === 1 ? "output" : "outputs"}.`,
    width,
    fixes: [{ kind: "insert", label: `Insert Linear to ${width}`, nodes: [{ type: "linear", params: { out_features: width } }], port: "x" }],
  };
}

function dropUnitAxis(shape: TensorType["shape"]): TensorType["shape"] {
  return shape.length === 2 && shape[1] === 1 ? shape.slice(0, 1) : shape;
}

/** `y` in the shape of `target`. Without it, [B, 1] against [B] would broadcast to [B, B] and train on nonsense. */
function reshapeLike(b: ProgramBuilder, y: Value, target: Value): Value {
  if (y.type.shape.length > target.type.shape.length) return b.call("aten::squeeze.dim", [y, 1], float32(target.type.shape));
  if (y.type.shape.length < target.type.shape.length) return b.call("aten::unsqueeze", [y, 1], float32(target.type.shape));
  return y;
}

/** Targets as the numbers 0 and 1 in the shape of `y`; class numbers become one answer per class. */
function answers(b: ProgramBuilder, y: Value, target: Value): Value {
  if (target.type.dtype !== "int64") {
    if (target.type.shape.length > y.type.shape.length) return b.call("aten::squeeze.dim", [target, 1], float32(y.type.shape));
    if (target.type.shape.length < y.type.shape.length) return b.call("aten::unsqueeze", [target, 1], float32(y.type.shape));
    return target;
  }
  const [, scores] = y.type.shape;
  let answer = target;
  if (scores === 1) answer = b.call("aten::unsqueeze", [target, 1], { dtype: "int64", shape: y.type.shape });
  else if (typeof scores === "number") answer = b.call("aten::one_hot", [target, scores], { dtype: "int64", shape: y.type.shape });
  return b.call("aten::to.dtype", [answer, "float32"], float32(y.type.shape));
}
