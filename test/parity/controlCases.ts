import { tensorOf } from "../../core/export/tensor.ts";
import type { Body, Graph, Json } from "../../core/graph/document.ts";
import { type LazyCase, makeCase } from "./cases.ts";
import { batchesOver, body, branches, chain, chainBody, f32, filled, graph, linear, type Wire } from "./draw.ts";
import { zoneCases } from "./zoneCases.ts";

/** What single layers do not show: control flow that depends on data, bodies in bodies, sizes known only at run time, awkward names. */
export function controlCases(): LazyCase[] {
  return [
    ["If takes either branch", () => makeCase("if", ifGraph(), [{ x: filled([3, 4], 2) }, { x: filled([3, 4], -2) }, { x: filled([1, 4], 0) }])],
    [
      "Repeat turns as often as the data says",
      () =>
        makeCase(
          "repeat",
          repeatGraph(),
          [[0, 0], [1], [2, 7, 1]].map((times) => ({ x: f32([times.length, 4]), times: tensorOf("int64", [times.length], times) })),
        ),
    ],
    // Of tanh(tanh(…x)) ten turns are needed to fall from 100 to 0.45, none from 0.3; the limit is 12.
    [
      "While turns never, often, and up to its limit",
      () =>
        makeCase(
          "while",
          whileGraph(),
          [0.3, 0.6, 100].flatMap((value) => [{ x: filled([1, 3], value) }, { x: filled([5, 3], value) }]),
        ),
    ],
    ["Zones in zones in blocks", () => makeCase("nested", nestedGraph(), [{ x: filled([2, 4], 1) }, { x: filled([3, 4], -1) }, { x: f32([1, 4]) }])],
    ["A block with several inputs and outputs", () => makeCase("block", blockGraph(), [{ "left side": f32([2, 3]), right: f32([2, 3]) }])],
    ["Bodies that hand through what they take", () => makeCase("through", throughGraph(), [{ x: filled([2, 3], 1) }, { x: filled([2, 3], -1) }])],
    ["A value used twice, an unused layer, an unused output", () => makeCase("twice", twiceGraph(), [{ x: f32([2, 3, 4]) }])],
    ["Ids that Python cannot take", () => makeCase("names", namesGraph(), [{ x: f32([2, 3]) }])],
    ...recurrentCases(),
    ...zoneCases(),
    [
      "A causal transformer over any length",
      () =>
        makeCase(
          "transformer",
          transformerGraph(),
          batchesOver(
            [
              [2, 1],
              [1, 7],
              [3, 12],
            ],
            (shape) => ({ tokens: { dtype: "int64", shape } }),
          ),
        ),
    ],
    [
      "Convolutions and pooling over any length",
      () =>
        makeCase(
          "conv",
          chain(
            { shape: [3, "T"] },
            ["conv1d", { out_channels: 4, kernel_size: 3, padding: "same" }],
            ["max_pool1d"],
            ["conv1d", { out_channels: 2, kernel_size: 1 }],
            ["mean", { dim: [2] }],
          ),
          batchesOver(
            [
              [2, 8],
              [1, 13],
            ],
            ([n, t]) => ({ x: f32([n ?? 1, 3, t ?? 1]) }),
          ),
        ),
    ],
  ];
}

function recurrentCases(): LazyCase[] {
  const settings: { [name: string]: Json }[] = [{ hidden_size: 5 }, { hidden_size: 4, num_layers: 2, bidirectional: true }, { hidden_size: 3, bias: false }];
  return ["lstm", "gru"].flatMap((type) =>
    settings.map((params): LazyCase => {
      const name = `${type.toUpperCase()} over any length: ${JSON.stringify(params)}`;
      return [
        name,
        () =>
          makeCase(
            name,
            chain({ shape: ["T", 3] }, [type, params], ["linear", { out_features: 2 }]),
            batchesOver(
              [
                [2, 1],
                [1, 9],
                [4, 6],
              ],
              ([n, t]) => ({ x: f32([n ?? 1, t ?? 1, 3]) }),
            ),
          ),
      ];
    }),
  );
}

function ifGraph(): Graph {
  return graph(
    {
      input: ["input", { shape: [4] }],
      mean: ["mean", { dim: [] }],
      greater: ["greater"],
      if_1: ["if", {}, branches(chainBody({}, [linear(5), ["relu"]]), chainBody({}, [linear(3), ["tanh"], linear(5)]))],
      head: linear(2),
      output: ["output"],
    },
    [
      ["input", "mean"],
      ["mean", "greater"],
      ["greater", "if_1:condition"],
      ["input", "if_1"],
      ["if_1", "head"],
      ["head", "output"],
    ],
  );
}

function repeatGraph(): Graph {
  return graph(
    {
      input: ["input", { shape: [4] }],
      times: ["input", { shape: [], dtype: "int64" }, undefined, { name: "times" }],
      repeat_1: ["repeat", {}, { body: chainBody({}, [linear(4), ["tanh"]]) }],
      output: ["output"],
    },
    [
      ["input", "repeat_1"],
      ["times", "repeat_1:times"],
      ["repeat_1", "output"],
    ],
  );
}

function whileGraph(): Graph {
  return chain(
    { shape: [3] },
    [
      "while",
      { max_iterations: 12 },
      {
        condition: chainBody({}, [
          ["mean", { dim: [] }],
          ["greater", { value: 0.45 }],
        ]),
        body: chainBody({}, [["tanh"]]),
      },
    ],
    linear(2),
  );
}

function nestedGraph(): Graph {
  const choice: Body = body(
    {
      input: ["input"],
      mean: ["mean", { dim: [] }],
      greater: ["greater"],
      choose: ["if", {}, branches(chainBody({}, [linear(4)]), chainBody({}, [["repeat", { times: 2 }, { body: chainBody({}, [linear(4), ["tanh"]]) }]]))],
      sum: ["add"],
      output: ["output"],
    },
    [
      ["input", "mean"],
      ["mean", "greater"],
      ["greater", "choose:condition"],
      ["input", "choose"],
      ["choose", "sum:a"],
      ["input", "sum:b"],
      ["sum", "output"],
    ],
  );
  return chain({ shape: [4] }, ["block", {}, { body: chainBody({}, [["repeat", { times: 3 }, { body: choice }], linear(4)]) }], ["relu"], linear(2));
}

function blockGraph(): Graph {
  const inside = body(
    {
      a: ["input", {}, undefined, { name: "left side" }],
      b: ["input", {}, undefined, { name: "right" }],
      sum: ["add"],
      fc: linear(4),
      o1: ["output", {}, undefined, { name: "sum" }],
      o2: ["output", {}, undefined, { name: "features" }],
    },
    [
      ["a", "sum:a"],
      ["b", "sum:b"],
      ["sum", "fc"],
      ["fc", "o2"],
      ["sum", "o1"],
    ],
  );
  return graph(
    {
      l: ["input", { shape: [3] }, undefined, { name: "left side" }],
      r: ["input", { shape: [3] }, undefined, { name: "right" }],
      block_1: ["block", {}, { body: inside }],
      o1: ["output", {}, undefined, { name: "sum" }],
      o2: ["output", {}, undefined, { name: "features" }],
    },
    [
      ["l", "block_1:left side"],
      ["r", "block_1:right"],
      ["block_1:sum", "o1"],
      ["block_1:features", "o2"],
    ],
  );
}

function throughGraph(): Graph {
  const through = chainBody({}, []);
  return graph(
    {
      input: ["input", { shape: [3] }],
      mean: ["mean", { dim: [] }],
      greater: ["greater"],
      if_1: ["if", {}, branches(through, chainBody({}, [["tanh"]]))],
      repeat_1: ["repeat", { times: 2 }, { body: through }],
      block_1: ["block", {}, { body: through }],
      output: ["output"],
      copy: ["output", {}, undefined, { name: "copy" }],
      raw: ["output", {}, undefined, { name: "raw" }],
    },
    [
      ["input", "mean"],
      ["mean", "greater"],
      ["greater", "if_1:condition"],
      ["input", "if_1"],
      ["if_1", "repeat_1"],
      ["repeat_1", "block_1"],
      ["block_1", "output"],
      ["block_1", "copy"],
      ["input", "raw"],
    ],
  );
}

function twiceGraph(): Graph {
  return graph(
    {
      input: ["input", { shape: [3, 4] }],
      lstm_1: ["lstm", { hidden_size: 4 }],
      unused: linear(9),
      sum: ["add"],
      square: ["mul"],
      output: ["output"],
    },
    [
      ["input", "lstm_1"],
      ["input", "unused"],
      ["lstm_1", "sum:a"],
      ["input", "sum:b"],
      ["sum", "square:a"],
      ["sum", "square:b"],
      ["square", "output"],
    ],
  );
}

function namesGraph(): Graph {
  const ids = ["class", "type", "forward", "3d", "a-b", "a_b", "_hidden", "training", "register_buffer"];
  const nodes: Parameters<typeof body>[0] = { "the-input": ["input", { shape: [3] }] };
  for (const id of ids) nodes[id] = linear(3);
  nodes["zone-1"] = ["repeat", { times: 2 }, { body: chainBody({}, [linear(3)]) }];
  nodes.output = ["output"];
  const all = Object.keys(nodes);
  return graph(
    nodes,
    all.slice(1).map((id, i): Wire => [all[i] ?? "", id]),
  );
}

function transformerGraph(): Graph {
  return graph(
    {
      tokens: ["input", { shape: ["T"], dtype: "int64" }, undefined, { name: "tokens" }],
      embed: ["embedding", { num_embeddings: 5, embedding_dim: 8 }],
      norm1: ["layer_norm"],
      attend: ["multihead_attention", { num_heads: 2, is_causal: true }],
      add1: ["add"],
      norm2: ["layer_norm"],
      up: linear(16),
      gelu: ["gelu"],
      down: linear(8),
      add2: ["add"],
      head: linear(5),
      output: ["output"],
    },
    [
      ["tokens", "embed"],
      ["embed", "norm1"],
      ["norm1", "attend:query"],
      ["attend", "add1:a"],
      ["embed", "add1:b"],
      ["add1", "norm2"],
      ["norm2", "up"],
      ["up", "gelu"],
      ["gelu", "down"],
      ["down", "add2:a"],
      ["add1", "add2:b"],
      ["add2", "head"],
      ["head", "output"],
    ],
  );
}
