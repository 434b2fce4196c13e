import { multiply } from "../graph/dims.ts";
import { printShape } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { defineLayer, float32, onnxNode } from "./kit.ts";
import { p } from "./params.ts";
import { needImage } from "./window.ts";

export const pixelShuffle = defineLayer({
  type: "pixel_shuffle",
  title: "PixelShuffle",
  category: "shape",
  doc: "Lays channels out as pixels: an image with r² as many channels becomes one r times as high and wide.",
  formula: "[N, C·r², H, W] → [N, C, H·r, W·r]",
  when: "Use it to enlarge images after a convolution, as in super-resolution. Upsample enlarges without needing channels.",
  source: "https://pytorch.org/docs/2.13/generated/torch.nn.PixelShuffle.html",
  keywords: ["sub-pixel", "depth to space", "super-resolution", "enlarge"],
  params: { upscale_factor: p.int({ min: 1, max: 64, default: 2, doc: "How many times as high and wide." }) },
  inputs: { x: { doc: "Images: [N, channels, height, width]; channels a multiple of the factor's square." } },
  summary: ({ upscale_factor }) => `×${upscale_factor}`,
  infer: ({ upscale_factor: r }, { x: { shape } }) => {
    const problem = needImage("PixelShuffle", 2, shape);
    if (problem) return problem;
    const [n = 1, channels = 1, height = 1, width = 1] = shape;
    if (typeof channels !== "number" || channels % (r * r) !== 0)
      return {
        problem: say("PixelShuffle by {r} needs channels that are a multiple of {r2} but receives {shape}.", { r, r2: r * r, shape: printShape(shape) }),
        port: "x",
        hint: say("Make the convolution before give {r} times the channels you want.", { r: r * r }),
      };
    return { outputs: { y: float32([n, channels / (r * r), multiply(height, r), multiply(width, r)]) } };
  },
  lower: ({ upscale_factor }, { x }, b, { outputs: { y } }) => ({ y: b.call("aten::pixel_shuffle", [x, upscale_factor], y ?? x.type) }),
  onnx: ({ upscale_factor }, { x }, b) => ({ y: onnxNode(b, "DepthToSpace", [x.name], { blocksize: upscale_factor, mode: "CRD" }) }),
  torch: ({ upscale_factor }) => ({ module: `nn.PixelShuffle(${upscale_factor})`, forward: (self, { x }) => `${self}(${x})` }),
  examples: [{ inputs: { x: [2, 8, 3, 4] } }, { params: { upscale_factor: 3 }, inputs: { x: [2, 9, 2, 2] } }],
});
