import { evaluate } from "../graph/dims.ts";
import { needAxis } from "./axes.ts";
import { broadcast } from "./broadcast.ts";
import { axisOf, countPerSample, defineLayer, float32, onnxNode } from "./kit.ts";
import { p, pythonCall } from "./params.ts";
import { reduceShape } from "./reduction.ts";

export const cosineSimilarity = defineLayer({
  type: "cosine_similarity",
  title: "CosineSimilarity",
  category: "math",
  doc: "Measures how alike the directions of two vectors are: 1 the same, 0 at right angles, −1 opposite.",
  formula: "y = x₁·x₂ / (max(‖x₁‖, eps) · max(‖x₂‖, eps))",
  when: "Use it to compare embeddings where length says nothing. Where length matters use PairwiseDistance.",
  source: "https://pytorch.org/docs/2.13/generated/torch.nn.CosineSimilarity.html",
  keywords: ["angle", "compare", "embedding", "distance", "metric"],
  params: { dim: p.int({ default: 1, doc: "The axis of the vectors' numbers." }), eps: p.float({ min: 1e-12, max: 1, default: 1e-8, doc: "Least length that is divided by." }) },
  inputs: { x1: { doc: "The one." }, x2: { doc: "The other; same shape, or sizes of 1 that stretch." } },
  summary: ({ dim }) => `axis ${dim}`,
  infer: ({ dim }, { x1, x2 }) => {
    const common = broadcast("CosineSimilarity", x1.shape, x2.shape);
    if ("problem" in common) return { ...common, port: "x2", fixes: [] };
    const found = needAxis("CosineSimilarity", dim, common.shape);
    return "problem" in found ? found : { outputs: { y: float32(reduceShape(common.shape, { axes: [found.axis], keepdim: false })) } };
  },
  lower: ({ dim, eps }, { x1, x2 }, b, { outputs: { y } }) => ({ y: b.call("aten::cosine_similarity", [x1, x2, dim, eps], y ?? x1.type) }),
  onnx: ({ dim, eps }, { x1, x2 }, b, { outputs: { y } }) => {
    const axes = b.constant([axisOf(dim, (y?.shape.length ?? 0) + 1) ?? 0], [1], "int64");
    const product = onnxNode(b, "Mul", [x1.name, x2.name]);
    // Lengths are those of the stretched vectors.
    const length = (x: string) =>
      onnxNode(b, "Max", [onnxNode(b, "ReduceL2", [onnxNode(b, "Expand", [x, onnxNode(b, "Shape", [product])]), axes], { keepdims: 0 }), b.constant([eps], [], "float32")]);
    return { y: onnxNode(b, "Div", [onnxNode(b, "ReduceSum", [product, axes], { keepdims: 0 }), onnxNode(b, "Mul", [length(x1.name), length(x2.name)])]) };
  },
  torch: ({ dim, eps }) => ({ module: pythonCall("nn.CosineSimilarity", [], { dim: [dim, 1], eps: [eps, 1e-8] }), forward: (self, { x1, x2 }) => `${self}(${x1}, ${x2})` }),
  cost: ({ dim }, { inputs: { x1, x2 } }) => {
    const common = broadcast("", x1.shape, x2.shape);
    return { multiplyAdds: "problem" in common ? 0 : 3 * countPerSample(common.shape) * (axisOf(dim, common.shape.length) === 0 ? evaluate(common.shape[0] ?? 1, 1) : 1) };
  },
  examples: [{ inputs: { x1: [2, 5], x2: [2, 5] } }, { params: { dim: -1, eps: 1e-6 }, inputs: { x1: [2, 3, 1, 4], x2: [2, 1, 5, 4] } }],
});
