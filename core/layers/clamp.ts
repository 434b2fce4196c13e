import { say } from "../language/say.ts";
import { LARGEST, NUMBERS, onnxAs, promote, pythonNumber } from "./dtypes.ts";
import { defineLayer, onnxNode } from "./kit.ts";
import { p } from "./params.ts";

export const clamp = defineLayer({
  type: "clamp",
  title: "Clamp",
  category: "math",
  doc: "Keeps each number between two bounds; either may be none.",
  formula: "y = min(max(x, min), max)",
  when: "Use it to keep numbers in a range that what follows can take, as above 0 before Log. Beyond a bound no gradient flows.",
  curve: (x) => Math.min(1, Math.max(0, x)),
  source: "https://pytorch.org/docs/2.13/generated/torch.clamp.html",
  keywords: ["clip", "limit", "bound", "range"],
  params: {
    min: p.floatOr({ min: -LARGEST, max: LARGEST, words: ["none"], default: 0, doc: "The lower bound, or none." }),
    max: p.floatOr({ min: -LARGEST, max: LARGEST, words: ["none"], default: 1, doc: "The upper bound, or none." }),
  },
  inputs: { x: { doc: "Any tensor of numbers.", dtype: NUMBERS } },
  summary: ({ min, max }) => `${min === "none" ? "" : min} … ${max === "none" ? "" : max}`.trim(),
  infer: ({ min, max }, { x }) => {
    if (min === "none" && max === "none")
      return {
        problem: say("Clamp needs at least one of its two bounds."),
        code: "GRAPH_PARAM",
        param: "min",
        fixes: [{ kind: "set-param", label: say("Set min to 0"), name: "min", value: 0 }],
      };
    if (min !== "none" && max !== "none" && min > max)
      return {
        problem: say("The lower bound of Clamp is above the upper one: {min} and {max}.", { min, max }),
        code: "GRAPH_PARAM",
        param: "min",
        fixes: [{ kind: "set-param", label: say("Set min to {max}", { max }), name: "min", value: max }],
      };
    return { outputs: { y: { dtype: promote(x.dtype, ...bounds(min, max)), shape: x.shape } } };
  },
  lower: ({ min, max }, { x }, b, { outputs: { y } }) => ({ y: b.call("aten::clamp", [x, min === "none" ? null : min, max === "none" ? null : max], y ?? x.type) }),
  onnx: ({ min, max }, { x }, b, { outputs: { y } }) => {
    const dtype = y?.dtype ?? "float32";
    return { y: onnxNode(b, "Clip", [onnxAs(b, x, dtype), ...[min, max].map((bound) => (bound === "none" ? null : b.constant([bound], [], dtype)))]) };
  },
  torch: ({ min, max }) => ({
    forward: (_, { x }) => `${x}.clamp(${[...(min === "none" ? [] : [`min=${pythonNumber(min)}`]), ...(max === "none" ? [] : [`max=${pythonNumber(max)}`])].join(", ")})`,
  }),
  examples: [
    { inputs: { x: [2, 3, 4] } },
    { params: { min: -0.5, max: "none" }, inputs: { x: [2, 3, 4] } },
    { params: { min: "none", max: 0.25 }, inputs: { x: [2, 3, 4] } },
    { params: { min: 1, max: 2 }, inputs: { x: { dtype: "int64", shape: [2, 5] } } },
    { params: { min: 0.5, max: "none" }, inputs: { x: { dtype: "int64", shape: [2, 5] } } },
  ],
});

function bounds(...all: (number | "none")[]): number[] {
  return all.filter((bound) => bound !== "none");
}
