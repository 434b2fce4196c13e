import { defineRecurrent } from "./recurrent.ts";

export const lstm = defineRecurrent({
  type: "lstm",
  title: "LSTM",
  doc: "Reads a sequence step by step with a memory that it learns to keep and to clear: text, signals, time series.",
  formula: "i, f, o = σ(W x + U h + b)\ng = tanh(W x + U h + b)\nc ← f · c + i · g\nh ← o · tanh(c)",
  when: "For sequences whose order matters and which are not too long. GRU is a little faster and often as good; transformers do better on long texts with much data.",
  states: ["h", "c"],
  aten: "aten::lstm",
  // PyTorch: input, forget, cell, output. ONNX: input, output, forget, cell.
  onnxGates: [0, 3, 1, 2],
});
