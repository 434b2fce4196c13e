import { printShape, type TensorType } from "../../graph/shape.ts";
import { sayRecord } from "../../language/records.ts";
import { say } from "../../language/say.ts";
import { float32, type ProgramBuilder, type Value } from "../../layers/kit.ts";
import { type Param, type Params, p } from "../../layers/params.ts";
import type { Loss, TargetAnswer, TargetInfo } from "../records.ts";

/** `reduction="mean"` as ATen numbers it. */
export const MEAN = 1;

/** Keeps the record's own name and types of parameters. */
export function defineLoss<const N extends string, P extends Params>(loss: Loss<N, P>): Loss<N, P> {
  return sayRecord(loss);
}

export const lossSource = (name: string) => `https://pytorch.org/docs/2.13/generated/torch.nn.${name}.html`;

/** A list of numbers as one writes it; the empty text is no list. */
export const numbersParam = (doc: string): Param<string> => p.text({ default: "", pattern: /^\s*(\d+(\.\d+)?\s*(,\s*\d+(\.\d+)?\s*)*)?$/, placeholder: "1, 2.5, 1", doc });

export function readNumbers(text: string): number[] | null {
  return text.trim() === "" ? null : text.split(",").map(Number);
}

/** `torch.tensor([1.0, 2.5])` */
export function pythonTensor(numbers: readonly number[]): string {
  return `torch.tensor([${numbers.map((value) => (Number.isInteger(value) ? `${value}.0` : String(value))).join(", ")}])`;
}

/** `nn.MSELoss(beta=2)`: only what differs from PyTorch's default is written. Tensors are given as Python text. */
export function lossCall(name: string, args: { [name: string]: [value: number | boolean | string | { code: string } | null, defaultValue?: unknown] } = {}): string {
  const written = Object.entries(args).flatMap(([key, [value, usual]]) => {
    if (value === null || value === usual) return [];
    const text =
      typeof value === "object" ? value.code : typeof value === "boolean" ? (value ? "True" : "False") : typeof value === "string" ? JSON.stringify(value) : String(value);
    return [`${key}=${text}`];
  });
  return `nn.${name}(${written.join(", ")})`;
}

/** Numbers as a tensor of rank 1 on the device of `like`. */
export function constants(b: ProgramBuilder, like: Value, numbers: readonly number[]): Value {
  const parts = numbers.map((value) => b.call("aten::new_full", [like, { ints: [1] }, value], float32([1])));
  return parts.length === 1 ? (parts[0] as Value) : b.call("aten::cat", [parts, 0], float32([numbers.length]));
}

/** Class numbers [B, …] for scores [B, classes, …]. */
export function classTarget(name: string, y: TensorType, { classes, type }: TargetInfo, weights: readonly number[] | null = null): TargetAnswer {
  const [batch, scores, ...rest] = y.shape;
  if (batch === undefined || scores === undefined)
    return {
      problem: say("{name} needs one score per class, [B, {classes}], but the output is {shape}.", { name, classes: classes ?? "classes", shape: printShape(y.shape) }),
      ...endInLinear(classes),
    };
  if (type?.dtype === "float32")
    return { problem: say("{name} needs class numbers as targets, but the data set's targets are measured values.", { name }), hint: say("Use MSELoss or L1Loss.") };
  if (type && type.shape.length !== 1 + rest.length)
    return {
      problem: say("{name} needs {shape} but the output is {shape2}.", {
        name,
        shape: printShape([type.shape[0] ?? "B", classes ?? "classes", ...type.shape.slice(1)]),
        shape2: printShape(y.shape),
      }),
      hint: say("Put a Flatten, and a Linear with one output per class, in front of the output."),
      fixes: type.shape.length === 1 ? [{ kind: "insert", label: say("Insert Flatten"), nodes: [{ type: "flatten", params: {} }], port: "x" }] : [],
    };
  if (classes !== null && typeof scores === "number" && scores !== classes)
    return {
      problem: say("{name} needs one score per class: there are {classes} classes, but the output has {scores} {scores, plural, one {value} other {values}}.", {
        name,
        classes,
        scores,
      }),
      ...endInLinear(classes),
    };
  if (weights && weights.length !== (classes ?? scores))
    return {
      problem: say("{name} needs one weight per class: there are {classes} classes, but weight holds {count}.", { name, classes: classes ?? scores, count: weights.length }),
      hint: say("Change weight in the training settings."),
    };
  return { target: { dtype: "int64", shape: [batch, ...rest] } };
}

/** Yes-or-no answers for scores: numbers 0 and 1 of the output's shape, or class numbers, of which one score tells two apart. */
export function answerTarget(name: string, y: TensorType, info: TargetInfo): TargetAnswer {
  const { classes, type } = info;
  if (type?.dtype !== "int64") return valueTarget(name, y, info);
  const [batch, scores = 1, ...rest] = y.shape;
  const isOne = scores === 1 && classes === 2;
  const fits = batch !== undefined && type.shape.length === 1 + rest.length && (isOne || (rest.length === 0 && scores === classes));
  if (fits) return { target: { dtype: "int64", shape: [batch, ...rest] } };
  return {
    problem: say("{name} needs {one}, but the output is {shape}.", {
      name,
      one: classes === 2 ? say("one score, [B, 1], or one per class, [B, 2]") : say("one score per class, [B, {classes}]", { classes: classes ?? "classes" }),
      shape: printShape(y.shape),
    }),
    ...endInLinear(classes === 2 ? 1 : classes),
  };
}

/** Targets are numbers of the output's own shape, where [B] and [B, 1] say the same. */
export function valueTarget(name: string, y: TensorType, { type: target }: TargetInfo): TargetAnswer {
  if (!target) return { target: y };
  if (target.dtype === "int64")
    return { problem: say("{name} needs measured values as targets, but the data set's targets are class numbers.", { name }), hint: say("Use CrossEntropyLoss.") };
  if (isSameShape(y, target)) return { target };
  const width = target.shape[1] ?? 1;
  return {
    problem: say("{name} needs an output like the targets, {shape}, but the output is {shape2}.", { name, shape: printShape(target.shape), shape2: printShape(y.shape) }),
    ...(target.shape.length <= 2 && typeof width === "number" ? endInLinear(width) : {}),
  };
}

/** Yes or no for each row, where the output holds `count` things to compare along axis 1. */
export function pairTarget(name: string, y: TensorType, { classes, type }: TargetInfo, needed: string, fits: boolean): TargetAnswer {
  if (!fits)
    return {
      problem: say("{name} needs {needed}, but the output is {shape}.", { name, needed, shape: printShape(y.shape) }),
      hint: say("Put both beside each other with Stack, dim 1, in front of the output."),
    };
  if ((type && type.dtype !== "int64") || (classes !== null && classes !== 2))
    return {
      problem:
        classes === null
          ? say("{name} needs yes-or-no targets: the data set's are measured values.", { name })
          : say("{name} needs yes-or-no targets: the data set has {classes} classes.", { name, classes }),
    };
  return { target: { dtype: "int64", shape: y.shape.slice(0, 1) } };
}

/** Whether two tensors have the same sizes, where [B] and [B, 1] are the same. */
export function isSameShape(a: TensorType, b: TensorType): boolean {
  return printShape(dropUnitAxis(a.shape)) === printShape(dropUnitAxis(b.shape));
}

/** What to do about an output of the wrong width. */
export function endInLinear(width: number | null): Pick<Extract<TargetAnswer, { problem: string }>, "hint" | "width" | "fixes"> {
  if (width === null) return { hint: say("End the network in a Linear with one output per class.") };
  return {
    hint: say("End the network in a Linear with {width} {width, plural, one {output} other {outputs}}.", { width }),
    width,
    fixes: [{ kind: "insert", label: say("Insert Linear to {width}", { width }), nodes: [{ type: "linear", params: { out_features: width } }], port: "x" }],
  };
}

function dropUnitAxis(shape: TensorType["shape"]): TensorType["shape"] {
  return shape.length === 2 && shape[1] === 1 ? shape.slice(0, 1) : shape;
}

/** `y` in the shape of `target`. Without it, [B, 1] against [B] would broadcast to [B, B] and train on nonsense. */
export function reshapeLike(b: ProgramBuilder, y: Value, target: Value): Value {
  if (y.type.shape.length > target.type.shape.length) return b.call("aten::squeeze.dim", [y, 1], { ...y.type, shape: target.type.shape });
  if (y.type.shape.length < target.type.shape.length) return b.call("aten::unsqueeze", [y, 1], { ...y.type, shape: target.type.shape });
  return y;
}

/** Targets as the numbers 0 and 1 in the shape of `y`; class numbers become one answer per class. */
export function answers(b: ProgramBuilder, y: Value, target: Value): Value {
  if (target.type.dtype !== "int64") return reshapeLike(b, target, y);
  const isOne = y.type.shape[1] === 1 || y.type.shape.length === 1;
  return b.call("aten::to.dtype", [isOne ? reshapeLike(b, hasUnknown(target) ? atLeastZero(b, target) : target, y) : oneHot(b, y, target), "float32"], float32(y.type.shape));
}

/** Targets as −1 and 1 in the shape of `y`. */
export function signs(b: ProgramBuilder, y: Value, target: Value): Value {
  const type = float32(y.type.shape);
  return b.call("aten::sub.Scalar", [b.call("aten::mul.Scalar", [answers(b, y, target), 2], type), 1], type);
}

/**
 * Class numbers [B, …] as 0 and 1 per class, float32 in the shape [B, classes, …] of `y`. What is not known of a map counts as class 0
 * here; `knownLike` says where that is.
 */
export function oneHotLike(b: ProgramBuilder, y: Value, target: Value): Value {
  const hot = oneHot(b, y, hasUnknown(target) ? atLeastZero(b, target) : target);
  const rank = y.type.shape.length;
  const inPlace = rank === 2 ? hot : b.call("aten::movedim.int", [hot, rank - 1, 1], { dtype: "int64", shape: y.type.shape });
  return b.call("aten::to.dtype", [inPlace, "float32"], float32(y.type.shape));
}

/** 1 where the class of a map's point is known and 0 elsewhere, [B, 1, …]; null where rows have one class each, which is always known. */
export function knownLike(b: ProgramBuilder, target: Value): Value | null {
  if (!hasUnknown(target)) return null;
  const [batch = "B", ...rest] = target.type.shape;
  const known = b.call("aten::ge.Scalar", [target, 0], { dtype: "bool", shape: target.type.shape });
  return b.call("aten::unsqueeze", [b.call("aten::to.dtype", [known, "float32"], float32(target.type.shape)), 1], float32([batch, 1, ...rest]));
}

/** Points of a map may have a number below 0, of which nothing is known: PyTorch's own losses leave −100 out. */
function hasUnknown(target: Value): boolean {
  return target.type.dtype === "int64" && target.type.shape.length > 1;
}

function atLeastZero(b: ProgramBuilder, target: Value): Value {
  return b.call("aten::clamp_min", [target, 0], target.type);
}

function oneHot(b: ProgramBuilder, y: Value, target: Value): Value {
  const [, scores] = y.type.shape;
  if (typeof scores !== "number") throw new Error(`The number of classes is not known: the output is ${printShape(y.type.shape)}.`);
  return b.call("aten::one_hot", [target, scores], { dtype: "int64", shape: [...target.type.shape, scores] });
}

/** Part `index` of axis 1, which is taken away. */
export function part(b: ProgramBuilder, y: Value, index: number): Value {
  return b.call("aten::select.int", [y, 1, index], float32([...y.type.shape.slice(0, 1), ...y.type.shape.slice(2)]));
}

/** The mean of everything. */
export function mean(b: ProgramBuilder, x: Value): Value {
  return b.call("aten::mean", [x], float32([]));
}
