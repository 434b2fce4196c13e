import { describe, expect, it } from "vitest";
import { exportPyTorch } from "../../../core/export/pytorch.ts";
import { checkGraph, hasErrors } from "../../../core/graph/check.ts";
import type { Graph, Node } from "../../../core/graph/document.ts";
import { addNode, connect, moveNodes, setParams } from "../../../core/graph/edit.ts";
import { carryInside, follow, frameAround, insideOf, readFurniture, withInside } from "../../../core/graph/furniture.ts";
import { readGraph } from "../../../core/graph/migrate.ts";
import { lowerModel } from "../../../core/program/lower.ts";
import { lenet } from "./sketches.ts";

const note: Node = { id: "note_1", type: "note", params: { text: "# Why\nso" }, at: { x: 300, y: 96 } };
const frame = (id: string, x: number, y: number, width: number, height: number): Node => ({ id, type: "frame", params: { width, height }, at: { x, y } });
const with_ = (...nodes: Node[]): Graph => ({ ...lenet, nodes: [...lenet.nodes, ...nodes] });
const nodeOf = (graph: Graph, id: string): Node => {
  const node = graph.nodes.find((other) => other.id === id);
  if (!node) throw new Error(`No ${id}.`);
  return node;
};

describe("notes and frames", () => {
  it("say nothing to checks, programs and exports", () => {
    const drawn = with_(note, frame("frame_1", -24, 48, 240, 200));
    const [plain, furnished] = [checkGraph(lenet), checkGraph(drawn)];
    expect(furnished.problems).toEqual(plain.problems);
    expect(furnished.totals).toEqual(plain.totals);
    expect(furnished.order).toEqual(plain.order);
    expect(lowerModel(drawn)).toEqual(lowerModel(lenet));
    expect(exportPyTorch(drawn)).toBe(exportPyTorch(lenet));
    const saved = readGraph(JSON.parse(JSON.stringify(drawn)));
    expect(saved).toEqual({ graph: drawn });
  });

  it("a wire to a note is a problem that can be removed", () => {
    const wired = connect(with_(note), { node: "fc2", port: "y" }, { node: "note_1", port: "x" });
    expect(checkGraph(wired).problems.map(({ code, fixes }) => [code, fixes[0]?.kind])).toEqual([["GRAPH_EDGE", "remove-edge"]]);
  });

  it("an edit of a note costs no new reading of the graph", () => {
    const before = with_(note);
    checkGraph(before);
    const after = moveNodes(setParams(before, "note_1", { text: "more" }), new Map([["note_1", { x: 0, y: 0 }]]));
    expect(hasErrors(checkGraph(after))).toBe(false);
    expect(checkGraph(after).types.get("fc2")).toBe(checkGraph(before).types.get("fc2"));
  });

  it("parameters that cannot stand are the defaults", () => {
    expect(readFurniture({ ...note, params: { text: 7, color: "loud", width: -3 } })).toEqual({ type: "note", text: "", color: "yellow", width: 216, height: 120 });
    expect(readFurniture(nodeOf(lenet, "fc1"))).toBeNull();
  });
});

describe("a frame", () => {
  // Nodes stand at x 0, 96 apart, and are 184 × 52.
  const drawn = with_(note, frame("outer", -40, 80, 600, 300), frame("inner", -20, 90, 230, 120));

  it("holds what has its middle in it, and frames that are wholly in it", () => {
    expect(insideOf(drawn, nodeOf(drawn, "inner")).sort()).toEqual(["conv1"]);
    expect(insideOf(drawn, nodeOf(drawn, "outer")).sort()).toEqual(["conv1", "inner", "note_1", "pool1", "relu1"]);
    expect(withInside(drawn, ["inner", "fc1"])).toEqual(new Set(["inner", "fc1", "conv1"]));
  });

  it("moves what is inside, each once", () => {
    const places = carryInside(
      drawn,
      new Map([
        ["outer", { x: 60, y: 80 }],
        ["relu1", { x: 5, y: 5 }],
      ]),
    );
    expect(places.get("conv1")).toEqual({ x: 100, y: 96 });
    expect(places.get("inner")).toEqual({ x: 80, y: 90 });
    expect(places.get("relu1")).toEqual({ x: 5, y: 5 });
    expect(places.has("fc1")).toBe(false);
  });

  it("is drawn around a selection so that it holds it", () => {
    const boxes = ["conv1", "relu1"].map((id) => ({ left: 0, right: 184, top: nodeOf(lenet, id).at.y, bottom: nodeOf(lenet, id).at.y + 52 }));
    const { at, width, height } = frameAround(boxes);
    const framed = addNode(lenet, { type: "frame", id: "f", at, params: { width, height } });
    expect(insideOf(framed, nodeOf(framed, "f"))).toEqual(["conv1", "relu1"]);
  });

  it("follows its nodes when the drawing is tidied, and so does a note beside one", () => {
    const shifted = new Map(drawn.nodes.filter(({ type }) => type !== "note" && type !== "frame").map(({ id, at }) => [id, { x: at.x + 500, y: at.y * 2 }]));
    const { places, params } = follow(drawn, shifted);
    expect(places.get("note_1")).toEqual({ x: 800, y: 192 });
    const moved: Graph = { ...drawn, nodes: drawn.nodes.map((node) => ({ ...node, at: places.get(node.id) ?? node.at, params: { ...node.params, ...params.get(node.id) } })) };
    for (const id of ["outer", "inner"]) expect(insideOf(moved, nodeOf(moved, id)).sort()).toEqual(insideOf(drawn, nodeOf(drawn, id)).sort());
  });
});
