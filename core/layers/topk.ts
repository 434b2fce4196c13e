import { say } from "../language/say.ts";
import { needAxis } from "./axes.ts";
import { NUMBERS } from "./dtypes.ts";
import { axisOf, defineLayer } from "./kit.ts";
import { p, pythonCall } from "./params.ts";

export const topk = defineLayer({
  type: "topk",
  title: "TopK",
  category: "math",
  doc: "Finds the k largest numbers along an axis, in order, and their places.",
  formula: "values, indices = the k largest of x",
  when: "Use it to keep the best few: candidates, experts, peaks. For the best one alone use Max or ArgMax.",
  source: "https://pytorch.org/docs/2.13/generated/torch.topk.html",
  keywords: ["largest", "best", "beam", "rank", "k-max"],
  params: {
    k: p.int({ min: 1, default: 1, doc: "How many." }),
    dim: p.int({ default: -1, doc: "The axis along which they are looked for." }),
    largest: p.bool({ default: true, doc: "Off: the smallest instead." }),
  },
  inputs: { x: { doc: "Any tensor of numbers.", dtype: NUMBERS } },
  outputs: { values: { doc: "The numbers, in order." }, indices: { doc: "Their places along the axis, from 0." } },
  summary: ({ k, largest }) => `${k} ${largest ? "largest" : "smallest"}`,
  infer: ({ k, dim }, { x: { dtype, shape } }) => {
    const found = needAxis("TopK", dim, shape);
    if ("problem" in found) return found;
    const size = shape[found.axis] ?? 1;
    if (typeof size === "number" && k > size)
      return {
        problem: say("TopK cannot take {k} of the {size} numbers along axis {dim}.", { k, size, dim }),
        code: "GRAPH_PARAM",
        param: "k",
        fixes: [{ kind: "set-param", label: say("Set k to {size}", { size }), name: "k", value: size }],
      };
    const taken = shape.with(found.axis, k);
    return { outputs: { values: { dtype, shape: taken }, indices: { dtype: "int64", shape: taken } } };
  },
  lower: ({ k, dim, largest }, { x }, b, { outputs: { values = x.type, indices = x.type } }) => {
    const [first = x, second = x] = b.calls("aten::topk", [x, k, dim, largest], [values, indices]);
    return { values: first, indices: second };
  },
  onnx: ({ k, dim, largest }, { x }, b) => {
    const [values = "", indices = ""] = b.node("TopK", [x.name, b.constant([k], [1], "int64")], { axis: axisOf(dim, x.type.shape.length) ?? 0, largest: largest ? 1 : 0 }, 2);
    return { values, indices };
  },
  torch: ({ k, dim, largest }) => ({ forward: (_, { x }) => pythonCall(`${x}.topk`, [k], { dim: [dim, -1], largest: [largest, true] }) }),
  examples: [{ inputs: { x: [2, 5] } }, { params: { k: 2, dim: 1, largest: false }, inputs: { x: [2, 5, 3] } }, { params: { k: 3 }, inputs: { x: [2, 3] } }],
});
