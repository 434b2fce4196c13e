import { type Convolution, costConvolution, inferConvolution, lowerConvolution, pythonConvolution, writeConvolution } from "./convolution.ts";
import { defineLayer } from "./kit.ts";
import { p } from "./params.ts";
import { needImage } from "./window.ts";

/** A convolution whose filters see one point, over as many axes as its input has. */
export const pointwiseConv = defineLayer({
  type: "pointwise_conv",
  title: "PointwiseConv",
  category: "convolution",
  doc: "Mixes the channels of each point by itself, as a 1×1 convolution: changes their number cheaply.",
  formula: "y[n, o, i] = b[o] + Σ over c of w[o, c] · x[n, c, i]",
  when: "To widen or narrow channels between other convolutions. It sees no neighbours; where channels are the last axis, Linear is the same.",
  source: "https://pytorch.org/docs/2.13/generated/torch.nn.Conv2d.html",
  keywords: ["1x1", "convolution", "channels", "bottleneck", "projection"],
  params: {
    out_channels: p.int({ min: 1, default: 32, doc: "How many channels come out." }),
    groups: p.int({ min: 1, default: 1, doc: "Splits the channels into groups that do not see each other." }),
    bias: p.bool({ default: true, doc: "Adds a learned number to each channel; superfluous before a BatchNorm." }),
  },
  inputs: { x: { doc: "[N, channels, ...] with one to three axes behind the channels." } },
  summary: ({ out_channels }) => `${out_channels} channels`,
  infer: (params, { x }) =>
    (x.shape.length === 3 || x.shape.length === 5 ? null : needImage("PointwiseConv", 2, x.shape)) ?? inferConvolution("PointwiseConv", asConvolution(params), x),
  lower: (params, { x }, b, { outputs: { y } }) => ({ y: lowerConvolution(asConvolution(params), x, b, y ?? x.type) }),
  onnx: (params, { x }, b) => ({ y: writeConvolution(asConvolution(params), x, b) }),
  torch: (params, { inputs: { x } }) => ({ module: pythonConvolution(asConvolution(params), x), forward: (self, { x }) => `${self}(${x})` }),
  cost: (params, { inputs: { x }, outputs: { y } }) => costConvolution(asConvolution(params), x, y ?? x),
  examples: [
    { params: { out_channels: 5 }, inputs: { x: [2, 3, 4, 4] } },
    { params: { out_channels: 4, groups: 2, bias: false }, inputs: { x: [2, 6, 5] } },
    { params: { out_channels: 2 }, inputs: { x: [2, 3, 2, 3, 4] } },
  ],
});

function asConvolution(params: { out_channels: number; groups: number; bias: boolean }): Convolution {
  return { ...params, kernel_size: 1, stride: 1, padding: 0, dilation: 1, padding_mode: "zeros" };
}
