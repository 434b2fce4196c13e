import { countElements, floorDivide, multiply } from "../graph/dims.ts";
import { type Dim, printShape, type Shape } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { defineLayer, type InferProblem, onnxSizes } from "./kit.ts";
import { p } from "./params.ts";

/** The shape after the batch once −1 is worked out. */
function resolve(sizes: number[], shape: Shape): { rest: Shape } | InferProblem {
  const have = countElements(shape.slice(1));
  const known = sizes.reduce((a, b) => (b === -1 ? a : a * b), 1);
  const free = sizes.filter((size) => size === -1).length;
  const mismatch: InferProblem = {
    problem:
      free === 0
        ? say("Reshape cannot lay {have} numbers a sample, from {shape}, out as {shape2}, which holds {known}.", {
            have,
            shape: printShape(shape),
            shape2: printShape(["N", ...sizes]),
            known,
          })
        : say("Reshape cannot lay {have} numbers a sample, from {shape}, out as {shape2}.", { have, shape: printShape(shape), shape2: printShape(["N", ...sizes]) }),
    code: "GRAPH_SHAPE",
    param: "shape",
    hint: say("The numbers of a sample before and after must be equally many."),
    fixes: [{ kind: "set-param", label: say("Set shape to one row"), name: "shape", value: [-1] }],
  };
  if (free > 1) return { problem: say("Reshape can work out one −1 only."), code: "GRAPH_PARAM", param: "shape" };
  if (sizes.some((size) => size === 0)) return { problem: say("Reshape's sizes are whole numbers ≥ 1, or one −1."), code: "GRAPH_PARAM", param: "shape" };
  if (free === 0) return have === known ? { rest: sizes } : mismatch;
  const missing = divideExactly(have, known);
  return missing === null ? mismatch : { rest: sizes.map((size) => (size === -1 ? missing : size)) };
}

/** have / known where that is whole for every value of the symbols, else null. */
export function divideExactly(have: Dim, known: number): Dim | null {
  const share = floorDivide(have, known);
  return multiply(share, known) === have ? share : null;
}

export const reshape = defineLayer({
  type: "reshape",
  title: "Reshape",
  category: "shape",
  doc: "Lays the numbers of each sample out in another shape, in the same order.",
  formula: "y = the numbers of x in the same order, in sizes [N, …shape]",
  when: "Use it to split or join axes of a sample. It does not reorder: to swap axes use Permute or Transpose.",
  source: "https://pytorch.org/docs/2.13/generated/torch.reshape.html",
  keywords: ["view", "unflatten", "shape"],
  trait: "neutral",
  params: { shape: p.ints({ default: [-1], min: -1, doc: "Sizes of one sample, without the batch; one −1 is worked out." }) },
  inputs: { x: { doc: "Any tensor.", dtype: "any" } },
  summary: ({ shape }) => `to ${shape.join("×")}`,
  infer: ({ shape }, { x }) => {
    const batch = x.shape[0];
    if (batch === undefined) return { problem: say("Reshape needs a tensor with a batch axis but receives a scalar."), port: "x" };
    const result = resolve(shape, x.shape);
    return "problem" in result ? result : { outputs: { y: { dtype: x.dtype, shape: [batch, ...result.rest] } } };
  },
  lower: ({ shape }, { x }, b, { outputs: { y } }) => {
    const [batch] = x.type.shape;
    return { y: b.call("aten::reshape", [x, { ints: [typeof batch === "number" ? batch : { size: [x, 0] }, ...shape] }], y ?? x.type) };
  },
  onnx: ({ shape }, { x }, b) => {
    const [y = ""] = b.node("Reshape", [x.name, onnxSizes(b, [0, ...shape])]);
    return { y };
  },
  torch: ({ shape }) => ({ forward: (_, { x }) => `${x}.reshape(${[`${x}.shape[0]`, ...shape].join(", ")})` }),
  examples: [
    { params: { shape: [4, -1] }, inputs: { x: [2, 3, 8] } },
    { params: { shape: [6, 4] }, inputs: { x: [2, 24] } },
  ],
});
