import { defineUnary } from "./unary.ts";

export const cos = defineUnary({
  type: "cos",
  title: "Cos",
  doc: "Takes the cosine of each number, in radians.",
  formula: "y = cos x",
  when: "Use it for positions, phases and other things that repeat; with Sin it tells every phase apart.",
  keywords: ["cosine", "wave", "periodic", "position"],
  curve: Math.cos,
  onnx: "Cos",
  examples: [{ inputs: { x: [2, 3] } }, { inputs: { x: { dtype: "int64", shape: [2, 3] } } }],
});
