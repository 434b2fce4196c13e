import type { TensorType } from "../graph/shape.ts";
import { type Convolution, costConvolution, filterParams, inferConvolution, lowerConvolution, pythonConvolution, summarizeFilter, writeConvolution } from "./convolution.ts";
import { defineLayer } from "./kit.ts";
import { p } from "./params.ts";
import { needChannels, needImage, SPATIAL_INPUT, slidingOf } from "./window.ts";

/** A Conv2d with as many groups as channels. */
export const depthwiseConv2d = defineLayer({
  type: "depthwise_conv2d",
  title: "DepthwiseConv2d",
  category: "convolution",
  doc: "Filters each channel of an image by itself: sees space alone, with few weights.",
  formula: "y[n, c, i] = b[c] + Σ over k of w[c, k] · x[n, c, stride · i + dilation · k − padding]",
  when: "In light networks, with a PointwiseConv behind it that mixes the channels; SeparableConv2d is both. By itself it mixes nothing.",
  source: "https://pytorch.org/docs/2.13/generated/torch.nn.Conv2d.html",
  keywords: ["convolution", "groups", "mobilenet", "light"],
  params: {
    ...filterParams(2),
    depth_multiplier: p.int({ min: 1, default: 1, doc: "How many filters for each channel." }),
    bias: p.bool({ default: true, doc: "Adds a learned number to each channel; superfluous before a BatchNorm." }),
  },
  inputs: { x: { doc: SPATIAL_INPUT[2] } },
  slides: (params) => slidingOf(2, params),
  summary: (params) => [...summarizeFilter(2, params), ...(params.depth_multiplier === 1 ? [] : [`${params.depth_multiplier} each`])].join(", "),
  infer: (params, { x }) =>
    needImage("DepthwiseConv2d", 2, x.shape) ?? needChannels("DepthwiseConv2d", x.shape) ?? inferConvolution("DepthwiseConv2d", asConvolution(params, x), x),
  lower: (params, { x }, b, { outputs: { y } }) => ({ y: lowerConvolution(asConvolution(params, x.type), x, b, y ?? x.type) }),
  onnx: (params, { x }, b) => ({ y: writeConvolution(asConvolution(params, x.type), x, b) }),
  torch: (params, { inputs: { x } }) => ({ module: pythonConvolution(asConvolution(params, x), x), forward: (self, { x }) => `${self}(${x})` }),
  cost: (params, { inputs: { x }, outputs: { y } }) => costConvolution(asConvolution(params, x), x, y ?? x),
  examples: [
    { inputs: { x: [2, 3, 6, 6] } },
    { params: { depth_multiplier: 2, stride: 2, padding: 1, bias: false }, inputs: { x: [2, 3, 7, 6] } },
    { params: { padding: "same", dilation: 2, padding_mode: "circular" }, inputs: { x: [2, 2, 6, 6] } },
  ],
});

function asConvolution({ depth_multiplier, ...params }: Omit<Convolution, "out_channels" | "groups"> & { depth_multiplier: number }, x: TensorType): Convolution {
  const channels = Number(x.shape[1]);
  return { ...params, out_channels: channels * depth_multiplier, groups: channels };
}
