import type { Body, Graph } from "../graph/document.ts";
import { chain, sketch } from "./sketch.ts";
import type { Template } from "./template.ts";

const WIDTH = 64;
const EXPERTS = 4;

/** @see Fedus, Zoph, Shazeer, Switch transformers, 2021; Rosenbaum, Klinger, Riemer, Routing networks, 2017 */
export const routedExperts: Template = {
  id: "routed-experts",
  title: "Routed experts",
  doc: "A tree of choices: three times a router sends each digit to one of four experts, so that every sample takes a way of its own and the others cost it nothing. About 97.5 % on MNIST, with all experts in use.",
  task: "image-classification",
  datasetBuiltin: "mnist",
  graph: draw(),
  settings: { extraLosses: [{ output: "balance", loss: "Value", lossParams: {}, weight: 0.02 }] },
};

function draw(): Graph {
  const s = sketch();
  const seen = s.stack(
    [
      ["input", "input", { shape: [1, 28, 28] }],
      ["flatten", "flatten"],
      ["fc1", "linear", { out_features: WIDTH }],
      ["relu1", "relu"],
    ],
    { column: 0, row: 0 },
  );
  s.put(["route", "repeat", { times: 3 }], { column: 0, row: 4 }, { x: seen }, { body: drawTurn() });
  s.stack(
    [
      ["fc2", "linear", { out_features: 10 }],
      ["output", "output"],
    ],
    { column: 0, row: 6 },
    "route",
  );
  s.put(["balance", "output", {}, "balance"], { column: 1, row: 7 }, { x: ["route", "balance"] });
  return s.graph();
}

/**
 * One choice. The expert's result counts as much as the router was sure, through which the router learns. `balance` says how crowded
 * a sample's way is: its mean over a batch is least, 1, where the router spreads the batch evenly.
 */
function drawTurn(): Body {
  const s = sketch();
  s.put(["x", "input"], { column: 0, row: 0 });
  s.put(["norm", "layer_norm"], { column: 0, row: 1 }, { x: "x" });
  s.put(["router", "linear", { out_features: EXPERTS }], { column: 1, row: 2 }, { x: "norm" });
  s.put(["odds", "softmax"], { column: 1, row: 3 }, { x: "router" });
  s.put(["choice", "argmax"], { column: 1, row: 4 }, { x: "odds" });
  s.put(["sureness", "max", { dim: [1], keepdim: true }], { column: 2, row: 4 }, { x: "odds" });
  s.put(
    ["experts", "switch", { cases: EXPERTS }],
    { column: 0, row: 5 },
    { x: "norm", index: "choice" },
    Object.fromEntries(Array.from({ length: EXPERTS }, (_, i) => [`case_${i}`, drawExpert()])),
  );
  s.put(["weighed", "mul"], { column: 0, row: 8 }, { a: "experts", b: "sureness" });
  s.put(["sum", "add"], { column: 0, row: 9 }, { a: "x", b: "weighed" });
  s.put(["share", "mean", { dim: [0] }], { column: 3, row: 4 }, { x: "odds" });
  s.put(["crowd", "mul"], { column: 3, row: 5 }, { a: "odds", b: "share" });
  s.put(["crowding", "sum"], { column: 3, row: 6 }, { x: "crowd" });
  s.put(["scaled", "mul", { value: EXPERTS }], { column: 3, row: 7 }, { a: "crowding" });
  s.put(["y", "output"], { column: 0, row: 10 }, { x: "sum" });
  s.put(["balance", "output", {}, "balance"], { column: 3, row: 10 }, { x: "scaled" });
  return s.body();
}

function drawExpert(): Body {
  const { nodes, edges } = chain([
    ["x", "input"],
    ["fc1", "linear", { out_features: 96 }],
    ["relu", "relu"],
    ["fc2", "linear", { out_features: WIDTH }],
    ["y", "output"],
  ]);
  return { nodes, edges };
}
