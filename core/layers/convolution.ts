import { add } from "../graph/dims.ts";
import type { Shape, TensorType } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { linearWeights } from "./initializers.ts";
import {
  type Cost,
  countPerSample,
  defineLayer,
  type Fix,
  float32,
  type InferProblem,
  type Inferred,
  type OnnxBuilder,
  type OnnxValue,
  type ProgramBuilder,
  type Value,
} from "./kit.ts";
import { formatSize, p, perAxis, pythonCall } from "./params.ts";
import { type Axes, needChannels, needFit, needImage, SPATIAL_INPUT, slide, slidingOf } from "./window.ts";

/** A convolution as its parameters say it. */
export type Convolution = {
  out_channels: number;
  kernel_size: number | number[];
  stride: number | number[];
  padding: number | number[] | "same" | "valid";
  dilation: number | number[];
  groups: number;
  bias: boolean;
  padding_mode: "zeros" | "reflect" | "replicate" | "circular";
};

/** The parameters of a sliding filter. */
export function filterParams(axes: Axes) {
  return {
    kernel_size: p.size({ axes, min: 1, default: 3, doc: "Size of a filter." }),
    stride: p.size({ axes, min: 1, default: 1, doc: "How far the filter moves at each step; 2 halves the size." }),
    padding: p.size({ axes, min: 0, default: 0, words: ["same", "valid"], doc: "Border added around; `same` keeps the size." }),
    dilation: p.size({ axes, min: 1, default: 1, doc: "Distance between the points of a filter." }),
    padding_mode: p.choice({
      options: ["zeros", "reflect", "replicate", "circular"],
      default: "zeros",
      doc: "What the border holds: zeros, the mirrored inside, the edge again, or the opposite side.",
    }),
  };
}

const ABOUT = {
  1: {
    doc: "Slides small learned filters along a sequence or signal.",
    when: "For audio, sensors and text, where a pattern means the same wherever it stands.",
    keywords: ["signal", "tcn"],
  },
  2: {
    doc: "Slides small learned filters over an image: finds edges, textures and parts wherever they are.",
    when: "For images and maps, where a pattern means the same wherever it stands.",
    keywords: ["image", "cnn"],
  },
  3: {
    doc: "Slides small learned filters through a volume or a video: finds shapes and movements wherever they are.",
    when: "For scans and short videos, where a pattern means the same wherever it stands; it costs far more than Conv2d on each slice.",
    keywords: ["volume", "video", "scan"],
  },
};

/** Conv1d, Conv2d and Conv3d differ in their number of spatial axes alone. */
export function defineConvolution(axes: Axes) {
  const title = `Conv${axes}d`;
  const { padding_mode, ...filter } = filterParams(axes);
  return defineLayer({
    type: `conv${axes}d`,
    title,
    category: "convolution",
    doc: ABOUT[axes].doc,
    formula: "y[n, o, i] = b[o] + Σ over c, k of w[o, c, k] · x[n, c, stride · i + dilation · k − padding]",
    when: `${ABOUT[axes].when} For unordered features take Linear.`,
    source: `https://pytorch.org/docs/2.13/generated/torch.nn.${title}.html`,
    keywords: ["convolution", "filter", "kernel", ...ABOUT[axes].keywords],
    params: {
      out_channels: p.int({ min: 1, default: 32, doc: "How many filters, each giving one channel." }),
      ...filter,
      groups: p.int({ min: 1, default: 1, doc: "Splits the channels into groups that do not see each other; as many as channels: depthwise." }),
      bias: p.bool({ default: true, doc: "Adds a learned number to each channel; superfluous before a BatchNorm." }),
      padding_mode,
    },
    inputs: { x: { doc: SPATIAL_INPUT[axes] } },
    slides: (params) => slidingOf(axes, params),
    summary: (params) => [`${params.out_channels} filters`, ...summarizeFilter(axes, params)].join(", "),
    infer: (params, { x }) => needImage(title, axes, x.shape) ?? inferConvolution(title, params, x),
    lower: (params, { x }, b, { outputs: { y } }) => ({ y: lowerConvolution(params, x, b, y ?? x.type) }),
    onnx: (params, { x }, b) => ({ y: writeConvolution(params, x, b) }),
    torch: (params, { inputs: { x } }) => ({ module: pythonConvolution(params, x), forward: (self, { x }) => `${self}(${x})` }),
    cost: (params, { inputs: { x }, outputs: { y } }) => costConvolution(params, x, y ?? x),
    examples: [
      { params: { out_channels: 4, kernel_size: 3 }, inputs: { x: image(2, 7) } },
      { params: { out_channels: 4, kernel_size: 4, padding: "same", dilation: 2, bias: false }, inputs: { x: image(2, 7) } },
      { params: { out_channels: 6, kernel_size: [3, 2, 2].slice(0, axes), stride: 2, padding: 1, groups: 2 }, inputs: { x: image(4, 8) } },
      { params: { out_channels: 3, padding: 2, padding_mode: "reflect" }, inputs: { x: image(2, 4) } },
      { params: { out_channels: 3, kernel_size: 4, padding: "same", padding_mode: "replicate" }, inputs: { x: image(2, 4) } },
      { params: { out_channels: 3, padding: [1, 2, 0].slice(0, axes), stride: 2, padding_mode: "circular" }, inputs: { x: image(2, 5) } },
    ],
  });

  function image(channels: number, size: number): number[] {
    return [2, channels, ...Array<number>(axes).fill(size)];
  }
}

/** `3×3`, `same`, `stride 2×2`, as far as they are worth saying. */
export function summarizeFilter(axes: Axes, { kernel_size, stride, padding }: Pick<Convolution, "kernel_size" | "stride" | "padding">): string[] {
  const isStep = formatSize(stride, axes) !== formatSize(1, axes);
  return [formatSize(kernel_size, axes), ...(padding === "same" ? ["same"] : []), ...(isStep ? [`stride ${formatSize(stride, axes)}`] : [])];
}

/** Sizes and weights of a convolution over [N, channels, ...]. */
export function inferConvolution(title: string, params: Convolution, { shape }: TensorType): Inferred {
  const unknown = needChannels(title, shape);
  if (unknown) return unknown;
  const { out_channels, groups, bias } = params;
  const channels = Number(shape[1]);
  if (channels % groups !== 0)
    return {
      problem: say("{title} cannot split {channels} channels into {groups} groups.", { title, channels, groups }),
      code: "GRAPH_PARAM",
      param: "groups",
      fixes: divisorFixes("groups", groups, channels),
    };
  if (out_channels % groups !== 0)
    return {
      problem: say("{title} cannot split {out_channels} filters into {groups} groups.", { title, out_channels, groups }),
      code: "GRAPH_PARAM",
      param: "out_channels",
      fixes: [roundUp("out_channels", out_channels, groups)],
    };
  const sizes = shape.slice(2);
  const { kernel, stride, dilation, before, after } = readFilter(params, sizes.length);
  if (params.padding === "same" && stride.some((s) => s !== 1)) {
    return {
      problem: say("{title} can keep the size (padding same) only where its stride is 1, and its stride is {stride}.", { title, stride: stride.join("×") }),
      code: "GRAPH_PARAM",
      param: "padding",
      fixes: [
        { kind: "set-param", label: say("Set padding to {value}", { value: Math.max(...kernel) >> 1 }), name: "padding", value: kernel.map((k) => k >> 1) },
        { kind: "set-param", label: say("Set stride to 1"), name: "stride", value: 1 },
      ],
    };
  }
  const unfilled = needFilling(title, params.padding_mode, sizes, before, after);
  if (unfilled) return unfilled;
  const result = sizes.map((size, i) => slide(size, { kernel: kernel[i] ?? 1, stride: stride[i] ?? 1, dilation: dilation[i] ?? 1, pads: (before[i] ?? 0) + (after[i] ?? 0) }));
  const unfit = needFit(
    title,
    sizes,
    result,
    kernel.map((k, i) => (dilation[i] ?? 1) * (k - 1) + 1),
    stride.every((s) => s === 1) ? [{ kind: "set-param", label: say("Set padding to same"), name: "padding", value: "same" }] : [],
  );
  if (unfit) return unfit;
  return {
    outputs: { y: float32([shape[0] ?? "B", out_channels, ...result]) },
    weights: linearWeights([out_channels, channels / groups, ...kernel], bias ? out_channels : null),
  };
}

/** Why a border cannot be taken from the inside, or null where it can. */
function needFilling(title: string, mode: Convolution["padding_mode"], sizes: Shape, before: number[], after: number[]): InferProblem | null {
  const room = { zeros: Infinity, replicate: Infinity, reflect: -1, circular: 0 }[mode];
  const axis = sizes.findIndex((size, i) => typeof size === "number" && Math.max(before[i] ?? 0, after[i] ?? 0) > size + room);
  if (axis === -1) return null;
  return {
    problem: say("{title} cannot pad {axis} by {mode} where its input is only {sizes}.", {
      title,
      axis: Math.max(before[axis] ?? 0, after[axis] ?? 0),
      mode,
      sizes: sizes.join("×"),
    }),
    code: "GRAPH_PARAM",
    param: "padding_mode",
    hint: mode === "reflect" ? say("A mirror gives at most the size less 1.") : say("The opposite side gives at most the size."),
    fixes: [{ kind: "set-param", label: say("Set padding_mode to zeros"), name: "padding_mode", value: "zeros" }],
  };
}

/** Writes `aten::conv*`, behind `aten::pad` where the border is not zeros, as PyTorch's modules do. */
export function lowerConvolution(params: Convolution, x: Value, b: ProgramBuilder, y: TensorType): Value {
  const axes = x.type.shape.length - 2;
  const { stride, dilation, before, after, isPadded } = readFilter(params, axes);
  const { padding, padding_mode, groups, bias } = params;
  const padded = isPadded
    ? b.call("aten::pad", [x, { ints: fromLastAxis(before, after) }, padding_mode], {
        ...x.type,
        shape: [...x.type.shape.slice(0, 2), ...x.type.shape.slice(2).map((size, i) => add(size, (before[i] ?? 0) + (after[i] ?? 0)))],
      })
    : x;
  const pads = isPadded ? { ints: stride.map(() => 0) } : typeof padding === "string" ? padding : { ints: before };
  return b.call(
    typeof pads === "string" ? `aten::conv${axes}d.padding` : `aten::conv${axes}d`,
    [padded, b.weight("weight"), bias ? b.weight("bias") : null, { ints: stride }, pads, { ints: dilation }, groups],
    y,
  );
}

/** Writes ONNX's Conv, behind Pad where the border is not zeros. */
export function writeConvolution(params: Convolution, x: OnnxValue, b: OnnxBuilder): string {
  const axes = x.type.shape.length - 2;
  const { kernel, stride, dilation, before, after, isPadded } = readFilter(params, axes);
  const pads = b.constant([0, 0, ...before, 0, 0, ...after], [2 * axes + 4], "int64");
  const mode = { zeros: "constant", reflect: "reflect", replicate: "edge", circular: "wrap" }[params.padding_mode];
  const [padded = ""] = isPadded ? b.node("Pad", [x.name, pads], { mode }) : [x.name];
  const [y = ""] = b.node("Conv", [padded, b.weight("weight"), params.bias ? b.weight("bias") : null], {
    kernel_shape: kernel,
    strides: stride,
    pads: isPadded ? [...before, ...after].map(() => 0) : [...before, ...after],
    dilations: dilation,
    group: params.groups,
  });
  return y;
}

/** `nn.Conv2d(1, 32, kernel_size=3)` */
export function pythonConvolution({ out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode }: Convolution, { shape }: TensorType): string {
  return pythonCall(`nn.Conv${shape.length - 2}d`, [shape[1] ?? 0, out_channels], {
    kernel_size: [kernel_size, null],
    stride: [stride, 1],
    padding: [padding, 0],
    dilation: [dilation, 1],
    groups: [groups, 1],
    bias: [bias, true],
    padding_mode: [padding_mode, "zeros"],
  });
}

export function costConvolution({ kernel_size, groups }: Convolution, x: TensorType, y: TensorType): Cost {
  const kernel = perAxis(kernel_size, x.shape.length - 2);
  return { multiplyAdds: (countPerSample(y.shape) * Number(x.shape[1]) * kernel.reduce((a, b) => a * b, 1)) / groups };
}

/** One number for each axis; `before` and `after` are the border. Where `same` needs an odd number, PyTorch puts the odd one after. */
function readFilter({ kernel_size, stride, padding, dilation, padding_mode }: Convolution, axes: number) {
  const kernel = perAxis(kernel_size, axes);
  const dilations = perAxis(dilation, axes);
  const totals = kernel.map((k, i) => (dilations[i] ?? 1) * (k - 1));
  const given = padding === "valid" ? kernel.map(() => 0) : padding === "same" ? null : perAxis(padding, axes);
  const before = given ?? totals.map((total) => total >> 1);
  const after = given ?? totals.map((total) => total - (total >> 1));
  return {
    kernel,
    stride: perAxis(stride, axes),
    dilation: dilations,
    before,
    after,
    isPadded: padding_mode !== "zeros" && [...before, ...after].some((pad) => pad > 0),
  };
}

/** The border as `aten::pad` takes it: before and after the last axis, then the one in front of it, and so on. */
export function fromLastAxis(before: number[], after: number[]): number[] {
  return before
    .map((pad, i) => [pad, after[i] ?? 0])
    .reverse()
    .flat();
}

/** Offers the greatest number not above `value` that divides `whole`. */
export function divisorFixes(name: string, value: number, whole: number): Fix[] {
  let divisor = Math.min(value, whole);
  while (whole % divisor !== 0) divisor--;
  return [{ kind: "set-param", label: say("Set {name} to {divisor}", { name, divisor }), name, value: divisor }];
}

function roundUp(name: string, value: number, multiple: number): Fix {
  const next = Math.ceil(value / multiple) * multiple;
  return { kind: "set-param", label: say("Set {name} to {next}", { name, next }), name, value: next };
}
