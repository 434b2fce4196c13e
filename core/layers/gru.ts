import { defineRecurrent } from "./recurrent.ts";

export const gru = defineRecurrent({
  type: "gru",
  title: "GRU",
  doc: "Reads a sequence step by step with a memory; simpler and smaller than an LSTM.",
  states: ["h"],
  aten: "aten::gru.input",
  // PyTorch: reset, update, new. ONNX: update, reset, new.
  onnxGates: [1, 0, 2],
});
