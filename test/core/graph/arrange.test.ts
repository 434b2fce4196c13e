import { describe, expect, it } from "vitest";
import { alignBoxes, type Box, detachNodes, distributeBoxes, insertNode, snapBox } from "../../../core/graph/arrange.ts";
import { emptyGraph, type Graph } from "../../../core/graph/document.ts";
import { addNode, connect } from "../../../core/graph/edit.ts";

const box = (id: string, left: number, top: number, width = 100, height = 50): Box => ({ id, left, top, width, height });

describe("boxes", () => {
  it("share a side or a middle, whatever their sizes", () => {
    const boxes = [box("a", 0, 0), box("b", 30, 100, 200), box("c", 50, 200)];
    expect(alignBoxes(boxes, "left")).toEqual(new Map([["b", { left: 0, top: 100 }], ["c", { left: 0, top: 200 }]])); // biome-ignore format: short
    expect(alignBoxes(boxes, "right").get("a")).toEqual({ left: 130, top: 0 });
    expect(alignBoxes(boxes, "center").get("c")?.left).toBe(40);
  });

  it("get the same gaps, and the outermost stay", () => {
    const places = distributeBoxes([box("a", 0, 0), box("c", 0, 400), box("b", 0, 60)], "y");
    expect(places).toEqual(new Map([["b", { left: 0, top: 200 }]]));
    expect(distributeBoxes([box("a", 0, 0), box("b", 0, 60)], "y").size).toBe(0);
  });

  it("are drawn to a line within reach, the nearest first, and not beyond", () => {
    const others = [box("a", 0, 0), box("b", 9, 200)];
    expect(snapBox(box("x", 5, 400), others, 6)).toEqual({ by: { x: 4, y: 0 }, lines: [{ axis: "x", at: 59, from: 200, to: 450 }] });
    expect(snapBox(box("x", 40, 400), others, 6).lines).toEqual([]);
  });
});

/** a → b → c, and d beside them. */
function chain(): Graph {
  let graph: Graph = emptyGraph;
  for (const id of ["a", "b", "c", "d"]) graph = addNode(graph, { type: "relu", id, at: { x: 0, y: 0 } });
  graph = connect(graph, { node: "a", port: "y" }, { node: "b", port: "x" });
  return connect(graph, { node: "b", port: "y" }, { node: "c", port: "x" });
}
const wires = (graph: Graph) => graph.edges.map(({ from, to }) => `${from.node}${to.node}`).sort();

describe("nodes and wires", () => {
  it("a node taken out of its wire leaves the wire whole", () => {
    const graph = detachNodes(chain(), new Set(["b"]));
    expect(wires(graph)).toEqual(["ac"]);
    expect(graph.nodes).toHaveLength(4);
    expect(detachNodes(graph, new Set(["b"]))).toBe(graph);
  });

  it("a node let go over a wire sits in it", () => {
    const ports = { input: "x", output: "y" };
    const graph = chain();
    expect(wires(insertNode(graph, graph.edges[0]?.id ?? "", "d", ports))).toEqual(["ad", "bc", "db"]);
    expect(insertNode(graph, graph.edges[0]?.id ?? "", "b", ports)).toBe(graph);
  });
});
