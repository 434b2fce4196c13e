import { add as addSizes, floorDivide, subtract as subtractSizes } from "../../graph/dims.ts";
import { type Dim, type Dtype, printShape, type Shape, type TensorType } from "../../graph/shape.ts";
import { say } from "../../language/say.ts";
import type { Value } from "../../layers/kit.ts";
import { type Call, cast, DTYPE_NAMES, type ExpressionFunction, type FunctionParam, int, resultOf } from "../call.ts";
import { PyText } from "../python.ts";
import { type EngineWriter, type Item, type Step, type Tensor, torchDtype } from "../step.ts";
import { broadcastTo } from "./shape.ts";

/** Functions that pick numbers out, make tensors anew, and change dtypes. */

const X: FunctionParam = { name: "x" };
const NONE: Item = { kind: "none" };
const DTYPE: FunctionParam = { name: "dtype", default: NONE };

/** `x[:, index]`: entries along one axis, by whole numbers from 0. The axes of the index stand where that axis stood. */
export function take(c: Pick<Call, "fail">, x: Tensor, index: Tensor, axis: number): Tensor {
  if (index.type.dtype !== "int64")
    c.fail(
      say("An index must be int64, not {dtype}.", { dtype: index.type.dtype }),
      "index",
      "GRAPH_DTYPE",
      index.type.dtype === "bool" ? "How many would be picked is not known beforehand; use where." : say("Write int(x) for whole numbers."),
    );
  const { shape } = x.type;
  const own = index.type.shape;
  const flat = own.length === 1 ? own : [own.reduce<Dim>((count, size) => (typeof count === "number" && typeof size === "number" ? count * size : "?"), 1)];
  const entries = (sizes: Shape) => ({ dtype: x.type.dtype, shape: shape.toSpliced(axis, 1, ...sizes) });
  return resultOf({
    inputs: [x, index],
    types: [entries(own)],
    lower: (e, [v = null, i]) => {
      if (!i) return [];
      if (own.length === 1) return e.call("aten::index_select", [v, axis, i]);
      const vector = e.call("aten::reshape", [i, { ints: [-1] }], { dtype: "int64", shape: flat });
      const picked = e.call("aten::index_select", [v, axis, vector], entries(flat));
      return own.length === 0
        ? e.call("aten::squeeze.dim", [picked, axis])
        : e.call("aten::unflatten.int", [picked, axis, { ints: own.map((size, at) => (typeof size === "number" ? size : { size: [i, at] })) }]);
    },
    onnx: (o, args) => o.op("Gather", args, { axis }),
    torch: (_, [v, i]) => `${v?.atom}[${":, ".repeat(axis)}${i}]`,
  });
}

/** Along an axis, the entries that an index of the same rank names. */
function gather(c: Call, x: Tensor, index: Tensor, axis: number): Tensor {
  if (index.type.dtype !== "int64")
    c.fail(say("An index must be int64, not {dtype}.", { dtype: index.type.dtype }), "indices", "GRAPH_DTYPE", say("Write int(x) for whole numbers."));
  const { shape } = index.type;
  if (shape.length !== x.type.shape.length || shape.some((size, i) => i !== axis && size !== x.type.shape[i]))
    c.fail(
      say("{name} cannot pick from {shape} by an index {shape2} along axis {axis}.", { name: c.name, shape: printShape(x.type.shape), shape2: printShape(shape), axis }),
      "indices",
      "GRAPH_SHAPE",
      say("All sizes but that one must be equal."),
    );
  return resultOf({
    inputs: [x, index],
    types: [{ dtype: x.type.dtype, shape }],
    lower: (e, [v = null, i = null]) => e.call("aten::gather", [v, axis, i]),
    onnx: (o, args) => o.op("GatherElements", args, { axis }),
    torch: (_, [v, i]) => `${v?.atom}.gather(${axis}, ${i})`,
  });
}

export const selections: ExpressionFunction[] = [
  {
    names: ["take", "index_select"],
    group: "selection",
    doc: "Entries along an axis by whole numbers from 0; also x[index].",
    params: [X, { name: "indices", also: ["index"] }, { name: "axis", default: int(0) }],
    call: (c) => {
      const x = c.tensor("x");
      // PyTorch has the axis first: index_select(x, 0, index).
      const [first, second] = [c.item("indices"), c.item("axis")];
      const isTorch = first.kind === "number" && second.kind === "tensor";
      const index = isTorch ? second : c.tensor("indices");
      return take(c, x, index, c.axis(isTorch ? "indices" : "axis", x.type.shape.length));
    },
  },
  {
    names: ["take_along_axis"],
    group: "selection",
    doc: "Along an axis, the entry that the index names at each place.",
    params: [X, { name: "indices" }, { name: "axis", default: int(-1) }],
    call: (c) => {
      const x = c.tensor("x");
      return gather(c, x, c.tensor("indices"), c.axis("axis", x.type.shape.length));
    },
  },
  {
    names: ["gather"],
    group: "selection",
    doc: "As take_along_axis, with PyTorch's order of arguments.",
    params: [X, { name: "axis" }, { name: "indices", also: ["index"] }],
    call: (c) => {
      const x = c.tensor("x");
      return gather(c, x, c.tensor("indices"), c.axis("axis", x.type.shape.length));
    },
  },
  {
    names: ["one_hot"],
    group: "selection",
    doc: "A new last axis with 1 at the place of the number and 0 elsewhere; int64, as in PyTorch.",
    params: [X, { name: "num_classes" }],
    call: (c) => {
      const x = c.tensor("x");
      if (x.type.dtype !== "int64") c.fail(`one_hot takes int64, not ${x.type.dtype}.`, "x", "GRAPH_DTYPE", say("Write int(x) for whole numbers."));
      const count = c.int("num_classes");
      if (!(count >= 1 && count <= 2 ** 20)) c.fail("num_classes of one_hot must be a whole number ≥ 1.", "num_classes");
      return resultOf({
        inputs: [x],
        types: [{ dtype: "int64", shape: [...x.type.shape, count] }],
        lower: (e, [v = null]) => e.call("aten::one_hot", [v, count]),
        onnx: (o, [v = ""]) => o.op("OneHot", [v, o.c(count, "int64"), o.ints([0, 1])], { axis: -1 }),
        torch: (_, [v]) => `F.one_hot(${v}, ${count})`,
      });
    },
  },
  {
    names: ["topk"],
    group: "selection",
    doc: "The k largest numbers along an axis, largest first, and where they are: values, indices = topk(x, k).",
    params: [X, { name: "k" }, { name: "axis", default: int(-1) }],
    call: (c) => {
      const x = c.float("x");
      const axis = c.axis("axis", x.type.shape.length);
      const k = c.int("k");
      const size = x.type.shape[axis] ?? 1;
      if (k < 1 || (typeof size === "number" && k > size)) c.fail(`topk cannot take ${k} of ${size}.`, "k", "GRAPH_SHAPE");
      const shape = x.type.shape.with(axis, k);
      return resultsOf(
        x,
        [
          { dtype: "float32", shape },
          { dtype: "int64", shape },
        ],
        {
          lower: (e, [v = null], types) => e.b.calls("aten::topk", [v, k, axis, true, true], types),
          onnx: (o, [v = ""]) => o.b.node("TopK", [v, o.ints([k])], { axis }, 2),
          torch: (_, [v]) => `torch.topk(${v}, ${k}, dim=${axis})`,
        },
      );
    },
  },
  ...(["sort", "argsort"] as const).map(
    (name): ExpressionFunction => ({
      names: [name],
      group: "selection",
      doc: name === "sort" ? "The numbers along an axis in order, smallest first." : "Where the numbers along an axis stand in order, smallest first.",
      params: [X, { name: "axis", default: int(-1) }, { name: "descending", default: { kind: "number", value: 0, dtype: "bool" } }],
      call: (c) => {
        const x = c.float("x");
        const axis = c.axis("axis", x.type.shape.length);
        const descending = c.bool("descending");
        const { shape } = x.type;
        const sorted = resultsOf(
          x,
          [
            { dtype: "float32", shape },
            { dtype: "int64", shape },
          ],
          {
            lower: (e, [v = null], types) => e.b.calls("aten::sort", [v, axis, descending], types),
            onnx: (o, [v = ""]) => o.b.node("TopK", [v, o.op("Shape", [v], { start: axis, end: axis + 1 })], { axis, largest: descending ? 1 : 0 }, 2),
            torch: (_, [v]) => `torch.sort(${v}, dim=${axis}${descending ? ", descending=True" : ""})`,
          },
        );
        return sorted.items[name === "sort" ? 0 : 1] ?? NONE;
      },
    }),
  ),
  {
    names: ["detach", "stop_gradient"],
    group: "selection",
    doc: "The same numbers, through which nothing is learned.",
    params: [X],
    call: (c) => {
      const x = c.tensor("x");
      return resultOf({
        inputs: [x],
        types: [x.type],
        lower: (e, [v = null]) => e.call("aten::detach", [v]),
        onnx: (o, [v = ""]) => o.op("Identity", [v]),
        torch: (_, [v]) => `${v?.atom}.detach()`,
      });
    },
  },
];

type Several = Pick<Step, "onnx" | "torch"> & { lower: (e: EngineWriter, args: Value[], types: TensorType[]) => Value[] };

/** A step with several results, as a tuple. */
function resultsOf(x: Tensor, types: TensorType[], { lower, onnx, torch }: Several): { kind: "tuple"; items: Item[] } {
  const step: Step = { inputs: [x], types, lower: (e, args) => lower(e, args, types), onnx, torch };
  return { kind: "tuple", items: types.map((type, index): Tensor => ({ kind: "tensor", type, from: { step, index } })) };
}

/** A tensor of one number everywhere. */
function full(c: Call, shape: Shape, value: Item, dtype: Dtype | null): Tensor {
  const number = c.asTensor(value, "fill_value");
  return broadcastTo(c, dtype === null ? number : cast(number, dtype), shape);
}

function readDtype(c: Call): Dtype | null {
  return c.isNone("dtype") ? null : c.dtype("dtype");
}

function readSizes(c: Call): Shape {
  const sizes = c.sizes("shape");
  if (sizes.length > 8 || sizes.some((size) => typeof size === "number" && size < 1)) c.fail(say("Sizes for {name} are up to 8 whole numbers ≥ 1.", { name: c.name }), "shape");
  c.needSizes(sizes, "shape");
  return sizes;
}

/** Like another tensor: ATen and ONNX read the sizes off it. */
function like(c: Call, value: Item, dtype: Dtype): Tensor {
  const x = c.tensor("x");
  const number = cast(c.asTensor(value, "fill_value"), dtype);
  if (number.type.shape.length > 0) c.fail("fill_value must be one number.", "fill_value", "GRAPH_SHAPE");
  return resultOf({
    inputs: [x, number],
    types: [{ dtype, shape: x.type.shape }],
    lower: (e, [v = null, n]) => e.call("aten::expand_as", [n ?? null, v]),
    onnx: (o, [v = "", n = ""]) => o.op("Expand", [n, o.op("Shape", [v])]),
    torch: (_, [v, n]) => {
      const plain = n?.plain.code;
      const as = dtype === x.type.dtype ? "" : `, dtype=${torchDtype(dtype)}`;
      if (Number(plain) === 0) return `torch.zeros_like(${v}${as})`;
      if (Number(plain) === 1) return `torch.ones_like(${v}${as})`;
      return n?.scalar ? `torch.full_like(${v}, ${plain}${as})` : `${n?.atom}.expand_as(${v})`;
    },
  });
}

const ZERO = int(0);
const ONE = int(1);

export const creations: ExpressionFunction[] = [
  ...(
    [
      ["zeros", ZERO],
      ["ones", ONE],
    ] as const
  ).flatMap(([name, value]): ExpressionFunction[] => [
    {
      names: [name],
      group: "creation",
      doc: `A tensor of ${name} of this shape; float32 unless dtype says else.`,
      params: [{ name: "shape", also: ["size"], rest: true }, DTYPE],
      call: (c) => filled(c, readSizes(c), value.kind === "number" ? value.value : 0, readDtype(c) ?? "float32"),
    },
    {
      names: [`${name}_like`],
      group: "creation",
      doc: `A tensor of ${name} with the shape and dtype of x.`,
      params: [X, DTYPE],
      call: (c) => like(c, value, readDtype(c) ?? c.tensor("x").type.dtype),
    },
  ]),
  {
    names: ["full"],
    group: "creation",
    doc: "A tensor of this shape that holds one number everywhere.",
    params: [{ name: "shape", also: ["size"] }, { name: "fill_value" }, DTYPE],
    call: (c) => full(c, readSizes(c), c.item("fill_value"), readDtype(c)),
  },
  {
    names: ["full_like"],
    group: "creation",
    doc: "A tensor with the shape and dtype of x that holds one number everywhere.",
    params: [X, { name: "fill_value" }, DTYPE],
    call: (c) => like(c, c.item("fill_value"), readDtype(c) ?? c.tensor("x").type.dtype),
  },
  {
    names: ["eye", "identity"],
    group: "creation",
    doc: "The matrix with ones on its diagonal and zeros elsewhere.",
    params: [{ name: "n", also: ["N"] }],
    call: (c) => {
      const n = c.size("n");
      if (typeof n === "number" && !(n >= 1)) c.fail("eye needs a size ≥ 1.", "n");
      c.needSizes([n], "n");
      return resultOf({
        inputs: [],
        types: [{ dtype: "float32", shape: [n, n] }],
        lower: (e) => e.call("aten::eye", [e.size(n)]),
        onnx: (o) => o.op("EyeLike", [o.op("Expand", [o.c(0), o.sizes([n, n])])]),
        torch: (t) => `torch.eye(${t.size(n)}${t.device()})`,
      });
    },
  },
  {
    names: ["arange"],
    group: "creation",
    doc: "The whole numbers 0 … stop − 1, or from start to below stop by step: int64, or float32 where one of them has a point.",
    params: [{ name: "start" }, { name: "stop", also: ["end"], default: NONE }, { name: "step", default: ONE }, DTYPE],
    call: (c) => {
      const range = arange(c);
      const dtype = readDtype(c);
      return dtype === null ? range : cast(range, dtype);
    },
  },
];

function filled(c: Call, shape: Shape, value: 0 | 1 | number, dtype: Dtype): Tensor {
  const name = value === 0 ? "zeros" : "ones";
  c.needSizes(shape);
  return resultOf({
    inputs: [],
    types: [{ dtype, shape }],
    lower: (e) => e.call(`aten::${name}`, [e.sizes(shape), dtype]),
    onnx: (o) => (shape.length === 0 ? o.c(value, dtype) : o.op("Expand", [o.c(value, dtype), o.sizes(shape)])),
    torch: (t) => `torch.${name}(${shape.length === 0 ? "()" : t.sizes(shape)}${dtype === "float32" ? "" : `, dtype=${torchDtype(dtype)}`}${t.device()})`,
  });
}

function arange(c: Call): Tensor {
  const isShort = c.isNone("stop");
  const items = [isShort ? ZERO : c.item("start"), isShort ? c.item("start") : c.item("stop"), c.item("step")];
  if (items.every(({ kind }) => kind === "number") && items.some((item) => item.kind === "number" && item.dtype === "float32")) {
    const [start = 0, stop = 0, step = 1] = items.map((item) => (item.kind === "number" ? item.value : 0));
    const count = Math.ceil((stop - start) / step);
    checkCount(c, count);
    return resultOf({
      inputs: [],
      types: [{ dtype: "float32", shape: [count] }],
      lower: (e) => e.call("aten::arange.start_step", [start, stop, step, "float32"]),
      onnx: (o) =>
        o.b.constant(
          Array.from({ length: count }, (_, i) => start + i * step),
          [count],
          "float32",
        ),
      torch: (t) => `torch.arange(${[start, stop, step].map((value) => PyText.number(value, false)).join(", ")}${t.device()})`,
    });
  }
  const start = isShort ? 0 : c.size("start");
  const stop = isShort ? c.size("start") : c.size("stop");
  const step = c.int("step");
  if (step === 0) c.fail(say("The step of arange cannot be 0."), "step");
  const distance = step > 0 ? subtractSizes(stop, start) : subtractSizes(start, stop);
  const count = floorDivide(addSizes(distance, Math.abs(step) - 1), Math.abs(step));
  if (typeof count === "number") checkCount(c, count);
  c.needSizes([count, start, stop]);
  return resultOf({
    inputs: [],
    types: [{ dtype: "int64", shape: [count] }],
    lower: (e) => {
      if (typeof start === "number" && typeof stop === "number") return e.call("aten::arange.start_step", [start, stop, step, "int64"]);
      // Numbers of that operator cannot be sizes; a running sum of ones counts as well.
      const counted = e.call("aten::cumsum", [e.call("aten::ones", [e.sizes([count]), "int64"]), 0]);
      const steps = e.call("aten::mul.Scalar", [e.call("aten::sub.Scalar", [counted, 1]), step]);
      if (typeof start === "number") return start === 0 ? steps : e.call("aten::add.Scalar", [steps, start]);
      const from = e.call("aten::sum", [e.call("aten::ones", [e.sizes([start]), "int64"])], { dtype: "int64", shape: [] });
      return e.call("aten::add.Tensor", [steps, from]);
    },
    onnx: (o) => {
      const scalar = (size: Dim) => (typeof size === "number" ? o.c(size, "int64") : o.op("Squeeze", [o.size(size)]));
      return o.op("Range", [scalar(start), scalar(stop), o.c(step, "int64")]);
    },
    torch: (t) => `torch.arange(${start === 0 && step === 1 ? "" : `${t.size(start)}, `}${t.size(stop)}${step === 1 ? "" : `, ${step}`}${t.device()})`,
  });
}

function checkCount(c: Call, count: number): void {
  if (!(count >= 1 && count <= 2 ** 24)) c.fail(`arange would hold ${count} numbers.`, undefined, "GRAPH_PARAM", say("Let stop lie beyond start."));
}

/** Casts. Whole numbers are int64 and fractions float32, whatever the width that is asked for. */
function converter(names: ExpressionFunction["names"], dtype: "float32" | "int64" | "bool", doc: string): ExpressionFunction {
  return {
    names,
    group: "type",
    doc,
    params: [X],
    call: (c) => {
      const item = c.item("x");
      if (item.kind === "number") return { kind: "number", dtype, value: dtype === "bool" ? Number(item.value !== 0) : dtype === "int64" ? Math.trunc(item.value) : item.value };
      if (item.kind === "size" && dtype === "int64") return item;
      return cast(c.tensor("x"), dtype);
    },
  };
}

export const conversions: ExpressionFunction[] = [
  converter(["float", "float32"], "float32", "As float32."),
  converter(["int", "long", "int64"], "int64", "As int64; fractions are cut off."),
  converter(["bool"], "bool", say("As a condition: whether it is not 0.")),
  {
    names: ["astype", "to", "type"],
    group: "type",
    doc: `As another dtype: float32, int64 or bool. ${Object.keys(DTYPE_NAMES).join(", ")} are understood.`,
    params: [X, { name: "dtype" }],
    call: (c) => cast(c.tensor("x"), c.dtype("dtype")),
  },
  {
    names: ["asarray", "array", "tensor"],
    group: "creation",
    doc: "A number, or a list of numbers, as a tensor: tensor([1, 2, 3]).",
    params: [X, DTYPE],
    call: (c) => {
      const made = listed(c, c.item("x"));
      const dtype = readDtype(c);
      return dtype === null ? made : cast(made, dtype);
    },
  },
];

/** Numbers in nested lists, as one constant. */
function listed(c: Call, item: Item): Tensor {
  if (item.kind !== "tuple") return c.asTensor(item, "x");
  const shape: number[] = [];
  for (let at: Item | undefined = item; at?.kind === "tuple"; at = at.items[0]) shape.push(at.items.length);
  if (shape.length > 8) c.fail(say("A list is nested up to 8 deep."), "x");
  const values: number[] = [];
  let dtype: "float32" | "int64" | "bool" = "bool";
  const order = ["bool", "int64", "float32"] as const;
  const visit = (one: Item, depth: number): void => {
    if (values.length >= 1000) c.fail(say("A list holds up to 1000 numbers."), "x");
    if (one.kind === "tuple" && depth < shape.length && one.items.length === shape[depth]) for (const inner of one.items) visit(inner, depth + 1);
    else if (one.kind === "number" && depth === shape.length) {
      values.push(one.value);
      if (order.indexOf(one.dtype) > order.indexOf(dtype)) dtype = one.dtype;
    } else c.fail(say("A list holds numbers, and its rows are equally long."), "x", "GRAPH_PARAM", say("Join tensors with stack([a, b])."));
  };
  visit(item, 0);
  if (values.length === 0 || values.some((value) => !Number.isFinite(value))) c.fail(say("A list holds finite numbers, at least one."), "x");
  const kind: "float32" | "int64" | "bool" = dtype;
  const print = (one: Item): string =>
    one.kind === "tuple"
      ? `[${one.items.map(print).join(", ")}]`
      : one.kind === "number"
        ? one.dtype === "bool"
          ? one.value
            ? "True"
            : "False"
          : PyText.number(one.value, one.dtype === "int64").code
        : "";
  return resultOf({
    inputs: [],
    types: [{ dtype: kind, shape }],
    lower: (e) => {
      const scalars = values.map((value) => e.scalar(value, kind));
      const vector = e.call("aten::stack", [scalars, 0], { dtype: kind, shape: [values.length] });
      return shape.length === 1 ? vector : e.call("aten::reshape", [vector, { ints: shape }]);
    },
    onnx: (o) => o.b.constant(values, shape, kind),
    torch: (t) => `torch.tensor(${print(item)}${t.device()})`,
  });
}
