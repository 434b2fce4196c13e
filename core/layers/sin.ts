import { defineUnary } from "./unary.ts";

export const sin = defineUnary({
  type: "sin",
  title: "Sin",
  doc: "Takes the sine of each number, in radians.",
  formula: "y = sin x",
  when: "Use it for positions, phases and other things that repeat.",
  keywords: ["sine", "wave", "periodic", "position"],
  curve: Math.sin,
  onnx: "Sin",
  examples: [{ inputs: { x: [2, 3] } }, { inputs: { x: { dtype: "int64", shape: [2, 3] } } }],
});
