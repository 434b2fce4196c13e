import type { Body, Node } from "../graph/document.ts";
import { defineLayer } from "./kit.ts";

export const output = defineLayer({
  type: "output",
  title: "Output",
  category: "io",
  doc: "What the model predicts; the loss compares it with the targets. Inside a zone or block it is what goes back outside.",
  formula: "the prediction is x",
  when: "Once for the prediction; a second one for what a further loss looks at, or what you want to read in the exported model.",
  keywords: ["result", "prediction", "target", "loss"],
  boundary: { kind: "output", name: "y" },
  params: {},
  inputs: { x: { doc: "The result.", dtype: "any" } },
  outputs: {},
  summary: () => "",
  infer: () => ({ outputs: {} }),
  lower: () => ({}),
  onnx: () => ({}),
  torch: () => ({ forward: (_, { x }) => String(x) }),
  examples: [{ inputs: { x: [2, 3] } }],
});

/** The output nodes of a body and the names of what they give. */
export function bodyOutputs(body: Body): { name: string; node: Node }[] {
  return body.nodes.filter((node) => node.type === output.type).map((node) => ({ name: node.name?.trim() || "y", node }));
}
