import { isStatic } from "../graph/dims.ts";
import { defineLayer, float32 } from "./kit.ts";
import { formatSize, p, perAxis, pythonCall } from "./params.ts";
import { needImage } from "./window.ts";

export const adaptiveAvgPool2d = defineLayer({
  type: "adaptive_avg_pool2d",
  title: "AdaptiveAvgPool2d",
  category: "pooling",
  doc: "Averages an image down to a fixed size, whatever its size; 1×1 is global average pooling.",
  source: "https://pytorch.org/docs/2.13/generated/torch.nn.AdaptiveAvgPool2d.html",
  keywords: ["global average pooling", "gap", "pool"],
  params: { output_size: p.size({ axes: 2, min: 1, default: 1, doc: "Height and width that come out." }) },
  inputs: { x: { doc: "Images: [N, channels, height, width]." } },
  summary: ({ output_size }) => `to ${formatSize(output_size, 2)}`,
  infer: ({ output_size }, { x: { shape } }) => needImage("AdaptiveAvgPool2d", 2, shape) ?? { outputs: { y: float32([...shape.slice(0, 2), ...perAxis(output_size, 2)]) } },
  lower: ({ output_size }, { x }, b, { outputs: { y } }) => ({ y: b.call("aten::adaptive_avg_pool2d", [x, { ints: perAxis(output_size, 2) }], y ?? x.type) }),
  onnx: ({ output_size }, { x }, b) => {
    const out = perAxis(output_size, 2);
    if (out.every((size) => size === 1)) {
      const [y = ""] = b.node("GlobalAveragePool", [x.name]);
      return { y };
    }
    if (!isStatic(x.type.shape.slice(2)))
      throw new Error(`ONNX cannot express AdaptiveAvgPool2d to ${out.join("×")} where the image's size is known only at run time; use output_size 1.`);
    // ONNX has no adaptive pooling. Along each axis it is a product with a matrix of means: rows ⌊i·in/out⌋ to ⌈(i+1)·in/out⌉.
    const [height, width] = x.type.shape
      .slice(2)
      .map((size, axis) => b.constant(means(Number(size), out[axis] ?? 1, axis), axis === 0 ? [out[0] ?? 1, Number(size)] : [Number(size), out[1] ?? 1], "float32"));
    const [rows = ""] = b.node("MatMul", [height ?? "", x.name]);
    const [y = ""] = b.node("MatMul", [rows, width ?? ""]);
    return { y };
  },
  torch: ({ output_size }) => ({
    module: pythonCall("nn.AdaptiveAvgPool2d", [Array.isArray(output_size) ? `(${output_size.join(", ")})` : output_size]),
    forward: (self, { x }) => `${self}(${x})`,
  }),
  examples: [{ inputs: { x: [2, 3, 7, 7] } }, { params: { output_size: [3, 2] }, inputs: { x: [2, 3, 7, 8] } }],
});

/** [out, size] for axis 0, its transpose for axis 1. */
function means(size: number, out: number, axis: number): number[] {
  const matrix = Array.from({ length: out }, (_, i) => {
    const start = Math.floor((i * size) / out);
    const end = Math.ceil(((i + 1) * size) / out);
    return Array.from({ length: size }, (_, j) => (j >= start && j < end ? 1 / (end - start) : 0));
  });
  return axis === 0 ? matrix.flat() : Array.from({ length: size }, (_, j) => matrix.map((row) => row[j] ?? 0)).flat();
}
