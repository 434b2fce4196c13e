import { countElements, evaluate } from "../graph/dims.ts";
import { LIMITS as GRAPH_LIMITS } from "../graph/limits.ts";
import { type Dim, printShape, type TensorType } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { type Bound, bindArguments, Call, DTYPE_NAMES, describe, int, type Surroundings } from "./call.ts";
import { take } from "./functions/selection.ts";
import { reversed, shapeOf, sliceTensor, transposedMatrix } from "./functions/shape.ts";
import { findFunction, nearestName } from "./functions.ts";
import {
  type Argument,
  type Ast,
  ExpressionError,
  type ExpressionProblem,
  freeNames,
  guessNames,
  LIMITS,
  parse,
  partsOf,
  problemOf,
  type Span,
  type Statement,
  type UnaryOperator,
} from "./parse.ts";
import type { SliceItem } from "./slice.ts";
import type { Item, Tensor } from "./step.ts";

/** A text that can be read: what it takes and gives. */
export type Expression = { text: string; statements: readonly Statement[]; inputs: { name: string; span: Span }[]; outputs: string[] };

/** Of broken texts, `inputs` are the names that seem to be meant. */
type Read = { expression: Expression } | { problem: ExpressionProblem; inputs: string[] };

const reads = new Map<string, Read>();

/** Reads a text, checks its names, and says its inputs and outputs. */
export function readExpression(text: string): Read {
  let read = reads.get(text);
  if (!read) {
    read = readFresh(text);
    if (reads.size >= 100) reads.clear();
    reads.set(text, read);
  }
  return read;
}

function readFresh(text: string): Read {
  try {
    const statements = parse(text);
    for (const { value } of statements) checkCalls(value);
    const inputs = freeNames(statements);
    const extra = inputs[LIMITS.inputs];
    if (extra) throw new ExpressionError(say("An expression takes at most {inputs} inputs.", { inputs: LIMITS.inputs }), extra.span);
    return { expression: { text, statements, inputs, outputs: outputsOf(statements) } };
  } catch (error) {
    return { problem: problemOf(error, text), inputs: guessNames(text) };
  }
}

/** Whether every function is there and can be called like this. */
function checkCalls(ast: Ast): void {
  if (ast.kind === "call" || (ast.kind === "method" && !METHODS.has(ast.name))) {
    const callee = calleeOf(ast.name, ast.nameSpan);
    const own = ast.kind === "method" ? [{ name: null, value: ast.object, span: ast.object.span }] : [];
    bindArguments(callee, [...own, ...ast.args], ast.span, (items) => items[0] as Ast);
  } else if (ast.kind === "attribute" && !ATTRIBUTES.has(ast.name)) {
    throw new ExpressionError(
      say("There is no attribute {name}, only {value}.", { name: ast.name, value: [...ATTRIBUTES].join(", ") }),
      ast.span,
      "GRAPH_PARAM",
      findFunction(ast.name) ? say("Write .{name}() to call it.", { name: ast.name }) : undefined,
    );
  } else if (ast.kind === "name" && ast.qualified && !Object.hasOwn(CONSTANTS, ast.name) && !DTYPE_NAMES[ast.name]) {
    throw new ExpressionError(
      findFunction(ast.name) ? say("{name} is a function; call it with brackets.", { name: ast.name }) : say("There is no {name} here.", { name: ast.name }),
      ast.span,
    );
  }
  for (const part of partsOf(ast)) checkCalls(part);
}

/** Methods that are no functions of the table. */
const METHODS = new Set(["size", "t"]);
const ATTRIBUTES = new Set(["T", "mT", "shape", "ndim", "size"]);
const CONSTANTS: { [name: string]: number } = { pi: Math.PI, inf: Infinity, nan: Number.NaN, e: Math.E };

function calleeOf(name: string, span: Span) {
  const callee = findFunction(name);
  if (callee) return callee;
  const near = nearestName(name);
  throw new ExpressionError(say("There is no function {name}.", { name }), span, "GRAPH_PARAM", near ? say("Did you mean {near}?", { near }) : undefined);
}

/** Names of the results: those that the last line gives, else y, or y1, y2, … of a tuple. */
function outputsOf(statements: readonly Statement[]): string[] {
  const last = statements.at(-1);
  if (!last) return [];
  if (last.targets.length > 0) {
    const named = last.targets.filter(({ name }) => name !== "_");
    const first = last.targets[0];
    if (named.length === 0 && first) throw new ExpressionError(say("The last line must name a result."), first.span);
    if (named.length > LIMITS.outputs) throw new ExpressionError(say("An expression gives at most {outputs} outputs.", { outputs: LIMITS.outputs }), last.value.span);
    const twice = named.find(({ name }, i) => named.findIndex((other) => other.name === name) !== i);
    if (twice) throw new ExpressionError(say("{name} is named twice.", { name: twice.name }), twice.span);
    return named.map(({ name }) => name);
  }
  if (last.value.kind !== "tuple") return ["y"];
  const { items } = last.value;
  if (items.length === 0) throw new ExpressionError(say("The last line gives nothing."), last.value.span);
  if (items.length > LIMITS.outputs) throw new ExpressionError(say("An expression gives at most {outputs} outputs.", { outputs: LIMITS.outputs }), last.value.span);
  const names = items.flatMap((item) => (item.kind === "name" ? [item.name] : []));
  return new Set(names).size === items.length ? names : items.map((_, i) => `y${i + 1}`);
}

/** What an expression comes to with inputs of these types: a tensor for each output. */
export type Evaluated = { outputs: { [name: string]: Tensor }; shapes: Surroundings["shapes"] };

/** Infers every step. A problem says what does not fit, and where in the text. */
export function evaluateExpression(expression: Expression, types: { readonly [input: string]: TensorType }): Evaluated | { problem: ExpressionProblem } {
  try {
    return new Evaluation(types).run(expression);
  } catch (error) {
    return { problem: problemOf(error, expression.text) };
  }
}

/** Steps beyond this are refused, so that time stays bounded whatever the text says. */
const MAX_CALLS = 4000;
const MAX_AXES = 8;

class Evaluation {
  private readonly names = new Map<string, Item>();
  private readonly shapes: Surroundings["shapes"];
  private callCount = 0;

  constructor(types: { readonly [input: string]: TensorType }) {
    this.shapes = Object.fromEntries(Object.entries(types).map(([name, { shape }]) => [name, shape]));
    for (const [name, type] of Object.entries(types)) this.names.set(name, { kind: "tensor", type, from: { input: name } });
  }

  run({ statements, outputs }: Expression): Evaluated {
    const last = statements.at(-1);
    let result: Item = { kind: "none" };
    for (const { targets, value } of statements) {
      result = this.evaluate(value);
      const [only] = targets;
      if (targets.length === 1 && only) this.assign(only.name, result);
      else if (targets.length > 1) {
        const items = this.itemsOf(result, value);
        if (items.length !== targets.length)
          throw new ExpressionError(say("{count} names stand before the =, but there are {count2} results.", { count: targets.length, count2: items.length }), value.span);
        for (const [i, { name }] of targets.entries()) this.assign(name, items[i] ?? result);
      }
    }
    if (!last) throw new Error("An expression that was read has a last line.");
    const named = last.targets.length > 0;
    const items = named ? outputs.map((name) => this.names.get(name) ?? result) : last.value.kind === "tuple" && result.kind === "tuple" ? result.items : [result];
    const found: { [name: string]: Tensor } = {};
    for (const [i, name] of outputs.entries()) {
      const item = items[i] ?? result;
      if (item.kind === "tuple")
        throw new ExpressionError(
          say("This gives {count} results.", { count: item.items.length }),
          last.value.span,
          "GRAPH_PARAM",
          `Name them: ${item.items
            .map((_, i) => String.fromCharCode(97 + (i % 26)))
            .slice(0, 4)
            .join(", ")}${item.items.length > 4 ? ", …" : ""} = …`,
        );
      if (!["tensor", "number", "size"].includes(item.kind)) throw new ExpressionError(say("The result must be a tensor, not {item}.", { item: describe(item) }), last.value.span);
      found[name] = this.callOf("the result", last.value.span).asTensor(item);
    }
    return { outputs: found, shapes: this.shapes };
  }

  private assign(name: string, item: Item): void {
    this.names.set(name, item);
    if (item.kind === "tensor" && "step" in item.from) item.from.step.name ??= name;
  }

  private evaluate(ast: Ast): Item {
    switch (ast.kind) {
      case "number":
        return { kind: "number", value: ast.value, dtype: ast.isWhole ? "int64" : "float32" };
      case "text":
        return { kind: "text", value: ast.value };
      case "constant":
        return ast.value === null ? { kind: "none" } : ast.value === "..." ? { kind: "rest" } : { kind: "number", value: Number(ast.value), dtype: "bool" };
      case "name":
        return this.name(ast.name, ast.span);
      case "tuple":
        return { kind: "tuple", items: ast.items.map((item) => this.evaluate(item)) };
      case "unary":
        return this.unary(ast.operator, this.evaluate(ast.operand), ast.span);
      case "binary": {
        // A long chain leans to the left; walking down it takes no stack.
        const chain: (Ast & { kind: "binary" })[] = [];
        let left: Ast = ast;
        while (left.kind === "binary") {
          chain.push(left);
          left = left.left;
        }
        return chain.reduceRight((value, { operator, right, span }) => this.binary(operator, value, this.evaluate(right), span), this.evaluate(left));
      }
      case "call":
        return this.call(ast.name, ast.nameSpan, ast.args, ast.span);
      case "method":
        return this.method(ast);
      case "attribute":
        return this.attribute(ast.object, ast.name, ast.span);
      case "index":
        return this.index(ast);
    }
  }

  private name(name: string, span: Span): Item {
    const item = this.names.get(name);
    if (item) return item;
    if (Object.hasOwn(CONSTANTS, name)) return { kind: "number", value: CONSTANTS[name] ?? 0, dtype: "float32" };
    const dtype = DTYPE_NAMES[name];
    if (dtype) return { kind: "dtype", dtype };
    throw new ExpressionError(
      /^(b?float|int|double|half|uint)/.test(name) ? say("{name} is not one of the dtypes here: float32, int64, bool.", { name }) : say("Nothing is known of {name}.", { name }),
      span,
    );
  }

  private unary(operator: UnaryOperator, item: Item, span: Span): Item {
    if (operator === "+") return item;
    if (operator === "~") return this.apply("bitwise_not", [item], span);
    if (item.kind === "size") return this.apply("multiply", [int(-1), item], span);
    if (item.kind === "tensor" && item.type.dtype === "bool") throw new ExpressionError(say("A condition has no sign; write ~ to turn it round."), span, "GRAPH_DTYPE");
    return this.apply("negative", [item], span);
  }

  private binary(operator: keyof typeof OPERATORS, left: Item, right: Item, span: Span): Item {
    if (operator === "+" && left.kind === "tuple" && right.kind === "tuple" && left.items.length + right.items.length <= 64)
      return { kind: "tuple", items: [...left.items, ...right.items] };
    if (operator === "*" && left.kind === "tuple" && right.kind === "number" && right.value >= 0 && right.value * left.items.length <= 64)
      return { kind: "tuple", items: Array.from({ length: right.value }, () => left.items).flat() };
    return this.apply(OPERATORS[operator], [left, right], span, operator);
  }

  private call(name: string, nameSpan: Span, args: readonly Argument[], span: Span): Item {
    const callee = calleeOf(name, nameSpan);
    return this.invoke(
      callee,
      args.map((arg) => ({ name: arg.name, value: this.evaluate(arg.value), span: arg.span })),
      span,
    );
  }

  private method({ object, name, nameSpan, args, span }: Ast & { kind: "method" }): Item {
    const item = this.evaluate(object);
    if (name === "size" || name === "t") {
      if (item.kind !== "tensor") throw new ExpressionError(say("{item} has no .{name}().", { item: describe(item), name }), span);
      if (name === "size" && args.length === 0) return shapeOf(item);
      if (name === "t" && args.length === 0) return reversed(item);
    }
    return this.invoke(
      calleeOf(name, nameSpan),
      [{ name: null, value: item, span: object.span }, ...args.map((arg) => ({ name: arg.name, value: this.evaluate(arg.value), span: arg.span }))],
      span,
    );
  }

  private attribute(object: Ast, name: string, span: Span): Item {
    const item = this.evaluate(object);
    if (item.kind !== "tensor") throw new ExpressionError(say("Only tensors have .{name}; this is {item}.", { name, item: describe(item) }), span);
    const rank = item.type.shape.length;
    switch (name) {
      case "T":
        return reversed(item);
      case "mT":
        if (rank < 2) throw new ExpressionError(say(".mT needs at least two axes."), span, "GRAPH_SHAPE");
        return transposedMatrix(item);
      case "shape":
        return shapeOf(item);
      case "ndim":
        return int(rank);
      case "size":
        return this.apply("size", [item], span);
      default:
        throw new ExpressionError(say("There is no attribute {name}.", { name }), span);
    }
  }

  private index({ object, items, span }: Ast & { kind: "index" }): Item {
    const item = this.evaluate(object);
    const spans = items.map((one) => (one.kind === "item" ? one.value.span : one.span));
    if (item.kind === "tuple") return this.indexTuple(item.items, items, span);
    if (item.kind !== "tensor") throw new ExpressionError(say("Only tensors and tuples can be indexed; this is {item}.", { item: describe(item) }), span);
    let picked: { index: Tensor; at: number } | null = null;
    const entries: SliceItem[] = [];
    // x[(0, 1)] is x[0, 1].
    for (const [i, one] of items.entries()) {
      const at = spans[i] ?? span;
      if (one.kind === "range") {
        const [start, stop] = [one.start, one.stop].map((bound) => this.bound(bound));
        const step = one.step === null ? 1 : this.bound(one.step);
        if (typeof step !== "number") throw new ExpressionError(say("The step must be a number that is known beforehand."), at);
        if (step === 0) throw new ExpressionError(say("The step cannot be 0."), at);
        entries.push({ kind: "range", start: start ?? null, stop: stop ?? null, step });
        continue;
      }
      const value = this.evaluate(one.value);
      if (value.kind === "none") entries.push({ kind: "new" });
      else if (value.kind === "rest") entries.push({ kind: "rest" });
      else if (value.kind === "tensor") {
        if (picked) throw new ExpressionError(say("Only one index may be a tensor."), at, "GRAPH_PARAM", say("Use take_along_axis, or one index after the other."));
        picked = { index: value, at: entries.length };
        entries.push({ kind: "range", start: null, stop: null, step: 1 });
      } else entries.push({ kind: "at", index: this.bound(one.value) ?? 0 });
    }
    const needed = this.callOf("A slice", span);
    for (const entry of entries) {
      if (entry.kind === "at") needed.needSizes([entry.index]);
      if (entry.kind === "range") needed.needSizes([entry.start ?? 0, entry.stop ?? 0]);
    }
    const { length } = item.type.shape;
    const taken = entries.filter(({ kind }) => kind === "at" || kind === "range").length;
    const sliced = sliceTensor(item, entries, (message, at) => {
      throw new ExpressionError(message, spans[at] ?? span, "GRAPH_SHAPE");
    });
    if (!picked) return entries.some((entry) => entry.kind !== "range" || entry.start !== null || entry.stop !== null || entry.step !== 1) ? sliced : item;
    // The axis of the index in what is left: those before it that stay, and what the dots stand for.
    const before = entries.slice(0, picked.at);
    const axis = before.reduce((sum, { kind }) => sum + (kind === "at" ? 0 : kind === "rest" ? length - taken : 1), 0);
    const isWhole = entries.every((entry) => entry.kind === "range" && entry.start === null && entry.stop === null && entry.step === 1);
    const { index } = picked;
    return take(
      {
        fail: (message, _, code, hint) => {
          throw new ExpressionError(message, spans[picked.at] ?? span, code, hint);
        },
      },
      isWhole ? item : sliced,
      index,
      axis,
    );
  }

  private indexTuple(items: Item[], index: (Ast & { kind: "index" })["items"], span: Span): Item {
    const [only] = index;
    if (index.length !== 1 || !only) throw new ExpressionError(say("A tuple has one index."), span);
    if (only.kind === "range") {
      const [start, stop, step] = [only.start, only.stop, only.step].map((bound) => {
        const value = this.bound(bound);
        if (typeof value === "string") throw new ExpressionError(say("A tuple is cut at numbers that are known beforehand."), span);
        return value ?? undefined;
      });
      if (step !== undefined && step !== 1) throw new ExpressionError(say("A tuple is cut without a step."), span);
      return { kind: "tuple", items: items.slice(start, stop) };
    }
    const at = this.bound(only.value);
    const item = typeof at === "number" ? items.at(at) : undefined;
    if (!item) throw new ExpressionError(say("There is no entry {at} in a tuple of {count}.", { at: String(at), count: items.length }), only.value.span);
    return item;
  }

  /** A whole number or size between brackets. */
  private bound(ast: Ast | null): Dim | null {
    if (ast === null) return null;
    const item = this.evaluate(ast);
    if (item.kind === "none") return null;
    if (item.kind === "size") return item.dim;
    if (item.kind === "number" && item.dtype === "int64" && Math.abs(item.value) < 2 ** 31) return item.value;
    throw new ExpressionError(say("An index is a whole number, not {item}.", { item: describe(item) }), ast.span);
  }

  private itemsOf(item: Item, ast: Ast): Item[] {
    if (item.kind === "tuple") return item.items;
    if (item.kind === "tensor") {
      const [size] = item.type.shape;
      if (typeof size === "number" && size <= 64) {
        const parts = this.apply("unbind", [item, int(0)], ast.span);
        if (parts.kind === "tuple") return parts.items;
      }
    }
    throw new ExpressionError(say("Several names need several results."), ast.span, "GRAPH_PARAM", say("Use split, chunk, unbind or topk."));
  }

  private apply(name: string, items: readonly Item[], span: Span, operator?: string): Item {
    const callee = findFunction(name);
    if (!callee) throw new Error(`The table has no function ${name}.`);
    return this.invoke(
      callee,
      items.map((value) => ({ name: null, value, span })),
      span,
      operator,
    );
  }

  private invoke(callee: NonNullable<ReturnType<typeof findFunction>>, args: { name: string | null; value: Item; span: Span }[], span: Span, operator?: string): Item {
    if (++this.callCount > MAX_CALLS) throw new ExpressionError(say("This expression does too much."), span);
    const bound = bindArguments(callee, args, span, (items, isOne): Item => {
      const [first] = items;
      return isOne && first?.kind === "tuple" ? first : { kind: "tuple", items };
    });
    const result = callee.call(this.callOf(operator ?? callee.names[0], span, callee.params, bound));
    for (const item of result.kind === "tuple" ? result.items : [result]) {
      if (item.kind !== "tensor") continue;
      const { shape } = item.type;
      if (shape.length > MAX_AXES)
        throw new ExpressionError(say("This would have {length} axes; {MAX_AXES} are the most.", { length: shape.length, MAX_AXES }), span, "GRAPH_SHAPE");
      if (!(evaluate(countElements(shape), 1) <= GRAPH_LIMITS.tensorElements))
        throw new ExpressionError(
          say("This would be {shape}: more than {tensorElements} numbers.", { shape: printShape(shape), tensorElements: GRAPH_LIMITS.tensorElements }),
          span,
          "GRAPH_SHAPE",
        );
    }
    return result;
  }

  private callOf(name: string, span: Span, params: ConstructorParameters<typeof Call>[2] = [], bound: Bound<Item> = new Map()): Call {
    return new Call(name, span, params, bound, { shapes: this.shapes, apply: (name, items, span) => this.apply(name, items, span) });
  }
}

const OPERATORS = {
  "+": "add",
  "-": "subtract",
  "*": "multiply",
  "/": "divide",
  "//": "floor_divide",
  "%": "remainder",
  "**": "power",
  "@": "matmul",
  "&": "bitwise_and",
  "|": "bitwise_or",
  "^": "bitwise_xor",
  "==": "equal",
  "!=": "not_equal",
  "<": "less",
  "<=": "less_equal",
  ">": "greater",
  ">=": "greater_equal",
} as const;
