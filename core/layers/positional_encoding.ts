import { ONNX_DTYPES } from "../export/onnx-proto.ts";
import { printShape } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { defineLayer, float32, onnxNode } from "./kit.ts";
import { lowerSteps, onnxSteps } from "./lengths.ts";
import { p } from "./params.ts";

export const positionalEncoding = defineLayer({
  type: "positional_encoding",
  title: "PositionalEncoding",
  category: "attention",
  doc: "Adds to each step a pattern that says where it stands, since attention alone does not see the order.",
  formula:
    "y[t] = x[t] + e[t]; of sin: e[t, 2i] = sin(t / 10000^(2i/d)), e[t, 2i+1] = cos(t / 10000^(2i/d)); of halves: e[t, i] = sin(t / 10000^(i/(h−1))), e[t, h+i] = cos of the same, with h = d/2",
  when: "Behind the Embedding of a transformer. `sin` has no weights and any length; `learned` is usual where the length is bounded, as in GPT-2 and BERT.",
  source: "https://arxiv.org/abs/1706.03762",
  keywords: ["position", "sinusoidal", "transformer", "order", "learned"],
  params: {
    mode: p.choice({
      options: ["sin", "halves", "learned"],
      default: "sin",
      doc: "Waves of growing length (halves: all sines, then all cosines, as Tensor2Tensor has them), or a vector learned for each place.",
    }),
    max_len: p.int({ min: 1, max: 1_000_000, default: 512, doc: "How many places can be learned; waves have no limit." }),
  },
  inputs: { x: { doc: "[N, time, features]." } },
  summary: ({ mode, max_len }) => (mode === "learned" ? `learned, up to ${max_len}` : mode),
  infer: ({ mode, max_len }, { x }) => {
    const [, time, features] = x.shape;
    if (x.shape.length !== 3 || typeof features !== "number")
      return { problem: say("PositionalEncoding needs [N, time, features] with a known number of features but receives {shape}.", { shape: printShape(x.shape) }), port: "x" };
    if (mode !== "learned") {
      if (features % 2 !== 0)
        return {
          problem: say("Waves come in pairs, so PositionalEncoding needs an even number of features; there are {features}.", { features }),
          port: "x",
          hint: say("Take learned, or one feature more."),
        };
      return { outputs: { y: x } };
    }
    if (typeof time === "number" && time > max_len)
      return {
        problem: say("PositionalEncoding has {max_len} places but receives {time} steps.", { max_len, time }),
        code: "GRAPH_PARAM",
        param: "max_len",
        fixes: [{ kind: "set-param", label: say("Set max_len to {time}", { time }), name: "max_len", value: time }],
      };
    return { outputs: { y: x }, weights: { weight: { shape: [max_len, features], init: { kind: "normal", mean: 0, std: 0.02 } } } };
  },
  lower: ({ mode }, { x }, b) => {
    const [, time = 1, width = 1] = x.type.shape;
    const features = Number(width);
    const steps = lowerSteps(b, x);
    if (mode === "learned") return { y: b.call("aten::add.Tensor", [x, b.call("aten::index_select", [b.weight("weight"), 0, steps], float32([time, features])), 1], x.type) };
    const half = features / 2;
    const row = b.call("aten::arange.start_step", [0, half, 1, "float32"], float32([half]));
    const speed = b.call("aten::exp", [b.call("aten::mul.Scalar", [row, EXPONENT / steepness(mode, half)], row.type)], row.type);
    const angles = b.call("aten::mul.Tensor", [b.call("aten::unsqueeze", [steps, 1], { dtype: "int64", shape: [time, 1] }), speed], float32([time, half]));
    const pair = [b.call("aten::sin", [angles], angles.type), b.call("aten::cos", [angles], angles.type)];
    const waves =
      mode === "halves"
        ? b.call("aten::cat", [pair, 1], float32([time, features]))
        : b.call("aten::flatten.using_ints", [b.call("aten::stack", [pair, 2], float32([time, half, 2])), 1, 2], float32([time, features]));
    return { y: b.call("aten::add.Tensor", [x, waves, 1], x.type) };
  },
  onnx: ({ mode }, { x }, b) => {
    const features = Number(x.type.shape[2]);
    const steps = onnxSteps(b, x);
    if (mode === "learned") return { y: onnxNode(b, "Add", [x.name, onnxNode(b, "Gather", [b.weight("weight"), steps], { axis: 0 })]) };
    const half = features / 2;
    const speed = b.constant(
      Array.from({ length: half }, (_, i) => Math.exp((i * EXPONENT) / steepness(mode, half))),
      [half],
      "float32",
    );
    const column = onnxNode(b, "Unsqueeze", [onnxNode(b, "Cast", [steps], { to: ONNX_DTYPES.float32 }), b.constant([1], [1], "int64")]);
    const angles = onnxNode(b, "Mul", [column, speed]);
    if (mode === "halves") return { y: onnxNode(b, "Add", [x.name, onnxNode(b, "Concat", [onnxNode(b, "Sin", [angles]), onnxNode(b, "Cos", [angles])], { axis: 1 })]) };
    const last = b.constant([2], [1], "int64");
    const pair = onnxNode(b, "Concat", [onnxNode(b, "Unsqueeze", [onnxNode(b, "Sin", [angles]), last]), onnxNode(b, "Unsqueeze", [onnxNode(b, "Cos", [angles]), last])], {
      axis: 2,
    });
    return { y: onnxNode(b, "Add", [x.name, onnxNode(b, "Reshape", [pair, b.constant([-1, features], [2], "int64")])]) };
  },
  torch: ({ mode, max_len }, { inputs: { x } }) => ({
    ...(mode === "learned"
      ? { module: `LearnedPositions(${max_len}, ${x.shape[2]})`, helper: LEARNED }
      : mode === "halves"
        ? { module: `HalvedSinePositions(${x.shape[2]})`, helper: HALVES }
        : { module: `SinePositions(${x.shape[2]})`, helper: SINE }),
    forward: (self, { x }) => `${self}(${x})`,
  }),
  examples: [
    { inputs: { x: [2, 4, 6] } },
    { params: { mode: "halves" }, inputs: { x: [2, 4, 6] } },
    { params: { mode: "halves" }, inputs: { x: [2, 3, 2] } },
    { params: { mode: "learned", max_len: 5 }, inputs: { x: [2, 4, 3] } },
  ],
});

/** Of the longest wave, over the number of pairs. */
const EXPONENT = -Math.log(10_000);

/** Over how many pairs the waves grow to their longest. */
function steepness(mode: string, half: number): number {
  return mode === "halves" ? Math.max(1, half - 1) : half;
}

const LEARNED = `class LearnedPositions(nn.Module):
    """Adds a learned vector for each place in the sequence."""

    def __init__(self, max_len, features):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(max_len, features).normal_(0, 0.02))

    def forward(self, x):
        return x + self.weight[: x.shape[1]]`;

const SINE = `class SinePositions(nn.Module):
    """Adds waves of growing length, which say where a step stands (arXiv:1706.03762)."""

    def __init__(self, features):
        super().__init__()
        self.half = features // 2

    def forward(self, x):
        steps = torch.arange(x.shape[1], device=x.device).unsqueeze(1)
        speed = torch.exp(torch.arange(self.half, device=x.device) * (-9.210340371976184 / self.half))
        angles = steps * speed
        return x + torch.stack((angles.sin(), angles.cos()), dim=2).flatten(1)`;

const HALVES = `class HalvedSinePositions(nn.Module):
    """Adds waves of growing length, all sines before all cosines, as Tensor2Tensor's timing signal."""

    def __init__(self, features):
        super().__init__()
        self.half = features // 2

    def forward(self, x):
        steps = torch.arange(x.shape[1], device=x.device).unsqueeze(1)
        speed = torch.exp(torch.arange(self.half, device=x.device) * (-9.210340371976184 / max(1, self.half - 1)))
        angles = steps * speed
        return x + torch.cat((angles.sin(), angles.cos()), dim=1)`;
