import { termsOf } from "../graph/dims.ts";
import { BYTES_PER_ELEMENT, type Dim, type TensorType } from "../graph/shape.ts";
import type { Arg, Block, Op, Program, Repeat } from "./program.ts";

/**
 * What one training step holds at most, worked out by going through the program as the engine does: each result lies in memory until its
 * last use, and what autograd keeps of it until its own backward; gradients of results come and go, those of weights stay until the step.
 * What kernels need for themselves, and what the allocator loses between tensors, is not in it.
 */
export type StepMemory = {
  weightBytes: number;
  gradientBytes: number;
  /** The raw rows of a batch. */
  batchBytes: number;
  /** Results, what is kept of them, and their gradients, where they are most together. */
  activationBytes: number;
};

/** How often a loop goes round where only the run can tell. */
const MOST_UNKNOWN_TURNS = 32;

/**
 * What autograd keeps of an operator (PyTorch's derivatives.yaml): `in` its inputs, `out` its results, and `more` further bytes for each
 * element of its first result: masks, indices, gates.
 */
type Kept = { in?: true; out?: true; more?: number };

/** Operators whose result is the input's own memory, seen in another way; a copy is made only where the order in memory must change. */
const VIEWS = new Set(
  "view reshape flatten unflatten permute transpose movedim squeeze unsqueeze select slice narrow expand detach alias unbind split split_with_sizes chunk to.device lift".split(
    " ",
  ),
);

const KEPT: { [operator: string]: Kept } = Object.fromEntries([
  ...kept(
    { in: true },
    "linear matmul bmm mm einsum bilinear conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d convolution batch_norm layer_norm instance_norm",
  ),
  ...kept(
    { in: true },
    "group_norm rms_norm gelu silu mish leaky_relu elu celu selu hardswish hardsigmoid hardtanh softplus log_sigmoid prelu square pow abs log sin cos tan clamp",
  ),
  ...kept(
    { in: true },
    "clamp_min clamp_max mul div avg_pool1d avg_pool2d avg_pool3d adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d cosine_similarity pairwise_distance prod",
  ),
  ...kept({ out: true }, "relu sigmoid tanh softmax exp sqrt rsqrt reciprocal logsumexp"),
  ...kept({ out: true }, "log_softmax"),
  ...kept({ in: true, out: true }, "linalg_vector_norm amax amin scaled_dot_product_attention"),
  ...kept({ in: true, more: 8 }, "max_pool1d max_pool2d max_pool3d adaptive_max_pool1d adaptive_max_pool2d topk sort max min cummax"),
  // Of what is dropped a mask of numbers is kept.
  ...kept({ more: 4 }, "dropout feature_dropout alpha_dropout feature_alpha_dropout rrelu"),
  ...kept(
    { in: true, more: 4 },
    "cross_entropy_loss nll_loss_nd mse_loss l1_loss smooth_l1_loss huber_loss kl_div binary_cross_entropy binary_cross_entropy_with_logits multi_margin_loss",
  ),
  // Four gates, the cell and its tanh for each number that comes out; a GRU has three and the candidate.
  ...kept({ in: true, out: true, more: 28 }, "lstm"),
  ...kept({ in: true, out: true, more: 20 }, "gru"),
  ...kept({ in: true, out: true }, "rnn_tanh rnn_relu"),
  ...kept(
    {},
    "add sub rsub neg mean sum cat stack pad constant_pad_nd where masked_fill index_select gather embedding embedding_bag to roll flip tile repeat_interleave cumsum lerp",
  ),
  ...kept(
    {},
    "mul.Scalar div.Scalar add.Scalar sub.Scalar pixel_shuffle pixel_unshuffle upsample_nearest1d upsample_nearest2d upsample_bilinear2d glu im2col col2im channel_shuffle",
  ),
]);

function kept(what: Kept, names: string): [string, Kept][] {
  return names.split(" ").map((name) => [name, what]);
}

/** `types` are those of the program's values, in order; `sizes` what its symbols stand for: `{ B: 128 }`. */
export function stepMemory(
  program: Program,
  types: readonly TensorType[],
  options: { outputs: readonly string[]; sizes: { readonly [symbol: string]: number }; halfPrecision?: boolean },
): StepMemory {
  const walk = new Walk(types, options.sizes, options.halfPrecision ? 0.6 : 1);
  let weightBytes = 0;
  let gradientBytes = 0;
  for (const { value, trainable } of program.weights) {
    const bytes = walk.bytesOf(value);
    weightBytes += bytes;
    if (trainable) gradientBytes += bytes;
    walk.place(value, { trainable });
  }
  let batchBytes = 0;
  for (const { value } of program.inputs) {
    batchBytes += walk.bytesOf(value);
    walk.place(value, { trainable: false });
  }
  const wanted = new Set(program.outputs.filter(({ name }) => options.outputs.includes(name)).map(({ value }) => value));
  const ops = neededOps(program.ops, wanted);
  walk.forward(ops, wanted, 1);
  walk.backward();
  return { weightBytes, gradientBytes, batchBytes, activationBytes: walk.peak };
}

/** The operators on which some values depend, in order. Nested blocks go with their operator. */
function neededOps(ops: readonly Op[], wanted: ReadonlySet<number>): Op[] {
  const needed = new Set(wanted);
  const result: Op[] = [];
  for (const op of ops.toReversed()) {
    if (!op.out.some((value) => needed.has(value))) continue;
    for (const value of readsOf(op)) needed.add(value);
    result.push(op);
  }
  return result.reverse();
}

/** The values that an operator reads, with those that blocks inside it read. */
function readsOf(op: Op): number[] {
  const reads: number[] = [];
  const ofBlock = (block: Block) => {
    reads.push(...block.outputs);
    for (const inner of block.ops) reads.push(...readsOf(inner));
  };
  if (!("blocks" in op)) return op.args.flatMap(valuesOf);
  for (const block of op.blocks) ofBlock(block);
  if ("init" in op) reads.push(...op.init);
  if (op.op === "if" && typeof op.cond === "number") reads.push(op.cond);
  if (op.op === "switch") reads.push(op.index, ...op.args);
  if (op.op === "repeat") {
    for (const [value] of op.scan ?? []) reads.push(value);
    if (typeof op.times === "object" && "v" in op.times) reads.push(op.times.v);
  }
  return reads;
}

function valuesOf(arg: Arg): number[] {
  if (typeof arg !== "object" || arg === null) return [];
  return "v" in arg ? [arg.v] : "vs" in arg ? arg.vs : [];
}

/** A piece of memory that values lie in. */
type Storage = {
  bytes: number /** Users yet to come: operators that read it, and those that keep it for their backward. */;
  uses: number;
  needsGradient: boolean;
  isWeight: boolean;
};
/** What is left to do for one operator once the backward pass comes to it. */
type Backward = { inputs: Storage[]; outputs: Storage[]; kept: Storage[]; moreBytes: number; isView: boolean };

class Walk {
  peak = 0;
  private live = 0;
  private readonly storages = new Map<number, Storage>();
  private readonly tape: Backward[] = [];
  private readonly types: readonly TensorType[];
  private readonly sizes: { readonly [symbol: string]: number };
  private readonly factor: number;

  constructor(types: readonly TensorType[], sizes: { readonly [symbol: string]: number }, factor: number) {
    this.types = types;
    this.sizes = sizes;
    this.factor = factor;
  }

  bytesOf(value: number): number {
    const type = this.types[value];
    return type ? type.shape.reduce<number>((count, dim) => count * sizeOf(dim, this.sizes), BYTES_PER_ELEMENT[type.dtype]) : 0;
  }

  /** A value that is there before the program begins, and is counted elsewhere. */
  place(value: number, { trainable }: { trainable: boolean }): void {
    this.storages.set(value, { bytes: 0, uses: Number.POSITIVE_INFINITY, needsGradient: trainable, isWeight: true });
  }

  /** `scale`: how much larger than one turn or the whole batch its results are. */
  forward(ops: readonly Op[], outputs: ReadonlySet<number>, scale: number): void {
    const lastUse = new Map<number, number>();
    ops.forEach((op, at) => {
      for (const value of readsOf(op)) lastUse.set(value, at);
    });
    ops.forEach((op, at) => {
      this.run(op, scale);
      for (const value of new Set([...readsOf(op), ...op.out])) if ((lastUse.get(value) ?? at) === at && !outputs.has(value)) this.release(this.storages.get(value));
    });
  }

  private run(op: Op, scale: number): void {
    if (!("blocks" in op)) {
      this.call(op.op.slice("aten::".length), op.args.flatMap(valuesOf), op.out, scale);
    } else if (op.op === "if") {
      const [first, second] = op.blocks;
      const block = typeof op.cond === "object" || first.ops.length >= second.ops.length ? first : second;
      this.enter(block, scale, 1);
      this.bind(op.out, block.outputs);
    } else if (op.op === "while") {
      const [, body] = op.blocks;
      this.bind(body.inputs, op.init);
      this.enter(body, scale, Math.min(op.maxIterations, MOST_UNKNOWN_TURNS));
      this.bind(op.out, body.outputs);
    } else if (op.op === "repeat") {
      const [body] = op.blocks;
      const [, ...rest] = body.inputs;
      const scanned = op.scan ?? [];
      this.bind(rest, [...scanned.map(([value]) => value), ...op.init]);
      this.enter(body, scale, this.turnsOf(op));
      this.bind(op.out.slice(0, op.init.length), body.outputs.slice(0, op.init.length));
      for (const value of op.out.slice(op.init.length)) this.make(value, scale, true);
    } else {
      for (const block of op.blocks) {
        this.bind(block.inputs, op.args);
        this.enter(block, scale / op.blocks.length, 1);
      }
      for (const value of op.out) this.make(value, scale, true);
    }
  }

  private turnsOf(op: Repeat): number {
    if (typeof op.times === "number") return op.times;
    if ("v" in op.times) return Math.min(op.maxIterations, MOST_UNKNOWN_TURNS);
    const [value, axis] = op.times.size;
    const shape = this.types[value]?.shape ?? [];
    return sizeOf(shape.at(axis) ?? 1, this.sizes);
  }

  /** Goes through a block once. What is kept of one turn is kept of each. */
  private enter(block: Block, scale: number, turns: number): void {
    const before = this.tape.length;
    this.forward(block.ops, new Set(block.outputs), scale);
    if (turns === 1) return;
    const repeated = new Set<Storage>();
    for (const step of this.tape.slice(before)) {
      this.hold((turns - 1) * step.moreBytes);
      step.moreBytes *= turns;
      for (const storage of step.kept) repeated.add(storage);
    }
    for (const storage of repeated) {
      if (storage.isWeight) continue;
      this.hold((turns - 1) * storage.bytes);
      storage.bytes *= turns;
    }
  }

  private bind(to: readonly number[], from: readonly number[]): void {
    to.forEach((value, i) => {
      const storage = this.storages.get(from[i] ?? -1);
      if (!storage) return;
      storage.uses++;
      this.storages.set(value, storage);
    });
  }

  private make(value: number, scale: number, needsGradient: boolean): Storage {
    const isFloat = this.types[value]?.dtype === "float32";
    const storage = { bytes: this.bytesOf(value) * scale * (isFloat ? this.factor : 1), uses: 1, needsGradient: needsGradient && isFloat, isWeight: false };
    this.hold(storage.bytes);
    this.storages.set(value, storage);
    return storage;
  }

  private call(operator: string, args: readonly number[], out: readonly number[], scale: number): void {
    const [name = operator] = operator.split(".");
    const inputs = args.flatMap((value) => this.storages.get(value) ?? []);
    const needsGradient = inputs.some((storage) => storage.needsGradient) && name !== "detach";
    const [source] = inputs;
    const isView = (VIEWS.has(operator) || VIEWS.has(name)) && source !== undefined;
    const outputs = out.map((value) => {
      if (!isView || !source) return this.make(value, scale, needsGradient);
      source.uses++;
      this.storages.set(value, source);
      return source;
    });
    if (!needsGradient || isView) return;
    const what = KEPT[operator] ?? KEPT[name] ?? { in: true };
    // A product keeps a factor for the sake of the other's gradient.
    const isProduct = name === "mul" && inputs.length === 2;
    const keptInputs = what.in ? inputs.filter((_, i) => !isProduct || inputs[1 - i]?.needsGradient) : [];
    const kept = [...keptInputs, ...(what.out ? outputs : [])].filter((storage) => !storage.isWeight);
    for (const storage of kept) storage.uses++;
    // A loss is one number; what it keeps is of the size of what it compares.
    const elements = Math.max(outputs[0]?.bytes ?? 0, name.includes("loss") ? (source?.bytes ?? 0) : 0) / 4;
    const moreBytes = (what.more ?? 0) * elements;
    this.hold(moreBytes);
    this.tape.push({ inputs, outputs, kept, moreBytes, isView });
  }

  backward(): void {
    // Results that nothing keeps are gone; the gradient of each storage is as large as it is.
    const gradients = new Map<Storage, number>();
    for (const { inputs, outputs, kept, moreBytes } of this.tape.reverse()) {
      for (const storage of new Set([...outputs, ...inputs])) {
        if (gradients.has(storage) || !storage.needsGradient) continue;
        const bytes = storage.isWeight ? 0 : storage.bytes;
        gradients.set(storage, bytes);
        this.hold(bytes);
      }
      for (const storage of outputs) this.drop(gradients.get(storage) ?? 0, () => gradients.set(storage, 0));
      for (const storage of kept) this.release(storage);
      this.live -= moreBytes;
    }
  }

  private drop(bytes: number, forget: () => void): void {
    this.live -= bytes;
    forget();
  }

  private hold(bytes: number): void {
    this.live += bytes;
    this.peak = Math.max(this.peak, this.live);
  }

  private release(storage: Storage | undefined): void {
    if (!storage || storage.isWeight) return;
    storage.uses--;
    if (storage.uses === 0) this.live -= storage.bytes;
  }
}

/** A size with numbers in the place of its symbols; a symbol that nothing is known of counts as 1. */
function sizeOf(dim: Dim, sizes: { readonly [symbol: string]: number }): number {
  if (typeof dim === "number") return dim;
  const total = termsOf(dim).reduce((sum, { coefficient, factors }) => {
    const values = factors.map((factor) => (typeof factor === "string" ? (sizes[factor] ?? 1) : Math.floor(sizeOf(factor.numerator, sizes) / factor.divisor)));
    return sum + values.reduce((a, b) => a * b, coefficient);
  }, 0);
  return Math.max(1, total);
}
