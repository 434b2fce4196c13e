import { z } from "zod";
import { countElements, type Tensor, tensorBytes, tensorFromBytes, tensorOf } from "../../../core/export/tensor.ts";
import { readExpression } from "../../../core/expression/evaluate.ts";
import { emptyGraph, type Graph } from "../../../core/graph/document.ts";
import type { TensorType } from "../../../core/graph/shape.ts";
import { randomNumbers } from "../../native/specs.ts";
import { runPython } from "../../oracle.ts";
import { type Binding, sizeAt, type Trial } from "../../property/candidate.ts";

/** Expressions as models of one node, and what Python itself makes of their texts. */

/** What inputs are called in all tests here. */
const POOL: { [name: string]: TensorType & { low: number; high: number } } = {
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

export function typeOf(name: string): TensorType {
  const { dtype, shape } = POOL[name] ?? {};
  if (!dtype || !shape) throw new Error(`The pool has no ${name}.`);
  return { dtype, shape };
}

/** The sizes of the two batches that are run. */
export const BINDINGS: readonly Binding[] = [
  { B: 2, T: 5 },
  { B: 3, T: 4 },
];

/** Numbers for an input, the same for the same name and sizes. */
export function draw(name: string, binding: Binding): Tensor {
  const { low = 0, high = 1 } = POOL[name] ?? {};
  const { dtype, shape } = typeOf(name);
  const sizes = shape.map((size) => sizeAt(size, binding));
  const random = randomNumbers(name.charCodeAt(0) * 31 + binding.B * 7 + binding.T);
  const values = Array.from({ length: countElements(sizes) }, () => low + random() * (high - low));
  return tensorOf(dtype, sizes, dtype === "float32" ? values : values.map(Math.floor));
}

/** A model of one Expression node whose inputs come from the pool. */
export function trialOf(text: string): Trial & { bindings: readonly Binding[]; seed: number; outputs: string[] } {
  const read = readExpression(text);
  if ("problem" in read) throw new Error(`${read.problem.message} ${JSON.stringify(text)}`);
  const inputs = read.expression.inputs.map(({ name }) => name);
  const { outputs } = read.expression;
  const at = { x: 0, y: 0 };
  const nodes: Graph["nodes"] = [
    ...inputs.map((name) => ({ id: `in-${name}`, name, type: "input", params: { shape: typeOf(name).shape.slice(1), dtype: typeOf(name).dtype }, at })),
    { id: "node", type: "expression", params: { expression: text }, at },
    ...outputs.map((name) => ({ id: `out-${name}`, name: outsideOf(name), type: "output", params: {}, at })),
  ];
  const edges: Graph["edges"] = [
    ...inputs.map((name, i) => ({ id: `i${i}`, from: { node: `in-${name}`, port: "y" }, to: { node: "node", port: name } })),
    ...outputs.map((name, i) => ({ id: `o${i}`, from: { node: "node", port: name }, to: { node: `out-${name}`, port: "x" } })),
  ];
  return {
    graph: { ...emptyGraph, nodes, edges },
    inputs: new Map(inputs.map((name) => [name, typeOf(name)])),
    draw: (binding) => Object.fromEntries(inputs.map((name) => [name, draw(name, binding)])),
    fits: () => true,
    bindings: BINDINGS,
    seed: 1,
    outputs: outputs.map(outsideOf),
  };
}

/** An input may be called as an output is; not so in a model. */
const outsideOf = (output: string) => `out ${output}`;

/** A text as NumPy or PyTorch reads it. */
export type Oracle = readonly [kind: "numpy" | "torch", text: string];
export type OracleResult = { shape: number[]; data: ArrayLike<number | bigint> };

const Answers = z.array(
  z.union([
    z.object({ error: z.string() }),
    z.object({ results: z.array(z.array(z.object({ dtype: z.enum(["float32", "float64", "int64", "bool", "uint8"]), shape: z.array(z.int()), data: z.string() }))) }),
  ]),
);

const PYTHON = `
import base64, json, sys
import numpy as np, torch
from torch.nn import functional as F
torch.set_num_threads(1)
np.seterr(all="ignore")

def decode(t):
    return np.frombuffer(base64.b64decode(t["data"]), dtype=t["dtype"]).reshape(t["shape"]).copy()

def encode(value):
    value = np.asarray(value)
    if str(value.dtype) == "int32":
        value = value.astype("int64")
    return {"dtype": str(value.dtype), "shape": list(value.shape), "data": base64.b64encode(np.ascontiguousarray(value).tobytes()).decode()}

NUMPY = {name: getattr(np, name) for name in dir(np) if not name.startswith("_")}
TORCH = {name: getattr(module, name) for module in (F, torch) for name in dir(module) if not name.startswith("_")}

def compute(kind, text, batch):
    given = {name: decode(t) for name, t in batch.items()}
    if kind == "torch":
        given = {name: torch.from_numpy(value) for name, value in given.items()}
    names = {**(NUMPY if kind == "numpy" else TORCH), "np": np, "torch": torch, "F": F, "inf": np.inf, "pi": np.pi, **given}
    *lines, last = text.split("\\n")
    exec("\\n".join(lines), names)
    value = eval(last, names)
    return [encode(one) for one in (value if isinstance(value, (tuple, list)) else (value,))]

answers = []
for case in json.load(sys.stdin):
    try:
        answers.append({"results": [compute(*case["oracle"], batch) for batch in case["batches"]]})
    except Exception as error:
        answers.append({"error": f"{type(error).__name__}: {error}"})
print(json.dumps(answers))
`;

/** What Python makes of each text: for each batch, its results in order. */
export async function askOracle(cases: readonly { oracle: Oracle; batches: readonly { [name: string]: Tensor }[] }[]): Promise<(OracleResult[][] | { error: string })[]> {
  const asked = cases.map(({ oracle, batches }) => ({
    oracle,
    batches: batches.map((batch) =>
      Object.fromEntries(
        Object.entries(batch).map(([name, tensor]) => [name, { dtype: tensor.dtype, shape: tensor.shape, data: Buffer.from(tensorBytes(tensor)).toString("base64") }]),
      ),
    ),
  }));
  return Answers.parse(await runPython(PYTHON, asked)).map((answer) => {
    if ("error" in answer) return answer;
    return answer.results.map((batch) =>
      batch.map(({ dtype, shape, data }) => {
        const bytes = Uint8Array.from(Buffer.from(data, "base64"));
        return { shape, data: dtype === "float64" ? new Float64Array(bytes.buffer) : tensorFromBytes(dtype, shape, bytes).data };
      }),
    );
  });
}

/** The largest |a − b|, as a share of the largest |a| where that is above 1; Infinity where one of a pair is not finite and the other is another. */
export function greatestDifference(a: ArrayLike<number | bigint>, b: ArrayLike<number | bigint>): number {
  if (a.length !== b.length) return Infinity;
  let difference = 0;
  let scale = 1;
  for (let i = 0; i < a.length; i++) {
    const [ours, theirs] = [Number(a[i]), Number(b[i])];
    if (Number.isFinite(ours)) scale = Math.max(scale, Math.abs(ours));
    if (ours === theirs || (Number.isNaN(ours) && Number.isNaN(theirs))) continue;
    difference = Math.max(difference, Number.isFinite(ours - theirs) ? Math.abs(ours - theirs) : Infinity);
  }
  return difference / scale;
}
