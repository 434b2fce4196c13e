import { defineRecurrent } from "./recurrent.ts";

export const gru = defineRecurrent({
  type: "gru",
  title: "GRU",
  doc: "Reads a sequence step by step with a memory; simpler and smaller than an LSTM.",
  formula: "r, z = σ(W x + U h + b)\nn = tanh(W x + r · (U h + b))\nh ← (1 − z) · n + z · h",
  when: "Where you would use an LSTM, with fewer weights and a little less time.",
  states: ["h"],
  aten: "aten::gru",
  // PyTorch: reset, update, new. ONNX: update, reset, new.
  onnxGates: [1, 0, 2],
});
