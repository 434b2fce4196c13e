import { describe, expect, it } from "vitest";
import { exportKeras } from "../../../core/export/keras.ts";
import { exportOnnx } from "../../../core/export/onnx.ts";
import { exportPyTorch } from "../../../core/export/pytorch.ts";
import { type Tensor, tensorOf } from "../../../core/export/tensor.ts";
import { checkGraph, hasErrors } from "../../../core/graph/check.ts";
import type { Graph } from "../../../core/graph/document.ts";
import { addNode, applyFix, connect, insertOnEdge, removeNodes, setBypass } from "../../../core/graph/edit.ts";
import { readOnnx } from "../../../core/import/onnx-proto.ts";
import { lowerModel } from "../../../core/program/lower.ts";
import { draw, lenet } from "./sketches.ts";

/** What a program does, without the names of the nodes it came from. */
const ops = (graph: Graph) => lowerModel(graph).ops.map(({ op }) => op);
const zeros = (graph: Graph) =>
  new Map(lowerModel(graph).weights.map(({ name, shape }): [string, Tensor] => [name, tensorOf("float32", shape, Array<number>(shape.reduce((a, b) => a * b, 1)).fill(0))]));
const wire = (graph: Graph, to: string) => graph.edges.find((edge) => edge.to.node === to)?.id ?? "";
/** The graph as if the node had never been: its fix bridges the wires. */
const without = (graph: Graph, id: string) => applyFix(graph, { severity: "hint", code: "", message: "", node: id, fixes: [] }, { kind: "remove-node", label: "" });

describe("a bypassed node", () => {
  it("is as if it were not there, in the check, the program and every export", () => {
    const bypassed = setBypass(lenet, ["relu1"], true);
    const gone = without(lenet, "relu1");
    expect(checkGraph(bypassed).problems).toEqual(checkGraph(gone).problems);
    expect(lowerModel(bypassed)).toEqual(lowerModel(gone));
    expect(exportPyTorch(bypassed)).toBe(exportPyTorch(gone));
    expect(exportKeras(bypassed)).toBe(exportKeras(gone));
    const nodes = (graph: Graph) => readOnnx(exportOnnx(graph, zeros(graph))).graph.nodes;
    expect(nodes(bypassed)).toEqual(nodes(gone));
    expect(setBypass(bypassed, ["relu1"], false)).toEqual(lenet);
    expect(setBypass(lenet, ["relu1"], false)).toBe(lenet);
  });

  it("keeps its parameters but has no weights, and is seen at once after an edit", () => {
    const before = checkGraph(lenet);
    const bypassed = setBypass(lenet, ["fc1"], true);
    const after = checkGraph(bypassed);
    expect(after.weights.get("fc1")).toBeUndefined();
    expect(after.totals.parameters).toBe(before.totals.parameters - (400 * 120 + 120) - (120 * 10 + 10) + (400 * 10 + 10));
    expect(after.types.get("fc1")?.outputs.y?.shape).toEqual(["B", 400]);
    expect(checkGraph(setBypass(bypassed, ["fc1"], false)).totals).toEqual(before.totals);
  });

  it("passes on what arrives first, and a loop what it carries", () => {
    const sum = draw(["a", "input", { shape: [4] }], ["r", "relu"], ["s", "add", {}, { a: "r", b: "a" }], ["out", "output"]);
    const passed = setBypass(sum, ["s"], true);
    expect(hasErrors(checkGraph(passed))).toBe(false);
    expect(ops(passed)).toEqual(["aten::relu"]);

    const ends = draw(["a", "input", { shape: [4] }], ["out", "output", {}, {}]);
    const zone = addNode(ends, { type: "repeat", id: "zone", at: { x: 0, y: 0 } });
    const loop = connect(connect(zone, { node: "a", port: "y" }, { node: "zone", port: "x" }), { node: "zone", port: "y" }, { node: "out", port: "x" });
    expect(checkGraph(setBypass(loop, ["zone"], true)).problems).toEqual([]);
    expect(ops(setBypass(loop, ["zone"], true))).toEqual([]);
  });

  it("is refused in words where nothing could be passed on, with a way back", () => {
    const codes = (graph: Graph) =>
      checkGraph(graph)
        .problems.filter(({ severity }) => severity === "error")
        .map(({ code, message, node, fixes }) => ({ code, message, node, fix: fixes[0]?.kind }));
    expect(codes(setBypass(lenet, ["image"], true))).toEqual([
      { code: "GRAPH_BYPASS", message: "It cannot be bypassed. Input is an end of the graph: there is nothing to pass on.", node: "image", fix: "restore" },
    ]);
    const words = draw(["ids", "input", { shape: [6], dtype: "int64" }], ["emb", "embedding", { num_embeddings: 9, embedding_dim: 4 }], ["out", "output"]);
    const [refused] = codes(setBypass(words, ["emb"], true));
    expect(refused).toMatchObject({ code: "GRAPH_BYPASS", node: "emb", fix: "restore", message: expect.stringContaining("float32 of int64") });
    const problem = checkGraph(setBypass(words, ["emb"], true)).problems[0];
    expect(problem?.fixes[0] && applyFix(setBypass(words, ["emb"], true), problem, problem.fixes[0])).toEqual(words);

    const states = draw(["x", "input", { shape: ["T", 3] }], ["lstm", "lstm", { hidden_size: 4 }], ["out", "output", {}, { x: "lstm:h" }]);
    expect(codes(setBypass(states, ["lstm"], true))).toEqual([expect.objectContaining({ code: "GRAPH_BYPASS", message: expect.stringContaining("output h gives nothing") })]);
    const loose = setBypass(removeNodes(connect(lenet, { node: "relu1", port: "y" }, { node: "conv2", port: "x" }), ["conv1"]), ["relu1"], true);
    expect(codes(loose)).toContainEqual(expect.objectContaining({ code: "GRAPH_BYPASS", node: "relu1" }));
  });

  it("may be one whose own problems it takes out of the way", () => {
    const bad = draw(["x", "input", { shape: [4] }], ["c", "conv2d", { out_channels: -1 }], ["out", "output"]);
    expect(hasErrors(checkGraph(bad))).toBe(true);
    expect(checkGraph(setBypass(bad, ["c"], true)).problems).toEqual([]);
  });

  it("neither lends weights nor uses those of others", () => {
    const tied = draw(["x", "input", { shape: [4] }], ["a", "linear", { out_features: 4 }], ["b", "linear", { out_features: 4 }], ["out", "output"]);
    const graph: Graph = { ...tied, nodes: tied.nodes.map((node) => (node.id === "b" ? { ...node, weightsOf: "a" } : node)) };
    expect(checkGraph(setBypass(graph, ["b"], true)).problems).toEqual([]);
    expect(
      checkGraph(setBypass(graph, ["a"], true))
        .problems.filter(({ severity }) => severity === "error")
        .map(({ code, node }) => [code, node]),
    ).toEqual([["GRAPH_TIED", "b"]]);
  });
});

describe("a dot on a wire", () => {
  it("leaves no trace in programs and exports", () => {
    const dotted = insertOnEdge(insertOnEdge(lenet, wire(lenet, "fc1"), { type: "reroute" }), wire(lenet, "scores"), { type: "reroute" });
    expect(dotted.nodes.length).toBe(lenet.nodes.length + 2);
    expect(checkGraph(dotted).problems).toEqual(checkGraph(lenet).problems);
    expect(lowerModel(dotted)).toEqual(lowerModel(lenet));
    expect(exportPyTorch(dotted)).toBe(exportPyTorch(lenet));
    expect(exportKeras(dotted)).toBe(exportKeras(lenet));
  });
});
