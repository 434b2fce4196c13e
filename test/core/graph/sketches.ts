import fc from "fast-check";
import type { Body, Edge, Graph, Json, Node } from "../../../core/graph/document.ts";
import { layers } from "../../../core/layers/index.ts";

/** Graphs for tests: drawn by hand in one line, or by chance. */

export type Sketched = [id: string, type: string, params?: Node["params"], from?: { [port: string]: string | string[] }];

/** Nodes in order, each fed on `x` by the one before unless it says otherwise (`{ a: "conv", b: "input:y" }`). */
export function draw(...steps: Sketched[]): Graph {
  const nodes: Node[] = [];
  const edges: Edge[] = [];
  for (const [i, [id, type, params = {}, from]] of steps.entries()) {
    nodes.push({ id, type, params, at: { x: 0, y: i * 96 } });
    const before = steps[i - 1]?.[0];
    for (const [port, sources] of Object.entries(from ?? (before === undefined || type === "input" ? {} : { x: before }))) {
      for (const source of [sources].flat()) {
        const [node = "", output = "y"] = source.split(":");
        edges.push({ id: `e${edges.length + 1}`, from: { node, port: output }, to: { node: id, port } });
      }
    }
  }
  return { schemaVersion: 1, nodes, edges };
}

export const lenet = draw(
  ["image", "input", { shape: [1, 28, 28] }],
  ["conv1", "conv2d", { out_channels: 6, kernel_size: 5, padding: 2 }],
  ["relu1", "relu"],
  ["pool1", "max_pool2d"],
  ["conv2", "conv2d", { out_channels: 16, kernel_size: 5 }],
  ["relu2", "relu"],
  ["pool2", "max_pool2d"],
  ["flat", "flatten"],
  ["fc1", "linear", { out_features: 120 }],
  ["relu3", "relu"],
  ["fc2", "linear", { out_features: 10 }],
  ["scores", "output"],
);

/** A residual network of at least `nodeCount` nodes. */
export function drawDeep(nodeCount: number): Graph {
  const steps: Sketched[] = [["image", "input", { shape: [16, 32, 32] }]];
  let last = "image";
  for (let i = 1; steps.length < nodeCount - 3; i++) {
    steps.push(
      [`conv${i}a`, "conv2d", { out_channels: 16, kernel_size: 3, padding: 1, bias: false }, { x: last }],
      [`norm${i}a`, "batch_norm2d"],
      [`relu${i}a`, "relu"],
      [`conv${i}b`, "conv2d", { out_channels: 16, kernel_size: 3, padding: "same", bias: false }],
      [`norm${i}b`, "batch_norm2d"],
      [`add${i}`, "add", {}, { a: `norm${i}b`, b: last }],
      [`relu${i}b`, "relu"],
    );
    last = `relu${i}b`;
  }
  steps.push(["flat", "flatten"], ["fc", "linear", { out_features: 10 }], ["scores", "output"]);
  return draw(...steps);
}

const hostile = ["__proto__", "constructor", "toString", "hasOwnProperty", "valueOf", "prototype"];
const nodeId = fc.oneof(fc.constantFrom("a", "b", "c", "d", "e", "f", ...hostile), fc.stringMatching(/^[\w-]{1,8}$/));
const nodeType = fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...layers.map(({ type }) => type)) }, { weight: 1, arbitrary: fc.constantFrom("someday", ...hostile) });
const port = fc.constantFrom("x", "y", "a", "b", "h", "query", "condition", ...hostile);
const paramName = fc.constantFrom(...new Set(layers.flatMap(({ params }) => Object.keys(params))), ...hostile);
const paramValue: fc.Arbitrary<Json> = fc.oneof(
  fc.integer({ min: -3, max: 300 }),
  fc.constantFrom<Json>(null, true, false, "same", "T", "", Number.MAX_SAFE_INTEGER, 1e308, -1, 0.5, [], [1], [-1], [0, 1], ["T", 3], [2, 2], [1, 28, 28], {}),
  fc.jsonValue({ maxDepth: 2 }).map((value): Json => JSON.parse(JSON.stringify(value))),
);
const place = fc.record({ x: fc.integer({ min: -500, max: 500 }), y: fc.integer({ min: -500, max: 500 }) });

const role = fc.constantFrom("body", "then", "else", "condition", ...hostile);

/** A body with others inside it, `depth` deep at most; few nodes have any, so that most graphs stay small. */
function bodyOf(depth: number): fc.Arbitrary<Body> {
  const plain = {
    id: nodeId,
    type: nodeType,
    params: fc.dictionary(paramName, paramValue, { maxKeys: 3 }),
    at: place,
    name: fc.oneof(fc.constantFrom("x", "y", "state", "", " ", ...hostile), fc.string({ maxLength: 80 })),
  };
  const requiredKeys = ["id", "type", "params", "at"] as const;
  const leaf = fc.record(plain, { requiredKeys: [...requiredKeys] });
  const node: fc.Arbitrary<Node> =
    depth === 0
      ? leaf
      : fc.oneof(
          { weight: 5, arbitrary: leaf },
          { weight: 1, arbitrary: fc.record({ ...plain, bodies: fc.dictionary(role, bodyOf(depth - 1), { maxKeys: 2 }) }, { requiredKeys: [...requiredKeys] }) },
        );
  return fc.record({
    nodes: fc.array(node, { maxLength: 8 }),
    edges: fc.array(fc.record({ id: nodeId, from: fc.record({ node: nodeId, port }), to: fc.record({ node: nodeId, port }) }), { maxLength: 14 }),
  });
}

/** Whatever fits the document's form, however wrong. */
export const anyGraph: fc.Arbitrary<Graph> = bodyOf(2).map((drawn) => ({ schemaVersion: 1, ...drawn }));

const links = ["relu", "tanh", "gelu", "identity", "dropout", "linear", "layer_norm", "softmax"] as const;

/** Networks that run: vectors through chains and residual joins of layers that keep or change the width. */
export const soundGraph: fc.Arbitrary<Graph> = fc
  .array(fc.record({ type: fc.constantFrom(...links), width: fc.integer({ min: 1, max: 9 }), skip: fc.boolean() }), { minLength: 1, maxLength: 12 })
  .map((parts) => {
    const steps: Sketched[] = [["in", "input", { shape: [6] }]];
    for (const [i, { type, width, skip }] of parts.entries()) {
      const before = steps.at(-1)?.[0] ?? "in";
      steps.push([`n${i}`, type, type === "linear" ? { out_features: width } : {}, { x: before }]);
      if (skip && type !== "linear") steps.push([`add${i}`, "add", {}, { a: `n${i}`, b: before }]);
    }
    steps.push(["out", "output"]);
    return draw(...steps);
  });
