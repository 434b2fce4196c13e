import { defineRecurrent } from "./recurrent.ts";

export const lstm = defineRecurrent({
  type: "lstm",
  title: "LSTM",
  doc: "Reads a sequence step by step with a memory that it learns to keep and to clear: text, signals, time series.",
  states: ["h", "c"],
  aten: "aten::lstm.input",
  // PyTorch: input, forget, cell, output. ONNX: input, output, forget, cell.
  onnxGates: [0, 3, 1, 2],
});
