import { say } from "../language/say.ts";
import { defineLayer, float32, type Inferred, type OnnxBuilder, type OnnxValue, onnxNode } from "./kit.ts";
import { formatSize, p, perAxis, pythonCall } from "./params.ts";
import { type Axes, needFit, needImage, SPATIAL_INPUT, slide, slideOver, slidingOf } from "./window.ts";

/** What MaxPool and AvgPool share, over one to three spatial axes. */
function windowParams(axes: Axes, paddingDoc: string) {
  return {
    kernel_size: p.size({ axes, min: 1, default: 2, doc: "Size of the window." }),
    stride: p.size({ axes, min: 1, default: "kernel", words: ["kernel"], doc: "How far the window moves; `kernel` moves by its own size." }),
    padding: p.size({ axes, min: 0, default: 0, doc: paddingDoc }),
  };
}
const ceilMode = p.bool({ default: false, doc: "Keeps what is left over at the end, in windows that stick out." });

type Window = { kernel_size: number | number[]; stride: number | number[] | "kernel"; padding: number | number[]; dilation?: number | number[]; ceil_mode: boolean };

/** MaxPool1d, MaxPool2d and MaxPool3d. */
export function defineMaxPooling(axes: Axes) {
  const title = `MaxPool${axes}d`;
  return defineLayer({
    ...about(title, axes),
    type: `max_pool${axes}d`,
    doc: "Keeps the greatest value of each window: shrinks and forgives small shifts.",
    formula: "y[n, c, i] = max over k of x[n, c, stride · i + dilation · k − padding]",
    when: "Between convolutions of a classifier, where it matters that something is there, not where. AvgPool keeps more of a texture; a convolution of stride 2 learns how to shrink.",
    params: {
      ...windowParams(axes, "Border around that is never the greatest; at most half the window."),
      dilation: p.size({ axes, min: 1, default: 1, doc: "Distance between the points of the window." }),
      ceil_mode: ceilMode,
    },
    slides: (params) => slidingOf(axes, params),
    infer: (params, { x: { shape } }) => inferPooling(title, axes, params, shape),
    lower: (params, { x }, b, { outputs: { y } }) => {
      const { kernel, stride, padding, dilation } = read(params, axes);
      return { y: b.call(`aten::max_pool${axes}d`, [x, { ints: kernel }, { ints: stride }, { ints: padding }, { ints: dilation }, params.ceil_mode], y ?? x.type) };
    },
    onnx: (params, { x }, b) => {
      const { kernel, stride, dilation } = read(params, axes);
      const { name, pads } = withoutRest(params, axes, x, b);
      const [y = ""] = b.node("MaxPool", [name], {
        kernel_shape: kernel,
        strides: stride,
        pads,
        dilations: dilation,
        ceil_mode: Number(params.ceil_mode),
      });
      return { y };
    },
    torch: ({ kernel_size, stride, padding, dilation, ceil_mode }) => ({
      module: pythonCall(`nn.${title}`, [], {
        kernel_size: [kernel_size, null],
        stride: [stride, "kernel"],
        padding: [padding, 0],
        dilation: [dilation, 1],
        ceil_mode: [ceil_mode, false],
      }),
      forward: (self, { x }) => `${self}(${x})`,
    }),
    examples: [
      { inputs: { x: image(axes, 8) } },
      { params: { kernel_size: 3, stride: 2, padding: 1 }, inputs: { x: image(axes, 7) } },
      { params: { kernel_size: 2, dilation: 3, stride: 1 }, inputs: { x: image(axes, 6) } },
      { params: { kernel_size: [3, 2, 2].slice(0, axes), stride: 2, ceil_mode: true }, inputs: { x: image(axes, 6) } },
    ],
  });
}

/** AvgPool1d, AvgPool2d and AvgPool3d. */
export function defineAvgPooling(axes: Axes) {
  const title = `AvgPool${axes}d`;
  return defineLayer({
    ...about(title, axes),
    type: `avg_pool${axes}d`,
    doc: "Takes the mean of each window: shrinks smoothly.",
    formula: "y[n, c, i] = mean over k of x[n, c, stride · i + k − padding]",
    when: "To shrink without losing the weak, as before a decoder or in style losses. MaxPool is usual where presence matters.",
    params: {
      ...windowParams(axes, "Zeros around; at most half the window."),
      ceil_mode: ceilMode,
      count_include_pad: p.bool({ default: true, doc: "Counts the zeros around in the mean." }),
    },
    slides: (params) => slidingOf(axes, params),
    infer: (params, { x: { shape } }) => inferPooling(title, axes, params, shape, axes === 3),
    lower: (params, { x }, b, { outputs: { y } }) => {
      const { kernel, stride, padding } = read(params, axes);
      return {
        y: b.call(`aten::avg_pool${axes}d`, [x, { ints: kernel }, { ints: stride }, { ints: padding }, params.ceil_mode, params.count_include_pad], y ?? x.type),
      };
    },
    onnx: (params, { x }, b) => {
      const { kernel, stride } = read(params, axes);
      const { name, pads } = withoutRest(params, axes, x, b);
      const [y = ""] = b.node("AveragePool", [name], {
        kernel_shape: kernel,
        strides: stride,
        pads,
        ceil_mode: Number(params.ceil_mode),
        count_include_pad: Number(params.count_include_pad),
      });
      return { y };
    },
    torch: ({ kernel_size, stride, padding, ceil_mode, count_include_pad }) => ({
      module: pythonCall(`nn.${title}`, [], {
        kernel_size: [kernel_size, null],
        stride: [stride, "kernel"],
        padding: [padding, 0],
        ceil_mode: [ceil_mode, false],
        count_include_pad: [count_include_pad, true],
      }),
      forward: (self, { x }) => `${self}(${x})`,
    }),
    examples: [
      { inputs: { x: image(axes, 8) } },
      { params: { kernel_size: 3, stride: 2, padding: 1 }, inputs: { x: image(axes, 7) } },
      { params: { kernel_size: 3, stride: 2, padding: 1, count_include_pad: false }, inputs: { x: image(axes, 7) } },
      { params: { kernel_size: [3, 2, 2].slice(0, axes), stride: 2, padding: 1, ceil_mode: true }, inputs: { x: image(axes, 6) } },
    ],
  });
}

function about(title: string, axes: Axes) {
  return {
    title,
    category: "pooling" as const,
    source: `https://pytorch.org/docs/2.13/generated/torch.nn.${title}.html`,
    keywords: ["pool", "downsample", "subsample", "shrink"],
    inputs: { x: { doc: SPATIAL_INPUT[axes] } },
    summary: ({ kernel_size, stride }: Pick<Window, "kernel_size" | "stride">) =>
      formatSize(kernel_size, axes) + (stride === "kernel" ? "" : `, stride ${formatSize(stride, axes)}`),
  };
}

/** `fitsInside`: the window must fit into the input without any border, as ATen has it for AvgPool3d. */
function inferPooling(title: string, axes: Axes, params: Window, shape: (number | string)[], fitsInside = false): Inferred {
  const wrong = needImage(title, axes, shape);
  if (wrong) return wrong;
  const { kernel, stride, padding, dilation } = read(params, axes);
  if (padding.some((pad, i) => pad > (kernel[i] ?? 1) / 2)) {
    const half = kernel.map((k) => k >> 1);
    return {
      problem: say("{title}'s padding may be half of its window at most: the window is {kernel}, the padding {padding}.", {
        title,
        kernel: kernel.join("×"),
        padding: padding.join("×"),
      }),
      code: "GRAPH_PARAM",
      param: "padding",
      fixes: [{ kind: "set-param", label: say("Set padding to {half}", { half: half.join("×") }), name: "padding", value: half }],
    };
  }
  const sizes = shape.slice(2);
  const result = sizes.map((size, i) => {
    const window = { kernel: kernel[i] ?? 1, stride: stride[i] ?? 1, dilation: dilation[i] ?? 1 };
    return params.ceil_mode ? slideOver(size, { ...window, padding: padding[i] ?? 0 }) : slide(size, { ...window, pads: 2 * (padding[i] ?? 0) });
  });
  const empty = sizes.findIndex(
    (size, i) =>
      typeof size === "number" && seesNothing(size, Number(result[i]), { kernel: kernel[i] ?? 1, stride: stride[i] ?? 1, padding: padding[i] ?? 0, dilation: dilation[i] ?? 1 }),
  );
  if (empty !== -1)
    return {
      problem: say("A window of {title} sees nothing but the border: its points are {dilation} apart, its input is {sizes}.", {
        title,
        dilation: dilation.join("×"),
        sizes: sizes.join("×"),
      }),
      code: "GRAPH_PARAM",
      param: "dilation",
      fixes: [{ kind: "set-param", label: say("Set dilation to 1"), name: "dilation", value: 1 }],
    };
  const reach = kernel.map((k, i) => (dilation[i] ?? 1) * (k - 1) + 1);
  if (fitsInside && sizes.some((size, i) => Number(size) < (kernel[i] ?? 1)))
    return {
      problem: say("{title}'s window spans {kernel} but its input is smaller: {sizes}, not counting the padding.", { title, kernel: kernel.join("×"), sizes: sizes.join("×") }),
      port: "x",
      hint: say("Make the window smaller, or shrink the volume less before."),
      fixes: [{ kind: "remove-node", label: say("Remove this {title}", { title }) }],
    };
  return (
    needFit(title, sizes, result, reach, [{ kind: "remove-node", label: say("Remove this {title}", { title }) }]) ?? { outputs: { y: float32([...shape.slice(0, 2), ...result]) } }
  );
}

/**
 * What ONNX's pooling reads, and its borders. With ceil_mode its shape inference counts a last window that begins beyond the end,
 * which PyTorch leaves out; there the end is cut to what PyTorch's windows reach.
 */
function withoutRest(params: Window, axes: Axes, x: OnnxValue, b: OnnxBuilder): { name: string; pads: number[] } {
  const { kernel, stride, padding, dilation } = read(params, axes);
  const rests = x.type.shape.slice(2).map((size, i) => {
    const window = { kernel: kernel[i] ?? 1, stride: stride[i] ?? 1, dilation: dilation[i] ?? 1 };
    const before = padding[i] ?? 0;
    if (!params.ceil_mode || typeof size !== "number") return before;
    const count = Number(slideOver(size, { ...window, padding: before }));
    const isLeftOut = count < Math.ceil((size + 2 * before - window.dilation * (window.kernel - 1) - 1) / window.stride) + 1;
    return isLeftOut ? (count - 1) * window.stride + window.dilation * (window.kernel - 1) + 1 - size - before : before;
  });
  const pads = [...padding, ...rests.map((rest) => Math.max(0, rest))];
  const cut = rests.flatMap((rest, i) => (rest < 0 ? [{ axis: i + 2, end: rest }] : []));
  if (cut.length === 0) return { name: x.name, pads };
  const int = (values: number[]) => b.constant(values, [values.length], "int64");
  return { name: onnxNode(b, "Slice", [x.name, int(cut.map(() => 0)), int(cut.map(({ end }) => end)), int(cut.map(({ axis }) => axis))]), pads };
}

/** Whether the points of some window all lie outside an axis of this size. Only points that are far apart can step over it. */
function seesNothing(size: number, count: number, { kernel, stride, padding, dilation }: { kernel: number; stride: number; padding: number; dilation: number }): boolean {
  if (dilation <= size) return false;
  for (let i = 0; i < count; i++) {
    const first = i * stride - padding;
    const at = first < 0 ? first + dilation * Math.ceil(-first / dilation) : first;
    if (at >= size || at > first + dilation * (kernel - 1)) return true;
  }
  return false;
}

function read({ kernel_size, stride, padding, dilation = 1 }: Window, axes: Axes) {
  const kernel = perAxis(kernel_size, axes);
  return { kernel, stride: stride === "kernel" ? kernel : perAxis(stride, axes), padding: perAxis(padding, axes), dilation: perAxis(dilation, axes) };
}

function image(axes: Axes, size: number): number[] {
  return [2, 3, ...Array<number>(axes).fill(size)];
}
