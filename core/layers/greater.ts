import { broadcast } from "./broadcast.ts";
import { defineLayer } from "./kit.ts";
import { p } from "./params.ts";

export const greater = defineLayer({
  type: "greater",
  title: "Greater",
  category: "math",
  doc: "Asks for each number whether it is greater than a value, or than another tensor: makes conditions for If and While.",
  source: "https://pytorch.org/docs/2.13/generated/torch.gt.html",
  keywords: ["compare", "condition", "threshold", "gt"],
  params: { value: p.float({ default: 0, doc: "What numbers are compared with while other is not connected." }) },
  inputs: { x: { doc: "Any tensor." }, other: { doc: "Compared with x number by number.", optional: true } },
  outputs: { y: { doc: "True where it is greater." } },
  summary: ({ value }) => `> ${value}`,
  infer: (_, { x, other }) => {
    const result = other ? broadcast("Greater", x.shape, other.shape) : x;
    return "problem" in result ? { ...result, port: "other", fixes: [] } : { outputs: { y: { dtype: "bool", shape: result.shape } } };
  },
  lower: ({ value }, { x, other }, b, { outputs: { y } }) => ({
    y: other ? b.call("aten::gt.Tensor", [x, other], y ?? x.type) : b.call("aten::gt.Scalar", [x, value], y ?? x.type),
  }),
  onnx: ({ value }, { x, other }, b) => {
    const [y = ""] = b.node("Greater", [x.name, other?.name ?? b.constant([value], [], "float32")]);
    return { y };
  },
  torch: ({ value }) => ({ forward: (_, { x, other }) => `${x} > ${other ?? value}` }),
  examples: [{ inputs: { x: [2, 3] } }, { inputs: { x: [2, 3], other: [3] } }],
});
