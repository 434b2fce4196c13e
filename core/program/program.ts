import { z } from "zod";

/**
 * The program: what a graph means to the engine. SSA over named ATen operators, with nested blocks for control flow.
 * It crosses to C++ as one JSON string, is kept with the run as its exact record, and can be replayed without Node.
 *
 * Values are numbered 0, 1, 2, ... over the whole program; each is written once. Inputs come first, then weights.
 */
export const PROGRAM_VERSION = 1;

const Dtype = z.enum(["float32", "int64", "bool", "uint8"]);
const ValueId = z.int().min(0);

/**
 * An argument of an operator; the operator's schema says how a literal is read (`1` as int, double or Scalar; a string as
 * dtype, layout-free enum or str).
 *  - `{ v: 3 }` a value · `{ vs: [3, 4] }` a Tensor[] · `{ flag: "training" }` true while training, else false ·
 *  - `{ ints: [1, -1] }`, `{ floats: [...] }` a list of numbers, where an int may itself be `{ size: [value, axis] }`, a size
 *    known only at run time · `{ size: [value, axis] }` one such size as an int · anything else a plain literal.
 */
const Size = z.strictObject({ size: z.tuple([ValueId, z.int()]) });
const Arg = z.union([
  z.null(),
  z.boolean(),
  z.number(),
  z.string(),
  z.strictObject({ v: ValueId }),
  z.strictObject({ vs: z.array(ValueId) }),
  z.strictObject({ ints: z.array(z.union([z.int(), Size])) }),
  z.strictObject({ floats: z.array(z.number()) }),
  Size,
  z.strictObject({ flag: z.literal("training") }),
]);
export type Arg = z.infer<typeof Arg>;

/** Calls one ATen operator: `aten::linear`, `aten::flatten.using_ints`. Missing trailing arguments take the schema's defaults. */
const Call = z.strictObject({
  op: z.string().regex(/^aten::\w+(\.\w+)?$/),
  args: z.array(Arg),
  out: z.array(ValueId),
  /** The canvas node this came from: its id, with the ids of the zones around it in front (`loop1/linear3`). */
  node: z.string(),
});

type Call = z.infer<typeof Call>;
/** Runs `blocks[0]` where the one-element tensor `cond` is true, or while training, else `blocks[1]`. Both yield as many values as `out`. */
type If = { op: "if"; cond: number | { flag: "training" }; blocks: [Block, Block]; out: number[]; node: string };
/**
 * Carries `init` through `blocks[1]` for as long as `blocks[0]` yields true, asked before each turn.
 * Both blocks take the carried values. Reaching `maxIterations` is the failure LOOP_LIMIT where `limit` is "fail", else it just stops.
 */
type While = { op: "while"; init: number[]; blocks: [Block, Block]; maxIterations: number; limit: "fail" | "stop"; out: number[]; node: string };
/**
 * Carries `init` through `blocks[0]` a fixed number of times, as often as the one-element int tensor `{ v }` says, or once for each
 * step of an axis. The block takes (index, a slice of each `scan`, ...carried) and yields (...carried, one item for each `stack`).
 *  - `scan`: [value, axis] of what is taken apart along an axis, which is as long as there are turns.
 *  - `stack`: the new axis along which the items of all turns are stacked; `out` holds the carried values, then these. Without a
 *    turn there is nothing to stack, which is a failure.
 *  - `reverse`: from the last step to the first; stacked items keep the place of their step.
 * The index lies on the CPU, so that asking for it is free; the engine moves it where an operator wants it beside other tensors.
 */
export type Repeat = {
  op: "repeat";
  init: number[];
  times: number | { v: number } | { size: [value: number, axis: number] };
  scan?: [value: number, axis: number][];
  stack?: number[];
  reverse?: boolean;
  maxIterations: number;
  blocks: [Block];
  out: number[];
  node: string;
};
/**
 * Sends row i of every one of `args` through `blocks[index[i]]`, where `index` is int64 [N]. Each block runs once, on all its rows
 * together, or not at all where it has none; it takes as many values as `args` and yields as many as `out`, a row for each it was given.
 */
type Switch = { op: "switch"; index: number; args: number[]; blocks: Block[]; out: number[]; node: string };
export type Op = Call | If | While | Repeat | Switch;

/** Straight-line code. A nested block sees the values of the blocks around it. */
export type Block = { inputs: number[]; ops: Op[]; outputs: number[] };

const Op: z.ZodType<Op> = z.lazy(() =>
  z.union([
    Call,
    z.strictObject({
      op: z.literal("if"),
      cond: z.union([ValueId, z.strictObject({ flag: z.literal("training") })]),
      blocks: z.tuple([Block, Block]),
      out: z.array(ValueId),
      node: z.string(),
    }),
    z.strictObject({
      op: z.literal("while"),
      init: z.array(ValueId),
      blocks: z.tuple([Block, Block]),
      maxIterations: z.int().min(1).max(10_000),
      limit: z.enum(["fail", "stop"]),
      out: z.array(ValueId),
      node: z.string(),
    }),
    z.strictObject({
      op: z.literal("repeat"),
      init: z.array(ValueId),
      times: z.union([z.int().min(0).max(10_000), z.strictObject({ v: ValueId }), Size]),
      scan: z.array(z.tuple([ValueId, z.int()])).optional(),
      stack: z.array(z.int().min(0)).optional(),
      reverse: z.boolean().optional(),
      maxIterations: z.int().min(1).max(10_000),
      blocks: z.tuple([Block]),
      out: z.array(ValueId),
      node: z.string(),
    }),
    z.strictObject({
      op: z.literal("switch"),
      index: ValueId,
      args: z.array(ValueId),
      blocks: z.array(Block).min(1).max(64),
      out: z.array(ValueId),
      node: z.string(),
    }),
  ]),
);
const Block: z.ZodType<Block> = z.lazy(() => z.strictObject({ inputs: z.array(ValueId), ops: z.array(Op), outputs: z.array(ValueId) }));

/**
 * First values of a weight. The engine draws them in the order of `weights` from one seeded CPU generator, so that they equal
 * what the same `torch.nn` modules draw after `torch.manual_seed(seed)`. `zeroRow` clears one row after drawing (padding_idx);
 * `zero` draws and then clears the whole weight, as MultiheadAttention does with the bias of its inner Linear.
 */
const Init = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("uniform"), low: z.number(), high: z.number(), zero: z.literal(true).optional() }),
  z.strictObject({ kind: z.literal("normal"), mean: z.number(), std: z.number(), zeroRow: z.int().optional() }),
  z.strictObject({ kind: z.literal("constant"), value: z.number() }),
  z.strictObject({ kind: z.literal("values"), values: z.array(z.number()) }),
]);
export type Init = z.infer<typeof Init>;

const Weight = z.strictObject({
  value: ValueId,
  /** Unique and stable: `<node path>.<PyTorch's name>`, as in a `state_dict`: `conv2d-1.weight`. */
  name: z.string(),
  dtype: Dtype,
  shape: z.array(z.int().min(0)),
  init: Init,
  /** false: a buffer (running statistics, constants): saved, never stepped by the optimizer. */
  trainable: z.boolean(),
  node: z.string(),
});
export type Weight = z.infer<typeof Weight>;

export const Program = z.strictObject({
  version: z.literal(PROGRAM_VERSION),
  /** `shape` may hold text for sizes known only at run time; the engine checks the numbers. */
  inputs: z.array(z.strictObject({ value: ValueId, name: z.string(), dtype: Dtype, shape: z.array(z.union([z.int(), z.string()])), node: z.string() })),
  weights: z.array(Weight),
  ops: z.array(Op),
  outputs: z.array(z.strictObject({ value: ValueId, name: z.string() })),
});
export type Program = z.infer<typeof Program>;
