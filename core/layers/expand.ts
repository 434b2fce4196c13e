import { type Dim, printShape } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { defineLayer, type InferProblem, onnxNode, onnxSizes } from "./kit.ts";
import { p } from "./params.ts";
import { builderSizes, likePort, needSizes, onnxSizeList, pythonSizes } from "./sizes.ts";

export const expand = defineLayer({
  type: "expand",
  title: "Expand",
  category: "shape",
  doc: "Stretches axes of size 1 to a given size without copying, and may add axes in front: one class token for each sample.",
  formula: "y.shape = size, where −1 keeps what x has",
  when: "Use it where a layer needs full shapes, as Concat does; arithmetic stretches by itself. To repeat more than one entry use Tile.",
  source: "https://pytorch.org/docs/2.13/generated/torch.Tensor.expand.html",
  keywords: ["broadcast", "stretch", "expand_as", "repeat", "class token"],
  params: {
    size: p.dims({
      min: -1,
      default: [],
      doc: "Its sizes: numbers, −1 for those of x, and letters such as B for sizes of like. Empty: the shape of like.",
      placeholder: "B, -1, -1",
    }),
  },
  inputs: { x: { doc: "Any tensor.", dtype: "any" }, like: likePort },
  summary: ({ size }) => `to ${size.join("×") || "like"}`,
  infer: ({ size }, { x: { dtype, shape }, like }) => {
    const wrong = (problem: string): InferProblem => ({ problem, code: "GRAPH_PARAM", param: "size", fixes: [] });
    if (size.length === 0 && !like)
      return {
        ...wrong(say("Expand needs sizes, or a tensor on like that has them.")),
        fixes: [{ kind: "set-param", label: say("Keep every size"), name: "size", value: shape.map(() => -1) }],
      };
    const sizes = needSizes("Expand", size, like, "size");
    if ("problem" in sizes) return sizes;
    const added = sizes.shape.length - shape.length;
    if (added < 0) return wrong(say("Expand cannot bring {shape} to fewer axes: {shape2}.", { shape: printShape(shape), shape2: printShape(sizes.shape) }));
    const result: Dim[] = [];
    for (const [i, wanted] of sizes.shape.entries()) {
      const have = i < added ? undefined : shape[i - added];
      if (wanted === -1 && have === undefined) return wrong("A new axis of Expand needs a size; −1 keeps one that is there.");
      if (wanted !== -1 && have !== undefined && have !== 1 && have !== wanted)
        return wrong(say("Expand stretches axes of size 1, but axis {i} of {shape} is {have} where {wanted} is wanted.", { i: i - added, shape: printShape(shape), have, wanted }));
      result.push(wanted === -1 ? (have ?? 1) : wanted);
    }
    return { outputs: { y: { dtype, shape: result } } };
  },
  lower: ({ size }, { x, like }, b, { outputs: { y } }) => ({ y: b.call("aten::expand", [x, { ints: builderSizes(size, like) }], y ?? x.type) }),
  // ONNX stretches both ways, so 1 keeps a size.
  onnx: ({ size }, { x, like }, b) => ({
    y: onnxNode(b, "Expand", [
      x.name,
      onnxSizes(
        b,
        onnxSizeList(size, like).map((wanted) => (wanted === -1 ? 1 : wanted)),
      ),
    ]),
  }),
  torch: ({ size }, { inputs: { like } }) => ({
    forward: (_, inputs) => `${inputs.x}.expand(${pythonSizes(size, like?.shape, inputs.like === undefined ? undefined : String(inputs.like)).join(", ")})`,
  }),
  examples: [
    { params: { size: [-1, 3, -1] }, inputs: { x: [2, 1, 4] } },
    { params: { size: ["B", -1, -1] }, inputs: { like: [2, 5], x: [1, 3] } },
    { inputs: { like: [2, 3, 5], x: [2, 1, 5] } },
    { params: { size: [3, -1, -1] }, inputs: { x: { dtype: "int64", shape: [2, 4] } } },
  ],
});
