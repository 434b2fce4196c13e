import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkGraph } from "../../../core/graph/check.ts";
import { type Body, emptyGraph, Graph } from "../../../core/graph/document.ts";
import { addNode, applyFix, bodyAt, connect, copy, disconnect, freshId, insertOnEdge, moveNodes, paste, removeNodes, renameNode, setParams } from "../../../core/graph/edit.ts";
import { tidyLayout } from "../../../core/graph/layout.ts";
import type { BodyStep } from "../../../core/graph/path.ts";
import { layers } from "../../../core/layers/index.ts";
import { draw, drawDeep, lenet, soundGraph } from "./sketches.ts";

const at = { x: 0, y: 0 };

describe("edits", () => {
  it("give new nodes readable ids, and never one that is taken", () => {
    let graph: Graph = addNode(addNode(emptyGraph, { type: "conv2d", at }), { type: "conv2d", at });
    expect(graph.nodes.map(({ id }) => id)).toEqual(["conv2d_1", "conv2d_2"]);
    graph = addNode(removeNodes(graph, ["conv2d_1"]), { type: "conv2d", at });
    expect(graph.nodes.map(({ id }) => id)).toEqual(["conv2d_2", "conv2d_3"]);
    expect(addNode(graph, { type: "relu", at, id: "conv2d_2" })).toBe(graph);
  });

  it("share what they do not touch, and are the same graph where they change nothing", () => {
    const moved = moveNodes(lenet, new Map([["fc1", { x: 5, y: 5 }]]));
    expect(moved.edges).toBe(lenet.edges);
    expect(moved.nodes[1]).toBe(lenet.nodes[1]);
    expect(moved.nodes.find(({ id }) => id === "fc1")?.params).toBe(lenet.nodes.find(({ id }) => id === "fc1")?.params);
    expect(moveNodes(lenet, new Map([["fc1", lenet.nodes[8]?.at ?? at]]))).toBe(lenet);
    expect(setParams(lenet, "fc1", { out_features: 120 })).toBe(lenet);
    expect(setParams(lenet, "nobody", { out_features: 1 })).toBe(lenet);
    expect(removeNodes(lenet, ["nobody"])).toBe(lenet);
    expect(disconnect(lenet, ["nothing"])).toBe(lenet);
    expect(connect(lenet, { node: "image", port: "y" }, { node: "conv1", port: "x" })).toBe(lenet);
    expect(renameNode(lenet, "fc1", "")).toBe(lenet);
    expect(addNode(lenet, { type: "relu", at }, [{ node: "fc1", role: "body" }])).toBe(lenet);
  });

  it("keep only parameters that differ from the default", () => {
    const set = setParams(lenet, "conv1", { stride: 2, bias: true });
    expect(set.nodes[1]?.params).toEqual({ out_channels: 6, kernel_size: 5, padding: 2, stride: 2 });
    expect(setParams(set, "conv1", { stride: 1, padding: undefined }).nodes[1]?.params).toEqual({ out_channels: 6, kernel_size: 5 });
  });

  it("draw one wire into a port, and many into one that takes many", () => {
    const graph = draw(["a", "input"], ["b", "input", {}, {}], ["act", "relu", {}, { x: "a" }], ["all", "concat", {}, { x: "a" }]);
    const swapped = connect(graph, { node: "b", port: "y" }, { node: "act", port: "x" });
    expect(swapped.edges.filter(({ to }) => to.node === "act").map(({ from }) => from.node)).toEqual(["b"]);
    const joined = connect(graph, { node: "b", port: "y" }, { node: "all", port: "x" });
    expect(joined.edges.filter(({ to }) => to.node === "all").map(({ from }) => from.node)).toEqual(["a", "b"]);
  });

  it("put a node into a wire and make room below", () => {
    const graph = insertOnEdge(lenet, "e3", { type: "batch_norm2d" });
    expect(checkGraph(graph).problems).toEqual([]);
    expect(checkGraph(graph).order.slice(1, 5)).toEqual(["conv1", "relu1", "batch_norm2d_1", "pool1"]);
    const y = (id: string) => graph.nodes.find((node) => node.id === id)?.at.y ?? 0;
    expect([y("relu1"), y("batch_norm2d_1"), y("pool1"), y("scores")]).toEqual([192, 288, 384, 1152]);
  });

  it("reach into zones, whose ports follow the names inside", () => {
    const inside: BodyStep[] = [{ node: "block_1", role: "body" }];
    let graph = addNode(draw(["in", "input", { shape: [4] }]), { type: "block", at });
    graph = addNode(graph, { type: "output", at, id: "out" });
    graph = connect(connect(graph, { node: "in", port: "y" }, { node: "block_1", port: "x" }), { node: "block_1", port: "y" }, { node: "out", port: "x" });
    graph = insertOnEdge(graph, "wire_1", { type: "linear", params: { out_features: 3 } }, inside);
    expect(checkGraph(graph).problems).toEqual([]);
    expect(checkGraph(graph).types.get("out")?.inputs.x).toEqual({ dtype: "float32", shape: ["B", 3] });
    graph = renameNode(renameNode(graph, "input_1", "features", inside), "output_1", "scores", inside);
    expect(graph.edges.map(({ from, to }) => [from.port, to.port])).toEqual([
      ["y", "features"],
      ["scores", "x"],
    ]);
    expect(checkGraph(graph).problems).toEqual([]);
    expect(bodyAt(graph, inside)?.nodes.map(({ id }) => id)).toEqual(["input_1", "output_1", "linear_1"]);
  });

  it("rename a port of a zone in all bodies that have it", () => {
    const around = (type: string) => {
      const nodes = [
        { type: "input", id: "in", params: { shape: [4] } },
        { type, id: "zone" },
        { type: "output", id: "out" },
      ].reduce((drawn: Graph, node) => addNode(drawn, { at, ...node }), emptyGraph);
      return connect(connect(nodes, { node: "in", port: "y" }, { node: "zone", port: "x" }), { node: "zone", port: "y" }, { node: "out", port: "x" });
    };
    let graph = around("while");
    graph = renameNode(renameNode(graph, "input_1", "state", [{ node: "zone", role: "body" }]), "output_1", "state", [{ node: "zone", role: "body" }]);
    expect(graph.edges.map(({ from, to }) => [from.port, to.port])).toEqual([
      ["y", "state"],
      ["state", "x"],
    ]);
    expect(bodyAt(graph, [{ node: "zone", role: "condition" }])?.nodes.find(({ type }) => type === "input")?.name).toBe("state");
    expect(checkGraph(graph).problems).toEqual([]);
    // The scores that leave EarlyExit are its own, whatever its bodies call theirs.
    const exit = around("early_exit");
    expect(renameNode(exit, "output_1", "scores", [{ node: "zone", role: "exit" }]).edges).toEqual(exit.edges);
  });

  it("copy and paste nodes with the wires among them", () => {
    const clip = copy(lenet, ["conv1", "relu1", "fc1"]);
    expect(clip.edges).toHaveLength(1);
    const { graph, ids } = paste(lenet, clip, { x: 400, y: 40 });
    expect(ids).toEqual(["conv2d_1", "relu_1", "linear_1"]);
    expect(graph.nodes.slice(-3).map((node) => node.at)).toEqual([
      { x: 400, y: 40 },
      { x: 400, y: 136 },
      { x: 400, y: 40 + 7 * 96 },
    ]);
    expect(graph.edges.at(-1)).toMatchObject({ from: { node: "conv2d_1", port: "y" }, to: { node: "relu_1", port: "x" } });
    expect(paste(graph, { nodes: [], edges: [] }, at).graph).toBe(graph);
  });

  it("bridge the wires around a node that a fix removes", () => {
    const graph = draw(["in", "input", { shape: [4] }], ["p", "softmax"], ["out", "output"]);
    const [problem] = checkGraph(graph).problems;
    const fix = problem?.fixes[0];
    expect(problem && fix && applyFix(graph, problem, fix).edges).toEqual([{ id: "e2", from: { node: "in", port: "y" }, to: { node: "out", port: "x" } }]);
  });
});

/** An edit at random, among the nodes and wires that are there at the time. */
type Pick = [kind: number, a: number, b: number, c: number];
const picks = fc.array(fc.tuple(fc.nat(8), fc.nat(), fc.nat(), fc.nat()), { maxLength: 25 });

function apply(graph: Graph, [kind, a, b, c]: Pick): Graph {
  const nodes = graph.nodes;
  const node = nodes[a % nodes.length];
  const other = nodes[b % nodes.length];
  const edge = graph.edges[c % graph.edges.length];
  const layer = layers[c % layers.length];
  if (!layer) throw new Error("There are layers.");
  if (kind === 0 || !node || !other) return addNode(graph, { type: layer.type, at: { x: a % 900, y: b % 900 } });
  if (kind === 1) return connect(graph, { node: node.id, port: "y" }, { node: other.id, port: c % 2 ? "x" : "a" });
  if (kind === 2) return edge ? disconnect(graph, [edge.id]) : graph;
  if (kind === 3) return removeNodes(graph, [node.id]);
  if (kind === 4) return setParams(graph, node.id, { out_features: b % 20, times: c });
  if (kind === 5) return moveNodes(graph, new Map([[node.id, { x: b % 900, y: c % 900 }]]));
  if (kind === 6) return paste(graph, copy(graph, [node.id, other.id]), { x: b % 900, y: c % 900 }).graph;
  if (kind === 7) return edge ? insertOnEdge(graph, edge.id, { type: layer.type }) : graph;
  return renameNode(graph, node.id, `name ${c % 5}`);
}

/** What must hold of every document: it parses, ids are unique, wires end at nodes, ports that take one wire have at most one. */
function expectWhole(graph: Graph): void {
  Graph.parse(graph);
  const check = ({ nodes, edges }: Body) => {
    const ids = new Set(nodes.map(({ id }) => id));
    expect(ids.size).toBe(nodes.length);
    expect(new Set(edges.map(({ id }) => id)).size).toBe(edges.length);
    for (const { from, to } of edges) expect(ids.has(from.node) && ids.has(to.node)).toBe(true);
    const single = edges.filter(({ to }) => nodes.find(({ id }) => id === to.node)?.type !== "concat").map(({ to }) => `${to.node} ${to.port}`);
    expect(new Set(single).size).toBe(single.length);
    for (const { bodies } of nodes) for (const body of Object.values(bodies ?? {})) check(body);
  };
  check(graph);
}

describe("any sequence of edits", () => {
  it("leaves a whole document, and the graphs before it as they were", () => {
    fc.assert(
      fc.property(soundGraph, picks, (start, sequence) => {
        const history = [{ graph: start, text: JSON.stringify(start) }];
        for (const pick of sequence) {
          const graph = apply(history.at(-1)?.graph ?? start, pick);
          expectWhole(graph);
          history.push({ graph, text: JSON.stringify(graph) });
        }
        // Undo is to show an earlier graph again: none has been changed meanwhile.
        for (const { graph, text } of history) expect(JSON.stringify(graph)).toBe(text);
        expect(() => checkGraph(history.at(-1)?.graph ?? start)).not.toThrow();
      }),
      { numRuns: 150 },
    );
  });

  it("connect then disconnect, add then remove, are nothing", () => {
    fc.assert(
      fc.property(soundGraph, fc.nat(), fc.nat(), (graph, a, b) => {
        const [from, to] = [graph.nodes[a % graph.nodes.length], graph.nodes[b % graph.nodes.length]];
        if (!from || !to) return;
        const withFree = addNode(graph, { type: "relu", at });
        const free = withFree.nodes.at(-1)?.id ?? "";
        const wired = connect(withFree, { node: from.id, port: "y" }, { node: free, port: "x" });
        expect(disconnect(wired, [wired.edges.at(-1)?.id ?? ""])).toEqual(withFree);
        expect(removeNodes(wired, [free])).toEqual(graph);
        expect(freshId(graph, "relu")).toBe(free);
      }),
    );
  });
});

describe("tidy layout", () => {
  const overlaps = (places: Map<string, { x: number; y: number }>) => {
    const all = [...places.values()];
    return all.some((a, i) => all.slice(i + 1).some((b) => Math.abs(a.x - b.x) < 184 && Math.abs(a.y - b.y) < 52));
  };

  it("stands a chain in one straight column", () => {
    const places = tidyLayout(lenet);
    expect(new Set([...places.values()].map(({ x }) => x)).size).toBe(1);
    expect([...places.values()].map(({ y }) => y).sort((a, b) => a - b)).toEqual(lenet.nodes.map((_, i) => i * 96));
  });

  it("draws every wire downward and no node over another", () => {
    fc.assert(
      fc.property(soundGraph, (graph) => {
        const places = tidyLayout(graph);
        expect(places.size).toBe(graph.nodes.length);
        expect(overlaps(places)).toBe(false);
        for (const { from, to } of graph.edges) expect(places.get(to.node)?.y).toBeGreaterThan(places.get(from.node)?.y ?? 0);
      }),
    );
  });

  it("leaves a tidy graph alone", () => {
    const graph = drawDeep(60);
    const tidied = moveNodes(graph, tidyLayout(graph));
    expect(moveNodes(tidied, tidyLayout(tidied))).toBe(tidied);
  });

  it("survives loops and wires to nowhere", () => {
    const graph = draw(["a", "add", {}, { a: "b", b: "a" }], ["b", "relu", {}, { x: "a" }], ["c", "relu", {}, { x: "nobody" }]);
    expect(tidyLayout(graph).size).toBe(3);
  });
});
