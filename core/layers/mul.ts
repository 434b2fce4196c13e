import { defineArithmetic } from "./broadcast.ts";

export const mul = defineArithmetic({
  type: "mul",
  title: "Mul",
  doc: "Multiplies two tensors number by number: gates and attention masks.",
  keywords: ["multiply", "times", "product", "gate", "scale"],
  aten: "aten::mul.Tensor",
  onnx: "Mul",
  symbol: "*",
});
