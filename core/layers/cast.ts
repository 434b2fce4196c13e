import { onnxAs } from "./dtypes.ts";
import { defineLayer, onnxNode } from "./kit.ts";
import { p } from "./params.ts";

export const cast = defineLayer({
  type: "cast",
  title: "Cast",
  category: "math",
  doc: "Turns numbers into another dtype: whole numbers or conditions into float32, or back.",
  formula: "y = x as dtype",
  when: "Use it where a layer needs another dtype than arrives. Towards int64 numbers lose what is behind the point, and no gradient flows.",
  source: "https://pytorch.org/docs/2.13/generated/torch.Tensor.to.html",
  keywords: ["dtype", "convert", "to", "float", "int", "long", "type"],
  params: {
    dtype: p.choice({ options: ["float32", "int64", "bool"], default: "float32", doc: "float32 for measures, int64 for whole numbers, bool for conditions: true where not 0." }),
  },
  inputs: { x: { doc: "Any tensor.", dtype: "any" } },
  summary: ({ dtype }) => `to ${dtype}`,
  infer: ({ dtype }, { x }) => ({ outputs: { y: { dtype, shape: x.shape } } }),
  lower: ({ dtype }, { x }, b, { outputs: { y } }) => ({ y: b.call("aten::to.dtype", [x, dtype], y ?? x.type) }),
  // An Identity where it is of that dtype already, so that the node stands in the file.
  onnx: ({ dtype }, { x }, b) => ({ y: x.type.dtype === dtype ? onnxNode(b, "Identity", [x.name]) : onnxAs(b, x, dtype) }),
  torch: ({ dtype }) => ({ forward: (_, { x }) => `${x}.to(torch.${dtype})` }),
  examples: [
    { inputs: { x: { dtype: "int64", shape: [2, 3] } } },
    { inputs: { x: { dtype: "bool", shape: [2, 3] } } },
    { params: { dtype: "int64" }, inputs: { x: [2, 3] } },
    { params: { dtype: "bool" }, inputs: { x: { dtype: "int64", shape: [2, 3] } } },
    { inputs: { x: [2, 3] } },
  ],
});
