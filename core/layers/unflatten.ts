import { printShape, type Shape } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { needAxis } from "./axes.ts";
import { axisOf, defineLayer, type InferProblem, onnxNode, onnxSizes } from "./kit.ts";
import { p, pythonTuple } from "./params.ts";
import { divideExactly } from "./reshape.ts";

export const unflatten = defineLayer({
  type: "unflatten",
  title: "Unflatten",
  category: "shape",
  doc: "Splits one axis into several, in the same order: features into heads, a row into an image.",
  formula: "y.shape = [… before, …unflattened_size, … after]",
  when: "Use it to take a single axis apart. To lay a whole sample out anew use Reshape; Flatten does the opposite.",
  source: "https://pytorch.org/docs/2.13/generated/torch.nn.Unflatten.html",
  keywords: ["reshape", "split", "heads", "view"],
  trait: "neutral",
  params: {
    dim: p.int({ default: 1, doc: "The axis that is split." }),
    unflattened_size: p.ints({ min: -1, default: [1, -1], doc: "Its new sizes; one −1 is worked out.", placeholder: "4, -1" }),
  },
  inputs: { x: { doc: "Any tensor.", dtype: "any" } },
  summary: ({ dim, unflattened_size }) => `axis ${dim} to ${unflattened_size.join("×")}`,
  infer: ({ dim, unflattened_size: sizes }, { x: { dtype, shape } }) => {
    const found = needAxis("Unflatten", dim, shape);
    if ("problem" in found) return found;
    const wrong = (problem: string): InferProblem => ({
      problem,
      code: "GRAPH_PARAM",
      param: "unflattened_size",
      fixes: [{ kind: "set-param", label: say("Set it to 1, -1"), name: "unflattened_size", value: [1, -1] }],
    });
    const free = sizes.filter((size) => size === -1).length;
    if (sizes.length === 0 || sizes.includes(0) || free > 1) return wrong(say("Unflatten's sizes are whole numbers ≥ 1, of which one may be −1 to be worked out."));
    if (sizes.length + shape.length > 17) return wrong(say("Unflatten would make more than 16 axes."));
    const size = shape[found.axis] ?? 1;
    const known = sizes.reduce((a, b) => (b === -1 ? a : a * b), 1);
    const missing = divideExactly(size, known);
    if (missing === null || (free === 0 && missing !== 1))
      return wrong(say("Unflatten cannot split axis {dim} of {shape}, of size {size}, into {sizes}.", { dim, shape: printShape(shape), size, sizes: sizes.join("×") }));
    const parts: Shape = sizes.map((part) => (part === -1 ? missing : part));
    return { outputs: { y: { dtype, shape: shape.toSpliced(found.axis, 1, ...parts) } } };
  },
  lower: ({ dim, unflattened_size }, { x }, b, { outputs: { y } }) => ({ y: b.call("aten::unflatten.int", [x, dim, { ints: unflattened_size }], y ?? x.type) }),
  onnx: ({ dim, unflattened_size }, { x }, b) => {
    const axis = axisOf(dim, x.type.shape.length) ?? 0;
    // In a Reshape, 0 copies the size at its own place, as of the axes before.
    const after = x.type.shape.slice(axis + 1).map((size, i) => (typeof size === "number" ? size : { of: x.name, axis: axis + 1 + i }));
    return { y: onnxNode(b, "Reshape", [x.name, onnxSizes(b, [...Array<number>(axis).fill(0), ...unflattened_size, ...after])]) };
  },
  torch: ({ dim, unflattened_size }) => ({ forward: (_, { x }) => `${x}.unflatten(${dim}, ${pythonTuple(unflattened_size)})` }),
  examples: [
    { params: { unflattened_size: [2, 3] }, inputs: { x: [2, 6] } },
    { params: { dim: -2, unflattened_size: [2, -1] }, inputs: { x: [2, 3, 4, 5] } },
    { params: { unflattened_size: [3, -1] }, inputs: { x: { dtype: "int64", shape: [2, 6, 2] } } },
  ],
});
