import { tensorOf } from "../../core/export/tensor.ts";
import type { Body, Graph, Node } from "../../core/graph/document.ts";
import { type LazyCase, makeCase } from "./cases.ts";
import { body, branches, chainBody, f32, filled, graph, linear, type Step } from "./draw.ts";

/** Zones that carry several values by name, that collect, that nest, and that send single samples different ways. */
export function zoneCases(): LazyCase[] {
  const lengths = (...values: number[]) => tensorOf("int64", [values.length], values);
  return [
    ...[false, true].flatMap((reverse): LazyCase[] => [
      [
        `ForEachStep: an LSTM of gates over any length${reverse ? ", backwards" : ""}`,
        () =>
          makeCase(
            "gates",
            gatesGraph({ reverse }),
            [2, 1, 9].map((steps) => ({ x: f32([3, steps, 2]) })),
          ),
      ],
      [
        `ForEachStep: an LSTM of gates with lengths${reverse ? ", backwards" : ""}`,
        () =>
          makeCase("gates with lengths", gatesGraph({ reverse, lengths: true }), [
            { x: f32([3, 5, 2]), lengths: lengths(5, 2, 1) },
            { x: f32([2, 1, 2]), lengths: lengths(1, 1) },
            { x: f32([4, 7, 2]), lengths: lengths(3, 7, 6, 1) },
          ]),
      ],
    ]),
    [
      "ForEachStep along another axis, with its index, a start, and what stays",
      () =>
        makeCase("axis", axisGraph(), [
          { x: f32([2, 3, 4]), start: f32([2, 3]) },
          { x: f32([1, 3, 1]), start: f32([1, 3]) },
        ]),
    ],
    ["ForEachStep within ForEachStep: rows, then columns", () => makeCase("grid", gridGraph(), [{ x: f32([2, 3, 5, 2]) }, { x: f32([1, 4, 1, 2]) }])],
    // While halves until the mean falls below 0.2, so each step takes its own number of turns.
    [
      "ForEachStep around While that carries two values",
      () => makeCase("while in each", whileInEachGraph(), [{ x: filled([2, 3, 2], 3) }, { x: filled([1, 4, 2], 0.1) }, { x: f32([3, 2, 2]) }]),
    ],
    ["While around If", () => makeCase("if in while", ifInWhileGraph(), [{ x: filled([2, 3], 4) }, { x: filled([1, 3], 0.1) }, { x: f32([3, 3]) }])],
    [
      "Repeat around Switch: experts chosen anew each turn",
      () => makeCase("switch in repeat", switchInRepeatGraph(), [{ x: f32([7, 4]) }, { x: f32([1, 4]) }, { x: filled([3, 4], 1) }]),
    ],
    [
      "Switch over any length, with a case that nobody takes",
      () =>
        makeCase("switch", switchGraph(), [
          { x: f32([4, 3, 2]), index: lengths(2, 0, 2, 2) },
          { x: f32([1, 5, 2]), index: lengths(0) },
          { x: f32([3, 1, 2]), index: lengths(2, 1, 0) },
        ]),
    ],
    ["Repeat that counts, carries two values and collects", () => makeCase("repeat collects", collectGraph(), [{ x: f32([2, 3]) }, { x: f32([1, 3]) }])],
    [
      "Repeat with two values and no turn",
      () =>
        makeCase(
          "no turn",
          countedGraph(),
          [0, 1, 3].map((times) => ({ x: f32([2, 3]), times: lengths(times, times) })),
        ),
    ],
    ...[0, 0.36, 1].map(
      (threshold): LazyCase => [
        `Block around EarlyExit: threshold ${threshold}`,
        () => makeCase("early exit", earlyExitGraph(threshold), [{ x: f32([6, 4]) }, { x: f32([1, 4]) }]),
      ],
    ),
  ];
}

/** A cell as it is drawn in textbooks: four gates over the step and the last result, side by side. */
export function gatesBody(hidden: number): Body {
  const gate = (name: string, activation: string): { [id: string]: Step } => ({ [name]: linear(hidden), [`${name}_gate`]: [activation] });
  return body(
    {
      x: ["input"],
      h: ["input", { shape: [hidden] }, undefined, { name: "h" }],
      c: ["input", { shape: [hidden] }, undefined, { name: "c" }],
      both: ["concat"],
      ...gate("input", "sigmoid"),
      ...gate("forget", "sigmoid"),
      ...gate("cell", "tanh"),
      ...gate("output", "sigmoid"),
      kept: ["mul"],
      added: ["mul"],
      memory: ["add"],
      squashed: ["tanh"],
      result: ["mul"],
      c_out: ["output", {}, undefined, { name: "c" }],
      h_out: ["output", {}, undefined, { name: "h" }],
      y: ["output"],
    },
    [
      ["x", "both"],
      ["h", "both"],
      ...["input", "forget", "cell", "output"].flatMap((name): [string, string][] => [
        ["both", name],
        [name, `${name}_gate`],
      ]),
      ["forget_gate", "kept:a"],
      ["c", "kept:b"],
      ["input_gate", "added:a"],
      ["cell_gate", "added:b"],
      ["kept", "memory:a"],
      ["added", "memory:b"],
      ["memory", "squashed"],
      ["output_gate", "result:a"],
      ["squashed", "result:b"],
      ["memory", "c_out"],
      ["result", "h_out"],
      ["result", "y"],
    ],
  );
}

/** Outputs h, c and y of ForEachStep over gates. */
export function gatesGraph({ reverse = false, lengths = false, hidden = 4, features = 2 }: { reverse?: boolean; lengths?: boolean; hidden?: number; features?: number }): Graph {
  return graph(
    {
      input: ["input", { shape: ["T", features] }],
      ...(lengths ? { lengths: ["input", { shape: [], dtype: "int64" }, undefined, { name: "lengths" }] satisfies [...Step, { name: string }] } : {}),
      lstm: ["for_each_step", { reverse }, { body: gatesBody(hidden) }],
      ...outputsOf(["h", "c", "y"]),
    },
    [["input", "lstm"], ...(lengths ? ([["lengths", "lstm:lengths"]] satisfies [string, string][]) : []), ["lstm:h", "out_h"], ["lstm:c", "out_c"], ["lstm:y", "out_y"]],
  );
}

function outputsOf(names: string[]): { [id: string]: [...Step, { name: string }] } {
  return Object.fromEntries(names.map((name) => [`out_${name}`, ["output", {}, undefined, { name }]]));
}

function named(type: string, name: string, params: Node["params"] = {}): [...Step, { name: string }] {
  return [type, params, undefined, { name }];
}

function axisGraph(): Graph {
  const inside = body(
    {
      x: ["input"],
      h: named("input", "h"),
      bias: named("input", "bias"),
      index: named("input", "index"),
      count: ["cast"],
      sum: ["add"],
      more: ["add"],
      placed: ["add"],
      tanh: ["tanh"],
      level: ["mean", { dim: [1] }],
      h_out: named("output", "h"),
      level_out: named("output", "level"),
      index_out: named("output", "places"),
      counted: ["add"],
    },
    [
      ["x", "sum:a"],
      ["h", "sum:b"],
      ["sum", "more:a"],
      ["bias", "more:b"],
      ["index", "count"],
      ["more", "placed:a"],
      ["count", "placed:b"],
      ["placed", "tanh"],
      ["tanh", "level"],
      ["tanh", "h_out"],
      ["tanh", "level_out"],
      ["level", "counted:a"],
      ["count", "counted:b"],
      ["counted", "index_out"],
    ],
  );
  const flat = {
    ...inside,
    nodes: inside.nodes.filter(({ id }) => !["level", "counted", "index_out"].includes(id)),
    edges: inside.edges.filter(({ from, to }) => !["level", "counted", "index_out"].includes(from.node) && !["level", "counted", "index_out"].includes(to.node)),
  };
  return graph(
    {
      input: ["input", { shape: [3, "T"] }],
      start: named("input", "start", { shape: [3] }),
      first: ["for_each_step", { dim: 2, reverse: true }, { body: flat }],
      turned: ["permute", { dims: [0, 2, 1] }],
      second: ["for_each_step", {}, { body: inside }],
      ...outputsOf(["h", "level", "places"]),
    },
    [
      ["input", "first"],
      ["start", "first:h"],
      ["start", "first:bias"],
      ["first:level", "turned"],
      ["turned", "second"],
      ["first:h", "second:h"],
      ["start", "second:bias"],
      ["second:h", "out_h"],
      ["second:level", "out_level"],
      ["second:places", "out_places"],
    ],
  );
}

/** Adds to a memory and says it. */
function addingBody(size: number): Body {
  return body({ x: ["input"], h: named("input", "h", { shape: [size] }), sum: ["add"], fc: linear(size), tanh: ["tanh"], h_out: named("output", "h"), y: ["output"] }, [
    ["x", "sum:a"],
    ["h", "sum:b"],
    ["sum", "fc"],
    ["fc", "tanh"],
    ["tanh", "h_out"],
    ["tanh", "y"],
  ]);
}

function gridGraph(): Graph {
  const row = body({ x: ["input"], columns: ["for_each_step", {}, { body: addingBody(2) }], y: ["output"], h: named("output", "last") }, [
    ["x", "columns"],
    ["columns:y", "y"],
    ["columns:h", "h"],
  ]);
  return graph({ input: ["input", { shape: ["R", "C", 2] }], rows: ["for_each_step", {}, { body: row }], y: ["output"], ...outputsOf(["last"]) }, [
    ["input", "rows"],
    ["rows:y", "y"],
    ["rows:last", "out_last"],
  ]);
}

function whileInEachGraph(): Graph {
  const condition = chainBody({}, [["abs"], ["mean", { dim: [] }], ["greater", { value: 0.2 }]]);
  const halve = body(
    {
      x: ["input"],
      turns: named("input", "turns", { shape: [1] }),
      weigh: named("input", "weigh"),
      half: ["mul", { value: 0.5 }],
      scaled: ["mul"],
      more: ["add", { value: 1 }],
      y: ["output"],
      out: named("output", "turns"),
    },
    [
      ["x", "half:a"],
      ["half", "scaled:a"],
      ["weigh", "scaled:b"],
      ["scaled", "y"],
      ["turns", "more:a"],
      ["more", "out"],
    ],
  );
  const each = body(
    {
      x: ["input"],
      h: named("input", "h", { shape: [2] }),
      scale: ["sigmoid"],
      loop: ["while", { max_iterations: 9 }, { condition, body: halve }],
      sum: ["add"],
      h_out: named("output", "h"),
      turns: named("output", "turns"),
      y: ["output"],
    },
    [
      ["x", "loop"],
      ["x", "scale"],
      ["scale", "loop:weigh"],
      ["loop:y", "sum:a"],
      ["h", "sum:b"],
      ["sum", "h_out"],
      ["sum", "y"],
      ["loop:turns", "turns"],
    ],
  );
  return graph({ input: ["input", { shape: ["T", 2] }], each: ["for_each_step", {}, { body: each }], fc: linear(2), y: ["output"], ...outputsOf(["turns", "h"]) }, [
    ["input", "each"],
    ["each:y", "fc"],
    ["fc", "y"],
    ["each:turns", "out_turns"],
    ["each:h", "out_h"],
  ]);
}

function ifInWhileGraph(): Graph {
  const two = (x: Step[], n: number): Body => {
    const { nodes, edges } = chainBody({}, x);
    const count = body({ n_in: named("input", "n"), more: ["add", { value: n }], n_out: named("output", "n") }, [
      ["n_in", "more:a"],
      ["more", "n_out"],
    ]);
    return { nodes: [...nodes, ...count.nodes], edges: [...edges, ...count.edges.map((edge) => ({ ...edge, id: `n${edge.id}` }))] };
  };
  const turn = body(
    {
      x: ["input"],
      n: named("input", "n", { shape: [] }),
      mean: ["mean", { dim: [] }],
      large: ["greater", { value: 1 }],
      choose: ["if", {}, branches(two([["tanh"]], 1), two([linear(3), ["tanh"]], 10))],
      y: ["output"],
      n_out: named("output", "n"),
    },
    [
      ["x", "mean"],
      ["mean", "large"],
      ["large", "choose:condition"],
      ["x", "choose"],
      ["n", "choose:n"],
      ["choose:y", "y"],
      ["choose:n", "n_out"],
    ],
  );
  const condition = chainBody({}, [["abs"], ["mean", { dim: [] }], ["greater", { value: 0.15 }]]);
  return graph({ input: ["input", { shape: [3] }], loop: ["while", { max_iterations: 8 }, { condition, body: turn }], fc: linear(2), y: ["output"], ...outputsOf(["n"]) }, [
    ["input", "loop"],
    ["loop:y", "fc"],
    ["fc", "y"],
    ["loop:n", "out_n"],
  ]);
}

function switchInRepeatGraph(): Graph {
  const expert = (activation: string) => chainBody({}, [linear(4), [activation]]);
  const turn = body(
    {
      x: ["input"],
      router: linear(3),
      best: ["argmax", { dim: 1 }],
      experts: ["switch", { cases: 3 }, { case_0: expert("tanh"), case_1: expert("relu"), case_2: chainBody({}, []) }],
      sum: ["add"],
      y: ["output"],
      chosen: named("output", "chosen"),
    },
    [
      ["x", "router"],
      ["router", "best"],
      ["best", "experts:index"],
      ["x", "experts"],
      ["experts", "sum:a"],
      ["x", "sum:b"],
      ["sum", "y"],
      ["best", "chosen"],
    ],
  );
  return graph({ input: ["input", { shape: [4] }], turns: ["repeat", { times: 3 }, { body: turn }], y: ["output"], ...outputsOf(["chosen"]) }, [
    ["input", "turns"],
    ["turns:y", "y"],
    ["turns:chosen", "out_chosen"],
  ]);
}

function switchGraph(): Graph {
  const way = (steps: Step[]): Body => {
    const inside = chainBody({}, steps);
    const level = body({ level: ["mean", { dim: [1, 2] }], level_out: named("output", "level") }, [["level", "level_out"]]);
    return {
      nodes: [...inside.nodes, ...level.nodes],
      edges: [...inside.edges, ...level.edges.map((edge) => ({ ...edge, id: "level" })), { id: "in", from: { node: "input", port: "y" }, to: { node: "level", port: "x" } }],
    };
  };
  return graph(
    {
      input: ["input", { shape: ["T", 2] }],
      index: named("input", "index", { shape: [], dtype: "int64" }),
      ways: ["switch", { cases: 3 }, { case_0: way([linear(3)]), case_1: way([linear(3), ["tanh"]]), case_2: way([["lstm", { hidden_size: 3 }]]) }],
      y: ["output"],
      ...outputsOf(["level"]),
    },
    [
      ["input", "ways"],
      ["index", "ways:index"],
      ["ways:y", "y"],
      ["ways:level", "out_level"],
    ],
  );
}

function collectGraph(): Graph {
  const turn = body(
    {
      x: ["input"],
      sum_in: named("input", "total", { shape: [3] }),
      index: named("input", "index"),
      number: ["cast"],
      fc: linear(3),
      shifted: ["add"],
      tanh: ["tanh"],
      more: ["add"],
      y: ["output"],
      total: named("output", "total"),
      seen: named("output", "seen"),
    },
    [
      ["x", "fc"],
      ["index", "number"],
      ["fc", "shifted:a"],
      ["number", "shifted:b"],
      ["shifted", "tanh"],
      ["tanh", "y"],
      ["sum_in", "more:a"],
      ["tanh", "more:b"],
      ["more", "total"],
      ["tanh", "seen"],
    ],
  );
  return graph({ input: ["input", { shape: [3] }], turns: ["repeat", { times: 4 }, { body: turn }], y: ["output"], ...outputsOf(["total", "seen"]) }, [
    ["input", "turns"],
    ["turns:y", "y"],
    ["turns:total", "out_total"],
    ["turns:seen", "out_seen"],
  ]);
}

function countedGraph(): Graph {
  return graph(
    {
      input: ["input", { shape: [3] }],
      times: named("input", "times", { shape: [], dtype: "int64" }),
      turns: ["repeat", {}, { body: addingBody(3) }],
      y: ["output"],
      ...outputsOf(["h"]),
    },
    [
      ["input", "turns"],
      ["times", "turns:times"],
      ["turns:y", "y"],
      ["turns:h", "out_h"],
    ],
  );
}

function earlyExitGraph(threshold: number): Graph {
  const inside = body(
    {
      x: ["input"],
      exit: ["early_exit", { threshold }, { exit: chainBody({}, [linear(3)]), rest: chainBody({}, [linear(8), ["batch_norm1d"], ["relu"], linear(3)]) }],
      y: ["output"],
      side: named("output", "side"),
      taken: named("output", "taken"),
    },
    [
      ["x", "exit"],
      ["exit:y", "y"],
      ["exit:exit", "side"],
      ["exit:taken", "taken"],
    ],
  );
  return graph({ input: ["input", { shape: [4] }], part: ["block", {}, { body: inside }], y: ["output"], ...outputsOf(["side", "taken"]) }, [
    ["input", "part"],
    ["part:y", "y"],
    ["part:side", "out_side"],
    ["part:taken", "out_taken"],
  ]);
}
