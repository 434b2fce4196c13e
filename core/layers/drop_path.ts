import { say } from "../language/say.ts";
import { defineLayer } from "./kit.ts";
import { p, pythonCall } from "./params.ts";

export const dropPath = defineLayer({
  type: "drop_path",
  title: "DropPath",
  category: "regularization",
  doc: "While training, leaves a branch out for whole samples at random, so that a deep network learns as a shallow one too; afterwards it does nothing.",
  formula: "y[n] = x[n] · m[n] / (1 − p) while training, with m 0 for the share p of the samples, else 1; y = x afterwards",
  when: "At the end of the branch of a residual block, in deep networks such as EfficientNet and vision transformers. Without a way around the branch it would lose the sample.",
  source: "https://arxiv.org/abs/1603.09382",
  keywords: ["stochastic depth", "residual", "regularize", "overfitting"],
  trait: "neutral",
  params: {
    p: p.float({ min: 0, max: 1, step: 0.05, default: 0.1, doc: "The share that is left out; usually more in later blocks." }),
    mode: p.choice({ options: ["row", "batch"], default: "row", doc: "`row` decides for each sample, `batch` for all samples together." }),
  },
  inputs: { x: { doc: "Any tensor with a batch axis." } },
  summary: ({ p }) => `${Math.round(p * 1000) / 10} %`,
  infer: (_, { x }) => (x.shape.length === 0 ? { problem: say("DropPath needs a batch axis but receives a single number."), port: "x" } : { outputs: { y: x } }),
  lower: ({ p, mode }, { x }, b) => {
    // Channels are dropped whole, each sample's by themselves: so let a sample be one channel, or the batch.
    const { dtype, shape } = x.type;
    if (mode === "row") {
      const [samples = 1, ...rest] = shape;
      const channel = b.call("aten::unsqueeze", [x, 1], { dtype, shape: [samples, 1, ...rest] });
      return { y: b.call("aten::squeeze.dim", [b.call("aten::feature_dropout", [channel, p, { flag: "training" }], channel.type), 1], x.type) };
    }
    let y = x;
    for (const ahead of [1, 2]) y = b.call("aten::unsqueeze", [y, 0], { dtype, shape: [...Array<number>(ahead).fill(1), ...shape] });
    y = b.call("aten::feature_dropout", [y, p, { flag: "training" }], y.type);
    for (const ahead of [1, 0]) y = b.call("aten::squeeze.dim", [y, 0], { dtype, shape: [...Array<number>(ahead).fill(1), ...shape] });
    return { y };
  },
  onnx: (_, { x }, b) => {
    // A downloaded model is for inference, where nothing is left out.
    const [y = ""] = b.node("Identity", [x.name]);
    return { y };
  },
  torch: ({ p, mode }) => ({
    module: pythonCall("DropPath", [], { p: [p, 0.1], mode: [mode, "row"] }),
    forward: (self, { x }) => `${self}(${x})`,
    helper: `class DropPath(nn.Module):
    """Leaves out whole samples at random while training."""

    def __init__(self, p=0.1, mode="row"):
        super().__init__()
        self.p = p
        self.mode = mode

    def forward(self, x):
        if not self.training:
            return x
        kept = x.new_ones([x.shape[0] if self.mode == "row" else 1] + [1] * (x.dim() - 1))
        return x * F.dropout(kept, self.p)`,
  }),
  examples: [{ inputs: { x: [4, 8] } }, { params: { p: 0.2 }, inputs: { x: [3, 2, 4] } }, { params: { mode: "batch" }, inputs: { x: [3, 2, 4] } }],
});
