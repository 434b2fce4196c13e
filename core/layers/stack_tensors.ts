import { printShape } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { needAxis } from "./axes.ts";
import { axisOf, defineLayer, isSameType, onnxNode } from "./kit.ts";
import { p } from "./params.ts";

export const stackTensors = defineLayer({
  type: "stack_tensors",
  title: "Stack",
  category: "shape",
  doc: "Lays tensors of one shape behind one another along a new axis.",
  formula: "y[…, i, …] = xᵢ",
  when: "Use it to gather results into one tensor, as of several heads or experts. To join along an axis that is there use Concat; to repeat layers use StackN.",
  source: "https://pytorch.org/docs/2.13/generated/torch.stack.html",
  keywords: ["join", "new axis", "gather", "list"],
  params: { dim: p.int({ default: 1, doc: "The place of the new axis." }) },
  inputs: { x: { doc: "Tensors of one shape and dtype, in the order of their wires.", many: true, dtype: "any" } },
  summary: ({ dim }) => `axis ${dim}`,
  infer: ({ dim }, { x }) => {
    const [first, ...rest] = x;
    if (!first) return { problem: say("Stack needs at least one wire."), port: "x" };
    const found = needAxis("Stack", dim, first.shape, "dim", 1);
    if ("problem" in found) return found;
    const odd = rest.find((type) => !isSameType(type, first));
    if (odd) {
      const print = ({ dtype, shape }: typeof first) => (odd.dtype === first.dtype ? printShape(shape) : `${dtype} ${printShape(shape)}`);
      return { problem: say("Stack needs tensors of one shape and dtype but receives {first} and {odd}.", { first: print(first), odd: print(odd) }), port: "x" };
    }
    return { outputs: { y: { dtype: first.dtype, shape: first.shape.toSpliced(found.axis, 0, x.length) } } };
  },
  lower: ({ dim }, { x }, b, { outputs: { y } }) => ({ y: b.call("aten::stack", [x, dim], y ?? { dtype: "float32", shape: [] }) }),
  onnx: ({ dim }, { x }, b, { outputs: { y } }) => {
    const axis = axisOf(dim, y?.shape.length ?? 0) ?? 0;
    return {
      y: onnxNode(
        b,
        "Concat",
        x.map(({ name }) => onnxNode(b, "Unsqueeze", [name, b.constant([axis], [1], "int64")])),
        { axis },
      ),
    };
  },
  torch: ({ dim }) => ({ forward: (_, { x }) => `torch.stack((${[x].flat().join(", ")},), dim=${dim})` }),
  examples: [
    {
      inputs: {
        x: [
          { dtype: "float32", shape: [2, 3] },
          { dtype: "float32", shape: [2, 3] },
        ],
      },
    },
    {
      params: { dim: -1 },
      inputs: {
        x: [
          { dtype: "int64", shape: [2, 3] },
          { dtype: "int64", shape: [2, 3] },
          { dtype: "int64", shape: [2, 3] },
        ],
      },
    },
  ],
});
