import { ONNX_DTYPES } from "../export/onnx-proto.ts";
import { printShape } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { defineLayer, float32, onnxNode } from "./kit.ts";
import { lowerSteps } from "./lengths.ts";
import { p } from "./params.ts";

export const rotaryEmbedding = defineLayer({
  type: "rotary_embedding",
  title: "RotaryEmbedding",
  category: "attention",
  doc: "Turns queries or keys by an angle that grows with their place, so that attention sees how far apart two steps are.",
  formula: "y = x · cos θₜ + rotate(x) · sin θₜ, with θₜ,ᵢ = t / base^(2i/d) and rotate(a, b) = (−b, a) of both halves",
  when: "On query and key before ScaledDotProductAttention, in place of a positional encoding: usual in newer language models.",
  source: "https://arxiv.org/abs/2104.09864",
  keywords: ["rope", "rotary", "position", "llama", "transformer"],
  params: { base: p.float({ min: 1, default: 10_000, doc: "The longest wave, about; larger for longer sequences." }) },
  inputs: { x: { doc: "Queries or keys, [N, heads, time, depth]; the two last axes count." } },
  summary: ({ base }) => (base === 10_000 ? "" : `base ${base}`),
  infer: (_, { x }) => {
    const depth = x.shape.at(-1);
    if (x.shape.length < 3 || typeof depth !== "number" || depth % 2 !== 0)
      return { problem: say("RotaryEmbedding needs [N, …, time, depth] with an even, known depth but receives {shape}.", { shape: printShape(x.shape) }), port: "x" };
    return { outputs: { y: x } };
  },
  lower: ({ base }, { x }, b) => {
    const axis = x.type.shape.length - 2;
    const time = x.type.shape[axis] ?? 1;
    const half = Number(x.type.shape.at(-1)) / 2;
    const steps = lowerSteps(b, x, axis, "float32");
    const row = b.call("aten::arange.start_step", [0, half, 1, "float32"], float32([half]));
    const speed = b.call("aten::exp", [b.call("aten::mul.Scalar", [row, -Math.log(base) / half], row.type)], row.type);
    const angles = b.call("aten::mul.Tensor", [b.call("aten::unsqueeze", [steps, 1], float32([time, 1])), speed], float32([time, half]));
    const both = b.call("aten::cat", [[angles, angles], 1], float32([time, 2 * half]));
    const part = float32([...x.type.shape.slice(0, -1), half]);
    const [first, second] = [0, 1].map((i) => b.call("aten::narrow", [x, -1, i * half, half], part));
    const turned = b.call("aten::cat", [[b.call("aten::neg", [second ?? x], part), first ?? x], -1], x.type);
    const still = b.call("aten::mul.Tensor", [x, b.call("aten::cos", [both], both.type)], x.type);
    return { y: b.call("aten::add.Tensor", [still, b.call("aten::mul.Tensor", [turned, b.call("aten::sin", [both], both.type)], x.type), 1], x.type) };
  },
  onnx: ({ base }, { x }, b) => {
    const axis = x.type.shape.length - 2;
    const half = Number(x.type.shape.at(-1)) / 2;
    const count = onnxNode(b, "Squeeze", [onnxNode(b, "Shape", [x.name], { start: axis, end: axis + 1 })]);
    const steps = onnxNode(b, "Cast", [onnxNode(b, "Range", [b.constant([0], [], "int64"), count, b.constant([1], [], "int64")])], { to: ONNX_DTYPES.float32 });
    const speeds = Array.from({ length: half }, (_, i) => Math.exp((-i * Math.log(base)) / half));
    const angles = onnxNode(b, "Mul", [onnxNode(b, "Unsqueeze", [steps, b.constant([1], [1], "int64")]), b.constant([...speeds, ...speeds], [2 * half], "float32")]);
    const [first = "", second = ""] = b.node("Split", [x.name], { axis: -1, num_outputs: 2 }, 2);
    const turned = onnxNode(b, "Concat", [onnxNode(b, "Neg", [second]), first], { axis: -1 });
    return { y: onnxNode(b, "Add", [onnxNode(b, "Mul", [x.name, onnxNode(b, "Cos", [angles])]), onnxNode(b, "Mul", [turned, onnxNode(b, "Sin", [angles])])]) };
  },
  torch: ({ base }) => ({ module: `RotaryEmbedding(${base === 10_000 ? "" : base})`, helper: HELPER, forward: (self, { x }) => `${self}(${x})` }),
  examples: [{ inputs: { x: [2, 2, 4, 6] } }, { params: { base: 500 }, inputs: { x: [2, 3, 4] } }],
});

const HELPER = `class RotaryEmbedding(nn.Module):
    """Turns queries or keys by an angle that grows with their place (arXiv:2104.09864)."""

    def __init__(self, base=10000.0):
        super().__init__()
        self.base = base

    def forward(self, x):
        half = x.shape[-1] // 2
        speed = self.base ** (-torch.arange(half, device=x.device) / half)
        angles = torch.arange(x.shape[-2], device=x.device).unsqueeze(1) * speed
        angles = torch.cat((angles, angles), dim=1)
        first, second = x.split(half, dim=-1)
        return x * angles.cos() + torch.cat((-second, first), dim=-1) * angles.sin()`;
