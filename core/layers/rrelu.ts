import { say } from "../language/say.ts";
import { defineActivation } from "./elementwise.ts";
import { p, pythonCall } from "./params.ts";

export const rrelu = defineActivation({
  type: "rrelu",
  title: "RReLU",
  doc: "LeakyReLU that draws its slope for each number anew while training; afterwards it takes the middle one.",
  formula: "y = x where x > 0, else a · x; a is uniform in [lower, upper] while training, (lower + upper) / 2 afterwards",
  when: "Against overfitting on small data. LeakyReLU is the same without chance.",
  curve: (x) => (x > 0 ? x : (x * (1 / 8 + 1 / 3)) / 2),
  keywords: ["random", "noise", "overfitting"],
  params: {
    lower: p.float({ default: 1 / 8, doc: "The least slope." }),
    upper: p.float({ default: 1 / 3, doc: "The greatest slope; not below the least." }),
  },
  summary: ({ lower, upper }) => `slopes ${Number(lower.toPrecision(3))} to ${Number(upper.toPrecision(3))}`,
  refuse: ({ lower, upper }) =>
    lower <= upper
      ? null
      : {
          problem: say("RReLU's upper must not be below its lower; they are {upper} and {lower}.", { upper, lower }),
          code: "GRAPH_PARAM",
          param: "upper",
          fixes: [{ kind: "set-param", label: say("Set upper to {lower}", { lower }), name: "upper", value: lower }],
        },
  aten: ({ lower, upper }) => ["aten::rrelu", lower, upper, { flag: "training" }],
  // A downloaded model is for inference, where the slope is fixed.
  onnx: ["LeakyRelu", ({ lower, upper }) => ({ alpha: { float: (lower + upper) / 2 } })],
  torch: ({ lower, upper }) => pythonCall("nn.RReLU", [], { lower: [lower, 1 / 8], upper: [upper, 1 / 3] }),
  examples: [{ lower: 0.1, upper: 0.5 }],
});
