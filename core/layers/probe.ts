import { defineLayer, float32, onnxNode, type ProgramBuilder, type Value } from "./kit.ts";
import { p } from "./params.ts";

const STATISTICS = ["mean", "std", "norm", "max_abs", "zeros"] as const;

export const probe = defineLayer({
  type: "probe",
  title: "Probe",
  category: "io",
  doc: "Lets everything through and draws a curve of it while training: what the numbers on this wire are like.",
  formula: "y = x; measured on each batch: mean(x), std(x), ‖x‖₂ / √count, max |x|, or the share of zeros",
  when: "To see what happens inside: whether activations die (zeros), explode (max_abs) or fade (std). Inside branches and loops it is silent.",
  keywords: ["watch", "debug", "monitor", "statistics", "activation", "dead units", "plot"],
  trait: "neutral",
  params: { statistic: p.choice({ options: STATISTICS, default: "std", doc: "What is measured; zeros is the share of numbers that are exactly 0." }) },
  inputs: { x: { doc: "Any numbers." } },
  summary: ({ statistic }) => statistic,
  infer: (_, { x }) => ({ outputs: { y: x } }),
  lower: ({ statistic }, { x }, b, _, node) => {
    b.watch(`${node.name || node.id} ${statistic}`, measure(b, x, statistic));
    return { y: x };
  },
  onnx: (_, { x }, b) => ({ y: onnxNode(b, "Identity", [x.name]) }),
  torch: () => ({ forward: (_, { x }) => String(x) }),
  examples: STATISTICS.map((statistic) => ({ params: { statistic }, inputs: { x: [2, 3, 4] } })),
});

function measure(b: ProgramBuilder, watched: Value, statistic: (typeof STATISTICS)[number]): Value {
  const one = float32([]);
  // What is looked at is not learned from.
  const x = b.call("aten::detach", [watched], watched.type);
  switch (statistic) {
    case "mean":
      return b.call("aten::mean", [x], one);
    case "std":
      return b.call("aten::sqrt", [b.call("aten::sub.Tensor", [meanSquare(b, x), square(b, b.call("aten::mean", [x], one))], one)], one);
    case "norm":
      return b.call("aten::sqrt", [meanSquare(b, x)], one);
    case "max_abs":
      return b.call("aten::max", [b.call("aten::abs", [x], x.type)], one);
    case "zeros":
      return b.call("aten::mean", [b.call("aten::to.dtype", [b.call("aten::eq.Scalar", [x, 0], { dtype: "bool", shape: x.type.shape }), "float32"], x.type)], one);
  }
}

function square(b: ProgramBuilder, x: Value): Value {
  return b.call("aten::mul.Tensor", [x, x], x.type);
}

function meanSquare(b: ProgramBuilder, x: Value): Value {
  return b.call("aten::mean", [square(b, x)], float32([]));
}
