import { defineArithmetic } from "./broadcast.ts";

export const add = defineArithmetic({
  type: "add",
  title: "Add",
  doc: "Adds two tensors number by number: closes a residual connection.",
  keywords: ["sum", "plus", "residual", "skip connection", "shortcut"],
  aten: "aten::add.Tensor",
  onnx: "Add",
  symbol: "+",
});
