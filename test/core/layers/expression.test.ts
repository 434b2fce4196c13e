import { describe, expect, it } from "vitest";
import { checkGraph } from "../../../core/graph/check.ts";
import { emptyGraph, type Graph } from "../../../core/graph/document.ts";
import { expression } from "../../../core/layers/expression.ts";
import { portsOf } from "../../../core/layers/kit.ts";

function graphOf(text: string): Graph {
  const at = { x: 0, y: 0 };
  return {
    ...emptyGraph,
    nodes: [
      { id: "a", name: "a", type: "input", params: { shape: [4] }, at },
      { id: "b", name: "b", type: "input", params: { shape: [4] }, at },
      { id: "formula", type: "expression", params: { expression: text }, at },
      { id: "out", name: "y", type: "output", params: {}, at },
    ],
    edges: [
      { id: "1", from: { node: "a", port: "y" }, to: { node: "formula", port: "a" } },
      { id: "2", from: { node: "b", port: "y" }, to: { node: "formula", port: "b" } },
      { id: "3", from: { node: "formula", port: "y" }, to: { node: "out", port: "x" } },
    ],
  };
}

const portNames = (text: string) => {
  const { inputs, outputs } = portsOf(expression, { id: "n", type: "expression", params: { expression: text }, at: { x: 0, y: 0 } });
  return [Object.keys(inputs), Object.keys(outputs)];
};

describe("an Expression node", () => {
  it("has the ports that its text names", () => {
    expect(portNames("b * tanh(a)")).toEqual([["b", "a"], ["y"]]);
    expect(portNames("low, high = split(x, 2, axis=1)")).toEqual([["x"], ["low", "high"]]);
  });

  it("keeps its wires while its text is being typed, and says what is wrong there", () => {
    expect(portNames("b * tanh(a) + (")).toEqual([["b", "a"], ["y"]]);
    const { problems } = checkGraph(graphOf("a * (b +"));
    expect(problems.filter(({ severity }) => severity === "error")).toMatchObject([
      { code: "GRAPH_PARAM", node: "formula", param: "expression", message: "Column 9: Here should be a name, a number or a bracket, but the text ends." },
    ]);
  });

  it("says where sizes do not fit", () => {
    const { problems } = checkGraph(graphOf("h = a + 1\nh @ b"));
    expect(problems).toMatchObject([{ code: "GRAPH_SHAPE", node: "formula", param: "expression", message: "Line 2, column 1: @ cannot multiply [B, 4] with [B, 4]." }]);
  });

  it("counts the multiply-adds of products", () => {
    const { problems, multiplyAdds } = checkGraph(graphOf("einsum('bi,bj->bij', a, b).sum(axis=-1)"));
    expect(problems).toEqual([]);
    expect(multiplyAdds.get("formula")).toBe(16);
  });
});
