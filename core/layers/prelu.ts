import { printShape } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { defineLayer } from "./kit.ts";
import { p, pythonCall } from "./params.ts";

export const prelu = defineLayer({
  type: "prelu",
  title: "PReLU",
  category: "activation",
  doc: "LeakyReLU that learns its slope for negative numbers, one for all or one for each channel.",
  formula: "y = x where x > 0, else a · x, with a learned",
  when: "Where the best slope is unknown and data is plenty. It adds parameters that weight decay should leave alone; LeakyReLU adds none.",
  curve: (x) => (x > 0 ? x : 0.25 * x),
  source: "https://pytorch.org/docs/2.13/generated/torch.nn.PReLU.html",
  keywords: ["activation", "nonlinearity", "learned slope", "parametric"],
  params: {
    num_parameters: p.int({ min: 1, default: 1, doc: "How many slopes: 1 for all numbers, or as many as channels (axis 1)." }),
    init: p.float({ default: 0.25, step: 0.05, doc: "First value of each slope." }),
  },
  inputs: { x: { doc: "Any tensor; [N, channels, ...] with a slope for each channel." } },
  summary: ({ num_parameters }) => (num_parameters === 1 ? "" : `${num_parameters} slopes`),
  infer: ({ num_parameters, init }, { x }) => {
    const channels = x.shape[1];
    if (num_parameters !== 1 && channels !== num_parameters) {
      return {
        problem: say("PReLU has {num_parameters} slopes but receives {shape}, where axis 1 holds {nothing} channels.", {
          num_parameters,
          shape: printShape(x.shape),
          nothing: channels === undefined ? say("nothing") : channels,
        }),
        code: "GRAPH_PARAM",
        param: "num_parameters",
        hint: say("Take 1 slope, or as many as channels."),
        fixes: [
          ...(typeof channels === "number"
            ? [{ kind: "set-param" as const, label: say("Set num_parameters to {channels}", { channels }), name: "num_parameters", value: channels }]
            : []),
          { kind: "set-param", label: say("Set num_parameters to 1"), name: "num_parameters", value: 1 },
        ],
      };
    }
    return { outputs: { y: x }, weights: { weight: { shape: [num_parameters], init: { kind: "constant", value: init } } } };
  },
  lower: (_, { x }, b) => ({ y: b.call("aten::prelu", [x, b.weight("weight")], x.type) }),
  onnx: ({ num_parameters }, { x }, b) => {
    // ONNX matches axes from the end, so the slopes get an axis of size 1 for each axis behind the channels.
    const behind = x.type.shape.slice(2).map((_, i) => i + 1);
    const slopes = b.weight("weight");
    // A scalar must not become a row of one.
    const isScalar = x.type.shape.length === 0;
    const [aligned = ""] = isScalar
      ? b.node("Squeeze", [slopes])
      : num_parameters === 1 || behind.length === 0
        ? [slopes]
        : b.node("Unsqueeze", [slopes, b.constant(behind, [behind.length], "int64")]);
    const [y = ""] = b.node("PRelu", [x.name, aligned]);
    return { y };
  },
  torch: ({ num_parameters, init }) => ({
    module: pythonCall("nn.PReLU", [], { num_parameters: [num_parameters, 1], init: [init, 0.25] }),
    forward: (self, { x }) => `${self}(${x})`,
  }),
  examples: [{ inputs: { x: [2, 3, 4] } }, { params: { num_parameters: 3, init: 0.1 }, inputs: { x: [2, 3, 4, 4] } }, { params: { num_parameters: 5 }, inputs: { x: [2, 5] } }],
});
