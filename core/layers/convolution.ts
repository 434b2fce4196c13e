import { printShape } from "../graph/shape.ts";
import { linearWeights } from "./initializers.ts";
import { countPerSample, defineLayer, type Fix, float32 } from "./kit.ts";
import { formatSize, p, perAxis, pythonCall } from "./params.ts";
import { needFit, needImage, slide } from "./window.ts";

/** Conv1d and Conv2d differ in their number of spatial axes alone. */
export function defineConvolution(axes: 1 | 2) {
  const title = `Conv${axes}d`;
  return defineLayer({
    type: `conv${axes}d`,
    title,
    category: "convolution",
    doc: axes === 2 ? "Slides small learned filters over an image: finds edges, textures and parts wherever they are." : "Slides small learned filters along a sequence or signal.",
    source: `https://pytorch.org/docs/2.13/generated/torch.nn.${title}.html`,
    keywords: axes === 2 ? ["convolution", "filter", "kernel", "image", "cnn"] : ["convolution", "filter", "signal", "tcn"],
    params: {
      out_channels: p.int({ min: 1, default: 32, doc: "How many filters, each giving one channel." }),
      kernel_size: p.size({ axes, min: 1, default: 3, doc: "Size of a filter." }),
      stride: p.size({ axes, min: 1, default: 1, doc: "How far the filter moves at each step; 2 halves the size." }),
      padding: p.size({ axes, min: 0, default: 0, words: ["same", "valid"], doc: "Zeros added around; `same` keeps the size." }),
      dilation: p.size({ axes, min: 1, default: 1, doc: "Distance between the points of a filter." }),
      groups: p.int({ min: 1, default: 1, doc: "Splits the channels into groups that do not see each other; as many as channels: depthwise." }),
      bias: p.bool({ default: true, doc: "Adds a learned number to each channel; superfluous before a BatchNorm." }),
    },
    inputs: { x: { doc: axes === 2 ? "Images: [N, channels, height, width]." : "Sequences: [N, channels, length]." } },
    summary: ({ out_channels, kernel_size, stride, padding }) =>
      [
        `${out_channels} filters`,
        formatSize(kernel_size, axes),
        ...(padding === "same" ? ["same"] : []),
        ...(formatSize(stride, axes) === formatSize(1, axes) ? [] : [`stride ${formatSize(stride, axes)}`]),
      ].join(", "),
    infer: ({ out_channels, groups, bias, ...window }, { x: { shape } }) => {
      const wrong = needImage(title, axes, shape);
      if (wrong) return wrong;
      const channels = shape[1];
      if (typeof channels !== "number")
        return {
          problem: `${title} needs to know its number of channels, but axis 1 of ${printShape(shape)} is known only at run time.`,
          port: "x",
          hint: "Move that axis with Permute.",
        };
      if (channels % groups !== 0)
        return {
          problem: `${title} cannot split ${channels} channels into ${groups} groups.`,
          code: "GRAPH_PARAM",
          param: "groups",
          fixes: divisorFixes("groups", groups, channels),
        };
      if (out_channels % groups !== 0)
        return {
          problem: `${title} cannot split ${out_channels} filters into ${groups} groups.`,
          code: "GRAPH_PARAM",
          param: "out_channels",
          fixes: [roundUp("out_channels", out_channels, groups)],
        };
      const kernel = perAxis(window.kernel_size, axes);
      const stride = perAxis(window.stride, axes);
      const dilation = perAxis(window.dilation, axes);
      if (window.padding === "same" && stride.some((s) => s !== 1)) {
        return {
          problem: `${title} can keep the size (padding same) only where its stride is 1, and its stride is ${stride.join("×")}.`,
          code: "GRAPH_PARAM",
          param: "padding",
          fixes: [
            { kind: "set-param", label: `Set padding to ${Math.max(...kernel) >> 1}`, name: "padding", value: kernel.map((k) => k >> 1) },
            { kind: "set-param", label: "Set stride to 1", name: "stride", value: 1 },
          ],
        };
      }
      const pads = padsOf(window.padding, kernel, dilation);
      const sizes = shape.slice(2);
      const result = sizes.map((size, i) =>
        slide(size, { kernel: kernel[i] ?? 1, stride: stride[i] ?? 1, dilation: dilation[i] ?? 1, pads: (pads[0]?.[i] ?? 0) + (pads[1]?.[i] ?? 0) }),
      );
      const unfit = needFit(
        title,
        sizes,
        result,
        kernel.map((k, i) => (dilation[i] ?? 1) * (k - 1) + 1),
        stride.every((s) => s === 1) ? [{ kind: "set-param", label: "Set padding to same", name: "padding", value: "same" }] : [],
      );
      if (unfit) return unfit;
      return {
        outputs: { y: float32([shape[0] ?? "B", out_channels, ...result]) },
        weights: linearWeights([out_channels, channels / groups, ...kernel], bias ? out_channels : null),
      };
    },
    lower: ({ stride, padding, dilation, groups, bias }, { x }, b, { outputs: { y } }) => ({
      y: b.call(
        typeof padding === "string" ? `aten::conv${axes}d.padding` : `aten::conv${axes}d`,
        [
          x,
          b.weight("weight"),
          bias ? b.weight("bias") : null,
          { ints: perAxis(stride, axes) },
          typeof padding === "string" ? padding : { ints: perAxis(padding, axes) },
          { ints: perAxis(dilation, axes) },
          groups,
        ],
        y ?? x.type,
      ),
    }),
    onnx: ({ kernel_size, stride, padding, dilation, groups, bias }, { x }, b) => {
      const kernel = perAxis(kernel_size, axes);
      const dilations = perAxis(dilation, axes);
      const [y = ""] = b.node("Conv", [x.name, b.weight("weight"), bias ? b.weight("bias") : null], {
        kernel_shape: kernel,
        strides: perAxis(stride, axes),
        pads: padsOf(padding, kernel, dilations).flat(),
        dilations,
        group: groups,
      });
      return { y };
    },
    torch: ({ out_channels, kernel_size, stride, padding, dilation, groups, bias }, { inputs: { x } }) => ({
      module: pythonCall(`nn.${title}`, [x.shape[1] ?? 0, out_channels], {
        kernel_size: [kernel_size, null],
        stride: [stride, 1],
        padding: [padding, 0],
        dilation: [dilation, 1],
        groups: [groups, 1],
        bias: [bias, true],
      }),
      forward: (self, { x }) => `${self}(${x})`,
    }),
    cost: ({ kernel_size, groups }, { inputs: { x }, outputs: { y } }) => ({
      multiplyAdds: (countPerSample(y?.shape ?? []) * Number(x.shape[1]) * perAxis(kernel_size, axes).reduce((a, b) => a * b, 1)) / groups,
    }),
    examples: [
      { params: { out_channels: 4, kernel_size: 3 }, inputs: { x: image(axes, 2, 7) } },
      { params: { out_channels: 4, kernel_size: 4, padding: "same", dilation: 2, bias: false }, inputs: { x: image(axes, 2, 7) } },
      { params: { out_channels: 6, kernel_size: axes === 2 ? [3, 2] : [3], stride: 2, padding: 1, groups: 2 }, inputs: { x: image(axes, 4, 8) } },
    ],
  });
}

/** Zeros before and after each axis. Where `same` needs an odd number, PyTorch puts the odd one after. */
function padsOf(padding: number | number[] | "same" | "valid", kernel: number[], dilation: number[]): [number[], number[]] {
  if (padding === "same") {
    const totals = kernel.map((k, i) => (dilation[i] ?? 1) * (k - 1));
    return [totals.map((total) => total >> 1), totals.map((total) => total - (total >> 1))];
  }
  const each = padding === "valid" ? kernel.map(() => 0) : perAxis(padding, kernel.length);
  return [each, each];
}

/** Offers the greatest number not above `value` that divides `whole`. */
export function divisorFixes(name: string, value: number, whole: number): Fix[] {
  let divisor = Math.min(value, whole);
  while (whole % divisor !== 0) divisor--;
  return [{ kind: "set-param", label: `Set ${name} to ${divisor}`, name, value: divisor }];
}

function roundUp(name: string, value: number, multiple: number): Fix {
  const next = Math.ceil(value / multiple) * multiple;
  return { kind: "set-param", label: `Set ${name} to ${next}`, name, value: next };
}

function image(axes: 1 | 2, channels: number, size: number): number[] {
  return [2, channels, ...Array<number>(axes).fill(size)];
}
