import { needAxis } from "./along_axis.ts";
import { axisOf, countPerSample, defineLayer } from "./kit.ts";
import { p, pythonCall } from "./params.ts";

export const l2Normalize = defineLayer({
  type: "l2_normalize",
  title: "L2Normalize",
  category: "normalization",
  doc: "Scales vectors to length 1, so that only their direction counts.",
  formula: "y = x / max(‖x‖, eps), with the length ‖x‖ = √(Σ x²) along the axis",
  when: "For embeddings that are compared by angle, as in contrastive learning. Inside a network LayerNorm or RMSNorm keeps numbers near 1.",
  source: "https://pytorch.org/docs/2.13/generated/torch.nn.functional.normalize.html",
  keywords: ["unit length", "normalize", "cosine", "embedding", "direction"],
  params: {
    dim: p.int({ default: 1, doc: "The axis that holds the vectors' numbers." }),
    eps: p.float({ min: 0, default: 1e-12, doc: "The least divisor, against division by zero." }),
  },
  inputs: { x: { doc: "Any tensor that has the axis." } },
  summary: ({ dim }) => `axis ${dim}`,
  infer: ({ dim }, { x }) => needAxis("L2Normalize", dim, x) ?? { outputs: { y: x } },
  lower: ({ dim, eps }, { x }, b) => {
    const flat = { ...x.type, shape: x.type.shape.with(axisOf(dim, x.type.shape.length) ?? 0, 1) };
    const length = b.call("aten::linalg_vector_norm", [x, 2, { ints: [dim] }, true], flat);
    return { y: b.call("aten::div.Tensor", [x, b.call("aten::clamp_min", [length, eps], flat)], x.type) };
  },
  onnx: ({ dim, eps }, { x }, b) => {
    const axis = axisOf(dim, x.type.shape.length) ?? 0;
    const [length = ""] = b.node("ReduceL2", [x.name, b.constant([axis], [1], "int64")], { keepdims: 1 });
    const [divisor = ""] = b.node("Max", [length, b.constant([eps], [], "float32")]);
    const [y = ""] = b.node("Div", [x.name, divisor]);
    return { y };
  },
  torch: ({ dim, eps }) => ({ forward: (_, { x }) => pythonCall("F.normalize", [String(x)], { dim: [dim, 1], eps: [eps, 1e-12] }) }),
  cost: (_, { inputs: { x } }) => ({ multiplyAdds: 2 * countPerSample(x.shape) }),
  examples: [{ inputs: { x: [3, 5] } }, { params: { dim: -1, eps: 2 }, inputs: { x: [2, 3, 4] } }],
});
