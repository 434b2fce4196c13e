import type { Dim, Dtype, TensorType } from "../../graph/shape.ts";
import { printShape } from "../../graph/shape.ts";
import { say } from "../../language/say.ts";
import type { BuilderArg, Value } from "../../layers/kit.ts";
import { bool, broadcastShapes, type Call, cast, type ExpressionFunction, type FunctionParam, int, promote, resultOf } from "../call.ts";
import { PyText } from "../python.ts";
import type { EngineWriter, Item, OnnxWriter, Tensor } from "../step.ts";

/** Functions that treat each number by itself, or pairs of numbers. */

const X: FunctionParam = { name: "x" };
const A: FunctionParam = { name: "a", also: ["x", "x1"] };
const B: FunctionParam = { name: "b", also: ["y", "x2"] };

export function float(value: number): Item {
  return { kind: "number", value, dtype: "float32" };
}

type Unary = {
  names: ExpressionFunction["names"];
  doc: string;
  group?: ExpressionFunction["group"];
  aten: string;
  onnx: string | ((o: OnnxWriter, x: string, dtype: Dtype) => string);
  /** The callee in Python; `torch.` and the first name where absent. */
  torch?: string;
  /** `float` gives float32 for anything; `number` keeps int64; `logic` keeps bool and int64. */
  rule?: "float" | "number";
  /** Its value for a number of Python's. */
  fold?: (x: number) => number;
  /** For whole numbers it does nothing. */
  keepsWhole?: boolean;
};

function unary({ names, doc, group = "math", aten, onnx, torch = `torch.${names[0]}`, rule = "float", fold, keepsWhole }: Unary): ExpressionFunction {
  return {
    names,
    group,
    doc,
    params: [X],
    call: (c) => {
      const given = c.item("x");
      if (fold && given.kind === "number") {
        const value = fold(given.value);
        return { kind: "number", value, dtype: rule === "number" && given.dtype !== "float32" ? "int64" : "float32" };
      }
      const x = rule === "float" ? c.float("x") : c.numeric("x");
      if (keepsWhole && x.type.dtype === "int64") return x;
      return resultOf({
        inputs: [x],
        types: [x.type],
        lower: (e, args) => e.call(aten, args),
        onnx: (o, [v = ""]) => (typeof onnx === "string" ? o.op(onnx, [v]) : onnx(o, v, x.type.dtype)),
        torch: (_, [v]) => `${torch}(${v})`,
      });
    },
  };
}

const LOG2 = Math.log(2);
const LOG10 = Math.log(10);

export const unaries: ExpressionFunction[] = [
  unary({ names: ["exp"], doc: "e to the power of each number.", aten: "aten::exp", onnx: "Exp", fold: Math.exp }),
  unary({ names: ["expm1"], doc: "exp(x) − 1, exact near 0.", aten: "aten::expm1", onnx: (o, x) => o.op("Sub", [o.op("Exp", [x]), o.c(1)]), fold: Math.expm1 }),
  unary({ names: ["log"], doc: "Natural logarithm.", aten: "aten::log", onnx: "Log", fold: Math.log }),
  unary({ names: ["log2"], doc: "Logarithm to base 2.", aten: "aten::log2", onnx: (o, x) => o.op("Div", [o.op("Log", [x]), o.c(LOG2)]), fold: Math.log2 }),
  unary({ names: ["log10"], doc: "Logarithm to base 10.", aten: "aten::log10", onnx: (o, x) => o.op("Div", [o.op("Log", [x]), o.c(LOG10)]), fold: Math.log10 }),
  unary({ names: ["log1p"], doc: "log(1 + x), exact near 0.", aten: "aten::log1p", onnx: (o, x) => o.op("Log", [o.op("Add", [x, o.c(1)])]), fold: Math.log1p }),
  unary({ names: ["sqrt"], doc: "Square root.", aten: "aten::sqrt", onnx: "Sqrt", fold: Math.sqrt }),
  unary({ names: ["rsqrt"], doc: "1 / sqrt(x).", aten: "aten::rsqrt", onnx: (o, x) => o.op("Reciprocal", [o.op("Sqrt", [x])]), fold: (x) => 1 / Math.sqrt(x) }),
  unary({ names: ["reciprocal"], doc: "1 / x.", aten: "aten::reciprocal", onnx: "Reciprocal", fold: (x) => 1 / x }),
  unary({ names: ["sin"], doc: "Sine of an angle in radians.", aten: "aten::sin", onnx: "Sin", fold: Math.sin }),
  unary({ names: ["cos"], doc: "Cosine of an angle in radians.", aten: "aten::cos", onnx: "Cos", fold: Math.cos }),
  unary({ names: ["tan"], doc: "Tangent of an angle in radians.", aten: "aten::tan", onnx: "Tan", fold: Math.tan }),
  unary({ names: ["arcsin", "asin"], doc: "The angle whose sine is x; x from −1 to 1.", aten: "aten::asin", onnx: "Asin", torch: "torch.asin", fold: Math.asin }),
  unary({ names: ["arccos", "acos"], doc: "The angle whose cosine is x; x from −1 to 1.", aten: "aten::acos", onnx: "Acos", torch: "torch.acos", fold: Math.acos }),
  unary({ names: ["arctan", "atan"], doc: "The angle whose tangent is x.", aten: "aten::atan", onnx: "Atan", torch: "torch.atan", fold: Math.atan }),
  unary({ names: ["sinh"], doc: "Hyperbolic sine.", aten: "aten::sinh", onnx: "Sinh", fold: Math.sinh }),
  unary({ names: ["cosh"], doc: "Hyperbolic cosine.", aten: "aten::cosh", onnx: "Cosh", fold: Math.cosh }),
  unary({ names: ["erf"], doc: "The error function, from −1 to 1.", aten: "aten::erf", onnx: "Erf" }),
  unary({ names: ["abs", "absolute", "fabs"], doc: "The number without its sign.", aten: "aten::abs", onnx: "Abs", rule: "number", fold: Math.abs }),
  unary({ names: ["negative", "neg"], doc: "−x.", aten: "aten::neg", onnx: "Neg", torch: "torch.neg", rule: "number", fold: (x) => -x }),
  unary({ names: ["square"], doc: "x · x.", aten: "aten::square", onnx: (o, x) => o.op("Mul", [x, x]), rule: "number", fold: (x) => x * x }),
  unary({ names: ["sign"], doc: "−1, 0 or 1.", aten: "aten::sign", onnx: "Sign", rule: "number", fold: Math.sign }),
  unary({ names: ["floor"], doc: "The next whole number below.", aten: "aten::floor", onnx: "Floor", rule: "number", keepsWhole: true, fold: Math.floor }),
  unary({ names: ["ceil"], doc: "The next whole number above.", aten: "aten::ceil", onnx: "Ceil", rule: "number", keepsWhole: true, fold: Math.ceil }),
  unary({
    names: ["round", "rint", "around"],
    doc: "The nearest whole number; halves go to the even one.",
    aten: "aten::round",
    onnx: "Round",
    torch: "torch.round",
    rule: "number",
    keepsWhole: true,
  }),
  unary({
    names: ["trunc", "fix"],
    doc: "The whole part: what stands before the point.",
    aten: "aten::trunc",
    onnx: (o, x) => o.op("Mul", [o.op("Sign", [x]), o.op("Floor", [o.op("Abs", [x])])]),
    rule: "number",
    keepsWhole: true,
    fold: Math.trunc,
  }),

  unary({
    names: ["sigmoid", "expit"],
    group: "activation",
    doc: "1 / (1 + exp(−x)): squeezes into 0 … 1.",
    aten: "aten::sigmoid",
    onnx: "Sigmoid",
    fold: (x) => 1 / (1 + Math.exp(-x)),
  }),
  unary({ names: ["tanh"], group: "activation", doc: "Squeezes into −1 … 1.", aten: "aten::tanh", onnx: "Tanh", fold: Math.tanh }),
  unary({
    names: ["relu"],
    group: "activation",
    doc: "max(0, x).",
    aten: "aten::relu",
    onnx: (o, x, dtype) => (dtype === "int64" ? o.op("Max", [x, o.c(0, "int64")]) : o.op("Relu", [x])),
    torch: "F.relu",
    rule: "number",
  }),
  unary({ names: ["relu6"], group: "activation", doc: "min(max(0, x), 6).", aten: "aten::relu6", onnx: (o, x) => o.op("Clip", [x, o.c(0), o.c(6)]), torch: "F.relu6" }),
  unary({ names: ["silu", "swish"], group: "activation", doc: "x · sigmoid(x).", aten: "aten::silu", onnx: (o, x) => o.op("Mul", [x, o.op("Sigmoid", [x])]), torch: "F.silu" }),
  unary({ names: ["mish"], group: "activation", doc: "x · tanh(softplus(x)).", aten: "aten::mish", onnx: "Mish", torch: "F.mish" }),
  unary({ names: ["selu"], group: "activation", doc: "ELU with the scale that keeps activations normalized.", aten: "aten::selu", onnx: "Selu", torch: "F.selu" }),
  unary({ names: ["hardswish"], group: "activation", doc: "x · relu6(x + 3) / 6: a cheap SiLU.", aten: "aten::hardswish", onnx: "HardSwish", torch: "F.hardswish" }),
  unary({
    names: ["hardsigmoid"],
    group: "activation",
    doc: "relu6(x + 3) / 6: a cheap sigmoid.",
    aten: "aten::hardsigmoid",
    onnx: (o, x) => o.op("HardSigmoid", [x], { alpha: { float: 1 / 6 }, beta: { float: 0.5 } }),
    torch: "F.hardsigmoid",
  }),
  unary({
    names: ["logsigmoid", "log_sigmoid"],
    group: "activation",
    doc: "log(sigmoid(x)), exact where sigmoid is near 0.",
    aten: "aten::log_sigmoid",
    onnx: (o, x) => o.op("Neg", [o.op("Softplus", [o.op("Neg", [x])])]),
    torch: "F.logsigmoid",
  }),
];

/** The same result, written in Python by a name of its own. */
export function written(result: Tensor, inputs: Tensor[], torch: (args: PyText[]) => PyText | string): Tensor {
  return resultOf({
    inputs: [result],
    types: [result.type],
    lower: (_, args) => args,
    onnx: (_, args) => args,
    torchInputs: inputs,
    torch: (_, args) => torch(args),
  });
}

/** Two operands of an operator once they have met: tensors, and numbers that stay Python's. */
type Pair = { inputs: Tensor[]; common: Dtype; shape: TensorType["shape"]; operands: [Tensor | number, Tensor | number]; isWhole: [boolean, boolean] };

function meet(c: Call, extra: Dtype[] = []): Pair {
  const items = [c.item("a"), c.item("b")] as const;
  const operand = (item: Item, param: string): Tensor | number => (item.kind === "number" ? item.value : c.tensor(param));
  const operands: Pair["operands"] = [operand(items[0], "a"), operand(items[1], "b")];
  const inputs = operands.filter((one) => typeof one !== "number");
  for (const one of inputs) c.refuseBytes(one);
  const dtypes = items.map((item, i) => {
    const one = operands[i];
    return typeof one === "object" ? one.type.dtype : item.kind === "number" ? item.dtype : "float32";
  });
  const shapes = inputs.map(({ type }) => type.shape);
  const shape = broadcastShapes(...shapes);
  if (!shape)
    return c.fail(
      say("{name} cannot match {shapes}.", { name: c.name, shapes: shapes.map(printShape).join(" with ") }),
      undefined,
      "GRAPH_SHAPE",
      say("Sizes must be equal, or 1, axis by axis from the end."),
    );
  return {
    inputs,
    common: promote(...dtypes, ...extra),
    shape,
    operands,
    isWhole: [items[0].kind !== "number" || items[0].dtype !== "float32", items[1].kind !== "number" || items[1].dtype !== "float32"],
  };
}

/** Both operands in a writer's terms: `args` fills the places of the tensors. */
function place<T>({ operands }: Pair, args: readonly T[], number: (value: number, side: 0 | 1) => T): [T, T] {
  let at = 0;
  const of = (operand: Tensor | number, side: 0 | 1): T => {
    if (typeof operand === "number") return number(operand, side);
    const arg = args[at++];
    if (arg === undefined) throw new Error("An operator has a value for each tensor.");
    return arg;
  };
  const left = of(operands[0], 0);
  return [left, of(operands[1], 1)];
}

type Binary = {
  names: ExpressionFunction["names"];
  doc: string;
  group?: ExpressionFunction["group"];
  aten: string;
  /** How it is computed for whole numbers, where that is another way. */
  whole?: (e: EngineWriter, a: Value, b: Value) => Value;
  /** What its arguments end with. */
  options?: BuilderArg[];
  /** Its overload for a number at the right. */
  scalar?: string;
  /** The operator in Python; without one `torch` is called. */
  symbol?: string;
  torch?: string;
  /** Its code where the operator would have no derivative: for float32, or only for a number before a tensor. */
  called?: { code: (a: PyText, b: PyText) => string; when: "float32" | "number first" };
  onnx: string | ((o: OnnxWriter, a: string, b: string, dtype: Dtype) => string);
  /** What two operands of this dtype are computed in, and what comes out; null where it cannot be. */
  dtypes: (common: Dtype) => { work: Dtype; result: Dtype } | null;
  refusal?: string;
  fold?: (a: number, b: number) => number;
  /** What comes out of two numbers of Python's. */
  /** PyTorch's operator refuses conditions, also beside numbers. */
  castsTruth?: true;
  foldDtype?: (common: "float32" | "int64" | "bool", value: number) => "float32" | "int64" | "bool";
  sizes?: (a: Dim, b: Dim) => Dim | null;
  check?: (c: Call, pair: Pair) => void;
};

export function binary(o: Binary): ExpressionFunction {
  const { names, doc, group = "math", aten, scalar, symbol, torch = `torch.${names[0]}` } = o;
  return {
    names,
    group,
    doc,
    params: [A, B],
    call: (c) => {
      const [a, b] = [c.item("a"), c.item("b")];
      if (a.kind === "number" && b.kind === "number" && o.fold) {
        const common = promote(a.dtype, b.dtype) as "float32" | "int64" | "bool";
        const value = o.fold(a.value, b.value);
        const dtype = o.foldDtype ? o.foldDtype(common, value) : common === "bool" ? "int64" : common;
        if (dtype === "int64" && !Number.isSafeInteger(value))
          c.fail(say("{value} and {value2} give no whole number in {name}.", { value: a.value, value2: b.value, name: c.name }));
        return { kind: "number", value, dtype };
      }
      if (o.sizes && isSize(a) && isSize(b)) {
        const dim = o.sizes(a.kind === "size" ? a.dim : a.value, b.kind === "size" ? b.dim : b.value);
        if (dim !== null) return typeof dim === "number" ? int(dim) : { kind: "size", dim };
      }
      const pair = meet(c);
      const dtypes = o.dtypes(pair.common);
      if (!dtypes) return c.fail(o.refusal ?? say("{name} cannot take {common}.", { name: c.name, common: pair.common }), undefined, "GRAPH_DTYPE");
      o.check?.(c, pair);
      const { work, result } = dtypes;
      return resultOf({
        inputs: pair.inputs,
        types: [{ dtype: result, shape: pair.shape }],
        lower: (e, args) => {
          const right = pair.operands[1];
          const [left] = args;
          if (scalar && typeof right === "number" && left && Number.isFinite(right) && (work === "float32" || Number.isInteger(right)))
            return e.call(scalar, [e.cast(left, work), right]);
          const [x, y] = place(pair, args, (value) => e.scalar(value, work));
          if (o.whole && work === "int64") return o.whole(e, e.cast(x, work), e.cast(y, work));
          return e.call(aten, [e.cast(x, work), e.cast(y, work), ...(o.options ?? [])]);
        },
        onnx: (w, args) => {
          const dtypeOf = pair.inputs.map(({ type }) => type.dtype);
          const [x, y] = place(
            pair,
            args.map((arg, i) => w.cast(arg, dtypeOf[i] ?? work, work)),
            (value) => w.c(value, work),
          );
          return typeof o.onnx === "string" ? w.op(o.onnx, [x, y]) : o.onnx(w, x, y, work);
        },
        torch: (_, args) => {
          // Two numbers would make a number of Python's; one tensor among them makes a tensor.
          const [first = new PyText(""), second] = args;
          const called = o.called && (o.called.when === "number first" ? typeof pair.operands[0] === "number" : work === "float32") ? o.called.code : null;
          const isCall = !symbol || called !== null;
          const onlyNumbers = args.every(({ scalar: number }) => number !== null);
          const given = isCall ? args : [onlyNumbers ? first : first.plain, ...(second ? [second.plain] : [])];
          const texts = o.castsTruth ? given.map((text, i) => (pair.inputs[i]?.type.dtype === "bool" ? new PyText(`${text.atom}.to(torch.${work})`) : text)) : given;
          const [x, y] = place(pair, texts, (value, side) => {
            const text = PyText.number(value, pair.isWhole[side]);
            return isCall && (side === 0 || !called) ? new PyText(`torch.tensor(${text})`) : text;
          });
          if (called) return called(x, y);
          return symbol ? PyText.binary(x, symbol, y) : `${torch}(${x}, ${y})`;
        },
      });
    },
  };
}

function isSize(item: Item): item is { kind: "size"; dim: string } | { kind: "number"; value: number; dtype: "int64" } {
  return item.kind === "size" || (item.kind === "number" && item.dtype === "int64");
}

export const NUMBERS: Binary["dtypes"] = (common) => ({ work: common === "bool" ? "int64" : common, result: common === "bool" ? "int64" : common });
const COMPARED: Binary["dtypes"] = (common) => ({ work: common, result: "bool" });
const WHOLE: Binary["dtypes"] = (common) => (common === "float32" ? null : { work: common, result: common });
const TRUTH: Binary["dtypes"] = () => ({ work: "bool", result: "bool" });

/** ONNX orders neither conditions nor, everywhere, whole numbers; 0 and 1 stand for conditions. */
function compare(op: string, negate = false) {
  return (o: OnnxWriter, a: string, b: string, dtype: Dtype): string => {
    const [x, y] = dtype === "bool" ? [o.cast(a, dtype, "int64"), o.cast(b, dtype, "int64")] : [a, b];
    const result = o.op(op, [x, y]);
    return negate ? o.op("Not", [result]) : result;
  };
}

function bits(logical: string, bitwise: string) {
  return (o: OnnxWriter, a: string, b: string, dtype: Dtype): string => o.op(dtype === "bool" ? logical : bitwise, [a, b]);
}

/** Python's remainder, which has the sign of the divisor; ONNX's for floats has that of the dividend. */
function onnxRemainder(o: OnnxWriter, a: string, b: string, dtype: Dtype): string {
  if (dtype === "int64") return o.op("Mod", [a, b]);
  const rest = o.op("Mod", [a, b], { fmod: 1 });
  return o.op("Where", [signsDiffer(o, rest, b), o.op("Add", [rest, b]), rest]);
}

/** Whether there is a rest, of the other sign than the divisor. */
function signsDiffer(o: OnnxWriter, rest: string, b: string): string {
  const zero = o.c(0);
  return o.op("And", [o.op("Not", [o.op("Equal", [rest, zero])]), o.op("Xor", [o.op("Less", [rest, zero]), o.op("Less", [b, zero])])]);
}

/** As ATen does it: by the remainder, since the quotient alone may round over the next whole number. */
function onnxFloorDivide(o: OnnxWriter, a: string, b: string, dtype: Dtype): string {
  if (dtype === "int64") return o.op("Div", [o.op("Sub", [a, o.op("Mod", [a, b])]), b]);
  const rest = o.op("Mod", [a, b], { fmod: 1 });
  const quotient = o.op("Div", [o.op("Sub", [a, rest]), b]);
  const lower = o.op("Where", [signsDiffer(o, rest, b), o.op("Sub", [quotient, o.c(1)]), quotient]);
  const floor = o.op("Floor", [lower]);
  const nearest = o.op("Where", [o.op("Greater", [o.op("Sub", [lower, floor]), o.c(0.5)]), o.op("Add", [floor, o.c(1)]), floor]);
  return o.op("Where", [o.op("Equal", [b, o.c(0)]), o.op("Div", [a, b]), nearest]);
}

const floorMod = (a: number, b: number) => a - b * Math.floor(a / b);

function refuseZero(c: Call, { operands, common }: Pair): void {
  if (operands[1] === 0 && common !== "float32") c.fail(say("Whole numbers cannot be divided by 0."), "b");
}

const whole = (a: Dim, b: Dim, of: (a: number, b: number) => number): number | null => (typeof a === "number" && typeof b === "number" ? of(a, b) : null);

export function binaries(sizes: {
  add(a: Dim, b: Dim): Dim;
  subtract(a: Dim, b: Dim): Dim;
  multiply(a: Dim, b: Dim): Dim;
  floorDivide(a: Dim, k: number): Dim;
}): ExpressionFunction[] {
  const floorSize = (a: Dim, b: Dim): Dim | null => (typeof b === "number" && b > 0 ? sizes.floorDivide(a, b) : null);
  const fraction: Binary["foldDtype"] = () => "float32";
  const truth: Binary["foldDtype"] = () => "bool";
  return [
    binary({
      names: ["add"],
      doc: "a + b.",
      symbol: "+",
      aten: "aten::add.Tensor",
      scalar: "aten::add.Scalar",
      onnx: (o, a, b, dtype) => o.op(dtype === "bool" ? "Or" : "Add", [a, b]),
      dtypes: (common) => ({ work: common, result: common }),
      fold: (a, b) => a + b,
      sizes: sizes.add,
    }),
    binary({
      names: ["subtract", "sub"],
      doc: "a − b.",
      symbol: "-",
      aten: "aten::sub.Tensor",
      scalar: "aten::sub.Scalar",
      onnx: "Sub",
      castsTruth: true,
      dtypes: (common) => (common === "bool" ? null : { work: common, result: common }),
      refusal: "Conditions cannot be subtracted; write a ^ b, or a & ~b.",
      fold: (a, b) => a - b,
      sizes: sizes.subtract,
    }),
    binary({
      names: ["multiply", "mul"],
      doc: "a · b, number by number.",
      symbol: "*",
      aten: "aten::mul.Tensor",
      scalar: "aten::mul.Scalar",
      onnx: (o, a, b, dtype) => o.op(dtype === "bool" ? "And" : "Mul", [a, b]),
      dtypes: (common) => ({ work: common, result: common }),
      fold: (a, b) => a * b,
      sizes: sizes.multiply,
    }),
    binary({
      names: ["divide", "div", "true_divide"],
      doc: "a / b as fractions, also of whole numbers.",
      symbol: "/",
      aten: "aten::div.Tensor",
      scalar: "aten::div.Scalar",
      onnx: "Div",
      dtypes: () => ({ work: "float32", result: "float32" }),
      fold: (a, b) => a / b,
      foldDtype: fraction,
    }),
    binary({
      names: ["floor_divide"],
      doc: "a // b: a / b, rounded down.",
      symbol: "//",
      aten: "aten::div.Tensor_mode",
      options: ["floor"],
      called: { when: "float32", code: (a, b) => `torch.div(${a}, ${b}, rounding_mode="floor")` },
      onnx: onnxFloorDivide,
      dtypes: NUMBERS,
      fold: (a, b) => Math.floor(a / b),
      sizes: (a, b) => floorSize(a, b) ?? whole(a, b, (a, b) => Math.floor(a / b)),
      check: refuseZero,
    }),
    binary({
      names: ["remainder", "mod"],
      doc: "a % b: what is left of a, with the sign of b.",
      symbol: "%",
      called: { when: "number first", code: (a, b) => `torch.remainder(${a}, ${b})` },
      aten: "aten::remainder.Tensor",
      scalar: "aten::remainder.Scalar",
      onnx: onnxRemainder,
      dtypes: NUMBERS,
      fold: floorMod,
      sizes: (a, b) => {
        const floor = floorSize(a, b);
        return floor === null ? whole(a, b, floorMod) : sizes.subtract(a, sizes.multiply(floor, b));
      },
      check: refuseZero,
    }),
    binary({
      names: ["power", "pow", "float_power"],
      doc: "a ** b: a to the power of b.",
      symbol: "**",
      aten: "aten::pow.Tensor_Tensor",
      scalar: "aten::pow.Tensor_Scalar",
      onnx: "Pow",
      dtypes: NUMBERS,
      fold: (a, b) => a ** b,
      foldDtype: (common, value) => (common === "float32" || !Number.isInteger(value) ? "float32" : "int64"),
      check: (c, { operands, common }) => {
        const [, exponent] = operands;
        if (common !== "float32" && !(typeof exponent === "number" && exponent >= 0))
          c.fail(say("A whole number takes a power only where this is a number ≥ 0."), "b", "GRAPH_DTYPE", say("Write float(a) ** b."));
      },
    }),
    binary({
      names: ["maximum"],
      doc: "The larger of a and b, number by number.",
      aten: "aten::maximum",
      onnx: "Max",
      dtypes: NUMBERS,
      fold: Math.max,
    }),
    binary({
      names: ["minimum"],
      doc: "The smaller of a and b, number by number.",
      aten: "aten::minimum",
      onnx: "Min",
      dtypes: NUMBERS,
      fold: Math.min,
    }),
    binary({
      names: ["logaddexp"],
      doc: "log(exp(a) + exp(b)) without overflow.",
      aten: "aten::logaddexp",
      onnx: (o, a, b) => o.op("Add", [o.op("Max", [a, b]), o.op("Log", [o.op("Add", [o.op("Exp", [o.op("Neg", [o.op("Abs", [o.op("Sub", [a, b])])])]), o.c(1)])])]),
      dtypes: () => ({ work: "float32", result: "float32" }),
    }),
    binary({
      names: ["arctan2", "atan2"],
      doc: "The angle of the point (b, a), from −π to π.",
      aten: "aten::atan2",
      torch: "torch.atan2",
      onnx: (o, a, b) => {
        const zero = o.c(0);
        const turn = o.op("Where", [o.op("Less", [a, zero]), o.c(-Math.PI), o.c(Math.PI)]);
        const angle = o.op("Atan", [o.op("Div", [a, b])]);
        const half = o.op("Mul", [o.op("Sign", [a]), o.c(Math.PI / 2)]);
        const left = o.op("Where", [o.op("Less", [b, zero]), o.op("Add", [angle, turn]), angle]);
        return o.op("Where", [o.op("Equal", [b, zero]), half, left]);
      },
      dtypes: () => ({ work: "float32", result: "float32" }),
    }),
    ...(
      [
        ["equal", "eq", "==", "aten::eq", compare("Equal"), (a: number, b: number) => a === b, "a is b"],
        ["not_equal", "ne", "!=", "aten::ne", compare("Equal", true), (a: number, b: number) => a !== b, "a is not b"],
        ["less", "lt", "<", "aten::lt", compare("Less"), (a: number, b: number) => a < b, "a is below b"],
        ["less_equal", "le", "<=", "aten::le", compare("LessOrEqual"), (a: number, b: number) => a <= b, "a is at most b"],
        ["greater", "gt", ">", "aten::gt", compare("Greater"), (a: number, b: number) => a > b, "a is above b"],
        ["greater_equal", "ge", ">=", "aten::ge", compare("GreaterOrEqual"), (a: number, b: number) => a >= b, "a is at least b"],
      ] as const
    ).map(([name, alias, symbol, aten, onnx, test, doc]) =>
      binary({
        names: [name, alias],
        group: "comparison",
        doc: `a ${symbol} b: whether ${doc}, number by number.`,
        symbol,
        aten: `${aten}.Tensor`,
        scalar: `${aten}.Scalar`,
        onnx,
        dtypes: COMPARED,
        fold: (a, b) => Number(test(a, b)),
        foldDtype: truth,
      }),
    ),
    ...(
      [
        ["bitwise_and", "&", "And", "BitwiseAnd", (a: number, b: number) => a & b, "both are true"],
        ["bitwise_or", "|", "Or", "BitwiseOr", (a: number, b: number) => a | b, "one is true"],
        ["bitwise_xor", "^", "Xor", "BitwiseXor", (a: number, b: number) => a ^ b, "exactly one is true"],
      ] as const
    ).map(([name, symbol, logical, bitwise, fold, doc]) =>
      binary({
        names: [name],
        group: "comparison",
        doc: `a ${symbol} b: whether ${doc}; bit by bit for whole numbers.`,
        symbol,
        aten: name === "bitwise_xor" ? "aten::logical_xor" : `aten::${name}.Tensor`,
        // The engine has no exclusive or of whole numbers: a + b without what both have.
        ...(name === "bitwise_xor"
          ? { whole: (e, a, b) => e.call("aten::sub.Tensor", [e.call("aten::add.Tensor", [a, b]), e.call("aten::mul.Scalar", [e.call("aten::bitwise_and.Tensor", [a, b]), 2])]) }
          : {}),
        onnx: bits(logical, bitwise),
        dtypes: WHOLE,
        refusal: `${symbol} joins conditions or whole numbers, not float32; compare first, as in (a > 0) ${symbol} (b > 0).`,
        fold,
        foldDtype: (common) => (common === "bool" ? "bool" : "int64"),
      }),
    ),
    ...(
      [
        ["logical_and", "And", "both are not 0"],
        ["logical_or", "Or", "one is not 0"],
        ["logical_xor", "Xor", "exactly one is not 0"],
      ] as const
    ).map(([name, onnx, doc]) => binary({ names: [name], group: "comparison", doc: `Whether ${doc}.`, aten: `aten::${name}`, onnx, dtypes: TRUTH })),
  ];
}

/** A function of one tensor that yields conditions. */
function predicate(
  names: ExpressionFunction["names"],
  doc: string,
  lower: (e: EngineWriter, x: BuilderArg) => ReturnType<EngineWriter["call"]>,
  onnx: (o: OnnxWriter, x: string) => string,
): ExpressionFunction {
  return {
    names,
    group: "comparison",
    doc,
    params: [X],
    call: (c) => {
      const x = c.float("x");
      return resultOf({
        inputs: [x],
        types: [{ dtype: "bool", shape: x.type.shape }],
        lower: (e, [v = null]) => lower(e, v),
        onnx: (o, [v = ""]) => onnx(o, v),
        torch: (_, [v]) => `torch.${names[0]}(${v})`,
      });
    },
  };
}

export const predicates: ExpressionFunction[] = [
  predicate(
    ["isnan"],
    say("Whether a number is NaN."),
    (e, x) => e.call("aten::isnan", [x]),
    (o, x) => o.op("IsNaN", [x]),
  ),
  predicate(
    ["isfinite"],
    say("Whether a number is neither infinite nor NaN."),
    (e, x) => e.call("aten::isfinite", [x]),
    (o, x) => o.op("Not", [o.op("Or", [o.op("IsNaN", [x]), o.op("IsInf", [x])])]),
  ),
  {
    names: ["logical_not"],
    group: "comparison",
    doc: "Whether a number is 0; turns conditions round.",
    params: [X],
    call: (c) => {
      const x = c.tensor("x");
      c.refuseBytes(x, "x");
      return resultOf({
        inputs: [x],
        types: [{ dtype: "bool", shape: x.type.shape }],
        lower: (e, args) => e.call("aten::logical_not", args),
        onnx: (o, [v = ""]) => o.op("Not", [o.cast(v, x.type.dtype, "bool")]),
        torch: (_, [v]) => `torch.logical_not(${v})`,
      });
    },
  },
  {
    names: ["bitwise_not", "invert"],
    group: "comparison",
    doc: "~x: turns conditions round; bit by bit for whole numbers.",
    params: [X],
    call: (c) => {
      const given = c.item("x");
      if (given.kind === "number" && given.dtype !== "float32") return given.dtype === "bool" ? bool(given.value === 0) : int(~given.value);
      const x = c.tensor("x");
      c.refuseBytes(x, "x");
      if (x.type.dtype === "float32") c.fail("~ turns a condition round; float32 is none.", "x", "GRAPH_DTYPE", say("Compare first, as in ~(x > 0)."));
      return resultOf({
        inputs: [x],
        types: [x.type],
        lower: (e, args) => e.call("aten::bitwise_not", args),
        onnx: (o, [v = ""]) => o.op(x.type.dtype === "bool" ? "Not" : "BitwiseNot", [v]),
        torch: (_, [v]) => (v ? PyText.unary("~", v) : ""),
      });
    },
  },
];

/** An activation with numbers for parameters. */
function activation(
  names: ExpressionFunction["names"],
  doc: string,
  parameters: { [name: string]: number },
  aten: (values: number[]) => [string, BuilderArg[]],
  onnx: (o: OnnxWriter, x: string, values: number[]) => string,
  torch: string,
): ExpressionFunction {
  const entries = Object.entries(parameters);
  return {
    names,
    group: "activation",
    doc,
    params: [X, ...entries.map(([name, value]) => ({ name, default: float(value) }))],
    call: (c) => {
      const x = c.float("x");
      const values = entries.map(([name]) => c.number(name));
      const [op, args] = aten(values);
      const given = entries.flatMap(([name, value], i) => (values[i] === value ? [] : [`, ${name}=${PyText.number(values[i] ?? 0, false)}`]));
      return resultOf({
        inputs: [x],
        types: [x.type],
        lower: (e, [v = null]) => e.call(op, [v, ...args]),
        onnx: (o, [v = ""]) => onnx(o, v, values),
        torch: (_, [v]) => `${torch}(${v}${given.join("")})`,
      });
    },
  };
}

export const activations: ExpressionFunction[] = [
  activation(
    ["leaky_relu"],
    "x, and negative_slope · x below 0.",
    { negative_slope: 0.01 },
    ([slope = 0]) => ["aten::leaky_relu", [slope]],
    (o, x, [slope = 0]) => o.op("LeakyRelu", [x], { alpha: { float: slope } }),
    "F.leaky_relu",
  ),
  activation(
    ["elu"],
    "x, and alpha · (exp(x) − 1) below 0.",
    { alpha: 1 },
    ([alpha = 1]) => ["aten::elu", [alpha]],
    (o, x, [alpha = 1]) => o.op("Elu", [x], { alpha: { float: alpha } }),
    "F.elu",
  ),
  activation(
    ["celu"],
    "x, and alpha · (exp(x / alpha) − 1) below 0.",
    { alpha: 1 },
    ([alpha = 1]) => ["aten::celu", [alpha]],
    (o, x, [alpha = 1]) => o.op("Celu", [x], { alpha: { float: alpha } }),
    "F.celu",
  ),
  activation(
    ["softplus"],
    "log(1 + exp(beta · x)) / beta: a smooth ReLU; x itself where beta · x is above threshold.",
    { beta: 1, threshold: 20 },
    ([beta = 1, threshold = 20]) => ["aten::softplus", [beta, threshold]],
    (o, x, [beta = 1, threshold = 20]) => {
      const scaled = beta === 1 ? x : o.op("Mul", [x, o.c(beta)]);
      // Above the threshold the branch not taken must not overflow into the sum.
      const soft = o.op("Softplus", [o.op("Min", [scaled, o.c(threshold)])]);
      return o.op("Where", [o.op("Greater", [scaled, o.c(threshold)]), x, beta === 1 ? soft : o.op("Div", [soft, o.c(beta)])]);
    },
    "F.softplus",
  ),
  activation(
    ["hardtanh"],
    say("Cuts off below min_val and above max_val."),
    { min_val: -1, max_val: 1 },
    ([low = -1, high = 1]) => ["aten::hardtanh", [low, high]],
    (o, x, [low = -1, high = 1]) => o.op("Clip", [x, o.c(low), o.c(high)]),
    "F.hardtanh",
  ),
  activation(
    ["softshrink"],
    say("Draws numbers towards 0 by lambd, and to 0 within it."),
    { lambd: 0.5 },
    ([lambda = 0.5]) => ["aten::softshrink", [lambda]],
    (o, x, [lambda = 0.5]) => o.op("Shrink", [x], { lambd: { float: lambda }, bias: { float: lambda } }),
    "F.softshrink",
  ),
  activation(
    ["hardshrink"],
    say("Makes numbers within lambd of 0 to 0."),
    { lambd: 0.5 },
    ([lambda = 0.5]) => ["aten::hardshrink", [lambda]],
    (o, x, [lambda = 0.5]) => o.op("Shrink", [x], { lambd: { float: lambda }, bias: { float: 0 } }),
    "F.hardshrink",
  ),
  {
    names: ["gelu"],
    group: "activation",
    doc: `x · Φ(x), a smooth ReLU; approximate="tanh" takes the faster formula.`,
    params: [X, { name: "approximate", default: { kind: "text", value: "none" } }],
    call: (c) => {
      const x = c.float("x");
      const approximate = c.text("approximate");
      if (approximate !== "none" && approximate !== "tanh") c.fail(`approximate of gelu must be "none" or "tanh".`, "approximate");
      return resultOf({
        inputs: [x],
        types: [x.type],
        lower: (e, [v = null]) => e.call("aten::gelu", [v, approximate]),
        onnx: (o, [v = ""]) => o.op("Gelu", [v], { approximate }),
        torch: (_, [v]) => `F.gelu(${v}${approximate === "none" ? "" : `, approximate="tanh"`})`,
      });
    },
  },
];

/** What follows from other functions. */
export const composites: ExpressionFunction[] = [
  {
    names: ["softsign"],
    group: "activation",
    doc: "x / (1 + |x|).",
    params: [X],
    call: (c) => {
      const x = c.float("x");
      return written(c.apply("divide", x, c.apply("add", c.apply("abs", x), 1)), [x], ([v]) => `F.softsign(${v})`);
    },
  },
  {
    names: ["hypot"],
    group: "math",
    doc: "sqrt(a² + b²).",
    params: [A, B],
    call: (c) => {
      const [a, b] = [c.float("a"), c.float("b")];
      return written(c.apply("sqrt", c.apply("add", c.apply("square", a), c.apply("square", b))), [a, b], ([a, b]) => `torch.hypot(${a}, ${b})`);
    },
  },
  {
    names: ["lerp"],
    group: "math",
    doc: "a + weight · (b − a): mixes a and b.",
    params: [A, B, { name: "weight" }],
    call: (c) => c.apply("add", c.float("a"), c.apply("multiply", c.item("weight"), c.apply("subtract", c.float("b"), c.float("a")))),
  },
  {
    names: ["exp2"],
    group: "math",
    doc: "2 to the power of each number.",
    params: [X],
    call: (c) => {
      const x = c.float("x");
      return written(c.apply("exp", c.apply("multiply", x, float(LOG2))), [x], ([v]) => `torch.exp2(${v})`);
    },
  },
  {
    names: ["logit"],
    group: "math",
    doc: "log(x / (1 − x)): sigmoid backwards; x from 0 to 1.",
    params: [X],
    call: (c) => {
      const x = c.float("x");
      return written(c.apply("log", c.apply("divide", x, c.apply("subtract", int(1), x))), [x], ([v]) => `torch.logit(${v})`);
    },
  },
  {
    names: ["nan_to_num"],
    group: "math",
    doc: "Puts a number where NaN is, and the largest ones where infinities are.",
    params: [X, { name: "nan", default: float(0) }],
    call: (c) => {
      const x = c.float("x");
      const nan = c.number("nan");
      return resultOf({
        inputs: [x],
        types: [x.type],
        lower: (e, [v = null]) => e.call("aten::nan_to_num", [v, nan]),
        onnx: (o, [v = ""]) => o.op("Clip", [o.op("Where", [o.op("IsNaN", [v]), o.c(nan), v]), o.c(-MAX_FLOAT), o.c(MAX_FLOAT)]),
        torch: (_, [v]) => `torch.nan_to_num(${v}${nan === 0 ? "" : `, nan=${PyText.number(nan, false)}`})`,
      });
    },
  },
  {
    names: ["clip", "clamp"],
    group: "math",
    doc: "Cuts off below min and above max; either may be None.",
    params: [X, { name: "min", also: ["a_min"], default: { kind: "none" } }, { name: "max", also: ["a_max"], default: { kind: "none" } }],
    call: (c) => {
      const bounds = [c.item("min"), c.item("max")];
      if (bounds.every(({ kind }) => kind === "none")) c.fail("clip needs min or max, or both.");
      const isPlain = bounds.every((bound) => bound.kind === "none" || (bound.kind === "number" && Number.isFinite(bound.value)));
      const given = c.numeric("x");
      if (!isPlain) {
        const [low, high] = bounds as [Item, Item];
        const above = low.kind === "none" ? given : c.apply("maximum", given, low);
        return high.kind === "none" ? above : c.apply("minimum", above, high);
      }
      const isFraction = bounds.some((bound) => bound.kind === "number" && bound.dtype === "float32");
      const x = isFraction ? cast(given, "float32") : given;
      const [low, high] = bounds.map((bound) => (bound.kind === "number" ? bound.value : null));
      const { dtype } = x.type;
      const named = Object.entries({ min: low, max: high }).flatMap(([name, value]) =>
        value === null || value === undefined ? [] : [`${name}=${PyText.number(value, dtype === "int64")}`],
      );
      return resultOf({
        inputs: [x],
        types: [x.type],
        lower: (e, [v = null]) => e.call("aten::clamp", [v, low ?? null, high ?? null]),
        // One bound after the other: where min is above max, max wins, as in PyTorch.
        onnx: (o, [v = ""]) => {
          const above = typeof low === "number" ? o.op("Max", [v, o.c(low, dtype)]) : v;
          return typeof high === "number" ? o.op("Min", [above, o.c(high, dtype)]) : above;
        },
        torch: (_, [v]) => `${v?.atom}.clamp(${named.join(", ")})`,
      });
    },
  },
  {
    names: ["where"],
    group: "selection",
    doc: "a where the condition is true, else b; number by number.",
    params: [{ name: "condition" }, A, B],
    call: (c) => {
      const condition = c.tensor("condition");
      if (condition.type.dtype !== "bool") c.fail(`where needs a condition, not ${condition.type.dtype}.`, "condition", "GRAPH_DTYPE", say("Compare, as in where(x > 0, a, b)."));
      const items = [c.item("a"), c.item("b")] as const;
      const tensors = [c.tensor("a"), c.tensor("b")] as const;
      const dtype = promote(tensors[0].type.dtype, tensors[1].type.dtype);
      if (dtype !== "uint8") for (const tensor of tensors) c.refuseBytes(tensor);
      const shapes = [condition, ...tensors].map(({ type }) => type.shape);
      const shape = broadcastShapes(...shapes);
      if (!shape) return c.fail(`where cannot match ${shapes.map(printShape).join(", ")}.`, undefined, "GRAPH_SHAPE", say("Sizes must be equal, or 1, axis by axis from the end."));
      const isBoth = items.every(({ kind }) => kind === "number" || kind === "size");
      return resultOf({
        inputs: [condition, ...tensors],
        types: [{ dtype, shape }],
        lower: (e, [when = null, a, b]) => e.call("aten::where.self", [when, a ? e.cast(a, dtype) : null, b ? e.cast(b, dtype) : null]),
        onnx: (o, [when = "", a = "", b = ""]) => o.op("Where", [when, o.cast(a, tensors[0].type.dtype, dtype), o.cast(b, tensors[1].type.dtype, dtype)]),
        torch: (_, [when, a, b]) => `torch.where(${when}, ${isBoth ? a : a?.plain}, ${isBoth ? b : b?.plain})`,
      });
    },
  },
];

const MAX_FLOAT = 3.4028234663852886e38;
