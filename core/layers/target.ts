import type { Body, Node } from "../graph/document.ts";
import { say } from "../language/say.ts";
import { defineLayer, type InputPorts } from "./kit.ts";
import { p } from "./params.ts";

export const target = defineLayer({
  type: "target",
  title: "Target",
  category: "io",
  doc: "What the data set says is right for each row, so that a loss of your own can be wired on the canvas. It is there while training only.",
  formula: "y = a batch of targets, [B, …shape]",
  when: "For a loss that is not in the list: wire it from here and the prediction to an Output named loss, and choose “The output itself” as the loss, with loss as its output.",
  keywords: ["label", "truth", "answer", "loss", "class"],
  boundary: { kind: "target", name: "target" },
  params: {
    shape: p.dims({ default: [], doc: "Sizes of one target, without the batch: none for a class number, 1 for one measured value, 28, 28 for a mask." }),
    dtype: p.choice({ options: ["int64", "float32"], default: "int64", doc: "int64 for class numbers, float32 for measured values." }),
  },
  inputs: {} as InputPorts,
  outputs: { y: { doc: "A batch of targets." } },
  summary: ({ shape, dtype }) => `${["B", ...shape].join("×")} ${dtype}`,
  infer: ({ shape, dtype }) => {
    if (shape.some((size) => /^(\d+\*)?B$/.test(String(size))))
      return { problem: say("B is the batch, which every target has already; choose another letter."), code: "GRAPH_PARAM", param: "shape" };
    return { outputs: { y: { dtype, shape: ["B", ...shape] } } };
  },
  lower: (_, { x }) => ({ y: given(x) }),
  onnx: (_, { x }) => ({ y: given(x).name }),
  torch: () => ({ forward: (_, { x }) => String(x) }),
  examples: [{ inputs: {} }],
});

function given<T>(x: T | T[] | undefined): T {
  if (x === undefined || Array.isArray(x)) throw new Error("A target node is lowered with the targets of a batch, while training.");
  return x;
}

/** The target nodes of a body. */
export function bodyTargets(body: Body): Node[] {
  return body.nodes.filter((node) => node.type === target.type);
}
