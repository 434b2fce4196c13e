import { printShape } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { defineLayer, float32, onnxNode } from "./kit.ts";
import { p } from "./params.ts";
import { divideExactly } from "./reshape.ts";
import { needImage } from "./window.ts";

export const pixelUnshuffle = defineLayer({
  type: "pixel_unshuffle",
  title: "PixelUnshuffle",
  category: "shape",
  doc: "Lays neighbouring pixels out as channels: the image becomes r times less high and wide, and nothing is lost.",
  formula: "[N, C, H·r, W·r] → [N, C·r², H, W]",
  when: "Use it to shrink images before costly layers while keeping every number. Pooling shrinks and forgets.",
  source: "https://pytorch.org/docs/2.13/generated/torch.nn.PixelUnshuffle.html",
  keywords: ["space to depth", "patches", "shrink", "focus"],
  params: { downscale_factor: p.int({ min: 1, max: 64, default: 2, doc: "How many times less high and wide." }) },
  inputs: { x: { doc: "Images: [N, channels, height, width]; height and width multiples of the factor." } },
  summary: ({ downscale_factor }) => `1/${downscale_factor}`,
  infer: ({ downscale_factor: r }, { x: { shape } }) => {
    const problem = needImage("PixelUnshuffle", 2, shape);
    if (problem) return problem;
    const [n = 1, channels = 1, ...sizes] = shape;
    const [height = null, width = null] = sizes.map((size) => divideExactly(size, r));
    if (typeof channels !== "number")
      return { problem: say("PixelUnshuffle needs to know its number of channels, which in {shape} is known only at run time.", { shape: printShape(shape) }), port: "x" };
    if (height === null || width === null)
      return {
        problem: say("PixelUnshuffle by {r} needs a height and width that are multiples of {r} but receives {shape}.", { r, shape: printShape(shape) }),
        port: "x",
        hint: say("Pad or resize the image before."),
      };
    return { outputs: { y: float32([n, channels * r * r, height, width]) } };
  },
  lower: ({ downscale_factor }, { x }, b, { outputs: { y } }) => ({ y: b.call("aten::pixel_unshuffle", [x, downscale_factor], y ?? x.type) }),
  onnx: ({ downscale_factor: r }, { x }, b) => {
    const channels = Number(x.type.shape[1]);
    const squares = r * r;
    // ONNX lays out by place and then channel, PyTorch by channel and then place.
    const order = Array.from({ length: channels * squares }, (_, i) => (i % squares) * channels + Math.floor(i / squares));
    return { y: onnxNode(b, "Gather", [onnxNode(b, "SpaceToDepth", [x.name], { blocksize: r }), b.constant(order, [order.length], "int64")], { axis: 1 }) };
  },
  torch: ({ downscale_factor }) => ({ module: `nn.PixelUnshuffle(${downscale_factor})`, forward: (self, { x }) => `${self}(${x})` }),
  examples: [{ inputs: { x: [2, 3, 4, 6] } }, { params: { downscale_factor: 3 }, inputs: { x: [2, 2, 3, 6] } }],
});
