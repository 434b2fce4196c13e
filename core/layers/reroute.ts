import { defineLayer } from "./kit.ts";

export const reroute = defineLayer({
  type: "reroute",
  title: "Reroute",
  category: "shape",
  doc: "A dot on a wire, to lead it around other nodes or to several of them.",
  formula: "y = x",
  when: "To keep a large drawing readable. It is not there for training and exports.",
  keywords: ["dot", "bend", "knot", "junction", "wire", "waypoint"],
  trait: "neutral",
  dot: true,
  passes: () => ({ y: "x" }),
  params: {},
  inputs: { x: { doc: "Anything.", dtype: "any" } },
  summary: () => "",
  infer: (_, { x }) => ({ outputs: { y: x } }),
  lower: (_, { x }) => ({ y: x }),
  onnx: (_, { x }) => ({ y: x.name }),
  torch: () => ({ forward: (_, { x }) => String(x) }),
  examples: [{ inputs: { x: [2, 3] } }],
});
