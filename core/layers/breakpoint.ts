import { BREAK_FIGURES, BREAK_SIDES, BROKE_AT, printCondition } from "../training/breakpoints.ts";
import { defineLayer, float32, onnxNode, type ProgramBuilder, type Value } from "./kit.ts";
import { p } from "./params.ts";

export const breakpoint = defineLayer({
  type: "breakpoint",
  title: "Breakpoint",
  category: "io",
  doc: "Lets everything through and pauses the run after the step in which its condition begins to hold, with a checkpoint and the wire's figures as a mark. Resume goes on.",
  formula: "y = x; the run pauses where the figure of a batch comes to lie above (or below) the limit",
  when: "To stop where something goes wrong and look: numbers that are not finite behind a mask, activations that explode or fade. It pauses again only once the condition has ceased and comes back. Inside branches and loops it is silent, as it is wherever nothing is trained.",
  keywords: ["debug", "pause", "stop", "watch", "NaN", "not finite", "explode", "condition"],
  trait: "neutral",
  params: {
    figure: p.choice({ options: BREAK_FIGURES, default: "not_finite", doc: "What is looked at; not_finite counts the numbers that are NaN or infinite, max_abs is max |x|." }),
    side: p.choice({ options: BREAK_SIDES, default: "above", doc: "On which side of the limit the run pauses." }),
    limit: p.float({ default: 0, doc: "The figure's limit, which itself is still fine." }),
  },
  inputs: { x: { doc: "Any numbers." } },
  summary: printCondition,
  infer: (_, { x }) => ({ outputs: { y: x } }),
  lower: (condition, { x }, b) => {
    b.breakAt(condition, figuresOf(b, x));
    return { y: x };
  },
  onnx: (_, { x }, b) => ({ y: onnxNode(b, "Identity", [x.name]) }),
  torch: () => ({ forward: (_, { x }) => String(x) }),
  examples: [
    { inputs: { x: [2, 3, 4] } },
    { params: { figure: "max_abs", limit: 10 }, inputs: { x: [2, 3] } },
    { params: { figure: "std", side: "below", limit: 1e-3 }, inputs: { x: [4] } },
  ],
});

/** float32 [5], in the order of `BROKE_AT`. */
function figuresOf(b: ProgramBuilder, watched: Value): Value {
  const one = float32([]);
  // What is looked at is not learned from.
  const x = b.call("aten::detach", [watched], watched.type);
  const mean = b.call("aten::mean", [x], one);
  const variance = b.call("aten::mean", [b.call("aten::square", [b.call("aten::sub.Tensor", [x, mean], x.type)], x.type)], one);
  const bad = b.call("aten::logical_not", [b.call("aten::isfinite", [x], { dtype: "bool", shape: x.type.shape })], { dtype: "bool", shape: x.type.shape });
  const figures: { [figure in (typeof BROKE_AT)[number]]: Value } = {
    mean,
    std: b.call("aten::sqrt", [variance], one),
    min: b.call("aten::amin", [x, { ints: [] }, false], one),
    max: b.call("aten::max", [x], one),
    notFinite: b.call("aten::sum", [b.call("aten::to.dtype", [bad, "float32"], x.type)], one),
  };
  return b.call("aten::stack", [BROKE_AT.map((name) => figures[name])], float32([BROKE_AT.length]));
}
