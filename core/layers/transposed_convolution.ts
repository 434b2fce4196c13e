import { subtract } from "../graph/dims.ts";
import type { Dim } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { divisorFixes } from "./convolution.ts";
import { linearWeights } from "./initializers.ts";
import { countPerSample, defineLayer, float32 } from "./kit.ts";
import { formatSize, p, perAxis, pythonCall } from "./params.ts";
import { type Axes, needChannels, needFit, needImage, SPATIAL_INPUT, scaleUp } from "./window.ts";

const ABOUT = {
  1: "A convolution run backwards: each point paints a filter, which makes sequences longer; for decoders of audio and signals.",
  2: "A convolution run backwards: each pixel paints a filter, which makes images larger; for decoders and generators.",
  3: "A convolution run backwards: each voxel paints a filter, which makes volumes larger; for decoders of scans and videos.",
};

/** ConvTranspose1d, ConvTranspose2d and ConvTranspose3d differ in their number of spatial axes alone. */
export function defineTransposedConvolution(axes: Axes) {
  const title = `ConvTranspose${axes}d`;
  return defineLayer({
    type: `conv_transpose${axes}d`,
    title,
    category: "convolution",
    doc: ABOUT[axes],
    formula: "y[n, o, stride · i + dilation · k − padding] = b[o] + the sum of w[c, o, k] · x[n, c, i] over all c, i, k that meet there",
    when: "Where the way up should be learned. A kernel that the stride does not divide leaves a chequered pattern; Upsample and a convolution does not.",
    source: `https://pytorch.org/docs/2.13/generated/torch.nn.${title}.html`,
    keywords: ["deconvolution", "upsample", "decoder", "generator", "u-net", "autoencoder"],
    params: {
      out_channels: p.int({ min: 1, default: 32, doc: "How many channels come out." }),
      kernel_size: p.size({ axes, min: 1, default: 2, doc: "Size of a filter." }),
      stride: p.size({ axes, min: 1, default: 2, doc: "How far apart the filters are painted; 2 doubles the size." }),
      padding: p.size({ axes, min: 0, default: 0, doc: "Cut off around the result." }),
      output_padding: p.size({ axes, min: 0, default: 0, doc: "Added at the end of each axis of the result; smaller than the stride." }),
      dilation: p.size({ axes, min: 1, default: 1, doc: "Distance between the points of a filter." }),
      groups: p.int({ min: 1, default: 1, doc: "Splits the channels into groups that do not see each other." }),
      bias: p.bool({ default: true, doc: "Adds a learned number to each channel." }),
    },
    inputs: { x: { doc: SPATIAL_INPUT[axes] } },
    summary: ({ out_channels, kernel_size, stride }) => `${out_channels} channels, ${formatSize(kernel_size, axes)}, ×${formatSize(stride, axes).replaceAll("×", "/")}`,
    infer: ({ out_channels, groups, bias, ...window }, { x: { shape } }) => {
      const wrong = needImage(title, axes, shape) ?? needChannels(title, shape);
      if (wrong) return wrong;
      const channels = Number(shape[1]);
      const undivided = [channels, out_channels].find((count) => count % groups !== 0);
      if (undivided !== undefined)
        return {
          problem: say("{title} cannot split {undivided} channels into {groups} groups.", { title, undivided, groups }),
          code: "GRAPH_PARAM",
          param: "groups",
          fixes: divisorFixes("groups", groups, undivided),
        };
      const { kernel, stride, padding, outputPadding, dilation } = read(window);
      if (outputPadding.some((pad, i) => pad >= Math.max(stride[i] ?? 1, dilation[i] ?? 1))) {
        return {
          problem: say("{title}'s output_padding must be smaller than its stride or dilation; it is {outputPadding}, the stride {stride}.", {
            title,
            outputPadding: outputPadding.join("×"),
            stride: stride.join("×"),
          }),
          code: "GRAPH_PARAM",
          param: "output_padding",
          fixes: [{ kind: "set-param", label: say("Set output_padding to 0"), name: "output_padding", value: 0 }],
        };
      }
      const sizes = shape.slice(2);
      const result = sizes.map((size, i): Dim => scaleUp(size, stride[i] ?? 1, (dilation[i] ?? 1) * ((kernel[i] ?? 1) - 1) - 2 * (padding[i] ?? 0) + (outputPadding[i] ?? 0)));
      // What output_padding adds beyond what was cut off is empty, so something must be left without it.
      const painted = result.map((size, i) => subtract(size, Math.max(0, (outputPadding[i] ?? 0) - (padding[i] ?? 0))));
      const unfit = needFit(title, sizes, painted, kernel, [{ kind: "set-param", label: say("Set padding to 0"), name: "padding", value: 0 }]);
      if (unfit)
        return {
          ...unfit,
          problem: say("{title}'s padding cuts off more than there is: its result would be {painted}.", { title, painted: painted.join("×") }),
          code: "GRAPH_PARAM",
          param: "padding",
          port: undefined,
        };
      return {
        outputs: { y: float32([shape[0] ?? "B", out_channels, ...result]) },
        weights: linearWeights([channels, out_channels / groups, ...kernel], bias ? out_channels : null),
      };
    },
    lower: ({ groups, bias, ...window }, { x }, b, { outputs: { y } }) => {
      const { stride, padding, outputPadding, dilation } = read(window);
      return {
        y: b.call(
          axes === 1 ? "aten::conv_transpose1d" : `aten::conv_transpose${axes}d.input`,
          [x, b.weight("weight"), bias ? b.weight("bias") : null, { ints: stride }, { ints: padding }, { ints: outputPadding }, groups, { ints: dilation }],
          y ?? x.type,
        ),
      };
    },
    onnx: ({ out_channels, groups, bias, ...window }, { x }, b) => {
      const { kernel, stride, padding, outputPadding, dilation } = read(window);
      // ONNX Runtime takes no output_padding from the stride on: cut off less at the end instead, and add what is beyond as zeros.
      const isLarge = outputPadding.some((pad, i) => pad >= (stride[i] ?? 1));
      const beyond = outputPadding.map((pad, i) => (isLarge ? Math.max(0, pad - (padding[i] ?? 0)) : 0));
      const ends = padding.map((pad, i) => (isLarge ? Math.max(0, pad - (outputPadding[i] ?? 0)) : pad));
      const isBeyond = beyond.some((pad) => pad > 0);
      const [result = ""] = b.node("ConvTranspose", [x.name, b.weight("weight"), bias && !isBeyond ? b.weight("bias") : null], {
        kernel_shape: kernel,
        strides: stride,
        pads: [...padding, ...ends],
        output_padding: isLarge ? outputPadding.map(() => 0) : outputPadding,
        dilations: dilation,
        group: groups,
      });
      if (!isBeyond) return { y: result };
      const [padded = ""] = b.node("Pad", [result, b.constant([...Array<number>(axes + 4).fill(0), ...beyond], [2 * axes + 4], "int64")]);
      if (!bias) return { y: padded };
      const [shift = ""] = b.node("Reshape", [b.weight("bias"), b.constant([out_channels, ...beyond.map(() => 1)], [axes + 1], "int64")]);
      const [y = ""] = b.node("Add", [padded, shift]);
      return { y };
    },
    torch: ({ out_channels, kernel_size, stride, padding, output_padding, dilation, groups, bias }, { inputs: { x } }) => ({
      module: pythonCall(`nn.${title}`, [x.shape[1] ?? 0, out_channels], {
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
      multiplyAdds: (countPerSample(x.shape) * out_channels * perAxis(kernel_size, axes).reduce((a, b) => a * b, 1)) / groups,
    }),
    examples: [
      { params: { out_channels: 4 }, inputs: { x: image(3, [5, 5, 3]) } },
      { params: { out_channels: 4, kernel_size: 3, padding: 1, output_padding: 1, groups: 2, bias: false }, inputs: { x: image(6, [4, 5, 3]) } },
      { params: { out_channels: 2, kernel_size: [3, 2, 2].slice(0, axes), stride: [1, 3, 2].slice(0, axes), dilation: 2, padding: 1 }, inputs: { x: image(3, [4, 3, 3]) } },
      { params: { out_channels: 2, stride: 1, dilation: 3, padding: 1, output_padding: 2 }, inputs: { x: image(2, [4, 3, 3]) } },
    ],
  });

  function read({ kernel_size, stride, padding, output_padding, dilation }: Window) {
    return {
      kernel: perAxis(kernel_size, axes),
      stride: perAxis(stride, axes),
      padding: perAxis(padding, axes),
      outputPadding: perAxis(output_padding, axes),
      dilation: perAxis(dilation, axes),
    };
  }

  function image(channels: number, sizes: number[]): number[] {
    return [2, channels, ...sizes.slice(0, axes)];
  }
}

type Window = { kernel_size: number | number[]; stride: number | number[]; padding: number | number[]; output_padding: number | number[]; dilation: number | number[] };
