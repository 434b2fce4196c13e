import { printShape } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { defineLayer, onnxNode } from "./kit.ts";
import { p } from "./params.ts";

export const channelShuffle = defineLayer({
  type: "channel_shuffle",
  title: "ChannelShuffle",
  category: "shape",
  doc: "Mixes the channels of groups, so that after a grouped convolution each group sees something of the others.",
  formula: "[N, g·c, …] → [N, g, c, …] → [N, c, g, …] → [N, c·g, …]",
  when: "Use it between grouped convolutions, as in ShuffleNet. A pointwise convolution mixes too, and learns how, at a cost.",
  source: "https://pytorch.org/docs/2.13/generated/torch.nn.ChannelShuffle.html",
  keywords: ["shufflenet", "groups", "mix", "permute"],
  params: { groups: p.int({ min: 1, default: 2, doc: "In how many groups the channels come." }) },
  inputs: { x: { doc: "[N, channels, …] with at least one further axis; channels a multiple of groups." } },
  summary: ({ groups }) => `${groups} groups`,
  infer: ({ groups }, { x }) => {
    const [, channels] = x.shape;
    if (x.shape.length < 3 || typeof channels !== "number")
      return { problem: say("ChannelShuffle needs [N, channels, …] with a known number of channels but receives {shape}.", { shape: printShape(x.shape) }), port: "x" };
    if (channels % groups !== 0)
      return {
        problem: say("ChannelShuffle cannot part {channels} channels into {groups} equal groups.", { channels, groups }),
        code: "GRAPH_PARAM",
        param: "groups",
        fixes: [{ kind: "set-param", label: say("Set groups to 1"), name: "groups", value: 1 }],
      };
    return { outputs: { y: x } };
  },
  lower: ({ groups }, { x }, b) => {
    const [n = 1, channels = 1, ...rest] = x.type.shape;
    const each = Number(channels) / groups;
    const parted = b.call("aten::unflatten.int", [x, 1, { ints: [groups, each] }], { dtype: "float32", shape: [n, groups, each, ...rest] });
    const turned = b.call("aten::transpose.int", [parted, 1, 2], { dtype: "float32", shape: [n, each, groups, ...rest] });
    return { y: b.call("aten::flatten.using_ints", [turned, 1, 2], x.type) };
  },
  onnx: ({ groups }, { x }, b) => {
    const channels = Number(x.type.shape[1]);
    const order = Array.from({ length: channels }, (_, i) => (i % groups) * (channels / groups) + Math.floor(i / groups));
    return { y: onnxNode(b, "Gather", [x.name, b.constant(order, [channels], "int64")], { axis: 1 }) };
  },
  torch: ({ groups }) => ({ module: `nn.ChannelShuffle(${groups})`, forward: (self, { x }) => `${self}(${x})` }),
  examples: [{ inputs: { x: [2, 6, 3] } }, { params: { groups: 3 }, inputs: { x: [2, 6, 2, 2] } }],
});
