import { defineComposed, sketchBody } from "./composed.ts";
import { filterParams, summarizeFilter } from "./convolution.ts";
import { p } from "./params.ts";
import { needImage, SPATIAL_INPUT } from "./window.ts";

export const separableConv2d = defineComposed({
  type: "separable_conv2d",
  title: "SeparableConv2d",
  category: "convolution",
  doc: "Filters each channel by itself, then mixes the channels: nearly what Conv2d does, for a fraction of the work.",
  formula: "y = pointwise(depthwise(x))",
  when: "In light networks, as Xception and MobileNet. Where work and weights do not matter, Conv2d fits better.",
  source: "https://arxiv.org/abs/1610.02357",
  keywords: ["depthwise separable", "convolution", "xception", "mobilenet", "light"],
  params: {
    out_channels: p.int({ min: 1, default: 32, doc: "How many channels come out." }),
    ...filterParams(2),
    depth_multiplier: p.int({ min: 1, default: 1, doc: "How many filters for each channel before they are mixed." }),
    bias: p.bool({ default: true, doc: "Adds a learned number to each channel, in both steps; superfluous before a BatchNorm." }),
  },
  inputs: { x: { doc: SPATIAL_INPUT[2] } },
  summary: (params) => [`${params.out_channels} filters`, ...summarizeFilter(2, params)].join(", "),
  compose: ({ out_channels, ...filter }, { x }) =>
    needImage("SeparableConv2d", 2, x.shape) ??
    sketchBody(["x"], { depthwise: ["depthwise_conv2d", filter], pointwise: ["pointwise_conv", { out_channels, bias: filter.bias }] }, { y: "pointwise" }),
  examples: [
    { params: { out_channels: 4 }, inputs: { x: [2, 3, 6, 6] } },
    { params: { out_channels: 5, kernel_size: [3, 2], stride: 2, padding: 1, depth_multiplier: 2, bias: false }, inputs: { x: [2, 3, 7, 6] } },
    { params: { out_channels: 2, padding: "same", dilation: 2, padding_mode: "reflect" }, inputs: { x: [2, 2, 6, 6] } },
  ],
});
