import { defineLayer, float32 } from "./kit.ts";
import { formatSize, p, perAxis, pythonCall } from "./params.ts";
import { needFit, needImage, slide } from "./window.ts";

/** MaxPool and AvgPool over one or two spatial axes. */
export function definePooling(kind: "max" | "avg", axes: 1 | 2) {
  const title = `${kind === "max" ? "Max" : "Avg"}Pool${axes}d`;
  return defineLayer({
    type: `${kind}_pool${axes}d`,
    title,
    category: "pooling",
    doc: kind === "max" ? "Keeps the greatest value of each window: shrinks and forgives small shifts." : "Takes the mean of each window: shrinks smoothly.",
    source: `https://pytorch.org/docs/2.13/generated/torch.nn.${title}.html`,
    keywords: ["pool", "downsample", "subsample", "shrink"],
    params: {
      kernel_size: p.size({ axes, min: 1, default: 2, doc: "Size of the window." }),
      stride: p.size({ axes, min: 1, default: "kernel", words: ["kernel"], doc: "How far the window moves; `kernel` moves by its own size." }),
      padding: p.size({
        axes,
        min: 0,
        default: 0,
        doc: kind === "max" ? "Border around; at most half the window." : "Zeros around, counted in the mean; at most half the window.",
      }),
    },
    inputs: { x: { doc: axes === 2 ? "Images: [N, channels, height, width]." : "Sequences: [N, channels, length]." } },
    summary: ({ kernel_size, stride }) => formatSize(kernel_size, axes) + (stride === "kernel" ? "" : `, stride ${formatSize(stride, axes)}`),
    infer: (params, { x: { shape } }) => {
      const wrong = needImage(title, axes, shape);
      if (wrong) return wrong;
      const { kernel, stride, padding } = read(params);
      if (padding.some((pad, i) => pad > (kernel[i] ?? 1) / 2)) {
        return {
          problem: `${title}'s padding may be half of its window at most: the window is ${kernel.join("×")}, the padding ${padding.join("×")}.`,
          code: "GRAPH_PARAM",
          param: "padding",
          fixes: [{ kind: "set-param", label: `Set padding to ${kernel.map((k) => k >> 1).join("×")}`, name: "padding", value: kernel.map((k) => k >> 1) }],
        };
      }
      const sizes = shape.slice(2);
      const result = sizes.map((size, i) => slide(size, { kernel: kernel[i] ?? 1, stride: stride[i] ?? 1, pads: 2 * (padding[i] ?? 0), dilation: 1 }));
      const unfit = needFit(title, sizes, result, kernel, [{ kind: "remove-node", label: `Remove this ${title}` }]);
      return unfit ?? { outputs: { y: float32([...shape.slice(0, 2), ...result]) } };
    },
    lower: (params, { x }, b, { outputs: { y } }) => {
      const { kernel, stride, padding } = read(params);
      const window = [{ ints: kernel }, { ints: stride }, { ints: padding }];
      return { y: kind === "max" ? b.call(`aten::max_pool${axes}d`, [x, ...window], y ?? x.type) : b.call(`aten::avg_pool${axes}d`, [x, ...window], y ?? x.type) };
    },
    onnx: (params, { x }, b) => {
      const { kernel, stride, padding } = read(params);
      const [y = ""] = b.node(kind === "max" ? "MaxPool" : "AveragePool", [x.name], {
        kernel_shape: kernel,
        strides: stride,
        pads: [...padding, ...padding],
        ...(kind === "avg" ? { count_include_pad: 1 } : {}),
      });
      return { y };
    },
    torch: ({ kernel_size, stride, padding }) => ({
      module: pythonCall(`nn.${title}`, [], { kernel_size: [kernel_size, null], stride: [stride, "kernel"], padding: [padding, 0] }),
      forward: (self, { x }) => `${self}(${x})`,
    }),
    examples: [{ inputs: { x: image(8) } }, { params: { kernel_size: 3, stride: 2, padding: 1 }, inputs: { x: image(7) } }],
  });

  function read({ kernel_size, stride, padding }: { kernel_size: number | number[]; stride: number | number[] | "kernel"; padding: number | number[] }) {
    const kernel = perAxis(kernel_size, axes);
    return { kernel, stride: stride === "kernel" ? kernel : perAxis(stride, axes), padding: perAxis(padding, axes) };
  }

  function image(size: number): number[] {
    return [2, 3, ...Array<number>(axes).fill(size)];
  }
}
