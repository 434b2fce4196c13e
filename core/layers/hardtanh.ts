import { say } from "../language/say.ts";
import { defineActivation } from "./elementwise.ts";
import { p, pythonCall } from "./params.ts";

export const hardtanh = defineActivation({
  type: "hardtanh",
  title: "Hardtanh",
  doc: "Passes numbers on unchanged between two limits, and holds them at the limits beyond.",
  formula: "y = min(max(min_val, x), max_val)",
  when: "Where results must stay in a range and Tanh costs too much. Beyond the limits nothing is learned.",
  curve: (x) => Math.min(Math.max(-1, x), 1),
  keywords: ["clip", "clamp", "limit"],
  params: {
    min_val: p.float({ default: -1, doc: "The lower limit." }),
    max_val: p.float({ default: 1, doc: "The upper limit; above the lower one." }),
  },
  summary: ({ min_val, max_val }) => `${min_val} to ${max_val}`,
  refuse: ({ min_val, max_val }) =>
    max_val > min_val
      ? null
      : {
          problem: say("Hardtanh's max_val must be above its min_val; they are {max_val} and {min_val}.", { max_val, min_val }),
          code: "GRAPH_PARAM",
          param: "max_val",
          fixes: [{ kind: "set-param", label: say("Set max_val to {min_val}", { min_val: min_val + 1 }), name: "max_val", value: min_val + 1 }],
        },
  aten: ({ min_val, max_val }) => ["aten::hardtanh", min_val, max_val],
  onnx: ({ min_val, max_val }, x, b) => b.node("Clip", [x, b.constant([min_val], [], "float32"), b.constant([max_val], [], "float32")])[0] ?? "",
  torch: ({ min_val, max_val }) => pythonCall("nn.Hardtanh", [], { min_val: [min_val, -1], max_val: [max_val, 1] }),
  examples: [{ min_val: -0.5, max_val: 1.5 }],
});
