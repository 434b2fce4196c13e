import { bind } from "../graph/dims.ts";
import type { TensorType } from "../graph/shape.ts";
import type { Arg, Op, Program } from "./program.ts";

/** What the features of all rows may take together. */
const MOST_BYTES = 512 * 2 ** 20;

/** Operators that say of a row what they say whatever the batch, wherever they work on axis 1 and behind. */
const ROW_BY_ROW = new Set(
  [
    ["conv1d", "conv2d", "conv3d", "conv1d.padding", "conv2d.padding", "conv3d.padding", "batch_norm", "layer_norm", "group_norm"],
    ["relu", "relu6", "hardtanh", "hardswish", "hardsigmoid", "silu", "gelu", "sigmoid", "tanh", "leaky_relu", "elu", "mish"],
    ["max_pool1d", "max_pool2d", "avg_pool2d", "adaptive_avg_pool1d", "adaptive_avg_pool2d", "pad", "tile"],
    ["upsample_nearest2d.vec", "upsample_bilinear2d.vec", "upsample_bicubic2d.vec"],
    ["to.dtype", "add.Tensor", "sub.Tensor", "mul.Tensor", "div.Tensor", "add.Scalar", "sub.Scalar", "mul.Scalar", "div.Scalar", "linear"],
    ["dropout", "feature_dropout"],
    // Of sequences. What would bring rows together leaves no batch in front, which is asked of every result.
    ["embedding", "ne.Scalar", "view", "reshape", "unflatten.int", "transpose.int", "flatten.using_ints", "unsqueeze", "scaled_dot_product_attention"],
    ["sum.dim_IntList", "mean.dim", "lt.Tensor", "where.self", "zeros_like", "clamp", "clamp_min", "linalg_vector_norm"],
    ["select.int", "slice.Tensor", "narrow", "cat", "stack", "expand", "permute", "squeeze.dim"],
  ]
    .flat()
    .map((name) => `aten::${name}`),
);
/** Further ones that make the same each time of nothing but sizes and what never changes. */
const UNCHANGING = new Set(["arange.start_step", "exp", "sin", "cos"].map((name) => `aten::${name}`));
/** Where the work is that is worth keeping. */
const WEIGHTY = /^aten::(conv\dd|linear)/;

/**
 * The values where what is frozen ends: made of the inputs by nothing that learns, draws or looks at other rows, and used by what does.
 * Kept for each row, they spare every later epoch the part of the program in front of them. None where nothing with weights stands there,
 * or where keeping them would take too much memory.
 * @param sizes how large a size is that has a name, where all rows have the same
 */
export function findFeatures({ inputs, weights, ops, outputs }: Program, types: readonly TensorType[], rows: number, sizes: { readonly [name: string]: number } = {}): number[] {
  const fixed = new Set(weights.filter(({ trainable }) => !trainable).map(({ value }) => value));
  const perRow = new Set(inputs.filter(({ name }) => name !== "target").map(({ value }) => value));
  const restOf = (value: number) => (types[value]?.shape.slice(1) ?? []).map((size) => bind(size, sizes));
  const isWhole = (value: number) => types[value]?.shape[0] === "B" && restOf(value).every((size) => typeof size === "number");
  // Whether work with weights lies behind a value.
  const weighty = new Set<number>();
  const frontier = new Set<number>();
  const given = new Set(perRow);
  for (const op of ops) {
    const used = usesOf(op);
    if ("args" in op && !("index" in op) && (UNCHANGING.has(op.op) || isRowByRow(op)) && op.args.every((arg) => isUnchanging(arg, fixed))) {
      for (const value of op.out) fixed.add(value);
      continue;
    }
    if (isRowByRow(op) && used.some((value) => perRow.has(value)) && used.every((value) => (perRow.has(value) ? isWhole(value) : fixed.has(value))) && op.out.every(isWhole)) {
      for (const value of op.out) {
        perRow.add(value);
        if (WEIGHTY.test(op.op) || used.some((one) => weighty.has(one))) weighty.add(value);
      }
    } else for (const value of used) if (perRow.has(value) && !given.has(value)) frontier.add(value);
  }
  for (const { value } of outputs) if (perRow.has(value) && !given.has(value)) frontier.add(value);
  const found = [...frontier];
  const bytes = found.reduce((sum, value) => sum + 4 * rows * restOf(value).reduce<number>((product, size) => product * Number(size), 1), 0);
  const isUseful = found.some((value) => weighty.has(value)) && found.every((value) => types[value]?.dtype === "float32");
  return isUseful && found.length <= 16 && bytes <= MOST_BYTES ? found : [];
}

/** Whether an argument is a number, a size, or a value that never changes. */
function isUnchanging(arg: Arg, fixed: ReadonlySet<number>): boolean {
  if (typeof arg !== "object" || arg === null) return true;
  if ("ints" in arg) return arg.ints.every((size) => isUnchanging(size, fixed));
  // The first axis is the batch, which is not always of one size.
  if ("size" in arg) return arg.size[1] > 0;
  if ("v" in arg) return fixed.has(arg.v);
  if ("vs" in arg) return arg.vs.every((value) => fixed.has(value));
  return !("flag" in arg);
}

function isRowByRow(op: Op): boolean {
  if (!("args" in op) || "index" in op || !ROW_BY_ROW.has(op.op)) return false;
  const { args }: { args: Arg[] } = op;
  if (args.some((arg) => typeof arg === "object" && arg !== null && "flag" in arg)) return false;
  // Without averages of its own it takes those of the batch.
  if (op.op === "aten::batch_norm") return args[5] === false;
  // Dropout that drops draws numbers.
  return !op.op.endsWith("dropout") || args[2] === false;
}

/** The values that an operator reads, those of its blocks too. */
function usesOf(op: Op): number[] {
  const used: number[] = [];
  const visit = (part: unknown): void => {
    if (Array.isArray(part)) for (const item of part) visit(item);
    else if (typeof part === "object" && part !== null)
      for (const [key, inner] of Object.entries(part)) {
        if (key === "v" && typeof inner === "number") used.push(inner);
        else if (key === "vs" && Array.isArray(inner)) used.push(...inner.map(Number));
        else if (key === "size" && Array.isArray(inner)) used.push(Number(inner[0]));
        else visit(inner);
      }
  };
  if ("index" in op) used.push(op.index, ...op.args);
  else if ("args" in op) visit(op.args);
  if ("init" in op) used.push(...op.init);
  if ("cond" in op && typeof op.cond === "number") used.push(op.cond);
  if ("times" in op) visit(op.times);
  if ("scan" in op && op.scan) used.push(...op.scan.map(([value]) => value));
  if ("blocks" in op) for (const block of op.blocks) used.push(...block.outputs, ...block.ops.flatMap(usesOf));
  return used;
}
