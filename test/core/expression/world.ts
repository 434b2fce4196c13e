import { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import { z } from "zod";
import { exportOnnx } from "../../../core/export/onnx.ts";
import { exportPyTorch } from "../../../core/export/pytorch.ts";
import { countElements, type Tensor, tensorBytes, tensorFromBytes, tensorOf } from "../../../core/export/tensor.ts";
import { readExpression } from "../../../core/expression/evaluate.ts";
import { checkGraph } from "../../../core/graph/check.ts";
import { evaluate } from "../../../core/graph/dims.ts";
import { emptyGraph, type Graph } from "../../../core/graph/document.ts";
import type { Dtype, Shape, TensorType } from "../../../core/graph/shape.ts";
import { lowerModel } from "../../../core/program/lower.ts";
import { run } from "../../../native/index.ts";
import { runPython } from "../../oracle.ts";

/** Expressions as models of one node, computed by the engine, ONNX Runtime, PyTorch, and by what the text means in Python itself. */

/** What the inputs are called in all cases here; the first size is the batch. */
export const POOL: { [name: string]: { shape: Shape; dtype: Dtype; low: number; high: number } } = {
  x: { shape: ["B", 3, 4], dtype: "float32", low: -2, high: 2 },
  y: { shape: ["B", 1, 4], dtype: "float32", low: -2, high: 2 },
  m: { shape: ["B", 4, 4], dtype: "float32", low: -1, high: 1 },
  /** Positive, for logarithms and powers. */
  p: { shape: ["B", 4], dtype: "float32", low: 0.2, high: 2 },
  /** Between −1 and 1. */
  u: { shape: ["B", 4], dtype: "float32", low: -0.9, high: 0.9 },
  /** With sizes that only run time knows. */
  t: { shape: ["B", "T"], dtype: "float32", low: -2, high: 2 },
  s: { shape: ["B", "T", 4], dtype: "float32", low: -2, high: 2 },
  n: { shape: ["B", 4], dtype: "int64", low: -4, high: 5 },
  /** Whole numbers from 0 to 3, as indices. */
  k: { shape: ["B", 4], dtype: "int64", low: 0, high: 4 },
  img: { shape: ["B", 3], dtype: "uint8", low: 0, high: 256 },
};

/** Two batches: sizes as symbols stand for them. */
export const SIZES: { [symbol: string]: number }[] = [
  { B: 2, T: 5 },
  { B: 3, T: 4 },
];

export type Inputs = { [name: string]: Tensor };

/** Numbers for an input, the same for the same seed. */
export function draw(name: string, sizes: { [symbol: string]: number }, seed: number): Tensor {
  const entry = POOL[name];
  if (!entry) throw new Error(`The pool has no ${name}.`);
  let state = (seed * 7919 + name.charCodeAt(0) * 104729 + 17) % 2147483647;
  const random = () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
  random();
  const shape = entry.shape.map((size) => (typeof size === "number" ? size : (sizes[size] ?? evaluate(size, 1))));
  const values = Array.from({ length: countElements(shape) }, () => entry.low + random() * (entry.high - entry.low));
  return tensorOf(entry.dtype, shape, entry.dtype === "float32" ? values.map(Math.fround) : values.map(Math.floor));
}

/** A model of one Expression node whose inputs come from the pool. */
export function graphOf(text: string): { graph: Graph; inputs: string[]; outputs: string[] } {
  const read = readExpression(text);
  if ("problem" in read) throw new Error(`${read.problem.message} ${JSON.stringify(text)}`);
  const inputs = read.expression.inputs.map(({ name }) => name);
  const { outputs } = read.expression;
  const nodes: Graph["nodes"] = [
    ...inputs.map((name) => {
      const entry = POOL[name];
      if (!entry) throw new Error(`The pool has no ${name}.`);
      return { id: `in-${name}`, name, type: "input", params: { shape: entry.shape.slice(1), dtype: entry.dtype }, at: { x: 0, y: 0 } };
    }),
    { id: "node", type: "expression", params: { expression: text }, at: { x: 0, y: 0 } },
    ...outputs.map((name) => ({ id: `out-${name}`, name: `out ${name}`, type: "output", params: {}, at: { x: 0, y: 0 } })),
  ];
  const edges: Graph["edges"] = [
    ...inputs.map((name, i) => ({ id: `i${i}`, from: { node: `in-${name}`, port: "y" }, to: { node: "node", port: name } })),
    ...outputs.map((name, i) => ({ id: `o${i}`, from: { node: "node", port: name }, to: { node: `out-${name}`, port: "x" } })),
  ];
  return { graph: { ...emptyGraph, nodes, edges }, inputs, outputs };
}

/** What an expression comes to, by output name. */
export type Answer = { [output: string]: { dtype: string; shape: readonly number[]; data: ArrayLike<number | bigint | boolean | string> } };

export type Computed = { types: { [output: string]: TensorType }; batches: { inputs: Inputs; engine: Answer; onnx: Answer }[]; code: string };

/** Computes an expression by the engine and by ONNX Runtime, for each of `SIZES`. */
export async function compute(text: string): Promise<Computed> {
  const { graph, inputs, outputs } = graphOf(text);
  const { types, problems } = checkGraph(graph);
  const error = problems.find(({ severity }) => severity === "error");
  if (error) throw new Error(`${JSON.stringify(text)}: ${error.message} ${error.hint ?? ""}`);
  const program = lowerModel(graph);
  const session = await InferenceSession.create(exportOnnx(graph, new Map()), { intraOpNumThreads: 1, logSeverityLevel: 3 });
  const batches: Computed["batches"] = [];
  for (const [i, sizes] of SIZES.entries()) {
    const drawn = Object.fromEntries(inputs.map((name) => [name, draw(name, sizes, i + 1)]));
    const engine = await run({ program, weights: { seed: 1 }, inputs: drawn });
    const onnx = await session.run(Object.fromEntries(Object.entries(drawn).map(([name, { dtype, data, shape }]) => [name, new OrtTensor(dtype, data, shape)])));
    const named = <T>(answer: { [name: string]: T }) =>
      Object.fromEntries(outputs.flatMap((name): [string, T][] => (answer[`out ${name}`] === undefined ? [] : [[name, answer[`out ${name}`] as T]])));
    batches.push({
      inputs: drawn,
      engine: named(engine),
      onnx: Object.fromEntries(Object.entries(named(onnx)).map(([name, { type, dims, data }]) => [name, { dtype: type, shape: dims, data: data as Answer[string]["data"] }])),
    });
  }
  await session.release();
  const known = Object.fromEntries(
    outputs.map((name) => {
      const type = types.get(`out-${name}`)?.inputs.x;
      if (!type || Array.isArray(type)) throw new Error(`Output ${name} has a type.`);
      return [name, type];
    }),
  );
  return { types: known, batches, code: exportPyTorch(graph, { className: "Net" }) };
}

/** Sizes of a type with the numbers that symbols stand for. */
export function sizesOf({ shape }: TensorType, sizes: { [symbol: string]: number }): number[] {
  return shape.map((size) => (typeof size === "number" ? size : evaluateWith(size, sizes)));
}

/** A size such as `2*T-1` or `floor((T+1)/2)` with numbers for its symbols. */
function evaluateWith(size: string, sizes: { [symbol: string]: number }): number {
  let total = 0;
  const text = size.replaceAll(/[A-Z]\w*/g, (symbol) => String(sizes[symbol] ?? Number.NaN));
  // Sums, products and floors only, so that a small reader will do.
  let at = 0;
  const sum = (): number => {
    let value = 0;
    let sign = 1;
    if (text[at] === "-") {
      sign = -1;
      at++;
    }
    for (;;) {
      value += sign * product();
      if (text[at] !== "+" && text[at] !== "-") return value;
      sign = text[at++] === "-" ? -1 : 1;
    }
  };
  const product = (): number => {
    let value = atom();
    while (text[at] === "*") {
      at++;
      value *= atom();
    }
    return value;
  };
  const atom = (): number => {
    if (text.startsWith("floor(", at)) {
      at += 6;
      const top = text[at] === "(" ? atom() : product();
      at++;
      const bottom = atom();
      at++;
      return Math.floor(top / bottom);
    }
    if (text[at] === "(") {
      at++;
      const value = sum();
      at++;
      return value;
    }
    const digits = /^\d+/.exec(text.slice(at))?.[0] ?? "";
    at += Math.max(1, digits.length);
    return Number(digits);
  };
  total = sum();
  return total;
}

const Encoded = z.object({ dtype: z.enum(["float32", "float64", "int32", "int64", "bool", "uint8"]), shape: z.array(z.int()), data: z.string() });
const Answers = z.array(z.union([z.object({ error: z.string() }), z.object({ torch: z.array(z.array(Encoded)), oracle: z.array(z.array(Encoded)) })]));

const PYTHON = `
import base64, json, sys
import numpy as np, torch
from torch.nn import functional as F
torch.set_num_threads(1)
np.seterr(all="ignore")

def decode(t):
    return np.frombuffer(base64.b64decode(t["data"]), dtype=t["dtype"]).reshape(t["shape"]).copy()

def encode(value):
    if isinstance(value, torch.Tensor):
        value = value.detach().numpy()
    value = np.asarray(value)
    if str(value.dtype) == "int32":
        value = value.astype("int64")
    return {"dtype": str(value.dtype), "shape": list(value.shape), "data": base64.b64encode(np.ascontiguousarray(value).tobytes()).decode()}

def listed(value):
    return [encode(one) for one in (value if isinstance(value, (tuple, list)) else (value,))]

def evaluate(text, names):
    *lines, last = text.split("\\n")
    exec("\\n".join(lines), names)
    return eval(last, names)

NUMPY = {name: getattr(np, name) for name in dir(np) if not name.startswith("_")}
TORCH = {name: getattr(module, name) for module in (F, torch) for name in dir(module) if not name.startswith("_")}

def check(case):
    scope = {"__name__": "model"}
    exec(compile(case["code"], "model.py", "exec"), scope)
    model = scope["Net"]()
    model.eval()
    given = [{name: decode(t) for name, t in batch.items()} for batch in case["inputs"]]
    answer = {"torch": [], "oracle": []}
    with torch.no_grad():
        for batch in given:
            tensors = {name: torch.from_numpy(value) for name, value in batch.items()}
            answer["torch"].append(listed(model(*[tensors[name] for name in sorted(tensors)])))
            if case["oracle"] is not None:
                kind, text = case["oracle"]
                names = {**(NUMPY if kind == "numpy" else TORCH), "np": np, "torch": torch, "F": F, "inf": float("inf"), "pi": np.pi, **(batch if kind == "numpy" else tensors)}
                answer["oracle"].append(listed(evaluate(text, names)))
    return answer

answers = []
for case in json.load(sys.stdin):
    try:
        answers.append(check(case))
    except Exception as error:
        answers.append({"error": f"{type(error).__name__}: {error}\\n{case['code']}"})
print(json.dumps(answers))
`;

/** What Python reads as the same expression; null where nothing but the exported code is to be run. */
export type Oracle = [kind: "numpy" | "torch", text: string] | null;

/** Runs the exported code, and the oracle's text, in Python. Results of several outputs come in the order of their names. */
export async function computeInPython(
  cases: readonly { computed: Computed; oracle: Oracle }[],
): Promise<({ error: string } | { torch: Answer[string][][]; oracle: Answer[string][][] })[]> {
  const asked = cases.map(({ computed: { code, batches }, oracle }) => ({
    code,
    oracle,
    inputs: batches.map(({ inputs }) =>
      Object.fromEntries(
        Object.entries(inputs).map(([name, tensor]) => [name, { dtype: tensor.dtype, shape: tensor.shape, data: Buffer.from(tensorBytes(tensor)).toString("base64") }]),
      ),
    ),
  }));
  const read = ({ dtype, shape, data }: z.infer<typeof Encoded>): Answer[string] => {
    const bytes = Buffer.from(data, "base64");
    if (dtype === "float64") return { dtype, shape, data: new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength)) };
    return { dtype, shape, data: tensorFromBytes(dtype === "int32" ? "int64" : dtype, shape, bytes).data };
  };
  return Answers.parse(await runPython(PYTHON, asked)).map((answer) =>
    "error" in answer ? answer : { torch: answer.torch.map((batch) => batch.map(read)), oracle: answer.oracle.map((batch) => batch.map(read)) },
  );
}

/** The largest |a − b|, as a share of the largest |a| where that is above 1; Infinity where one is NaN or infinite alone. */
export function greatestDifference(a: Answer[string], b: Answer[string] | undefined): number {
  if (!b || b.data.length !== a.data.length) return Infinity;
  let difference = 0;
  let scale = 1;
  for (let i = 0; i < a.data.length; i++) {
    const [ours, theirs] = [Number(a.data[i]), Number(b.data[i])];
    if (Number.isFinite(ours)) scale = Math.max(scale, Math.abs(ours));
    if (ours === theirs || (Number.isNaN(ours) && Number.isNaN(theirs))) continue;
    difference = Math.max(difference, Number.isFinite(ours - theirs) ? Math.abs(ours - theirs) : Infinity);
  }
  return difference / scale;
}
