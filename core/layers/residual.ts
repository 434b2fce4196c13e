import { say } from "../language/say.ts";
import { defineLayer, isSameType, startBody } from "./kit.ts";
import { describeType, needOutput, resultOf } from "./zone.ts";

export const residual = defineLayer({
  type: "residual",
  title: "Residual",
  category: "control",
  doc: "Adds what its body makes of x to x itself: the shortcut that lets networks be deep.",
  formula: "y = x + body(x)",
  when: "Around a few layers that keep the shape. Where the shape changes, use a Block with a 1×1 convolution beside the body and Add.",
  keywords: ["skip connection", "shortcut", "resnet", "residual block"],
  params: {},
  inputs: { x: { doc: "What goes round the body and through it." } },
  bodies: { body: { doc: "From x to y of the same shape.", start: startBody() } },
  summary: () => "",
  infer: (_, { x }, bodies) => {
    const body = bodies("body", { x });
    if (!body) return null;
    if (!body.y) return needOutput("Residual", "body");
    if (!isSameType(body.y, x))
      return {
        problem: say("The body of Residual must give what it takes, {x}, but gives {y}.", { x: describeType(x), y: describeType(body.y) }),
        code: "GRAPH_BODY",
        hint: say("Keep the number of channels and the size inside."),
      };
    return { outputs: { y: x } };
  },
  lower: (_, { x }, b) => ({ y: b.call("aten::add.Tensor", [x, resultOf(b.body("body", { x })), 1], x.type) }),
  onnx: (_, { x }, b) => {
    const [y = ""] = b.node("Add", [x.name, resultOf(b.body("body", { x })).name]);
    return { y };
  },
  torch: () => ({ lines: ({ x }, call) => [`return ${x} + ${call("body", { x: String(x) })}`] }),
  examples: [{ inputs: { x: [2, 4] }, bodies: { body: startBody({ type: "linear", params: { out_features: 4 } }, { type: "relu" }) } }],
});
