import { add } from "../graph/dims.ts";
import { printShape } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { axisOf, defineLayer } from "./kit.ts";
import { p } from "./params.ts";

export const concat = defineLayer({
  type: "concat",
  title: "Concat",
  category: "shape",
  doc: "Lays tensors side by side along one axis, by default the channels or features.",
  formula: "y = [x₁ | x₂ | …] along dim",
  when: "Use it to join branches whose features should stand side by side. To merge equal shapes without growing use Add; for a new axis use Stack.",
  source: "https://pytorch.org/docs/2.13/generated/torch.cat.html",
  keywords: ["cat", "concatenate", "join", "merge", "u-net", "densenet"],
  params: { dim: p.int({ default: 1, doc: "The axis along which they are joined; 1 is the channels or features." }) },
  inputs: { x: { doc: "Tensors that agree in every other axis, in the order of their wires.", many: true, dtype: "any" } },
  summary: ({ dim }) => `axis ${dim}`,
  infer: ({ dim }, { x }) => {
    const [first, ...rest] = x;
    if (!first) return { problem: say("Concat needs at least one wire."), port: "x" };
    const axis = axisOf(dim, first.shape.length);
    if (axis === null)
      return {
        problem: say("Concat has no axis {dim} in {shape}.", { dim, shape: printShape(first.shape) }),
        code: "GRAPH_PARAM",
        param: "dim",
        fixes: [{ kind: "set-param", label: say("Use the last axis"), name: "dim", value: -1 }],
      };
    const odd = rest.find(({ shape }) => shape.length !== first.shape.length || shape.some((size, i) => i !== axis && size !== first.shape[i]));
    if (odd)
      return {
        problem: say("Concat along axis {dim} needs tensors that agree in every other axis, but receives {shape} and {shape2}.", {
          dim,
          shape: printShape(first.shape),
          shape2: printShape(odd.shape),
        }),
        port: "x",
      };
    const other = rest.find(({ dtype }) => dtype !== first.dtype);
    if (other)
      return {
        problem: say("Concat needs tensors of one dtype but receives {dtype} and {dtype2}.", { dtype: first.dtype, dtype2: other.dtype }),
        code: "GRAPH_DTYPE",
        port: "x",
        hint: say("Put a Cast in front of one."),
      };
    return { outputs: { y: { dtype: first.dtype, shape: first.shape.map((size, i) => (i === axis ? rest.reduce((sum, { shape }) => add(sum, shape[i] ?? 0), size) : size)) } } };
  },
  lower: ({ dim }, { x }, b, { outputs: { y } }) => ({ y: b.call("aten::cat", [x, dim], y ?? { dtype: "float32", shape: [] }) }),
  onnx: ({ dim }, { x }, b) => {
    const [y = ""] = b.node(
      "Concat",
      x.map(({ name }) => name),
      { axis: axisOf(dim, x[0]?.type.shape.length ?? 0) ?? 0 },
    );
    return { y };
  },
  torch: ({ dim }) => ({ forward: (_, { x }) => `torch.cat((${[x].flat().join(", ")},), dim=${dim})` }),
  examples: [
    {
      inputs: {
        x: [
          { dtype: "float32", shape: [2, 3, 4] },
          { dtype: "float32", shape: [2, 5, 4] },
        ],
      },
    },
    {
      params: { dim: -1 },
      inputs: {
        x: [
          { dtype: "int64", shape: [2, 3] },
          { dtype: "int64", shape: [2, 1] },
        ],
      },
    },
  ],
});
