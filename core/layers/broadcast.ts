import { type Dtype, printShape, type Shape, type TensorType } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { LARGEST, NUMBERS_AND_CONDITIONS, onnxAs, promote, pythonNumber, pythonOperand } from "./dtypes.ts";
import { defineLayer, type Example, type InferProblem, type InputPort, onnxNode, type ProgramBuilder, type Value } from "./kit.ts";
import { type Param, p } from "./params.ts";

/**
 * The shape of an element-wise operation on two tensors: axes are matched from the end, and 1 stretches to anything.
 * @see https://pytorch.org/docs/2.13/notes/broadcasting.html
 */
export function broadcast(title: string, a: Shape, b: Shape): { shape: Shape } | InferProblem {
  const shape: Shape = [];
  for (let i = 1; i <= Math.max(a.length, b.length); i++) {
    const left = a.at(-i) ?? 1;
    const right = b.at(-i) ?? 1;
    if (left !== right && left !== 1 && right !== 1) {
      const channels = a.length === 4 && b.length === 4 && typeof a[1] === "number" && typeof b[1] === "number" && i === 3;
      return {
        problem: say("{title} needs two inputs of the same shape but receives {a} and {b}.", { title, a: printShape(a), b: printShape(b) }),
        port: "b",
        hint: say("Sizes must be equal, or 1, axis by axis from the end."),
        fixes: channels
          ? [
              {
                kind: "insert",
                label: say("Insert a 1×1 Conv2d with {left} filters into b", { left }),
                nodes: [{ type: "conv2d", params: { out_channels: Number(left), kernel_size: 1, bias: false } }],
                port: "b",
              },
            ]
          : [],
      };
    }
    shape.unshift(left === 1 ? right : left);
  }
  return { shape };
}

/** One of the operands where it is not a wire: the parameter `value`. */
type Operand<T> = T | number;

type Arithmetic = {
  type: string;
  title: string;
  /** PyTorch's name, where it is not the type. */
  function?: string;
  doc: string;
  formula: string;
  when: string;
  keywords: string[];
  dtypes: readonly Dtype[];
  /** What stands for b while it is not connected. `neutral`: that changes nothing, so a wire is missing until it is set. */
  value: { default: number; neutral: boolean };
  /** The order of the two matters, so the value may also come first. */
  reversible?: true;
  /** Why these two dtypes cannot be combined, if so. */
  refuse?: (a: Operand<Dtype>, b: Operand<Dtype>) => string | null;
  /** The dtype of the result; as PyTorch promotes where absent. */
  result?: (a: Operand<Dtype>, b: Operand<Dtype>) => Dtype;
  lower: (b: ProgramBuilder, left: Operand<Value>, right: Operand<Value>, type: TensorType) => Value;
  onnx: string;
  torch: (left: string, right: string, value: "left" | "right" | null) => string;
  examples: Example<{ value: number; reverse: boolean }>[];
};

/** Arithmetic on two tensors, or on one and a plain number. */
export function defineArithmetic(a: Arithmetic) {
  const order = <T>(left: T, right: T | undefined, value: number, reverse: boolean): [Operand<T>, Operand<T>] =>
    right !== undefined ? [left, right] : reverse ? [value, left] : [left, value];
  const first: InputPort = { doc: "The one.", dtype: a.dtypes };
  const second: InputPort = { doc: "The other; same shape, or sizes of 1 that stretch.", dtype: a.dtypes, optional: true };
  const title = a.title;
  return defineLayer({
    type: a.type,
    title,
    category: "math",
    doc: a.doc,
    formula: a.formula,
    when: a.when,
    source: `https://pytorch.org/docs/2.13/generated/torch.${a.function ?? a.type}.html`,
    keywords: a.keywords,
    params: {
      value: p.float({ min: -LARGEST, max: LARGEST, default: a.value.default, doc: "A plain number in the place of b, while b is not connected." }),
      ...(a.reversible ? { reverse: p.bool({ default: false, doc: "The value comes first, as in value − a; only while b is not connected." }) } : {}),
    } as { value: Param<number>; reverse: Param<boolean> },
    inputs: { a: first, b: second } as { a: { doc: string }; b: { doc: string; optional: true } },
    // A forgotten wire should be said, not be read as + 0.
    ports: ({ params }) => ({
      inputs: { a: first, b: a.value.neutral && !Object.hasOwn(params, "value") && params.reverse !== true ? { doc: `${second.doc} Or set value.`, dtype: a.dtypes } : second },
      outputs: { y: { doc: "The result." } },
    }),
    summary: ({ value, reverse }) =>
      value === a.value.default && !reverse ? "" : a.torch(reverse ? pythonOperand(value) : "a", reverse ? "a" : pythonOperand(value), reverse ? "left" : "right"),
    infer: ({ value, reverse }, { a: x, b: other }) => {
      const shape = other ? broadcast(title, x.shape, other.shape) : x;
      if ("problem" in shape) return shape;
      const dtypes = order(x.dtype, other?.dtype, value, reverse ?? false);
      const refusal = a.refuse?.(...dtypes);
      if (refusal) return { problem: refusal, code: "GRAPH_DTYPE", port: other ? "b" : "a" };
      return { outputs: { y: { dtype: (a.result ?? promote)(...dtypes), shape: shape.shape } } };
    },
    lower: ({ value, reverse }, { a: x, b: other }, b, { outputs: { y } }) => ({ y: a.lower(b, ...order(x, other, value, reverse ?? false), y ?? x.type) }),
    onnx: ({ value, reverse }, { a: x, b: other }, b, { outputs: { y } }) => {
      const dtype = y?.dtype ?? "float32";
      return {
        y: onnxNode(
          b,
          a.onnx,
          order(x, other, value, reverse ?? false).map((operand) => onnxAs(b, operand, dtype)),
        ),
      };
    },
    torch: ({ value, reverse }) => ({
      forward: (_, { a: x, b: other }) =>
        other !== undefined
          ? a.torch(String(x), String(other), null)
          : reverse
            ? a.torch(pythonOperand(value), String(x), "left")
            : a.torch(String(x), pythonOperand(value), "right"),
    }),
    examples: a.examples,
  });
}

/** Two conditions are combined by And and Or, not by arithmetic. */
export function refuseConditions(title: string, use: string): (a: Operand<Dtype>, b: Operand<Dtype>) => string | null {
  return (a, b) => (a === "bool" && b === "bool" ? `${title} cannot combine two conditions; ${use} does.` : null);
}

type Comparison = {
  type: string;
  title: string /** PyTorch's short name: `gt`. */;
  name: string;
  symbol: string;
  doc: string;
  formula: string;
  when: string;
  keywords: string[];
  outcome: string;
  onnx: string | [string, "Not"];
};

/** A question asked for each number of a tensor, beside another tensor or a plain number. */
export function defineComparison(c: Comparison) {
  return defineLayer({
    type: c.type,
    title: c.title,
    category: "math",
    doc: c.doc,
    formula: c.formula,
    when: c.when,
    source: `https://pytorch.org/docs/2.13/generated/torch.${c.name}.html`,
    keywords: [...c.keywords, "compare", "condition", c.name],
    gradient: false,
    params: { value: p.float({ min: -LARGEST, max: LARGEST, default: 0, doc: "What numbers are compared with while other is not connected." }) },
    inputs: { x: { doc: "Any tensor.", dtype: NUMBERS_AND_CONDITIONS }, other: { doc: "Compared with x number by number.", dtype: NUMBERS_AND_CONDITIONS, optional: true } },
    outputs: { y: { doc: c.outcome } },
    summary: ({ value }) => `${c.symbol} ${value}`,
    infer: (_, { x, other }) => {
      const result = other ? broadcast(c.title, x.shape, other.shape) : x;
      return "problem" in result ? { ...result, port: "other", fixes: [] } : { outputs: { y: { dtype: "bool", shape: result.shape } } };
    },
    lower: ({ value }, { x, other }, b, { outputs: { y } }) => ({
      y: other ? b.call(`aten::${c.name}.Tensor`, [x, other], y ?? x.type) : b.call(`aten::${c.name}.Scalar`, [x, value], y ?? x.type),
    }),
    onnx: ({ value }, { x, other = value }, b) => {
      // ONNX orders no conditions, so these are compared as 0 and 1.
      const dtype = promote(x.type.dtype, typeof other === "number" ? other : other.type.dtype, 0);
      const [op, not] = typeof c.onnx === "string" ? [c.onnx] : c.onnx;
      const y = onnxNode(b, op, [onnxAs(b, x, dtype), onnxAs(b, other, dtype)]);
      return { y: not ? onnxNode(b, not, [y]) : y };
    },
    torch: ({ value }) => ({ forward: (_, { x, other }) => `${x} ${c.symbol} ${other ?? pythonNumber(value)}` }),
    examples: [
      { inputs: { x: [2, 3] } },
      { inputs: { x: [2, 3], other: [3] } },
      { params: { value: 1 }, inputs: { x: { dtype: "int64", shape: [2, 5] } } },
      { params: { value: 0.5 }, inputs: { x: { dtype: "int64", shape: [2, 5] } } },
      { inputs: { x: { dtype: "int64", shape: [2, 5] }, other: [2, 1] } },
    ],
  });
}
