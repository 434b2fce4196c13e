import { onnxNode } from "./kit.ts";
import { defineCell } from "./recurrent_cell.ts";

export const gruCell = defineCell({
  type: "gru_cell",
  title: "GRUCell",
  doc: "One step of a GRU: it learns how much of its memory to renew.",
  formula: "r, z = σ(W x + U h + b)\nn = tanh(W x + r · (U h + b))\nh' = (1 − z) · n + z · h",
  when: "Inside ForEachStep, to build a recurrent network of your own around it. For a plain one take GRU, which is faster.",
  states: ["h"],
  gates: 3,
  aten: () => "aten::gru_cell",
  step: (b, input, memory, [h = ""]) => {
    const [ir = "", iz = "", inew = ""] = b.node("Split", [input], { axis: 1, num_outputs: 3 }, 3);
    const [hr = "", hz = "", hnew = ""] = b.node("Split", [memory], { axis: 1, num_outputs: 3 }, 3);
    const gate = (x: string, y: string) => onnxNode(b, "Sigmoid", [onnxNode(b, "Add", [x, y])]);
    const update = gate(iz, hz);
    const fresh = onnxNode(b, "Tanh", [onnxNode(b, "Add", [inew, onnxNode(b, "Mul", [gate(ir, hr), hnew])])]);
    // (1 − z) · n + z · h = n + z · (h − n)
    return [onnxNode(b, "Add", [fresh, onnxNode(b, "Mul", [update, onnxNode(b, "Sub", [h, fresh])])])];
  },
});
