import { printShape } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { defineLayer, float32 } from "./kit.ts";
import { formatSize, p, perAxis, pythonTuple } from "./params.ts";
import { countPatches, patchParams, pythonPatches, readPatches } from "./unfold.ts";

export const fold = defineLayer({
  type: "fold",
  title: "Fold",
  category: "convolution",
  doc: "Puts columns back into an image as patches, and adds up where they overlap: the way back from Unfold.",
  formula: "y[n, c, stride · i + dilation · k − padding] = the sum of x[n, (c, k), i] over all k and i that meet there",
  when: "Behind work on patches that Unfold cut out, with the same parameters. Divide by Fold of Unfold of ones where overlaps should be averaged.",
  source: "https://pytorch.org/docs/2.13/generated/torch.nn.Fold.html",
  keywords: ["col2im", "patches", "windows"],
  params: { output_size: p.size({ axes: 2, min: 1, default: 28, doc: "Height and width of the image." }), ...patchParams() },
  inputs: { x: { doc: "Columns: [N, channels · patch points, patches]." } },
  summary: ({ output_size, kernel_size }) => `${formatSize(kernel_size, 2)} to ${formatSize(output_size, 2)}`,
  infer: ({ output_size, ...params }, { x: { shape } }) => {
    const [n = "B", width, count] = shape;
    if (shape.length !== 3 || typeof width !== "number")
      return { problem: say("Fold needs columns [N, channels · patch points, patches] but receives {shape}.", { shape: printShape(shape) }), port: "x" };
    const { kernel } = readPatches(params);
    const points = kernel.reduce((a, b) => a * b, 1);
    if (width % points !== 0)
      return {
        problem: say("Fold cannot lay columns of {width} numbers out as patches of {kernel}, which hold {points} for each channel.", { width, kernel: kernel.join("×"), points }),
        code: "GRAPH_PARAM",
        param: "kernel_size",
        hint: say("Take the kernel_size of the Unfold before."),
      };
    const sizes = perAxis(output_size, 2);
    const counts = countPatches(sizes, params).map(Number);
    const expected = counts.reduce((a, b) => a * b, 1);
    if (counts.some((c) => c < 1) || expected !== count)
      return {
        problem: say("Fold to {sizes} takes {which} patches of {kernel} but receives {count}.", {
          sizes: sizes.join("×"),
          which: counts.some((c) => c < 1) ? say("no") : expected,
          kernel: kernel.join("×"),
          count: String(count),
        }),
        code: "GRAPH_PARAM",
        param: "output_size",
        hint: say("Take the parameters of the Unfold before, and the size of its input."),
      };
    return { outputs: { y: float32([n, width / points, ...sizes]) } };
  },
  lower: ({ output_size, ...params }, { x }, b, { outputs: { y } }) => {
    const { kernel, stride, padding, dilation } = readPatches(params);
    return { y: b.call("aten::col2im", [x, { ints: perAxis(output_size, 2) }, { ints: kernel }, { ints: dilation }, { ints: padding }, { ints: stride }], y ?? x.type) };
  },
  onnx: ({ output_size, ...params }, { x }, b) => {
    const { kernel, stride, padding, dilation } = readPatches(params);
    const [y = ""] = b.node("Col2Im", [x.name, b.constant(perAxis(output_size, 2), [2], "int64"), b.constant(kernel, [2], "int64")], {
      strides: stride,
      pads: [...padding, ...padding],
      dilations: dilation,
    });
    return { y };
  },
  torch: ({ output_size, ...params }) => ({ module: pythonPatches("nn.Fold", [pythonTuple(perAxis(output_size, 2))], params), forward: (self, { x }) => `${self}(${x})` }),
  examples: [
    { params: { output_size: [5, 4] }, inputs: { x: [2, 27, 6] } },
    { params: { output_size: [5, 6], kernel_size: [2, 3], stride: [2, 1], padding: [1, 0], dilation: [1, 2] }, inputs: { x: [2, 12, 6] } },
  ],
});
