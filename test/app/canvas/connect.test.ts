import { describe, expect, it } from "vitest";
import { pickInput, reaches, refuseWire } from "../../../app/canvas/connect.ts";
import { checkGraph } from "../../../core/graph/check.ts";
import { emptyGraph, type Graph } from "../../../core/graph/document.ts";
import { addNode, connect } from "../../../core/graph/edit.ts";

const at = { x: 0, y: 0 };
const build = (...types: string[]): Graph =>
  types.reduce((graph, type, index) => addNode(graph, { type, at, id: `n${index}`, ...(type === "input" ? { params: { shape: [4] } } : {}) }), emptyGraph);
const from = (node: string) => ({ node, port: "y" });
const refuse = (graph: Graph, a: string, b: string, port = "x") => refuseWire(graph, [], checkGraph(graph), from(a), { node: b, port });

describe("a wire", () => {
  it("runs from an output to a free input of the right kind", () => {
    expect(refuse(build("input", "linear"), "n0", "n1")).toBeNull();
  });

  it("may take the place of another", () => {
    const graph = connect(build("input", "input", "linear"), from("n0"), { node: "n2", port: "x" });
    expect(refuse(graph, "n1", "n2")).toBeNull();
    expect(refuse(graph, "n0", "n2")).toMatch(/already/);
  });

  it("closes no loop, not even through others", () => {
    const graph = connect(build("relu", "relu"), from("n0"), { node: "n1", port: "x" });
    expect(refuse(graph, "n1", "n0")).toMatch(/loop/);
    expect(refuse(graph, "n0", "n0")).toMatch(/loop/);
  });

  it("carries only what the input takes", () => {
    expect(refuse(build("input", "embedding"), "n0", "n1")).toMatch(/takes int64, and this is float32/);
  });

  it("into a node means its first free input", () => {
    const graph = connect(build("input", "multihead_attention"), from("n0"), { node: "n1", port: "query" });
    expect(pickInput(build("input", "multihead_attention"), [], checkGraph(graph), from("n0"), "n1")).toBe("query");
    expect(pickInput(graph, [], checkGraph(graph), from("n0"), "n1")).toBe("key");
  });
});

it("reaching follows wires forward only", () => {
  const graph = connect(build("relu", "relu", "relu"), from("n0"), { node: "n1", port: "x" });
  expect(reaches(graph, "n0", "n1")).toBe(true);
  expect(reaches(graph, "n1", "n0")).toBe(false);
  expect(reaches(graph, "n0", "n2")).toBe(false);
});
