import { add } from "../graph/dims.ts";
import { printShape } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { defineLayer, float32, onnxNode } from "./kit.ts";

export const classToken = defineLayer({
  type: "class_token",
  title: "ClassToken",
  category: "attention",
  doc: "Puts a learned step in front of every sequence, in which a transformer gathers what it knows of the whole.",
  formula: "y = [token, x₁, x₂, …]",
  when: "At the start of a vision transformer or text classifier; read it afterwards with Slice [:, 0]. Averaging all steps often does as well.",
  keywords: ["cls", "token", "vit", "bert", "transformer"],
  params: {},
  inputs: { x: { doc: "[N, time, features]." } },
  summary: () => "",
  infer: (_, { x: { shape } }) => {
    const [batch, time, features] = shape;
    if (shape.length !== 3 || batch === undefined || time === undefined || typeof features !== "number")
      return { problem: say("ClassToken needs [N, time, features] with a known number of features but receives {shape}.", { shape: printShape(shape) }), port: "x" };
    return { outputs: { y: float32([batch, add(time, 1), features]) }, weights: { token: { shape: [1, 1, features], init: { kind: "constant", value: 0 } } } };
  },
  lower: (_, { x }, b, { outputs: { y = x.type } }) => {
    const [batch = 1, , features = 1] = x.type.shape;
    const sizes = { ints: [typeof batch === "number" ? batch : { size: [x, 0] as [typeof x, number] }, 1, Number(features)] };
    return { y: b.call("aten::cat", [[b.call("aten::expand", [b.weight("token"), sizes], float32([batch, 1, features])), x], 1], y) };
  },
  onnx: (_, { x }, b) => {
    const count = onnxNode(b, "Shape", [x.name], { start: 0, end: 1 });
    const sizes = onnxNode(b, "Concat", [count, b.constant([1, 1], [2], "int64")], { axis: 0 });
    return { y: onnxNode(b, "Concat", [onnxNode(b, "Expand", [b.weight("token"), sizes]), x.name], { axis: 1 }) };
  },
  torch: (_, { inputs: { x } }) => ({ module: `ClassToken(${x.shape[2]})`, helper: HELPER, forward: (self, { x }) => `${self}(${x})` }),
  examples: [{ inputs: { x: [2, 4, 3] } }],
});

const HELPER = `class ClassToken(nn.Module):
    """Puts a learned step in front of every sequence."""

    def __init__(self, features):
        super().__init__()
        self.token = nn.Parameter(torch.zeros(1, 1, features))

    def forward(self, x):
        return torch.cat((self.token.expand(x.shape[0], -1, -1), x), dim=1)`;
