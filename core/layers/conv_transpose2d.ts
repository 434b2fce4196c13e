import { type Dim, printShape } from "../graph/shape.ts";
import { divisorFixes } from "./convolution.ts";
import { linearWeights } from "./initializers.ts";
import { countPerSample, defineLayer, float32 } from "./kit.ts";
import { formatSize, p, perAxis, pythonCall } from "./params.ts";
import { needFit, needImage, scaleUp } from "./window.ts";

export const convTranspose2d = defineLayer({
  type: "conv_transpose2d",
  title: "ConvTranspose2d",
  category: "convolution",
  doc: "A convolution run backwards: each pixel paints a filter, which makes images larger; for decoders and generators.",
  source: "https://pytorch.org/docs/2.13/generated/torch.nn.ConvTranspose2d.html",
  keywords: ["deconvolution", "upsample", "decoder", "generator", "u-net", "autoencoder"],
  params: {
    out_channels: p.int({ min: 1, default: 32, doc: "How many channels come out." }),
    kernel_size: p.size({ axes: 2, min: 1, default: 2, doc: "Size of a filter." }),
    stride: p.size({ axes: 2, min: 1, default: 2, doc: "How far apart the filters are painted; 2 doubles the size." }),
    padding: p.size({ axes: 2, min: 0, default: 0, doc: "Cut off around the result." }),
    output_padding: p.size({ axes: 2, min: 0, default: 0, doc: "Added at the lower right of the result; smaller than the stride." }),
    dilation: p.size({ axes: 2, min: 1, default: 1, doc: "Distance between the points of a filter." }),
    groups: p.int({ min: 1, default: 1, doc: "Splits the channels into groups that do not see each other." }),
    bias: p.bool({ default: true, doc: "Adds a learned number to each channel." }),
  },
  inputs: { x: { doc: "Images: [N, channels, height, width]." } },
  summary: ({ out_channels, kernel_size, stride }) => `${out_channels} channels, ${formatSize(kernel_size, 2)}, ×${formatSize(stride, 2).replace("×", "/")}`,
  infer: ({ out_channels, groups, bias, ...window }, { x: { shape } }) => {
    const wrong = needImage("ConvTranspose2d", 2, shape);
    if (wrong) return wrong;
    const channels = shape[1];
    if (typeof channels !== "number")
      return {
        problem: `ConvTranspose2d needs to know its number of channels, but axis 1 of ${printShape(shape)} is known only at run time.`,
        port: "x",
        hint: "Move that axis with Permute.",
      };
    if (channels % groups !== 0)
      return {
        problem: `ConvTranspose2d cannot split ${channels} channels into ${groups} groups.`,
        code: "GRAPH_PARAM",
        param: "groups",
        fixes: divisorFixes("groups", groups, channels),
      };
    if (out_channels % groups !== 0)
      return {
        problem: `ConvTranspose2d cannot split ${out_channels} channels into ${groups} groups.`,
        code: "GRAPH_PARAM",
        param: "groups",
        fixes: divisorFixes("groups", groups, out_channels),
      };
    const { kernel, stride, padding, outputPadding, dilation } = read(window);
    if (outputPadding.some((pad, i) => pad >= Math.max(stride[i] ?? 1, dilation[i] ?? 1))) {
      return {
        problem: `ConvTranspose2d's output_padding must be smaller than its stride or dilation; it is ${outputPadding.join("×")}, the stride ${stride.join("×")}.`,
        code: "GRAPH_PARAM",
        param: "output_padding",
        fixes: [{ kind: "set-param", label: "Set output_padding to 0", name: "output_padding", value: 0 }],
      };
    }
    const sizes = shape.slice(2);
    const result = sizes.map((size, i): Dim => scaleUp(size, stride[i] ?? 1, (dilation[i] ?? 1) * ((kernel[i] ?? 1) - 1) - 2 * (padding[i] ?? 0) + (outputPadding[i] ?? 0)));
    const unfit = needFit("ConvTranspose2d", sizes, result, kernel, [{ kind: "set-param", label: "Set padding to 0", name: "padding", value: 0 }]);
    if (unfit) return unfit;
    return {
      outputs: { y: float32([shape[0] ?? "B", out_channels, ...result]) },
      weights: linearWeights([channels, out_channels / groups, ...kernel], bias ? out_channels : null),
    };
  },
  lower: ({ groups, bias, ...window }, { x }, b, { outputs: { y } }) => {
    const { stride, padding, outputPadding, dilation } = read(window);
    return {
      y: b.call(
        "aten::conv_transpose2d.input",
        [x, b.weight("weight"), bias ? b.weight("bias") : null, { ints: stride }, { ints: padding }, { ints: outputPadding }, groups, { ints: dilation }],
        y ?? x.type,
      ),
    };
  },
  onnx: ({ groups, bias, ...window }, { x }, b) => {
    const { kernel, stride, padding, outputPadding, dilation } = read(window);
    const [y = ""] = b.node("ConvTranspose", [x.name, b.weight("weight"), bias ? b.weight("bias") : null], {
      kernel_shape: kernel,
      strides: stride,
      pads: [...padding, ...padding],
      output_padding: outputPadding,
      dilations: dilation,
      group: groups,
    });
    return { y };
  },
  torch: ({ out_channels, kernel_size, stride, padding, output_padding, dilation, groups, bias }, { inputs: { x } }) => ({
    module: pythonCall("nn.ConvTranspose2d", [x.shape[1] ?? 0, out_channels], {
      kernel_size: [kernel_size, null],
      stride: [stride, 1],
      padding: [padding, 0],
      output_padding: [output_padding, 0],
      groups: [groups, 1],
      bias: [bias, true],
      dilation: [dilation, 1],
    }),
    forward: (self, { x }) => `${self}(${x})`,
  }),
  cost: ({ out_channels, kernel_size, groups }, { inputs: { x } }) => ({
    multiplyAdds: (countPerSample(x.shape) * out_channels * perAxis(kernel_size, 2).reduce((a, b) => a * b, 1)) / groups,
  }),
  examples: [
    { params: { out_channels: 4 }, inputs: { x: [2, 3, 5, 5] } },
    { params: { out_channels: 4, kernel_size: 3, padding: 1, output_padding: 1, groups: 2, bias: false }, inputs: { x: [2, 6, 4, 5] } },
  ],
});

type Window = { kernel_size: number | number[]; stride: number | number[]; padding: number | number[]; output_padding: number | number[]; dilation: number | number[] };

function read({ kernel_size, stride, padding, output_padding, dilation }: Window) {
  return { kernel: perAxis(kernel_size, 2), stride: perAxis(stride, 2), padding: perAxis(padding, 2), outputPadding: perAxis(output_padding, 2), dilation: perAxis(dilation, 2) };
}
