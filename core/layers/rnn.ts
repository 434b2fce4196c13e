import { defineRecurrent } from "./recurrent.ts";

export const rnn = defineRecurrent({
  type: "rnn",
  title: "RNN",
  doc: "Reads a sequence step by step with one plain memory: the simplest recurrent network.",
  formula: "h ← tanh(W x + U h + b)",
  when: "To learn how recurrent networks work, or for very short sequences. It forgets quickly: LSTM and GRU remember longer.",
  states: ["h"],
  aten: "aten::rnn_tanh",
  onnxGates: [0],
  nonlinearity: true,
});
