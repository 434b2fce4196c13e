import { say } from "../language/say.ts";
import { broadcast } from "./broadcast.ts";
import { countPerSample, defineLayer, float32, onnxNode } from "./kit.ts";
import { p, pythonCall } from "./params.ts";
import { reduceShape } from "./reduction.ts";

export const pairwiseDistance = defineLayer({
  type: "pairwise_distance",
  title: "PairwiseDistance",
  category: "math",
  doc: "Measures how far two vectors lie apart, along their last axis.",
  formula: "y = ‖x₁ − x₂ + eps‖ₚ",
  when: "Use it for nearest neighbours and metric learning. Where only direction matters use CosineSimilarity.",
  source: "https://pytorch.org/docs/2.13/generated/torch.nn.PairwiseDistance.html",
  keywords: ["euclidean", "l2", "manhattan", "metric", "siamese"],
  params: {
    p: p.float({ min: 1, max: 10, default: 2, doc: "The norm: 2 is Euclid's distance, 1 adds up differences." }),
    eps: p.float({ min: 0, max: 1, default: 1e-6, doc: "Added to each difference, so that the slope at 0 stays finite." }),
    keepdim: p.bool({ default: false, doc: "Keeps the last axis, with size 1." }),
  },
  inputs: { x1: { doc: "The one." }, x2: { doc: "The other; same shape, or sizes of 1 that stretch." } },
  summary: ({ p }) => `p ${p}`,
  infer: ({ keepdim }, { x1, x2 }) => {
    const common = broadcast("PairwiseDistance", x1.shape, x2.shape);
    if ("problem" in common) return { ...common, port: "x2", fixes: [] };
    if (common.shape.length === 0) return { problem: say("PairwiseDistance needs vectors but receives single numbers."), port: "x1" };
    return { outputs: { y: float32(reduceShape(common.shape, { axes: [common.shape.length - 1], keepdim })) } };
  },
  lower: ({ p, eps, keepdim }, { x1, x2 }, b, { outputs: { y } }) => ({ y: b.call("aten::pairwise_distance", [x1, x2, p, eps, keepdim], y ?? x1.type) }),
  onnx: ({ p, eps, keepdim }, { x1, x2 }, b) => {
    const difference = onnxNode(b, "Add", [onnxNode(b, "Sub", [x1.name, x2.name]), b.constant([eps], [], "float32")]);
    const reduce = (op: string, x: string) => onnxNode(b, op, [x, b.constant([-1], [1], "int64")], { keepdims: keepdim ? 1 : 0 });
    if (p === 1 || p === 2) return { y: reduce(`ReduceL${p}`, difference) };
    const power = (x: string, exponent: number) => onnxNode(b, "Pow", [x, b.constant([exponent], [], "float32")]);
    return { y: power(reduce("ReduceSum", power(onnxNode(b, "Abs", [difference]), p)), 1 / p) };
  },
  torch: ({ p, eps, keepdim }) => ({
    module: pythonCall("nn.PairwiseDistance", [], { p: [p, 2], eps: [eps, 1e-6], keepdim: [keepdim, false] }),
    forward: (self, { x1, x2 }) => `${self}(${x1}, ${x2})`,
  }),
  cost: (_, { inputs: { x1, x2 } }) => {
    const common = broadcast("", x1.shape, x2.shape);
    return { multiplyAdds: "problem" in common ? 0 : countPerSample(common.shape) };
  },
  examples: [
    { inputs: { x1: [2, 5], x2: [2, 5] } },
    { params: { p: 1, keepdim: true, eps: 1e-4 }, inputs: { x1: [2, 3, 4], x2: [2, 1, 4] } },
    { params: { p: 3 }, inputs: { x1: [2, 5], x2: [2, 5] } },
  ],
});
