import { evaluateExpression, readExpression } from "../expression/evaluate.ts";
import type { ExpressionProblem } from "../expression/parse.ts";
import { countMultiplyAdds, lowerExpression, printPyTorch, writeOnnx } from "../expression/write.ts";
import type { TensorType } from "../graph/shape.ts";
import { defineLayer, type InferProblem, type InputPorts, type Inputs } from "./kit.ts";
import { p } from "./params.ts";

const DEFAULT = "x * sigmoid(x)";

export const expression = defineLayer({
  type: "expression",
  title: "Expression",
  category: "math",
  doc: "Computes what you write, in NumPy's manner: x * sigmoid(x), x[:, -1], einsum('bij,bjk->bik', a, b), where(x > 0, x, 0.1 * x). Names that you use become inputs.",
  formula: "y = what the text says",
  when: "For a formula that would take many small nodes, or for one that has no node. Where a layer does the same, the layer says more: it can hold weights and offers fixes.",
  source: "https://numpy.org/doc/2.3/reference/routines.html",
  keywords: ["formula", "numpy", "code", "python", "lambda", "custom", "function", "math", "einsum", "slice", "where"],
  params: {
    expression: p.code({
      default: DEFAULT,
      language: "expression",
      doc: "A formula over its inputs. Lines such as h = tanh(a) may come before; the last line is the result, and y, z = … gives several.",
      placeholder: DEFAULT,
    }),
  },
  inputs: {} as InputPorts,
  ports: ({ params }) => {
    const read = readExpression(typeof params.expression === "string" ? params.expression : DEFAULT);
    if ("problem" in read)
      // While a text is being typed it cannot be read now and then; its wires must not fall off, nor hide what is wrong with it.
      return { inputs: Object.fromEntries(read.inputs.map((name) => [name, { doc: `What the text calls ${name}.`, dtype: "any" as const, optional: true }])), outputs: OUTPUT };
    return {
      inputs: Object.fromEntries(read.expression.inputs.map(({ name }) => [name, { doc: `What the text calls ${name}.`, dtype: "any" as const }])),
      outputs: Object.fromEntries(read.expression.outputs.map((name) => [name, { doc: `The result${name === "y" ? "" : ` ${name}`}.` }])),
    };
  },
  summary: ({ expression }) => shorten(expression),
  infer: ({ expression }, inputs) => {
    const read = readExpression(expression);
    if ("problem" in read) return told(read.problem);
    const evaluated = evaluateExpression(read.expression, single(inputs));
    if ("problem" in evaluated) return told(evaluated.problem);
    return { outputs: Object.fromEntries(Object.entries(evaluated.outputs).map(([name, { type }]) => [name, type])) };
  },
  lower: ({ expression }, inputs, b, types) => lowerExpression(evaluated(expression, types.inputs), single(inputs), b),
  onnx: ({ expression }, inputs, b, types) => writeOnnx(evaluated(expression, types.inputs), single(inputs), b),
  torch: ({ expression }, types) => {
    const result = evaluated(expression, types.inputs);
    const names = Object.fromEntries(Object.keys(types.inputs).map((name) => [name, name]));
    if (printPyTorch(result, names).expression !== null) return { forward: (_, inputs) => printPyTorch(result, single(inputs), Infinity).expression ?? "" };
    return { lines: (inputs) => printPyTorch(result, single(inputs)).lines };
  },
  cost: ({ expression }, types) => ({ multiplyAdds: countMultiplyAdds(evaluated(expression, types.inputs)) }),
  examples: [
    { inputs: { x: [2, 3] } },
    { params: { expression: "x[:, -1]" }, inputs: { x: [2, 3, 4] } },
    { params: { expression: "x[..., None, ::-2]" }, inputs: { x: [2, 3, 5] } },
    { params: { expression: "einsum('bij,bjk->bik', a, b)" }, inputs: { a: [2, 3, 4], b: [2, 4, 5] } },
    { params: { expression: "(x - mean(x, axis=-1, keepdims=True)) / (std(x, axis=-1, keepdims=True) + 1e-5)" }, inputs: { x: [2, 3, 4] } },
    { params: { expression: "where(x > 0, x, 0.1*x)" }, inputs: { x: [2, 3] } },
    { params: { expression: "softmax(q @ k.mT / sqrt(q.shape[-1]), axis=-1) @ v" }, inputs: { q: [2, 3, 4], k: [2, 5, 4], v: [2, 5, 6] } },
    { params: { expression: "concatenate([a, b], axis=1)" }, inputs: { a: [2, 3], b: [2, 4] } },
    { params: { expression: "h = tanh(a)\ng = sigmoid(b)\nh * g + (1 - g) * a" }, inputs: { a: [2, 3], b: [2, 3] } },
    { params: { expression: "mu, scale = split(x, 2, axis=1)\nmean, std = mu, exp(scale / 2)" }, inputs: { x: [2, 6] } },
    { params: { expression: "x.reshape(x.shape[0], -1) / x.shape[0]" }, inputs: { x: [2, 3, 4] } },
    { params: { expression: "x * (arange(x.shape[1]) % 2 == 0) + maximum(x, 0) ** 2 // 0.3" }, inputs: { x: [2, 5] } },
    { params: { expression: "pad(clip(x, -1, 1), ((0, 0), (1, 2)), mode='reflect').sum(axis=1, keepdims=True)" }, inputs: { x: [2, 4] } },
    { params: { expression: "table[token] + x" }, inputs: { token: { dtype: "int64", shape: [2] }, table: [5, 3], x: [2, 3] } },
  ],
});

const OUTPUT = { y: { doc: "The result." } };

function shorten(text: string): string {
  const [first = "", ...more] = text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  return first.length > 40 ? `${first.slice(0, 39)}…` : more.length > 0 ? `${first} …` : first;
}

/** A problem in the words of a graph's; where there is one line only, the column says enough. */
function told({ message, line, column, code, hint }: ExpressionProblem): InferProblem {
  return { problem: `${line > 1 ? `Line ${line}, column` : "Column"} ${column}: ${message}`, code, param: "expression", hint, fixes: [] };
}

function evaluated(text: string, inputs: Inputs<TensorType>) {
  const read = readExpression(text);
  if ("problem" in read) throw new Error(`A checked expression can be read: ${read.problem.message}`);
  const result = evaluateExpression(read.expression, single(inputs));
  if ("problem" in result) throw new Error(`A checked expression has types: ${result.problem.message}`);
  return result;
}

/** Its ports take one wire each. */
function single<T>(inputs: Inputs<T>): { [port: string]: T } {
  return Object.fromEntries(Object.entries(inputs).flatMap(([port, value]): [string, T][] => (value === undefined || Array.isArray(value) ? [] : [[port, value]])));
}
