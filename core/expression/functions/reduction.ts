import { multiply } from "../../graph/dims.ts";
import type { Dim, Dtype, Shape } from "../../graph/shape.ts";
import { say } from "../../language/say.ts";
import type { Value } from "../../layers/kit.ts";
import { type Call, cast, type ExpressionFunction, type FunctionParam, int, resultOf } from "../call.ts";
import { PyText } from "../python.ts";
import type { EngineWriter, Item, OnnxWriter, Tensor } from "../step.ts";
import { float, written } from "./elementwise.ts";

/** Functions that make one number of many, along axes. */

const X: FunctionParam = { name: "x" };
const AXIS: FunctionParam = { name: "axis", default: { kind: "none" } };
const KEEPDIMS: FunctionParam = { name: "keepdims", default: { kind: "number", value: 0, dtype: "bool" } };

/** The axes of a reduction and what is left of the shape. `named` is null where all axes go and nothing says so. */
type Reduced = { axes: number[]; named: number[] | null; keep: boolean; shape: Shape };

function reduced(c: Call, x: Tensor): Reduced {
  const rank = x.type.shape.length;
  const keep = c.bool("keepdims");
  const given = c.axes("axis", rank);
  const axes = given ?? Array.from({ length: rank }, (_, axis) => axis);
  return {
    axes,
    named: given === null && !keep ? null : axes,
    keep,
    shape: keep ? x.type.shape.map((size, axis) => (axes.includes(axis) ? 1 : size)) : x.type.shape.filter((_, axis) => !axes.includes(axis)),
  };
}

/** `dim=1, keepdim=True` */
function pyAxes({ named, keep }: Reduced): string[] {
  return [...(named === null ? [] : [`dim=${named.length === 1 ? named[0] : `(${named.join(", ")})`}`]), ...(keep ? ["keepdim=True"] : [])];
}

type Reduction = {
  names: ExpressionFunction["names"];
  doc: string;
  params?: FunctionParam[];
  /** The tensor as it is reduced. */
  prepare?: (c: Call) => Tensor;
  dtype?: Dtype;
  lower: (e: EngineWriter, x: Value, r: Reduced, c: Call) => Value;
  onnx: (o: OnnxWriter, x: string, r: Reduced, c: Call, type: Tensor["type"]) => string;
  torch: (x: PyText, args: string[], c: Call) => string;
};

function reduction({ names, doc, params = [], prepare = (c) => c.float("x"), dtype, lower, onnx, torch }: Reduction): ExpressionFunction {
  return {
    names,
    group: "reduction",
    doc,
    params: [X, AXIS, ...params, KEEPDIMS],
    call: (c) => {
      const x = prepare(c);
      const r = reduced(c, x);
      return resultOf({
        inputs: [x],
        types: [{ dtype: dtype ?? x.type.dtype, shape: r.shape }],
        lower: (e, [v]) => (v ? lower(e, v, r, c) : []),
        onnx: (o, [v = ""]) => onnx(o, v, r, c, x.type),
        torch: (_, [v = new PyText("")]) => torch(v, pyAxes(r), c),
      });
    },
  };
}

const onnxReduce =
  (op: string) =>
  (o: OnnxWriter, x: string, { axes, keep }: Reduced) =>
    o.op(op, [x, o.ints(axes)], { keepdims: keep ? 1 : 0 });
const method =
  (name: string) =>
  (x: PyText, args: string[]): string =>
    `${x.atom}.${name}(${args.join(", ")})`;

/** Whether any or all conditions hold: the largest or smallest of 0 and 1. */
function truth(name: "any" | "all", doc: string): ExpressionFunction {
  return reduction({
    names: [name],
    doc,
    prepare: (c) => cast(c.tensor("x"), "bool"),
    lower: (e, x, { axes, keep }) => e.call(name === "any" ? "aten::amax" : "aten::amin", [x, { ints: axes }, keep]),
    onnx: (o, x, r) => o.cast(onnxReduce(name === "any" ? "ReduceMax" : "ReduceMin")(o, o.cast(x, "bool", "float32"), r), "float32", "bool"),
    torch: method(name),
  });
}

const DDOF: FunctionParam = { name: "ddof", also: ["correction"], default: int(0) };

/** Mean of the squares of the distances from the mean. */
function onnxVariance(o: OnnxWriter, x: string, r: Reduced, c: Call, { shape }: Tensor["type"]): string {
  const axes = o.ints(r.axes);
  const distance = o.op("Sub", [x, o.op("ReduceMean", [x, axes], { keepdims: 1 })]);
  const squares = o.op("Mul", [distance, distance]);
  const ddof = c.number("ddof");
  if (ddof === 0) return o.op("ReduceMean", [squares, axes], { keepdims: r.keep ? 1 : 0 });
  const count = r.axes.map((axis) => shape[axis] ?? 1).reduce<Dim>(multiply, 1);
  const divisor =
    typeof count === "number" ? o.c(Math.max(0, count - ddof)) : o.op("Max", [o.op("Sub", [o.cast(o.op("Squeeze", [o.size(count)]), "int64", "float32"), o.c(ddof)]), o.c(0)]);
  return o.op("Div", [o.op("ReduceSum", [squares, axes], { keepdims: r.keep ? 1 : 0 }), divisor]);
}

function spread(c: Call): Tensor {
  const x = c.float("x");
  if (!(c.number("ddof") >= 0)) c.fail(`ddof of ${c.name} must be a number ≥ 0.`, "ddof");
  const axes = c.axes("axis", x.type.shape.length) ?? x.type.shape.map((_, axis) => axis);
  if (c.number("ddof") !== 0) c.needSizes([axes.map((axis) => x.type.shape[axis] ?? 1).reduce<Dim>(multiply, 1)]);
  return x;
}

/** Without a correction PyTorch would take 1. */
const spreadText = (name: string) => (x: PyText, args: string[], c: Call) => `${x.atom}.${name}(${[...args, `correction=${c.number("ddof")}`].join(", ")})`;

function arg(name: "argmax" | "argmin", doc: string): ExpressionFunction {
  return {
    names: [name],
    group: "reduction",
    doc,
    params: [X, AXIS, KEEPDIMS],
    call: (c) => {
      const x = c.float("x");
      const rank = x.type.shape.length;
      const keep = c.bool("keepdims");
      const axis = c.isNone("axis") ? null : c.axis("axis", rank);
      const shape = x.type.shape.flatMap((size, i) => (axis === null || i === axis ? (keep ? [1] : []) : [size]));
      return resultOf({
        inputs: [x],
        types: [{ dtype: "int64", shape }],
        lower: (e, [v = null]) => e.call(`aten::${name}`, [v, axis, keep]),
        onnx: (o, [v = ""]) => {
          const op = name === "argmax" ? "ArgMax" : "ArgMin";
          if (axis !== null) return o.op(op, [v], { axis, keepdims: keep ? 1 : 0 });
          const flat = o.op(op, [o.op("Reshape", [v, o.ints([-1])])], { axis: 0, keepdims: 0 });
          return keep ? o.op("Reshape", [flat, o.ints(Array<number>(rank).fill(1))]) : flat;
        },
        torch: (_, [v]) => `${v?.atom}.${name}(${[...(axis === null ? [] : [`dim=${axis}`]), ...(keep ? ["keepdim=True"] : [])].join(", ")})`,
      });
    },
  };
}

/** log(Σ exp(x)) with the largest number taken out first. */
function onnxLogSumExp(o: OnnxWriter, x: string, { axes, keep }: Reduced): string {
  const along = o.ints(axes);
  const largest = o.op("ReduceMax", [x, along], { keepdims: 1 });
  const rest = o.op("Log", [o.op("ReduceSum", [o.op("Exp", [o.op("Sub", [x, largest])]), along], { keepdims: 1 })]);
  const sum = o.op("Add", [rest, largest]);
  return keep || axes.length === 0 ? sum : o.op("Squeeze", [sum, along]);
}

function extreme(name: "amax" | "amin", alias: string, onnx: string, doc: string): ExpressionFunction {
  return reduction({
    names: [alias as "max" | "min", name],
    doc,
    prepare: (c) => c.numeric("x"),
    lower: (e, x, { axes, keep }) => e.call(`aten::${name}`, [x, { ints: axes }, keep]),
    onnx: onnxReduce(onnx),
    torch: method(name),
  });
}

export const reductions: ExpressionFunction[] = [
  reduction({
    names: ["sum"],
    doc: "Adds up along axes, or everything.",
    prepare: (c) => c.numeric("x"),
    lower: (e, x, { axes, keep }) => e.call("aten::sum.dim_IntList", [x, { ints: axes }, keep]),
    onnx: onnxReduce("ReduceSum"),
    torch: method("sum"),
  }),
  reduction({
    names: ["mean", "average"],
    doc: "Averages along axes, or over everything.",
    lower: (e, x, { axes, keep }) => e.call("aten::mean.dim", [x, { ints: axes }, keep]),
    onnx: onnxReduce("ReduceMean"),
    torch: method("mean"),
  }),
  extreme("amax", "max", "ReduceMax", "The largest number along axes, or of all. Values only; argmax tells where."),
  extreme("amin", "min", "ReduceMin", "The smallest number along axes, or of all. Values only; argmin tells where."),
  {
    names: ["ptp"],
    group: "reduction",
    doc: "From the smallest to the largest number: max − min.",
    params: [X, AXIS, KEEPDIMS],
    call: (c) => {
      const [x, axis, keep] = [c.numeric("x"), c.item("axis"), c.item("keepdims")];
      return c.apply("subtract", c.apply("max", x, axis, keep), c.apply("min", x, axis, keep));
    },
  },
  reduction({
    names: ["std"],
    doc: "Standard deviation. As in NumPy it divides by n − ddof with ddof=0; PyTorch's own std has 1.",
    params: [DDOF],
    prepare: spread,
    lower: (e, x, { axes, keep }, c) => e.call("aten::std.correction", [x, { ints: axes }, c.number("ddof"), keep]),
    onnx: (o, x, r, c, type) => o.op("Sqrt", [onnxVariance(o, x, r, c, type)]),
    torch: spreadText("std"),
  }),
  reduction({
    names: ["var"],
    doc: "Variance. As in NumPy it divides by n − ddof with ddof=0; PyTorch's own var has 1.",
    params: [DDOF],
    prepare: spread,
    lower: (e, x, { axes, keep }, c) => e.call("aten::var.correction", [x, { ints: axes }, c.number("ddof"), keep]),
    onnx: onnxVariance,
    torch: spreadText("var"),
  }),
  arg("argmax", "Where the largest number is along an axis; the first of equal ones."),
  arg("argmin", "Where the smallest number is along an axis; the first of equal ones."),
  truth("any", say("Whether one condition holds along axes, or at all.")),
  truth("all", say("Whether all conditions hold along axes, or everywhere.")),
  reduction({
    names: ["logsumexp"],
    doc: "log(sum(exp(x))) along axes, without overflow.",
    lower: (e, x, { axes, keep }) => e.call("aten::logsumexp", [x, { ints: axes }, keep]),
    onnx: onnxLogSumExp,
    torch: (x, args) => `torch.logsumexp(${[x.code, ...args].join(", ")})`,
  }),
  {
    names: ["norm", "vector_norm"],
    group: "reduction",
    doc: "Length of vectors along axes, (Σ |x|^ord)^(1/ord); ord may be inf. Of everything where axis is None.",
    params: [X, { name: "ord", also: ["p"], default: int(2) }, AXIS, KEEPDIMS],
    call: (c) => {
      const x = c.float("x");
      const ord = c.number("ord");
      if (!(ord >= 1)) c.fail("ord of norm must be a number ≥ 1, or inf.", "ord");
      if (ord === Infinity) return c.apply("max", c.apply("abs", x), c.item("axis"), c.item("keepdims"));
      const r = reduced(c, x);
      return resultOf({
        inputs: [x],
        types: [{ dtype: "float32", shape: r.shape }],
        lower: (e, [v = null]) => e.call("aten::linalg_vector_norm", [v, ord, { ints: r.axes }, r.keep]),
        onnx: (o, [v = ""]) => {
          if (ord <= 2 && Number.isInteger(ord)) return onnxReduce(ord === 1 ? "ReduceL1" : "ReduceL2")(o, v, r);
          return o.op("Pow", [onnxReduce("ReduceSum")(o, o.op("Pow", [o.op("Abs", [v]), o.c(ord)]), r), o.c(1 / ord)]);
        },
        torch: (_, [v]) => `torch.linalg.vector_norm(${[String(v), ...(ord === 2 ? [] : [String(ord)]), ...pyAxes(r)].join(", ")})`,
      });
    },
  },
  {
    names: ["prod"],
    group: "reduction",
    doc: "Multiplies along axes, or everything.",
    params: [X, AXIS, KEEPDIMS],
    call: (c) => {
      const x = c.numeric("x");
      const r = reduced(c, x);
      return resultOf({
        inputs: [x],
        types: [{ dtype: x.type.dtype, shape: r.shape }],
        lower: (e, [v]) => {
          // One axis at a time, the last first, so that those before keep their places.
          let value = v as Value;
          for (const axis of r.axes.toSorted((a, b) => b - a)) {
            const shape = [...value.type.shape];
            shape.splice(axis, 1, ...(r.keep ? [1] : []));
            value = e.call("aten::prod.dim_int", [value, axis, r.keep], { dtype: x.type.dtype, shape });
          }
          return value;
        },
        onnx: (o, [v = ""]) => onnxReduce("ReduceProd")(o, v, r),
        torch: (_, [v = new PyText("")]) => {
          if (r.named === null) return `${v.atom}.prod()`;
          const keep = r.keep ? ", keepdim=True" : "";
          return r.axes.toSorted((a, b) => b - a).reduce((text, axis) => `${text}.prod(dim=${axis}${keep})`, v.atom);
        },
      });
    },
  },
  {
    names: ["count_nonzero"],
    group: "reduction",
    doc: "How many numbers are not 0 along axes, or at all.",
    params: [X, AXIS, KEEPDIMS],
    call: (c) => c.apply("sum", c.apply("not_equal", c.tensor("x"), 0), c.item("axis"), c.item("keepdims")),
  },
  {
    names: ["cumsum"],
    group: "reduction",
    doc: "Running sum along an axis.",
    params: [X, AXIS],
    call: (c) => {
      const x = c.numeric("x");
      const rank = x.type.shape.length;
      if (c.isNone("axis") && rank !== 1) c.fail("cumsum needs an axis.", "axis", "GRAPH_PARAM", say("Write cumsum(x, axis=-1)."));
      const axis = c.isNone("axis") ? 0 : c.axis("axis", rank);
      return resultOf({
        inputs: [x],
        types: [x.type],
        lower: (e, [v = null]) => e.call("aten::cumsum", [v, axis]),
        onnx: (o, [v = ""]) => o.op("CumSum", [v, o.c(axis, "int64")]),
        torch: (_, [v]) => `${v?.atom}.cumsum(dim=${axis})`,
      });
    },
  },
  ...(["softmax", "log_softmax"] as const).map(
    (name): ExpressionFunction => ({
      names: [name],
      group: "activation",
      doc: name === "softmax" ? "exp(x) / sum(exp(x)): turns scores along an axis into shares that add up to 1." : "log(softmax(x)), exact where shares are near 0.",
      params: [X, { name: "axis", default: int(-1) }],
      call: (c) => {
        const x = c.float("x");
        const axis = c.axis("axis", x.type.shape.length);
        return resultOf({
          inputs: [x],
          types: [x.type],
          lower: (e, [v = null]) => e.call(`aten::${name}.int`, [v, axis]),
          onnx: (o, [v = ""]) => o.op(name === "softmax" ? "Softmax" : "LogSoftmax", [v], { axis }),
          torch: (_, [v]) => `F.${name}(${v}, dim=${axis})`,
        });
      },
    }),
  ),
  {
    names: ["glu"],
    group: "activation",
    doc: "Halves x along an axis: first · sigmoid(second).",
    params: [X, { name: "axis", default: int(-1) }],
    call: (c) => {
      const x = c.float("x");
      const axis = c.axis("axis", x.type.shape.length);
      const halves = c.results("split", x, 2, axis);
      const [a, b] = halves;
      if (!a || !b) return c.fail("glu needs an axis to halve.");
      return written(c.apply("multiply", a, c.apply("sigmoid", b)), [x], ([v]) => `F.glu(${v}, dim=${axis})`);
    },
  },
  {
    names: ["normalize"],
    group: "reduction",
    doc: "x / max(norm(x), eps) along an axis: vectors of length 1. The axis is 1 unless said, as in PyTorch.",
    params: [X, { name: "axis", default: int(1) }, { name: "eps", default: float(1e-12) }],
    call: (c) => {
      const x = c.float("x");
      const axis = c.axis("axis", x.type.shape.length);
      const eps = c.number("eps");
      const length = c.apply("norm", x, 2, axis, TRUE);
      return written(c.apply("divide", x, c.apply("clip", length, float(eps))), [x], ([v]) => `F.normalize(${v}, dim=${axis}${eps === 1e-12 ? "" : `, eps=${eps}`})`);
    },
  },
  {
    names: ["cosine_similarity"],
    group: "linear algebra",
    doc: "The cosine of the angle between vectors along an axis: 1 same way, −1 opposite. The axis is 1 unless said, as in PyTorch.",
    params: [
      { name: "a", also: ["x1"] },
      { name: "b", also: ["x2"] },
      { name: "axis", default: int(1) },
      { name: "eps", default: float(1e-8) },
    ],
    call: (c) => {
      const [a, b] = [c.float("a"), c.float("b")];
      const eps = c.number("eps");
      const product = c.apply("multiply", a, b);
      const axis = c.axis("axis", product.type.shape.length) - product.type.shape.length;
      const rank = Math.min(a.type.shape.length, b.type.shape.length);
      if (-axis > rank) c.fail("cosine_similarity needs the axis in both tensors.", "axis", "GRAPH_SHAPE");
      const length = (x: Tensor) => c.apply("clip", c.apply("norm", x, 2, axis), float(eps));
      return written(
        c.apply("divide", c.apply("sum", product, axis), c.apply("multiply", length(a), length(b))),
        [a, b],
        ([a, b]) => `F.cosine_similarity(${a}, ${b}, dim=${axis}${eps === 1e-8 ? "" : `, eps=${eps}`})`,
      );
    },
  },
];

const TRUE: Item = { kind: "number", value: 1, dtype: "bool" };
