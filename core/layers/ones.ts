import { onnxNode } from "./kit.ts";
import { defineMaker } from "./maker.ts";
import { p } from "./params.ts";

export const ones = defineMaker({
  type: "ones",
  title: "Ones",
  doc: "Makes a tensor of ones, of a given shape or one like another tensor's.",
  formula: "y = 1",
  when: "Use it for masks and counts. For other fixed numbers use Constant.",
  source: "https://pytorch.org/docs/2.13/generated/torch.ones.html",
  keywords: ["mask", "ones_like", "fill"],
  params: { dtype: p.choice({ options: ["float32", "int64", "bool"], default: "float32", doc: "float32 for measures, int64 for whole numbers, bool for conditions." }) },
  dtype: ({ dtype }) => dtype,
  lower: ({ dtype }, sizes, b, type) => b.call("aten::ones", [sizes, dtype], type),
  onnx: ({ dtype }, sizes, b) => onnxNode(b, "Expand", [b.constant([1], [], dtype), sizes]),
  torch: ({ dtype }, sizes, device) => `torch.ones(${sizes}${dtype === "float32" ? "" : `, dtype=torch.${dtype}`}${device})`,
  examples: [
    { params: { shape: [2, 3] }, inputs: {} },
    { params: { dtype: "int64" }, inputs: { like: [2, 3] } },
    { params: { shape: ["B", 4] }, inputs: { like: [2, 3] } },
    { params: { dtype: "bool", shape: ["B", 1] }, inputs: { like: { dtype: "int64", shape: [2, 3] } } },
  ],
});
