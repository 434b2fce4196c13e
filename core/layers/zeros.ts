import { onnxNode } from "./kit.ts";
import { defineMaker } from "./maker.ts";
import { p } from "./params.ts";

export const zeros = defineMaker({
  type: "zeros",
  title: "Zeros",
  doc: "Makes a tensor of zeros, of a given shape or one like another tensor's.",
  formula: "y = 0",
  when: "Use it as the first state of a loop or as padding. For numbers that learn use Parameter.",
  source: "https://pytorch.org/docs/2.13/generated/torch.zeros.html",
  keywords: ["empty", "state", "initial", "zeros_like", "blank"],
  params: { dtype: p.choice({ options: ["float32", "int64", "bool"], default: "float32", doc: "float32 for measures, int64 for whole numbers, bool for conditions." }) },
  dtype: ({ dtype }) => dtype,
  lower: ({ dtype }, sizes, b, type) => b.call("aten::zeros", [sizes, dtype], type),
  onnx: ({ dtype }, sizes, b) => onnxNode(b, "Expand", [b.constant([0], [], dtype), sizes]),
  torch: ({ dtype }, sizes, device) => `torch.zeros(${sizes}${dtype === "float32" ? "" : `, dtype=torch.${dtype}`}${device})`,
  examples: [
    { params: { shape: [2, 3] }, inputs: {} },
    { params: { dtype: "int64" }, inputs: { like: [2, 3] } },
    { params: { shape: ["B", 4] }, inputs: { like: [2, 3] } },
    { params: { dtype: "bool", shape: ["B", 1] }, inputs: { like: { dtype: "int64", shape: [2, 3] } } },
  ],
});
