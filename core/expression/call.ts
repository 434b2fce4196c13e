import { add, floorDivide, multiply, termsOf } from "../graph/dims.ts";
import { type Dim, type Dtype, printShape, type Shape } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { axisOf } from "../layers/kit.ts";
import { ExpressionError, type ExpressionProblem, type Span } from "./parse.ts";
import { PyText } from "./python.ts";
import { planSize } from "./sizes.ts";
import type { Item, Step, Tensor } from "./step.ts";

/** A parameter of a function. `rest` takes all further arguments without a name, or one tuple. */
export type FunctionParam = { name: string /** Other names it may be given by. */; also?: readonly string[]; default?: Item; rest?: true };

/** A function of expressions. Everything about it is said here: what it takes and gives, and how each back end writes it. */
export type ExpressionFunction = {
  /** The first is the one it is listed under; the others are NumPy's or PyTorch's names of the same. */
  names: readonly [string, ...string[]];
  group: "math" | "activation" | "comparison" | "reduction" | "shape" | "linear algebra" | "selection" | "creation" | "type";
  params: readonly FunctionParam[];
  doc: string;
  call(c: Call): Item;
};

/** Arguments by parameter; the item is known once the arguments are evaluated. */
export type Bound<T> = Map<string, { value: T; span: Span }>;

/**
 * Matches arguments with parameters, as Python does.
 * @throws ExpressionError
 */
export function bindArguments<T>(
  { names: [name], params }: ExpressionFunction,
  args: readonly { name: string | null; value: T; span: Span }[],
  span: Span,
  makeTuple: (items: T[], isOne: boolean) => T,
): Bound<T> {
  const bound: Bound<T> = new Map();
  const positional = args.filter((arg) => arg.name === null);
  let at = 0;
  for (const param of params) {
    if (at >= positional.length) break;
    if (param.rest) {
      const taken = positional.slice(at);
      const [first] = taken;
      if (first)
        bound.set(param.name, {
          value: makeTuple(
            taken.map(({ value }) => value),
            taken.length === 1,
          ),
          span: { start: first.span.start, end: taken.at(-1)?.span.end ?? first.span.end },
        });
      at = positional.length;
      break;
    }
    const arg = positional[at++];
    if (arg) bound.set(param.name, { value: arg.value, span: arg.span });
  }
  const extra = positional[at];
  if (extra)
    throw new ExpressionError(
      say("{name} takes at most {count} {count, plural, one {argument} other {arguments}}: {signature}.", {
        name,
        count: params.length,
        signature: signatureOf({ names: [name], params }),
      }),
      extra.span,
    );
  for (const arg of args) {
    if (arg.name === null) continue;
    const wanted = arg.name;
    const param = params.find((param) => param.name === wanted || param.also?.includes(wanted) || ALSO[param.name]?.includes(wanted));
    if (!param) throw new ExpressionError(say("{name} has no argument {wanted}: {signature}.", { name, wanted, signature: signatureOf({ names: [name], params }) }), arg.span);
    if (bound.has(param.name)) throw new ExpressionError(say("{name} of {name2} is given twice.", { name: param.name, name2: name }), arg.span);
    bound.set(param.name, { value: param.rest ? makeTuple([arg.value], true) : arg.value, span: arg.span });
  }
  const missing = params.find((param) => param.default === undefined && !bound.has(param.name));
  if (missing) throw new ExpressionError(say("{name} needs {name2}: {signature}.", { name, name2: missing.name, signature: signatureOf({ names: [name], params }) }), span);
  return bound;
}

/** Names that PyTorch has for NumPy's arguments. */
const ALSO: { [param: string]: readonly string[] } = { axis: ["dim", "dims"], keepdims: ["keepdim"], x: ["input", "a", "self"], b: ["other"], a: ["input"] };

/** `sum(x, axis=None, keepdims=False)` */
export function signatureOf({ names: [name], params }: Pick<ExpressionFunction, "names" | "params">): string {
  return `${name}(${params.map((param) => (param.rest ? `*${param.name}` : param.default === undefined ? param.name : `${param.name}=${printItem(param.default)}`)).join(", ")})`;
}

function printItem(item: Item): string {
  switch (item.kind) {
    case "number":
      return item.dtype === "bool" ? (item.value ? "True" : "False") : PyText.number(item.value, item.dtype === "int64").code;
    case "size":
      return item.dim;
    case "text":
      return `"${item.value}"`;
    case "dtype":
      return item.dtype;
    case "none":
      return "None";
    case "tuple":
      return `(${item.items.map(printItem).join(", ")})`;
    case "rest":
      return "...";
    case "tensor":
      return `a tensor ${printShape(item.type.shape)}`;
  }
}

/** What a call may ask of the expression around it. */
export type Surroundings = {
  /** Of the inputs, by name. */
  shapes: { readonly [name: string]: Shape };
  apply(name: string, items: readonly Item[], span: Span): Item;
};

const NONE: Item = { kind: "none" };

/** One call of a function, with its arguments as the function wants them. */
export class Call {
  readonly name: string;
  readonly span: Span;
  private readonly params: readonly FunctionParam[];
  private readonly args: Bound<Item>;
  private readonly around: Surroundings;

  constructor(name: string, span: Span, params: readonly FunctionParam[], args: Bound<Item>, around: Surroundings) {
    this.name = name;
    this.span = span;
    this.params = params;
    this.args = args;
    this.around = around;
  }

  fail(message: string, param?: string, code: ExpressionProblem["code"] = "GRAPH_PARAM", hint?: string): never {
    throw new ExpressionError(message, (param === undefined ? undefined : this.args.get(param)?.span) ?? this.span, code, hint);
  }

  item(param: string): Item {
    return this.args.get(param)?.value ?? this.params.find(({ name }) => name === param)?.default ?? NONE;
  }

  isNone(param: string): boolean {
    return this.item(param).kind === "none";
  }

  /** Another function's result. */
  apply(name: string, ...items: (Item | number)[]): Tensor {
    return this.asTensor(this.applied(name, items));
  }

  /** The results of another function that has several. */
  results(name: string, ...items: (Item | number)[]): Tensor[] {
    const result = this.applied(name, items);
    return (result.kind === "tuple" ? result.items : [result]).map((item) => this.asTensor(item));
  }

  private applied(name: string, items: (Item | number)[]): Item {
    return this.around.apply(
      name,
      items.map((item) => (typeof item === "number" ? int(item) : item)),
      this.span,
    );
  }

  /** A tensor of any dtype; a number is one of a single number. */
  tensor(param: string): Tensor {
    return this.asTensor(this.item(param), param);
  }

  asTensor(item: Item, param?: string): Tensor {
    if (item.kind === "tensor") return item;
    if (item.kind === "number") return constant(item.value, item.dtype);
    if (item.kind === "size") return sizeTensor(item.dim);
    return this.fail(
      param === undefined
        ? say("{name} needs a tensor, not {item}.", { name: this.name, item: describe(item) })
        : say("{name} needs a tensor for {param}, not {item}.", { name: this.name, param, item: describe(item) }),
      param,
    );
  }

  /** A tensor of float32; whole numbers and conditions are converted. */
  float(param: string): Tensor {
    return this.asFloat(this.tensor(param));
  }

  asFloat(x: Tensor): Tensor {
    return cast(x, "float32");
  }

  /** A tensor of float32 or int64; conditions count as 0 and 1. */
  numeric(param: string): Tensor {
    const x = this.tensor(param);
    this.refuseBytes(x, param);
    return x.type.dtype === "bool" ? cast(x, "int64") : x;
  }

  refuseBytes(x: Tensor, param?: string): void {
    if (x.type.dtype === "uint8") this.fail(say("{name} does not take raw bytes (uint8).", { name: this.name }), param, "GRAPH_DTYPE", say("Write float(x) first."));
  }

  /** A whole number, or a size known only at run time. */
  size(param: string): Dim {
    return this.asSize(this.item(param), param);
  }

  private asSize(item: Item, param: string): Dim {
    if (item.kind === "size") return item.dim;
    if (item.kind === "number" && item.dtype !== "float32") return item.value;
    return this.fail(say("{param} of {name} must be a whole number, not {item}.", { param, name: this.name, item: describe(item) }), param);
  }

  int(param: string): number {
    const size = this.size(param);
    return typeof size === "number" ? size : this.fail(`${param} of ${this.name} must be a number that is known beforehand; ${size} is not.`, param);
  }

  number(param: string): number {
    const item = this.item(param);
    return item.kind === "number" ? item.value : this.fail(say("{param} of {name} must be a number, not {item}.", { param, name: this.name, item: describe(item) }), param);
  }

  bool(param: string): boolean {
    const item = this.item(param);
    return item.kind === "number" && item.dtype === "bool"
      ? item.value === 1
      : this.fail(say("{param} of {name} must be True or False, not {item}.", { param, name: this.name, item: describe(item) }), param);
  }

  text(param: string): string {
    const item = this.item(param);
    return item.kind === "text" ? item.value : this.fail(say("{param} of {name} must be a text in quotes, not {item}.", { param, name: this.name, item: describe(item) }), param);
  }

  dtype(param: string): Dtype {
    const item = this.item(param);
    if (item.kind === "dtype") return item.dtype;
    const named = item.kind === "text" ? DTYPE_NAMES[item.value] : undefined;
    return named ?? this.fail(say("{param} of {name} must be float32, int64 or bool, not {item}.", { param, name: this.name, item: describe(item) }), param);
  }

  /** One axis, counted from the start. */
  axis(param: string, rank: number): number {
    return this.asAxis(this.item(param), param, rank);
  }

  private asAxis(item: Item, param: string, rank: number): number {
    const given = this.asSize(item, param);
    const axis = typeof given === "number" ? axisOf(given, rank) : null;
    return (
      axis ??
      this.fail(
        rank === 1
          ? say("{name} finds no axis {given} in a tensor of 1 axis.", { name: this.name, given })
          : say("{name} finds no axis {given} in a tensor of {rank} axes.", { name: this.name, given, rank }),
        param,
        "GRAPH_SHAPE",
        rank > 0 ? say("Axes go from {value} to {rank}.", { value: -rank, rank: rank - 1 }) : undefined,
      )
    );
  }

  /** One axis or several; null for None. */
  axes(param: string, rank: number): number[] | null {
    const item = this.item(param);
    if (item.kind === "none") return null;
    const axes = (item.kind === "tuple" ? item.items : [item]).map((one) => this.asAxis(one, param, rank));
    if (new Set(axes).size !== axes.length) this.fail(say("{name} is given an axis twice.", { name: this.name }), param);
    return axes;
  }

  /** A tuple of whole numbers, or one of them. */
  sizes(param: string): Dim[] {
    const item = this.item(param);
    return (item.kind === "tuple" ? item.items : [item]).map((one) => this.asSize(one, param));
  }

  ints(param: string): number[] {
    return this.sizes(param).map((size) =>
      typeof size === "number" ? size : this.fail(`${param} of ${this.name} must be numbers that are known beforehand; ${size} is not.`, param),
    );
  }

  tensors(param: string): Tensor[] {
    const item = this.item(param);
    if (item.kind !== "tuple") return this.fail(say("{name} takes a list of tensors, as in {name}([a, b]).", { name: this.name }), param);
    return item.items.map((one) => this.asTensor(one, param));
  }

  /** Makes sure that sizes can be worked out at run time. */
  needSizes(shape: Shape, param?: string): void {
    const lost = shape.find((size) => planSize(size, this.around.shapes) === null);
    if (lost !== undefined) this.fail(say("{name} needs the size {lost}, which cannot be told from the sizes of the inputs.", { name: this.name, lost }), param, "GRAPH_SHAPE");
  }

  /**
   * Sizes of which one may be left open, as -1: the one that is hardest to come by. The others must be known at run time.
   */
  openSizes(shape: Shape): Shape {
    const symbolic = shape.flatMap((size, axis) => (typeof size === "string" ? [axis] : []));
    const cost = (axis: number) => {
      const plan = planSize(shape[axis] ?? 1, this.around.shapes);
      return plan === null ? 2 : typeof plan === "object" && "input" in plan ? 0 : 1;
    };
    const open = symbolic.toSorted((a, b) => cost(b) - cost(a))[0];
    const sizes = shape.map((size, axis) => (axis === open ? -1 : size));
    this.needSizes(sizes);
    return sizes;
  }
}

export const DTYPE_NAMES: { [name: string]: Dtype | undefined } = {
  float: "float32",
  float32: "float32",
  int: "int64",
  int64: "int64",
  long: "int64",
  bool: "bool",
  bool_: "bool",
};

export function describe(item: Item): string {
  switch (item.kind) {
    case "tensor":
      return "a tensor";
    case "tuple":
      return "a tuple";
    case "none":
      return "None";
    case "rest":
      return "...";
    case "size":
      return `the size ${item.dim}`;
    case "number":
    case "text":
    case "dtype":
      return printItem(item);
  }
}

export function int(value: number): Item {
  return { kind: "number", value, dtype: "int64" };
}

export function bool(value: boolean): Item {
  return { kind: "number", value: Number(value), dtype: "bool" };
}

/** The only result of a step. */
export function resultOf(step: Step): Tensor {
  const [type] = step.types;
  if (!type) throw new Error("A step has a result.");
  return { kind: "tensor", type, from: { step, index: 0 } };
}

/** A number as a tensor without axes. */
export function constant(value: number, dtype: "float32" | "int64" | "bool"): Tensor {
  const isWhole = dtype !== "float32";
  return resultOf({
    constant: value,
    inputs: [],
    types: [{ dtype, shape: [] }],
    lower: (e) => e.scalar(value, dtype),
    onnx: (o) => o.c(value, dtype),
    torch: () => {
      const text = dtype === "bool" ? new PyText(value ? "True" : "False") : PyText.number(value, isWhole);
      return new PyText(`torch.tensor(${text})`, 100, text);
    },
  });
}

/** A size that only run time knows, as a tensor without axes. */
function sizeTensor(dim: string): Tensor {
  return resultOf({
    inputs: [],
    types: [{ dtype: "int64", shape: [] }],
    lower: (e) => e.call("aten::sum", [e.call("aten::ones", [{ ints: [e.size(dim)] }, "int64"], { dtype: "int64", shape: [dim] })]),
    onnx: (o) => o.op("Squeeze", [o.size(dim)]),
    torch: (t) => {
      const text = t.size(dim);
      return new PyText(`torch.tensor(${text})`, 100, text);
    },
  });
}

const TORCH_CASTS: { [D in Dtype]: string } = { float32: "float", int64: "long", bool: "bool", uint8: "byte" };

export function cast(x: Tensor, dtype: Dtype): Tensor {
  if (x.type.dtype === dtype) return x;
  const known = "step" in x.from ? x.from.step.constant : undefined;
  if (known !== undefined && dtype !== "uint8") return constant(dtype === "bool" ? Number(known !== 0) : dtype === "int64" ? Math.trunc(known) : known, dtype);
  return resultOf({
    inputs: [x],
    types: [{ dtype, shape: x.type.shape }],
    lower: (e, [v]) => (v ? e.cast(v, dtype) : []),
    onnx: (o, [v = ""]) => o.cast(v, x.type.dtype, dtype),
    torch: (_, [v]) => `${v?.atom}.${TORCH_CASTS[dtype]}()`,
  });
}

const PROMOTION: readonly Dtype[] = ["bool", "uint8", "int64", "float32"];

/** The dtype in which values of these meet, as in PyTorch. */
export function promote(...dtypes: Dtype[]): Dtype {
  return PROMOTION[Math.max(...dtypes.map((dtype) => PROMOTION.indexOf(dtype)))] ?? "float32";
}

/** The shape in which tensors of these shapes meet: axes are matched from the end, and 1 stretches. Null where they do not. */
export function broadcastShapes(...shapes: Shape[]): Shape | null {
  const rank = Math.max(...shapes.map(({ length }) => length));
  const result: Shape = [];
  for (let i = 1; i <= rank; i++) {
    let size: Dim = 1;
    for (const shape of shapes) {
      const other = shape.at(-i) ?? 1;
      if (size === 1) size = other;
      else if (other !== 1 && other !== size) return null;
    }
    result.unshift(size);
  }
  return result;
}

/** a / b where that is whole for every value of the symbols, else null. `hints` are sizes whose products may be the answer. */
export function divideSizes(a: Dim, b: Dim, hints: Shape = []): Dim | null {
  if (a === b) return 1;
  if (typeof b === "number") {
    const share = floorDivide(a, b);
    return multiply(share, b) === a ? share : null;
  }
  const [only, ...more] = termsOf(b);
  if (only && more.length === 0) {
    let quotient: Dim = 0;
    for (const { coefficient, factors } of termsOf(a)) {
      const left = factors.map((factor) => (typeof factor === "string" ? factor : floorDivide(factor.numerator, factor.divisor)));
      for (const factor of only.factors) {
        const at = left.indexOf(typeof factor === "string" ? factor : floorDivide(factor.numerator, factor.divisor));
        if (at < 0) return null;
        left.splice(at, 1);
      }
      if (coefficient % only.coefficient !== 0) return null;
      quotient = add(quotient, left.reduce(multiply, coefficient / only.coefficient));
    }
    return quotient;
  }
  for (let mask = 0; mask < 2 ** Math.min(hints.length, 8); mask++) {
    const candidate = hints.reduce<Dim>((product, size, i) => (mask & (1 << i) ? multiply(product, size) : product), 1);
    if (multiply(candidate, b) === a) return candidate;
  }
  return null;
}
