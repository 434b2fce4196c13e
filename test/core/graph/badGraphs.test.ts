import { describe, expect, it } from "vitest";
import { checkGraph, type Problem } from "../../../core/graph/check.ts";
import type { Graph } from "../../../core/graph/document.ts";
import { parseGraph, readGraph } from "../../../core/graph/migrate.ts";
import { startBody } from "../../../core/layers/kit.ts";
import { chain, type Step } from "../../../core/templates/sketch.ts";

import { allowed } from "../../allowed.ts";

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

/** S-10: at each limit a graph is answered with a plan, one beyond it with a refusal, in less than a second and with no tensor of it made. */
describe("a graph at its limits", () => {
  const relus = (count: number) => chain([["x", "input", { shape: [8] }], ...Array.from({ length: count - 2 }, (_, at): Step => [`n${at}`, "relu"]), ["y", "output"]]);
  /** Repeats in repeats, so many deep. */
  function nested(depth: number): Graph {
    const graph = around(["zone", "repeat", { times: 1 }]);
    let body = startBody({ type: "relu" });
    for (let at = 1; at < depth; at++) {
      const outer = startBody({ type: "repeat", params: { times: 1 } });
      body = { ...outer, nodes: outer.nodes.map((one) => (one.type === "repeat" ? { ...one, bodies: { body } } : one)) };
    }
    return { ...graph, nodes: graph.nodes.map((one) => (one.id === "zone" ? { ...one, bodies: { body } } : one)) };
  }
  /** As many wires as asked, of which all but the needed lead into one node that takes any number. */
  function wired(count: number): Graph {
    const sources = relus(202);
    const joins = Array.from({ length: 60 }, (_, at) => node(`cat${at}`, "concat", { dim: 1 }));
    const more: Graph["edges"] = [];
    for (const { id } of joins)
      for (const source of sources.nodes) if (source.type === "relu" && sources.edges.length + more.length < count) more.push(edge(`${id} ${source.id}`, source.id, id));
    return { ...sources, nodes: [...sources.nodes, ...joins], edges: [...sources.edges, ...more] };
  }
  /** Brackets in a parameter, so many deep in the whole text. */
  function bracketed(depth: number): string {
    const inner = depth - 4;
    return `{"schemaVersion":1,"nodes":[{"id":"a","type":"relu","params":{"p":${"[".repeat(inner)}${"]".repeat(inner)}},"at":{"x":0,"y":0}}],"edges":[]}`;
  }
  function sized(bytes: number): string {
    const [head, tail] = ['{"schemaVersion":1,"nodes":[{"id":"a","type":"relu","params":{"p":"', '"},"at":{"x":0,"y":0}}],"edges":[]}'];
    return `${head}${"x".repeat(bytes - head.length - tail.length)}${tail}`;
  }
  const shaped = (...shape: number[]): Graph =>
    chain([
      ["x", "input", { shape }],
      ["relu", "relu"],
      ["y", "output"],
    ]);
  const weighing = (features: number): Graph =>
    chain([
      ["x", "input", { shape: [1] }],
      ["wide", "linear", { out_features: features, bias: false }],
      ["y", "output"],
    ]);

  const codes = (graph: Graph) => errorsOf(graph).map(({ code }) => code);
  const parsed = (text: string) => {
    const read = parseGraph(text);
    return "graph" in read ? codes(read.graph).filter((code) => code === "GRAPH_TOO_LARGE") : [read.code];
  };
  it.each<[string, () => string[], () => string[], string]>([
    ["2,000 nodes", () => codes(relus(2_000)), () => codes(relus(2_001)), "GRAPH_LIMIT"],
    ["10,000 wires", () => codes(wired(10_000)), () => codes(wired(10_001)), "GRAPH_LIMIT"],
    ["zones 16 deep", () => codes(nested(16)), () => codes(nested(17)), "GRAPH_LIMIT"],
    ["brackets 64 deep", () => parsed(bracketed(64)), () => parsed(bracketed(65)), "GRAPH_TOO_LARGE"],
    ["2 MiB of text", () => parsed(sized(2 ** 21)), () => parsed(sized(2 ** 21 + 1)), "GRAPH_TOO_LARGE"],
    ["a size of 2^31 − 1", () => codes(shaped(2 ** 31 - 1)), () => codes(shaped(2 ** 31)), "GRAPH_PARAM"],
    ["a tensor of 2^31 − 1 numbers", () => codes(shaped(2 ** 31 - 1)), () => codes(shaped(2, 2 ** 30)), "GRAPH_OVERFLOW"],
    ["weights of 2 GiB", () => codes(weighing(2 ** 29)), () => codes(weighing(2 ** 29 + 1)), "GRAPH_MEMORY"],
    ["a While of 10,000 turns", () => codes(turning(10_000)), () => codes(turning(10_001)), "GRAPH_PARAM"],
  ])("%s", (_, at, beyond, code) => {
    const before = process.memoryUsage().rss;
    for (const [ask, answer] of [
      [at, []],
      [beyond, [code]],
    ] as const) {
      const began = performance.now();
      expect([...new Set(ask())]).toEqual(answer);
      expect(performance.now() - began).toBeLessThan(allowed(1_000));
    }
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * 2 ** 20);
  });

  function turning(turns: number): Graph {
    const graph = around(["zone", "while", { max_iterations: turns }]);
    const bodies = { condition: startBody({ type: "mean", params: { dim: [] } }, { type: "greater", params: { value: 0 } }), body: startBody({ type: "tanh" }) };
    return { ...graph, nodes: graph.nodes.map((one) => (one.id === "zone" ? { ...one, bodies } : one)) };
  }
});
