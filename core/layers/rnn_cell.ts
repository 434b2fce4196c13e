import { onnxNode } from "./kit.ts";
import { defineCell } from "./recurrent_cell.ts";

export const rnnCell = defineCell({
  type: "rnn_cell",
  title: "RNNCell",
  doc: "One step of a plain recurrent network.",
  formula: "h' = tanh(W x + U h + b)",
  when: "Inside ForEachStep, to build a recurrent network of your own around it. For a plain one take RNN, which is faster.",
  states: ["h"],
  gates: 1,
  nonlinearity: true,
  aten: (nonlinearity) => `aten::rnn_${nonlinearity}_cell`,
  step: (b, input, memory, _, nonlinearity) => [onnxNode(b, nonlinearity === "relu" ? "Relu" : "Tanh", [onnxNode(b, "Add", [input, memory])])],
});
