import type { Dim } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { needAxis } from "./axes.ts";
import { LARGEST, pythonNumber } from "./dtypes.ts";
import { axisOf, defineLayer, type InferProblem, onnxNode, onnxSizes } from "./kit.ts";
import { p } from "./params.ts";
import { likePort } from "./sizes.ts";

const MAX_LENGTH = 1_000_000;

export const arange = defineLayer({
  type: "arange",
  title: "Arange",
  category: "io",
  doc: "Counts: makes a row of numbers from start by equal steps, up to an end or for as long as an axis of another tensor.",
  formula: "yᵢ = start + i · step",
  when: "Use it for positions and for masks by index, such as of the steps before a length.",
  source: "https://pytorch.org/docs/2.13/generated/torch.arange.html",
  keywords: ["range", "positions", "index", "count", "steps", "linspace"],
  gradient: false,
  params: {
    start: p.float({ min: -LARGEST, max: LARGEST, default: 0, doc: "The first number." }),
    end: p.float({ min: -LARGEST, max: LARGEST, default: 10, doc: "Where it stops, not included; not used while like is connected." }),
    step: p.float({ min: -LARGEST, max: LARGEST, default: 1, doc: "From one number to the next." }),
    dim: p.int({ default: 1, doc: "The axis of like that says how many numbers there are." }),
    dtype: p.choice({ options: ["int64", "float32"], default: "int64", doc: "int64 for whole numbers, float32 for measures." }),
  },
  inputs: { like: { ...likePort, doc: "Gives as many numbers as its axis dim is long; its own numbers do not matter." } },
  outputs: { y: { doc: "The row." } },
  summary: ({ start, end, step }) => `${start} … ${end}${step === 1 ? "" : ` by ${step}`}`,
  infer: ({ start, end, step, dim, dtype }, { like }) => {
    const wrong = (problem: string, param: string): InferProblem => ({ problem, code: "GRAPH_PARAM", param });
    if (step === 0) return wrong(say("The step of Arange cannot be 0."), "step");
    if (dtype === "int64") {
      const broken = Object.entries({ start, step, ...(like ? {} : { end }) }).find(([, value]) => !Number.isSafeInteger(value));
      if (broken)
        return {
          ...wrong(say("Arange of int64 needs whole numbers, but {broken} is {broken2}.", { broken: broken[0], broken2: broken[1] }), broken[0]),
          fixes: [{ kind: "set-param", label: say("Make it float32"), name: "dtype", value: "float32" }],
        };
    }
    let length: Dim;
    if (like) {
      const found = needAxis("Arange", dim, like.shape);
      if ("problem" in found) return found;
      length = like.shape[found.axis] ?? 1;
    } else {
      length = countSteps(start, end, step);
      if (length < 1) return wrong(say("Arange from {start} to {end} by {step} holds nothing.", { start, end, step }), "end");
      if (length > MAX_LENGTH) return { ...wrong(`Arange from ${start} to ${end} by ${step} holds ${length} numbers; the limit is ${MAX_LENGTH}.`, "end"), code: "GRAPH_OVERFLOW" };
    }
    return { outputs: { y: { dtype, shape: [length] } } };
  },
  lower: ({ start, end, step, dim, dtype }, { like }, b, { outputs: { y = { dtype, shape: [] } } }) => {
    if (!like) return { y: b.call("aten::arange.start_step", [start, end, step, dtype], y) };
    // 1, 2, … is the running sum of ones, whose number may be known only at run time.
    const ones = b.call("aten::ones", [{ ints: [{ size: [like, dim] }] }, dtype], y);
    const scaled = b.call("aten::mul.Scalar", [b.call("aten::sub.Scalar", [b.call("aten::cumsum", [ones, 0], y), 1], y), step], y);
    return { y: b.call("aten::add.Scalar", [scaled, start], y) };
  },
  onnx: ({ start, end, step, dim, dtype }, { like }, b) => {
    const scalar = (value: number, type: "int64" | "float32" = "int64") => b.constant([value], [], type);
    const length = like ? onnxNode(b, "Squeeze", [onnxSizes(b, [{ of: like.name, axis: axisOf(dim, like.type.shape.length) ?? 0 }])]) : scalar(countSteps(start, end, step));
    let y = onnxNode(b, "Range", [scalar(0), length, scalar(1)]);
    if (dtype === "float32") y = onnxNode(b, "Cast", [y], { to: 1 });
    if (step !== 1) y = onnxNode(b, "Mul", [y, scalar(step, dtype)]);
    if (start !== 0) y = onnxNode(b, "Add", [y, scalar(start, dtype)]);
    return { y };
  },
  torch: ({ start, end, step, dim, dtype }) => ({
    forward: (_, { like }) =>
      like === undefined
        ? `torch.arange(${[start, end, step].map(pythonNumber).join(", ")}, dtype=torch.${dtype})`
        : `torch.arange(${like}.shape[${dim}], dtype=torch.${dtype}, device=${like}.device)${step === 1 ? "" : ` * ${pythonNumber(step)}`}${start === 0 ? "" : ` + ${pythonNumber(start)}`}`,
  }),
  examples: [
    { inputs: {} },
    { params: { start: 1, end: 0, step: -0.25, dtype: "float32" }, inputs: {} },
    { inputs: { like: [2, 5] } },
    { params: { start: 3, step: 2, dim: 0 }, inputs: { like: [2, 5] } },
    { params: { start: 0.5, step: 0.1, dtype: "float32" }, inputs: { like: [2, 5] } },
  ],
});

/** As PyTorch counts: rounded up, in doubles. */
function countSteps(start: number, end: number, step: number): number {
  return Math.ceil((end - start) / step);
}
