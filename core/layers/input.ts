import type { Body, Node } from "../graph/document.ts";
import { say } from "../language/say.ts";
import { defineLayer, type InputPorts } from "./kit.ts";
import { p } from "./params.ts";

export const input = defineLayer({
  type: "input",
  title: "Input",
  category: "io",
  doc: "Where data enters: one sample's shape, to which the batch axis B is added. Inside a zone or block it is what comes from outside.",
  formula: "y = a batch of samples, [B, …shape]",
  when: "Once for each thing that the model is given. Inside a zone or block, once for each thing that comes in.",
  keywords: ["data", "source", "placeholder"],
  boundary: { kind: "input", name: "x" },
  params: {
    shape: p.dims({ default: [1, 28, 28], doc: "Sizes of one sample, without the batch; a capital letter such as T is a size known only at run time, 32*T a multiple of 32." }),
    dtype: p.choice({ options: ["float32", "int64", "uint8"], default: "float32", doc: "float32 for numbers and images, int64 for token numbers." }),
    standardize: p.bool({ default: true, doc: "Brings measures to mean 0 and spread 1, as the data set's rows have them. Off: pictures come in as 0 to 1, tables as they are." }),
  },
  inputs: {} as InputPorts,
  outputs: { y: { doc: "A batch of data." } },
  summary: ({ shape }) => ["B", ...shape].join("×"),
  infer: ({ shape, dtype }, { x }) => {
    if (x && !Array.isArray(x)) return { outputs: { y: x } };
    if (shape.some((size) => /^(\d+\*)?B$/.test(String(size))))
      return { problem: say("B is the batch, which every input has already; choose another letter."), code: "GRAPH_PARAM", param: "shape" };
    return { outputs: { y: { dtype, shape: ["B", ...shape] } } };
  },
  lower: (_, { x }) => ({ y: given(x) }),
  onnx: (_, { x }) => ({ y: given(x).name }),
  torch: () => ({ forward: (_, { x }) => String(x) }),
  examples: [{ params: { shape: [3, 4] }, inputs: {} }],
});

function given<T>(x: T | T[] | undefined): T {
  if (x === undefined || Array.isArray(x)) throw new Error("An input node is lowered with the one value that comes from outside.");
  return x;
}

/** The input nodes of a body and the names by which arguments reach them. */
export function bodyInputs(body: Body): { name: string; node: Node }[] {
  return body.nodes.filter((node) => node.type === input.type).map((node) => ({ name: node.name?.trim() || "x", node }));
}
