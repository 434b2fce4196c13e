import { onnxNode } from "./kit.ts";
import { defineCell } from "./recurrent_cell.ts";

export const lstmCell = defineCell({
  type: "lstm_cell",
  title: "LSTMCell",
  doc: "One step of an LSTM: it learns what to keep, what to clear and what to say.",
  formula: "i, f, o = σ(W x + U h + b)\ng = tanh(W x + U h + b)\nc' = f · c + i · g\nh' = o · tanh(c')",
  when: "Inside ForEachStep, to build a recurrent network of your own around it. For a plain one take LSTM, which is faster.",
  states: ["h", "c"],
  gates: 4,
  aten: () => "aten::lstm_cell",
  step: (b, input, memory, [, cell = ""]) => {
    const [i = "", f = "", g = "", o = ""] = b.node("Split", [onnxNode(b, "Add", [input, memory])], { axis: 1, num_outputs: 4 }, 4);
    const gate = (x: string) => onnxNode(b, "Sigmoid", [x]);
    const kept = onnxNode(b, "Mul", [gate(f), cell]);
    const next = onnxNode(b, "Add", [kept, onnxNode(b, "Mul", [gate(i), onnxNode(b, "Tanh", [g])])]);
    return [onnxNode(b, "Mul", [gate(o), onnxNode(b, "Tanh", [next])]), next];
  },
});
