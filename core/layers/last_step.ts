import { defineLayer, onnxNode } from "./kit.ts";
import { LENGTHS_PORT, needSequence } from "./lengths.ts";

export const lastStep = defineLayer({
  type: "last_step",
  title: "LastStep",
  category: "sequence",
  doc: "Takes the last step of each sequence, and of padded ones the last that counts: what a recurrent network knows at the end.",
  formula: "y[n] = x[n, lengths[n] − 1]",
  when: "Behind a recurrent network that reads forward. Of one that reads both ways, MaskedMean or AttentionPool keeps more.",
  keywords: ["final", "end", "sequence", "pool", "lengths"],
  params: {},
  inputs: { x: { doc: "[N, time, …].", dtype: "any" }, lengths: LENGTHS_PORT },
  summary: () => "",
  infer: (_, { x, lengths }) => needSequence("LastStep", x, lengths) ?? { outputs: { y: { dtype: x.dtype, shape: [...x.shape.slice(0, 1), ...x.shape.slice(2)] } } },
  lower: (_, { x, lengths }, b, { outputs: { y = x.type } }) => {
    if (!lengths) return { y: b.call("aten::select.int", [x, 1, -1], y) };
    const { shape } = x.type;
    const ones = [...shape.slice(0, 1), ...shape.slice(1).map(() => 1)];
    const last = b.call("aten::sub.Scalar", [lengths, 1], lengths.type);
    const column = b.call("aten::reshape", [last, { ints: ones.map((size, axis) => (axis === 0 ? -1 : Number(size))) }], { dtype: "int64", shape: ones });
    const sizes = shape.map((size, axis) => (axis === 1 ? 1 : typeof size === "number" ? size : { size: [x, axis] as [typeof x, number] }));
    const picked = shape.map((size, axis) => (axis === 1 ? 1 : size));
    const index = b.call("aten::expand", [column, { ints: sizes }], { dtype: "int64", shape: picked });
    return { y: b.call("aten::squeeze.dim", [b.call("aten::gather", [x, 1, index], { dtype: x.type.dtype, shape: picked }), 1], y) };
  },
  onnx: (_, { x, lengths }, b) => {
    if (!lengths) return { y: onnxNode(b, "Gather", [x.name, b.constant([-1], [], "int64")], { axis: 1 }) };
    const last = onnxNode(b, "Sub", [lengths.name, b.constant([1], [], "int64")]);
    return { y: onnxNode(b, "GatherND", [x.name, onnxNode(b, "Unsqueeze", [last, b.constant([1], [1], "int64")])], { batch_dims: 1 }) };
  },
  torch: () => ({ forward: (_, { x, lengths }) => (lengths === undefined ? `${x}[:, -1]` : `${x}[torch.arange(${x}.shape[0], device=${x}.device), ${lengths} - 1]`) }),
  examples: [{ inputs: { x: [2, 4, 3] } }, { inputs: { x: [3, 4, 2], lengths: { dtype: "int64", shape: [3] } }, values: { lengths: [2, 4, 1] } }],
});
