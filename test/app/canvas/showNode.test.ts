import { beforeEach, describe, expect, it } from "vitest";
import { showNode } from "../../../app/canvas/showNode.ts";
import { openGraph, useGraph } from "../../../app/canvas/useGraph.ts";
import { useStudio } from "../../../app/canvas/useStudio.ts";
import { emptyGraph, type Graph, type Node } from "../../../core/graph/document.ts";

const node = (id: string, type: string, more: Partial<Node> = {}): Node => ({ id, type, params: {}, at: { x: 0, y: 0 }, ...more });
const inner = node("while_1", "while", { bodies: { body: { nodes: [node("linear_1", "linear")], edges: [] } } });
const graph: Graph = { ...emptyGraph, nodes: [node("linear_1", "linear"), node("repeat_1", "repeat", { bodies: { body: { nodes: [inner], edges: [] } } })] };
const selected = () => [...useGraph.getState().selection.nodes];

let revealed: string[];
beforeEach(() => {
  revealed = [];
  openGraph("m1", graph);
  useStudio.setState({ canvas: { fit() {}, zoom() {}, center: () => ({ x: 0, y: 0 }), at: () => null, addAtPointer() {}, glide() {}, reveal: (id) => revealed.push(id) } });
});

describe("showing a node by its path", () => {
  it("opens every zone around it and selects it there", () => {
    expect(showNode("repeat_1/body/while_1/body/linear_1")).toBe(true);
    expect(useGraph.getState().scope).toEqual([
      { node: "repeat_1", role: "body" },
      { node: "while_1", role: "body" },
    ]);
    expect(selected()).toEqual(["linear_1"]);
    expect(useGraph.getState().past).toEqual([]);
  });

  it("moves the view where the body is open already", () => {
    expect(showNode("linear_1")).toBe(true);
    expect(selected()).toEqual(["linear_1"]);
    expect(revealed).toEqual(["linear_1"]);
  });

  it("says so where the node, or a zone around it, is gone", () => {
    expect(showNode("repeat_1/body/relu_9")).toBe(false);
    // The id is that of a node outside: it is not taken for it.
    expect(showNode("repeat_9/body/linear_1")).toBe(false);
    expect(showNode("")).toBe(false);
  });
});
