import { say } from "../language/say.ts";
import { MASKED } from "./attention.ts";
import { linearWeights } from "./initializers.ts";
import { countPerSample, defineLayer, float32, onnxNode } from "./kit.ts";
import { LENGTHS_PORT, lowerCounting, needSequence, onnxCounting, pythonCounting } from "./lengths.ts";

export const attentionPool = defineLayer({
  type: "attention_pool",
  title: "AttentionPool",
  category: "sequence",
  doc: "Makes one vector of a sequence by a mean whose weights it learns: it looks where it matters and leaves padding out.",
  formula: "a = softmaxₜ(w · x[n, t] + b), y[n] = Σₜ a[t] · x[n, t]",
  when: "Instead of MaskedMean where few steps of a long sequence decide. The weights can be read as what the model looked at.",
  keywords: ["pool", "sequence", "weighted mean", "attention", "lengths"],
  params: {},
  inputs: { x: { doc: "[N, time, features]." }, lengths: LENGTHS_PORT },
  outputs: { y: { doc: "[N, features]." }, weights: { doc: "How much each step counts, [N, time]." } },
  summary: () => "",
  infer: (_, { x, lengths }) => {
    const wrong = needSequence("AttentionPool", x, lengths, 3);
    if (wrong) return wrong;
    const [batch = "B", time = "T", features] = x.shape;
    if (typeof features !== "number") return { problem: say("AttentionPool needs to know its number of features."), port: "x", hint: say("Move that axis with Permute.") };
    return { outputs: { y: float32([batch, features]), weights: float32([batch, time]) }, weights: linearWeights([1, features], 1) };
  },
  lower: (_, { x, lengths }, b, { outputs: { y = x.type, weights: shares = x.type } }) => {
    const scored = b.call("aten::linear", [x, b.weight("weight"), b.weight("bias")], float32([...shares.shape, 1]));
    let scores = b.call("aten::squeeze.dim", [scored, 2], shares);
    if (lengths) {
      const padding = b.call("aten::logical_not", [lowerCounting(b, x, lengths)], { dtype: "bool", shape: shares.shape });
      scores = b.call("aten::masked_fill.Scalar", [scores, padding, MASKED], shares);
    }
    const weights = b.call("aten::softmax.int", [scores, 1], shares);
    const row = b.call("aten::unsqueeze", [weights, 1], float32([shares.shape[0] ?? 1, 1, shares.shape[1] ?? 1]));
    return { y: b.call("aten::squeeze.dim", [b.call("aten::bmm", [row, x], float32([y.shape[0] ?? 1, 1, y.shape[1] ?? 1])), 1], y), weights };
  },
  onnx: (_, { x, lengths }, b) => {
    const axis = (i: number) => b.constant([i], [1], "int64");
    const product = onnxNode(b, "MatMul", [x.name, onnxNode(b, "Transpose", [b.weight("weight")], { perm: [1, 0] })]);
    let scores = onnxNode(b, "Squeeze", [onnxNode(b, "Add", [product, b.weight("bias")]), axis(2)]);
    if (lengths) scores = onnxNode(b, "Where", [onnxCounting(b, x, lengths), scores, b.constant([MASKED], [], "float32")]);
    const weights = onnxNode(b, "Softmax", [scores], { axis: 1 });
    return { y: onnxNode(b, "Squeeze", [onnxNode(b, "MatMul", [onnxNode(b, "Unsqueeze", [weights, axis(1)]), x.name]), axis(1)]), weights };
  },
  torch: (_, { inputs: { x, lengths } }) => ({
    module: `AttentionPool(${x.shape[2]}, 1)`,
    helper: HELPER,
    forward: (self, { x, lengths: counts }) => `${self}(${x}${lengths ? `, ${pythonCounting(String(x), String(counts))}` : ""})`,
    assign: ({ y, weights }) => `${y}, ${weights}`,
  }),
  cost: (_, { inputs: { x } }) => ({ multiplyAdds: 2 * countPerSample(x.shape) }),
  examples: [{ inputs: { x: [2, 4, 3] } }, { inputs: { x: [3, 4, 2], lengths: { dtype: "int64", shape: [3] } }, values: { lengths: [2, 4, 1] } }],
});

const HELPER = `class AttentionPool(nn.Linear):
    """A mean over the steps whose weights are learned; steps that do not count have none."""

    def forward(self, x, counting=None):
        scores = super().forward(x).squeeze(2)
        if counting is not None:
            scores = scores.masked_fill(~counting, torch.finfo(scores.dtype).min)
        weights = scores.softmax(1)
        return (weights.unsqueeze(1) @ x).squeeze(1), weights`;
