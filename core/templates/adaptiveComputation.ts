import type { Body, Graph } from "../graph/document.ts";
import { sketch } from "./sketch.ts";
import type { Template } from "./template.ts";

const WIDTH = 64;
/** A sample has thought enough when so much of its answer is said. */
const ENOUGH = 0.99;

/** @see Graves, Adaptive computation time for recurrent neural networks, 2016 */
export const adaptiveComputation: Template = {
  id: "adaptive-computation",
  title: "Adaptive computation time",
  doc: "Thinks about a digit in a While for as long as it needs: each turn says how sure it is, and turns have a price. About 98 % on MNIST, and the price brings a digit from about five turns down to two.",
  task: "image-classification",
  datasetBuiltin: "mnist",
  graph: draw(),
  settings: { extraLosses: [{ output: "ponder", loss: "Value", lossParams: {}, weight: 0.01 }] },
};

function draw(): Graph {
  const s = sketch();
  const seen = s.stack(
    [
      ["input", "input", { shape: [1, 28, 28] }],
      ["flatten", "flatten"],
      ["fc1", "linear", { out_features: 128 }],
      ["relu1", "relu"],
    ],
    { column: 0, row: 0 },
  );
  s.put(["think", "while", { max_iterations: 8 }], { column: 0, row: 4 }, { seen }, { condition: drawCondition(), body: drawTurn() });
  // What is still unsaid after the last turn goes to the last state.
  s.put(["unsaid", "sub", { value: 1, reverse: true }], { column: 1, row: 6 }, { a: ["think", "said"] });
  s.put(["last", "mul"], { column: 1, row: 7 }, { a: "unsaid", b: ["think", "state"] });
  s.put(["answer", "add"], { column: 0, row: 8 }, { a: ["think", "answer"], b: "last" });
  s.stack(
    [
      ["fc2", "linear", { out_features: 10 }],
      ["output", "output"],
    ],
    { column: 0, row: 9 },
    "answer",
  );
  s.put(["price", "add"], { column: 2, row: 8 }, { a: ["think", "turns"], b: "unsaid" });
  s.put(["ponder", "output", {}, "ponder"], { column: 2, row: 10 }, { x: "price" });
  return s.graph();
}

/** Whether any sample of the batch has something left to say. */
function drawCondition(): Body {
  const s = sketch();
  s.put(["said", "input", { shape: [1] }, "said"], { column: 0, row: 0 });
  s.stack(
    [
      ["least", "min", { dim: [] }],
      ["goes_on", "less", { value: ENOUGH }],
      ["y", "output"],
    ],
    { column: 0, row: 1 },
    "said",
  );
  return s.body();
}

/**
 * One turn: a new state, how much of the answer it says (the rest of it where that would be enough), and what the turn costs: 1,
 * and at the last one the rest, through which the network learns to be sure sooner.
 */
function drawTurn(): Body {
  const s = sketch();
  s.put(["seen", "input", {}, "seen"], { column: 0, row: 0 });
  s.put(["state", "input", { shape: [WIDTH] }, "state"], { column: 1, row: 0 });
  s.put(["said", "input", { shape: [1] }, "said"], { column: 3, row: 0 });
  s.put(["answer", "input", { shape: [WIDTH] }, "answer"], { column: 4, row: 0 });
  s.put(["turns", "input", { shape: [1] }, "turns"], { column: 5, row: 0 });

  s.put(["both", "concat"], { column: 0, row: 1 }, { x: { all: ["seen", "state"] } });
  s.put(["step", "linear", { out_features: WIDTH }], { column: 0, row: 2 }, { x: "both" });
  s.put(["next", "tanh"], { column: 0, row: 3 }, { x: "step" });
  s.put(["sure", "linear", { out_features: 1 }], { column: 1, row: 4 }, { x: "next" });
  s.put(["share", "sigmoid"], { column: 1, row: 5 }, { x: "sure" });

  s.put(["rest", "sub", { value: 1, reverse: true }], { column: 3, row: 1 }, { a: "said" });
  s.put(["is_on", "less", { value: ENOUGH }], { column: 4, row: 1 }, { x: "said" });
  s.put(["on", "cast"], { column: 4, row: 2 }, { x: "is_on" });
  s.put(["would", "add"], { column: 2, row: 6 }, { a: "said", b: "share" });
  s.put(["is_last", "greater_equal", { value: ENOUGH }], { column: 2, row: 7 }, { x: "would" });
  s.put(["weight", "where"], { column: 2, row: 8 }, { condition: "is_last", x: "rest", other: "share" });
  s.put(["own", "mul"], { column: 2, row: 9 }, { a: "weight", b: "on" });

  s.put(["part", "mul"], { column: 1, row: 10 }, { a: "own", b: "next" });
  s.put(["told", "add"], { column: 1, row: 11 }, { a: "answer", b: "part" });
  s.put(["so_far", "add"], { column: 3, row: 11 }, { a: "said", b: "own" });
  s.put(["remainder", "where", { value: 0 }], { column: 4, row: 9 }, { condition: "is_last", x: "rest" });
  s.put(["price", "add", { value: 1 }], { column: 4, row: 10 }, { a: "remainder" });
  s.put(["paid", "mul"], { column: 4, row: 11 }, { a: "price", b: "on" });
  s.put(["cost", "add"], { column: 5, row: 12 }, { a: "turns", b: "paid" });

  s.put(["state_out", "output", {}, "state"], { column: 0, row: 13 }, { x: "next" });
  s.put(["answer_out", "output", {}, "answer"], { column: 1, row: 13 }, { x: "told" });
  s.put(["said_out", "output", {}, "said"], { column: 3, row: 13 }, { x: "so_far" });
  s.put(["turns_out", "output", {}, "turns"], { column: 5, row: 13 }, { x: "cost" });
  return s.body();
}
