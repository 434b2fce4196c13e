import { type NodePath, weightName } from "../graph/path.ts";
import type { TensorType } from "../graph/shape.ts";
import type { BuilderArg, BuilderSize, ProgramBuilder, Value, WeightPlan } from "../layers/kit.ts";
import type { BreakCondition } from "../training/breakpoints.ts";
import { type Arg, type Block, type Op, PROGRAM_VERSION, type Program, type Weight } from "./program.ts";

/** Writes one program from front to back: inputs, then weights, then ops. */
export class ProgramWriter {
  /** What each value is, by its number. */
  readonly types: TensorType[] = [];
  private readonly inputs: Program["inputs"] = [];
  private readonly weights = new Map<string, Value>();
  private readonly weightList: Weight[] = [];
  /** Where ops go: the innermost open block. */
  private ops: Op[] = [];

  /** How many blocks are open. */
  private depth = 0;
  /** Numbers to be measured while training, by name. */
  readonly watched = new Map<string, Value>();
  /** Where a run pauses by itself, with the figures that decide it. */
  readonly breakpoints: { node: NodePath; condition: BreakCondition; figures: Value }[] = [];

  private readonly shared: ReadonlyMap<string, string>;

  /** `shared`: the weight that stands in for each that a node does not have itself. */
  constructor(shared: ReadonlyMap<string, string> = new Map()) {
    this.shared = shared;
  }

  /** Whether what is written now runs in a branch or a loop. */
  get isNested(): boolean {
    return this.depth > 0;
  }

  input(name: string, type: TensorType, node: NodePath): Value {
    const value = this.fresh(type);
    this.inputs.push({ value: value.id, name, dtype: type.dtype, shape: type.shape, node });
    return value;
  }

  /** With `frozen` none of them is trained. */
  declareWeights(node: NodePath, plans: { [name: string]: WeightPlan }, { frozen = false }: { frozen?: boolean } = {}): void {
    for (const [own, { shape, init, trainable = true, dtype = "float32" }] of Object.entries(plans)) {
      const name = weightName(node, own);
      const value = this.fresh({ dtype, shape });
      this.weights.set(name, value);
      this.weightList.push({ value: value.id, name, dtype, shape, init, trainable: trainable && !frozen, node });
    }
  }

  finish(outputs: { [name: string]: Value }): Program {
    return {
      version: PROGRAM_VERSION,
      inputs: this.inputs,
      weights: this.weightList,
      ops: this.ops,
      outputs: Object.entries(outputs).map(([name, { id }]) => ({ value: id, name })),
    };
  }

  /** A builder whose ops come from this node and whose weights are the node's. With `evaluates` they never know that a run is training. */
  at(node: NodePath, body?: ProgramBuilder["body"], { evaluates = false }: { evaluates?: boolean } = {}): ProgramBuilder {
    const calls: ProgramBuilder["calls"] = (op, args, types) => {
      const out = types.map((type) => this.fresh(type));
      this.ops.push({ op, args: args.map((arg) => (evaluates && isTrainingFlag(arg) ? notTraining(op) : toArg(arg))), out: idsOf(out), node });
      return out;
    };
    return {
      calls,
      call: (op, args, type) => first(calls(op, args, [type])),
      weight: (name) => {
        const own = weightName(node, name);
        const value = this.weights.get(this.shared.get(own) ?? own);
        if (!value) throw new Error(`Node ${node} asks for a weight ${name} that it did not plan.`);
        return value;
      },
      watch: (name, value) => {
        // Inside a branch or a loop a value is there sometimes, or several times.
        if (this.depth === 0) this.watched.set(freeName(name, this.watched), value);
      },
      breakAt: (condition, figures) => {
        if (this.depth === 0) this.breakpoints.push({ node, condition, figures });
      },
      body: (role, args) => {
        if (!body) throw new Error(`Node ${node} has no bodies.`);
        return body(role, args);
      },
      if: (condition, then, otherwise, types) => {
        const blocks: [Block, Block] = [this.block([], then), this.block([], otherwise)];
        const out = types.map((type) => this.fresh(type));
        this.ops.push({ op: "if", cond: "flag" in condition ? condition : condition.id, blocks, out: idsOf(out), node });
        return out;
      },
      while: (init, condition, turn, { maxIterations, limit }) => {
        const asked = this.copies(init);
        const carried = this.copies(init);
        const blocks: [Block, Block] = [this.block(asked, () => [condition(asked)]), this.block(carried, () => turn(carried))];
        const out = this.copies(init);
        this.ops.push({ op: "while", init: idsOf(init), blocks, maxIterations, limit, out: idsOf(out), node });
        return out;
      },
      repeat: (init, times, turn, { maxIterations, scan = [], stack = [], reverse = false }) => {
        const index = this.fresh({ dtype: "int64", shape: [] });
        const slices = scan.map(({ value: { type }, axis }) => this.fresh({ dtype: type.dtype, shape: type.shape.toSpliced(axis, 1) }));
        const carried = this.copies(init);
        const blocks: [Block] = [this.block([index, ...slices, ...carried], () => turn(carried, index, slices))];
        const out = [...this.copies(init), ...stack.map(({ type }) => this.fresh(type))];
        this.ops.push({
          op: "repeat",
          init: idsOf(init),
          times: typeof times === "number" ? times : "size" in times ? toSize(times) : { v: times.id },
          ...(scan.length > 0 ? { scan: scan.map(({ value, axis }): [number, number] => [value.id, axis]) } : {}),
          ...(stack.length > 0 ? { stack: stack.map(({ axis }) => axis) } : {}),
          ...(reverse ? { reverse } : {}),
          maxIterations,
          blocks,
          out: idsOf(out),
          node,
        });
        return out;
      },
      switch: (index, args, rows, cases, types) => {
        const blocks = cases.map((write) => {
          const given = rows.map((type) => this.fresh(type));
          return this.block(given, () => write(given));
        });
        const out = types.map((type) => this.fresh(type));
        this.ops.push({ op: "switch", index: index.id, args: idsOf(args), blocks, out: idsOf(out), node });
        return out;
      },
    };
  }

  private block(inputs: Value[], write: () => Value[]): Block {
    const around = this.ops;
    const ops: Op[] = [];
    this.ops = ops;
    this.depth++;
    const outputs = write();
    this.ops = around;
    this.depth--;
    return { inputs: idsOf(inputs), ops, outputs: idsOf(outputs) };
  }

  private copies(values: Value[]): Value[] {
    return values.map(({ type }) => this.fresh(type));
  }

  private fresh(type: TensorType): Value {
    return { id: this.types.push(type) - 1, type };
  }
}

function freeName(wanted: string, taken: ReadonlyMap<string, unknown>): string {
  let name = wanted;
  for (let i = 2; taken.has(name); i++) name = `${wanted} ${i}`;
  return name;
}

function idsOf(values: Value[]): number[] {
  return values.map(({ id }) => id);
}

function first(values: Value[]): Value {
  const [value] = values;
  if (!value) throw new Error("A call has at least one result.");
  return value;
}

function isTrainingFlag(arg: BuilderArg): boolean {
  return typeof arg === "object" && arg !== null && "flag" in arg;
}

/** Where an operator takes a number, that is 0. */
function notTraining(op: string): Arg {
  return op.endsWith(".Scalar") ? 0 : false;
}

function toArg(arg: BuilderArg): Arg {
  if (typeof arg !== "object" || arg === null) return arg;
  if (Array.isArray(arg)) return { vs: idsOf(arg) };
  if ("id" in arg) return { v: arg.id };
  if ("ints" in arg) return { ints: arg.ints.map((int) => (typeof int === "number" ? int : toSize(int))) };
  if ("size" in arg) return toSize(arg);
  return arg;
}

function toSize({ size: [value, axis] }: BuilderSize | { size: [number, number] }): { size: [number, number] } {
  return { size: [typeof value === "number" ? value : value.id, axis] };
}
