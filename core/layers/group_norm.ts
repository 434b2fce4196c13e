import { printShape } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { divisorFixes } from "./convolution.ts";
import { affineWeights } from "./initializers.ts";
import { countPerSample, defineLayer } from "./kit.ts";
import { p, pythonCall } from "./params.ts";

export const groupNorm = defineLayer({
  type: "group_norm",
  title: "GroupNorm",
  category: "normalization",
  doc: "Normalizes groups of channels within each sample: like BatchNorm, but good with small batches too.",
  formula: "y = (x − mean) / √(variance + eps) · weight + bias, with mean and variance over each group of channels of a sample",
  when: "In place of BatchNorm where batches are small, as with large images or diffusion models. With large batches BatchNorm is usual.",
  source: "https://pytorch.org/docs/2.13/generated/torch.nn.GroupNorm.html",
  keywords: ["normalize", "small batch"],
  params: {
    num_groups: p.int({ min: 1, default: 8, doc: "How many groups; 1 takes all channels together, as many as channels each by itself." }),
    eps: p.float({ min: 0, default: 1e-5, doc: "Added to the variance against division by zero." }),
    affine: p.bool({ default: true, doc: "Learns a scale and a shift for each channel." }),
  },
  inputs: { x: { doc: "[N, channels, ...]." } },
  summary: ({ num_groups }) => `${num_groups} groups`,
  infer: ({ num_groups, affine }, { x }) => {
    const channels = x.shape[1];
    if (typeof channels !== "number")
      return { problem: say("GroupNorm needs [N, channels, ...] with a known number of channels but receives {shape}.", { shape: printShape(x.shape) }), port: "x" };
    if (channels % num_groups !== 0)
      return {
        problem: say("GroupNorm cannot split {channels} channels into {num_groups} groups.", { channels, num_groups }),
        code: "GRAPH_PARAM",
        param: "num_groups",
        fixes: divisorFixes("num_groups", num_groups, channels),
      };
    if (channels === num_groups && x.shape.slice(2).every((size) => size === 1))
      return {
        problem: say("GroupNorm needs more than one number in each group, or every number becomes 0; it has {num_groups} groups for {shape}.", {
          num_groups,
          shape: printShape(x.shape),
        }),
        code: "GRAPH_PARAM",
        param: "num_groups",
        fixes: [{ kind: "set-param", label: say("Set num_groups to 1"), name: "num_groups", value: 1 }],
      };
    return { outputs: { y: x }, weights: affine ? affineWeights([channels]) : {} };
  },
  lower: ({ num_groups, eps, affine }, { x }, b) => ({
    y: b.call("aten::group_norm", [x, num_groups, affine ? b.weight("weight") : null, affine ? b.weight("bias") : null, eps], x.type),
  }),
  onnx: ({ num_groups, eps, affine }, { x }, b) => {
    const channels = Number(x.type.shape[1]);
    const all = (value: number) => b.constant(Array<number>(channels).fill(value), [channels], "float32");
    const [y = ""] = b.node("GroupNormalization", [x.name, affine ? b.weight("weight") : all(1), affine ? b.weight("bias") : all(0)], { num_groups, epsilon: { float: eps } });
    return { y };
  },
  torch: ({ num_groups, eps, affine }, { inputs: { x } }) => ({
    module: pythonCall("nn.GroupNorm", [num_groups, x.shape[1] ?? 0], { eps: [eps, 1e-5], affine: [affine, true] }),
    forward: (self, { x }) => `${self}(${x})`,
  }),
  cost: (_, { inputs: { x } }) => ({ multiplyAdds: countPerSample(x.shape) }),
  examples: [
    { params: { num_groups: 2 }, inputs: { x: [2, 6, 4, 4] } },
    { params: { num_groups: 3, affine: false }, inputs: { x: [2, 6, 5] } },
  ],
});
