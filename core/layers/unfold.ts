import { multiply } from "../graph/dims.ts";
import type { Dim } from "../graph/shape.ts";
import { defineLayer, float32 } from "./kit.ts";
import { formatSize, p, perAxis, pythonCall } from "./params.ts";
import { needChannels, needFit, needImage, SPATIAL_INPUT, slide } from "./window.ts";

export type Patches = { kernel_size: number | number[]; stride: number | number[]; padding: number | number[]; dilation: number | number[] };

/** The parameters of patches of an image. */
export function patchParams() {
  return {
    kernel_size: p.size({ axes: 2, min: 1, default: 3, doc: "Size of a patch." }),
    stride: p.size({ axes: 2, min: 1, default: 1, doc: "How far apart the patches are." }),
    padding: p.size({ axes: 2, min: 0, default: 0, doc: "Zeros around the image." }),
    dilation: p.size({ axes: 2, min: 1, default: 1, doc: "Distance between the points of a patch." }),
  };
}

/** One number for height and one for width. */
export function readPatches({ kernel_size, stride, padding, dilation }: Patches) {
  return { kernel: perAxis(kernel_size, 2), stride: perAxis(stride, 2), padding: perAxis(padding, 2), dilation: perAxis(dilation, 2) };
}

/** How many patches fit on each axis. */
export function countPatches(sizes: Dim[], params: Patches): Dim[] {
  const { kernel, stride, padding, dilation } = readPatches(params);
  return sizes.map((size, i) => slide(size, { kernel: kernel[i] ?? 1, stride: stride[i] ?? 1, dilation: dilation[i] ?? 1, pads: 2 * (padding[i] ?? 0) }));
}

export const unfold = defineLayer({
  type: "unfold",
  title: "Unfold",
  category: "convolution",
  doc: "Cuts an image into patches, which may overlap, and lays each out as a column.",
  formula: "y[n, (c, k), i] = x[n, c, stride · i + dilation · k − padding]",
  when: "To do to patches what no convolution does, such as attention within a window. It repeats what overlaps; where a Conv2d will do, take it.",
  source: "https://pytorch.org/docs/2.13/generated/torch.nn.Unfold.html",
  keywords: ["im2col", "patches", "windows"],
  params: patchParams(),
  inputs: { x: { doc: SPATIAL_INPUT[2] } },
  summary: ({ kernel_size }) => formatSize(kernel_size, 2),
  infer: (params, { x: { shape } }) => {
    const wrong = needImage("Unfold", 2, shape) ?? needChannels("Unfold", shape);
    if (wrong) return wrong;
    const { kernel, dilation } = readPatches(params);
    const sizes = shape.slice(2);
    const counts = countPatches(sizes, params);
    const reach = kernel.map((k, i) => (dilation[i] ?? 1) * (k - 1) + 1);
    return (
      needFit("Unfold", sizes, counts, reach, []) ?? {
        outputs: { y: float32([shape[0] ?? "B", Number(shape[1]) * kernel.reduce((a, b) => a * b, 1), counts.reduce<Dim>(multiply, 1)]) },
      }
    );
  },
  lower: (params, { x }, b, { outputs: { y } }) => {
    const { kernel, stride, padding, dilation } = readPatches(params);
    return { y: b.call("aten::im2col", [x, { ints: kernel }, { ints: dilation }, { ints: padding }, { ints: stride }], y ?? x.type) };
  },
  onnx: (params, { x }, b) => {
    const { kernel, stride, padding, dilation } = readPatches(params);
    const channels = Number(x.type.shape[1]);
    const count = kernel.reduce((a, b) => a * b, 1);
    // ONNX has no such operator: a convolution whose filters each see one point of one channel.
    const points = Array.from({ length: channels * count * count }, (_, i) => Number(Math.floor(i / count) % count === i % count));
    const [patches = ""] = b.node("Conv", [x.name, b.constant(points, [channels * count, 1, ...kernel], "float32")], {
      kernel_shape: kernel,
      strides: stride,
      pads: [...padding, ...padding],
      dilations: dilation,
      group: channels,
    });
    const [y = ""] = b.node("Reshape", [patches, b.constant([0, 0, -1], [3], "int64")]);
    return { y };
  },
  torch: (params) => ({ module: pythonPatches("nn.Unfold", [], params), forward: (self, { x }) => `${self}(${x})` }),
  examples: [{ inputs: { x: [2, 3, 5, 4] } }, { params: { kernel_size: [2, 3], stride: [2, 1], padding: [1, 0], dilation: [1, 2] }, inputs: { x: [2, 2, 5, 6] } }],
});

/** `nn.Unfold(kernel_size=3)` */
export function pythonPatches(callee: string, positional: string[], { kernel_size, stride, padding, dilation }: Patches): string {
  return pythonCall(callee, positional, { kernel_size: [kernel_size, null], dilation: [dilation, 1], padding: [padding, 0], stride: [stride, 1] });
}
