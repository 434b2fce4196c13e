import { describe, expect, it } from "vitest";
import { carrySelection, liveNodes, nodeIn, nodesMeeting, pictureOf, shiftsOf, wayOf, wireIn } from "../../../app/canvas/overview.ts";
import { createViewer } from "../../../app/canvas/view.ts";
import { checkGraph } from "../../../core/graph/check.ts";
import { findTemplate } from "../../../core/templates/index.ts";

const graph = findTemplate("resnet-small")?.graph;
if (!graph) throw new Error("There is a small ResNet.");
const placed = new Map(graph.nodes.map((node) => [node.id, node]));
const { nodes, edges } = createViewer()(graph, [], checkGraph(graph));
const picture = pictureOf(nodes, edges, placed);

describe("a drawing as one picture", () => {
  it("has every node and wire, each wire from port to port", () => {
    expect([...picture.nodes.keys()].sort()).toEqual(graph.nodes.map(({ id }) => id).sort());
    expect(picture.wires).toHaveLength(graph.edges.length);
    const sum = picture.nodes.get("layer1_add")?.box;
    const into = picture.wires.filter(({ view }) => view.to === "layer1_add");
    expect(into.map(({ to }) => to.y)).toEqual([sum?.top, sum?.top]);
    expect(new Set(into.map(({ to }) => to.x)).size, "two ports stand apart").toBe(2);
  });

  it("tells which node and wire a pointer means", () => {
    const box = picture.nodes.get("bn1")?.box ?? { left: 0, top: 0, width: 0, height: 0 };
    expect(nodeIn(picture, { x: box.left + 5, y: box.top + 5 })).toBe("bn1");
    expect(nodeIn(picture, { x: box.left - 5, y: box.top + 5 })).toBe(null);
    const wire = picture.wires.find(({ view }) => view.from === "bn1");
    const way = wire ? wayOf(wire) : [];
    const [a = { x: 0, y: 0 }, b = a] = way;
    const between = { x: (a.x + b.x) / 2 + 10, y: (a.y + b.y) / 2 };
    expect(wireIn(picture, between, 0.3), "6 pixels of the screen are 20 of the canvas").toBe(wire?.view.id);
    expect(wireIn(picture, between, 1)).toBe(null);
  });

  it("a marquee takes what it meets, a drag of one node the rest of its selection", () => {
    const box = picture.nodes.get("bn1")?.box ?? { left: 0, top: 0, width: 0, height: 0 };
    expect(nodesMeeting(picture, { left: box.left + 1, top: box.top + 1, right: box.left + 2, bottom: box.top + 2 })).toEqual(["bn1"]);
    const at = placed.get("bn1")?.at ?? { x: 0, y: 0 };
    const other = placed.get("conv1")?.at ?? { x: 0, y: 0 };
    const moves = new Map([["bn1", { x: at.x + 30, y: at.y - 8 }]]);
    expect(carrySelection(moves, new Set(["bn1", "conv1"]), placed).get("conv1")).toEqual({ x: other.x + 30, y: other.y - 8 });
    expect(carrySelection(moves, new Set(["conv1", "relu1"]), placed), "another node is dragged").toBe(moves);
    expect(shiftsOf(picture, moves).get("bn1")).toEqual({ x: 30, y: -8 });
  });

  it("keeps a small selection in the page, and of a large one only what the pointer is over", () => {
    const many = new Set(Array.from({ length: 100 }, (_, i) => `n${i}`));
    expect(liveNodes(many, "n3", null)).toEqual(new Set(["n3"]));
    expect(liveNodes(new Set(["a", "b"]), "c")).toEqual(new Set(["a", "b", "c"]));
  });
});
