import { emptyGraph, type Graph, type Node } from "../../core/graph/document.ts";
import { sketchBody } from "../../core/layers/composed.ts";
import { type LazyCase, makeCase } from "./cases.ts";

/** Parts of parts: blocks, stacks with weights of their own and shared ones, tied weights. */
export function blockCases(): LazyCase[] {
  return [
    ["A stack of blocks that read a memory", () => makeCase("memory", memoryGraph(), [{ x: { dtype: "float32", shape: [2, 4] }, memory: { dtype: "float32", shape: [2, 4] } }])],
    [
      "Tied weights of an embedding and the scores, across stacks and blocks",
      () =>
        makeCase(
          "tied",
          tiedGraph(),
          [
            [2, 3],
            [1, 7],
          ].map((shape) => ({ tokens: { dtype: "int64", shape } })),
        ),
    ],
    ["Rows named as nn.Sequential names them", () => makeCase("rows", rowsGraph(), [{ x: { dtype: "float32", shape: [2, 3, 8, 8] } }])],
  ];
}

function withNodes(body: ReturnType<typeof sketchBody>, change: { [id: string]: Partial<Node> }): Graph {
  return { ...emptyGraph, ...body, nodes: body.nodes.map((node) => ({ ...node, ...change[node.id] })) };
}

function memoryGraph(): Graph {
  const part = sketchBody(
    ["memory", "x"],
    {
      mix: ["linear", { out_features: 4 }, "memory"],
      sum: ["add", {}, { a: "x", b: "mix" }],
      act: ["tanh"],
    },
    { y: "act" },
  );
  return withNodes(
    sketchBody(
      ["memory", "x"],
      {
        own: ["stack", { n: 3 }, { x: "x", memory: "memory" }],
        shared: ["stack", { n: 2, share_weights: true }, { x: "own", memory: "memory" }],
      },
      { y: "shared" },
    ),
    { in_memory: { params: { shape: [4] } }, in_x: { params: { shape: [4] } }, own: { bodies: { body: part } }, shared: { bodies: { body: part } } },
  );
}

function tiedGraph(): Graph {
  const mlp = sketchBody(["x"], { 0: ["linear", { out_features: 8 }], 1: ["relu"], 2: ["linear", { out_features: 8 }] }, { y: "2" });
  // The second layer of each copy has the weight of the first, and a bias of its own nowhere.
  const twins = { ...mlp, nodes: mlp.nodes.map((node) => (node.id === "2" ? { ...node, weightsOf: "0" } : node)) };
  return withNodes(
    sketchBody(
      ["tokens"],
      {
        embed: ["embedding", { num_embeddings: 11, embedding_dim: 8 }],
        stack_1: ["stack", { n: 2 }],
        block_1: ["block"],
        head: ["linear", { out_features: 11, bias: false }],
      },
      { y: "head" },
    ),
    {
      in_tokens: { params: { shape: ["T"], dtype: "int64" } },
      stack_1: { bodies: { body: twins } },
      block_1: { bodies: { body: mlp } },
      head: { weightsOf: "/embed" },
    },
  );
}

function rowsGraph(): Graph {
  const conv = sketchBody(["x"], { 0: ["conv2d", { out_channels: 4, kernel_size: 3, padding: 1, bias: false }], 1: ["batch_norm2d"], 2: ["relu"] }, { y: "2" });
  const features = sketchBody(["x"], { 0: ["block"], 1: ["max_pool2d"], 2: ["block"] }, { y: "2" });
  const filled = { ...features, nodes: features.nodes.map((node) => (node.type === "block" ? { ...node, bodies: { body: conv } } : node)) };
  return withNodes(sketchBody(["x"], { features: ["block"], flatten: ["flatten"], classifier: ["linear", { out_features: 5 }] }, { y: "classifier" }), {
    in_x: { params: { shape: [3, 8, 8] } },
    features: { bodies: { body: filled } },
  });
}
