import { describe, expect, it } from "vitest";
import { checkGraph, type Problem } from "../../../core/graph/check.ts";
import type { Graph } from "../../../core/graph/document.ts";
import { readGraph } from "../../../core/graph/migrate.ts";
import { chain, type Step } from "../../../core/templates/sketch.ts";

/** The number is the one of the list of bad inputs. */
const errorsOf = (graph: Graph): Problem[] => checkGraph(graph).problems.filter(({ severity }) => severity === "error");
const around = (...steps: Step[]) => chain([["x", "input", { shape: [8] }], ...steps, ["y", "output"]]);
const node = (id: string, type: string, params: Graph["nodes"][number]["params"] = {}) => ({ id, type, params, at: { x: 0, y: 0 } });
const edge = (id: string, from: string, to: string, port = "x") => ({ id, from: { node: from, port: "y" }, to: { node: to, port } });

describe("a graph that must not run", () => {
  it("48: a cycle lists its nodes", () => {
    const graph: Graph = {
      schemaVersion: 1,
      nodes: [node("x", "input", { shape: [8] }), node("a", "relu"), node("b", "tanh"), node("y", "output")],
      edges: [edge("1", "b", "a"), edge("2", "a", "b"), edge("3", "b", "y")],
    };
    const problem = errorsOf(graph).find(({ code }) => code === "GRAPH_CYCLE");
    expect(problem?.message).toBe("These nodes feed each other in a loop: Tanh → ReLU → Tanh.");
  });

  it("49: shapes that do not fit name what is needed and what comes, with a fix where there is one", () => {
    const wide = chain([
      ["x", "input", { shape: [784] }],
      ["conv", "conv2d", { out_channels: 4, kernel_size: 3 }],
      ["y", "output"],
    ]);
    const [problem] = errorsOf(wide);
    // The wire says the other node.
    expect(problem).toMatchObject({ code: "GRAPH_SHAPE", node: "conv", message: "Conv2d needs [N, channels, height, width] but receives [B, 784]." });
    expect(wide.edges.find(({ id }) => id === problem?.edge)).toMatchObject({ from: { node: "x" }, to: { node: "conv" } });
    expect(problem?.fixes.map(({ label }) => label)).toEqual([expect.stringMatching(/Reshape.*28/)]);
    const joined: Graph = {
      schemaVersion: 1,
      nodes: [node("x", "input", { shape: [8] }), node("a", "linear", { out_features: 3 }), node("b", "linear", { out_features: 4 }), node("s", "add"), node("y", "output")],
      edges: [edge("1", "x", "a"), edge("2", "x", "b"), edge("3", "a", "s", "a"), edge("4", "b", "s", "b"), edge("5", "s", "y")],
    };
    expect(errorsOf(joined)).toMatchObject([{ code: "GRAPH_SHAPE", node: "s", edge: "4", message: "Add needs two inputs of the same shape but receives [B, 3] and [B, 4]." }]);
  });

  it("50: a Linear of a million by a million says what its weights would take, and the limit", () => {
    const graph = chain([
      ["x", "input", { shape: [1_000_000] }],
      ["wide", "linear", { out_features: 1_000_000 }],
      ["y", "output"],
    ]);
    const [problem] = errorsOf(graph);
    expect(problem).toMatchObject({ code: "GRAPH_MEMORY", node: "wide" });
    expect(problem?.message).toBe("The weight of Linear would be [1000000, 1000000]: 3.6 TiB for it alone, and all weights together may take 2.0 GiB.");
  });

  it.each([
    ["kernel_size", "conv2d", { out_channels: 4, kernel_size: 0 }, /≥ 1.*; it is 0\.$/],
    ["stride", "conv2d", { out_channels: 4, kernel_size: 3, stride: 0 }, /≥ 1.*; it is 0\.$/],
    ["padding", "conv2d", { out_channels: 4, kernel_size: 3, padding: -1 }, /≥ 0.*; it is -1\.$/],
    ["groups", "conv2d", { out_channels: 4, kernel_size: 3, groups: 3 }, /4.*3/],
    ["p", "dropout", { p: 1.5 }, /0.*1; it is 1\.5\.$/],
  ])("52: %s of %s out of range names the field and the range", (param, type, params, says) => {
    const graph = chain([
      ["x", "input", { shape: [4, 8, 8] }],
      ["bad", type, params],
      ["y", "output"],
    ]);
    const [problem] = errorsOf(graph);
    expect(problem).toMatchObject({ code: "GRAPH_PARAM", node: "bad", param });
    expect(problem?.message).toMatch(says);
  });

  it("53: sizes whose product leaves all numbers are an overflow, not a negative number", () => {
    const graph = chain([
      ["x", "input", { shape: [2 ** 31 - 1, 2 ** 31 - 1, 4] }],
      ["flatten", "flatten"],
      ["y", "output"],
    ]);
    const [problem] = errorsOf(graph);
    expect(problem?.code).toBe("GRAPH_OVERFLOW");
    expect(problem?.message).not.toMatch(/-\d|NaN|Infinity/);
  });

  it("54: without an Output there is nothing to compare; two wires into one Output are refused", () => {
    const open: Graph = { schemaVersion: 1, nodes: [node("x", "input", { shape: [8] }), node("a", "linear", { out_features: 2 })], edges: [edge("1", "x", "a")] };
    expect(errorsOf(open).map(({ code }) => code)).toContain("GRAPH_INCOMPLETE");
    const twice: Graph = {
      schemaVersion: 1,
      nodes: [...open.nodes, node("b", "linear", { out_features: 2 }), node("y", "output")],
      edges: [edge("1", "x", "a"), edge("2", "x", "b"), edge("3", "a", "y"), edge("4", "b", "y")],
    };
    expect(errorsOf(twice)).toMatchObject([{ code: "GRAPH_INCOMPLETE", node: "y", message: "Input x of Output takes one wire, and this is another." }]);
  });

  it("56: too many nodes, or brackets too deep, are refused before they are read through", () => {
    const many = { schemaVersion: 1, nodes: Array.from({ length: 100_000 }, (_, i) => node(`n${i}`, "relu")), edges: [] };
    expect(readGraph(many)).toMatchObject({ code: "GRAPH_TOO_LARGE", message: "This graph has 100000 nodes; the limit is 2000. Split it into several models." });
    let deep: unknown = 1;
    for (let i = 0; i < 10_000; i++) deep = [deep];
    const started = performance.now();
    expect(readGraph({ schemaVersion: 1, nodes: [{ ...node("a", "relu"), params: { p: deep } }], edges: [] })).toMatchObject({ code: "GRAPH_TOO_LARGE" });
    expect(performance.now() - started).toBeLessThan(1_000);
  });

  it("57: names that mean something to JavaScript are names like any other", () => {
    const graph: Graph = { schemaVersion: 1, nodes: [node("toString", "__proto__"), node("x", "input", { shape: [8] }), node("y", "output")], edges: [edge("1", "x", "y")] };
    expect(errorsOf(graph).map(({ code }) => code)).toContain("GRAPH_UNKNOWN_TYPE");
    const params: unknown = JSON.parse('{"__proto__": {"polluted": 1}, "constructor": 2}');
    checkGraph(around(["relu", "relu", params as Graph["nodes"][number]["params"]]));
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });
});
