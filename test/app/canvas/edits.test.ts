import { beforeEach, describe, expect, it } from "vitest";
import { currentChecked } from "../../../app/canvas/checked.ts";
import { parseClip, printClip } from "../../../app/canvas/clip.ts";
import { addLayer, connectSelection, deleteSelection, dropLayer, duplicateSelection, fixProblem, nudgeSelection, pasteClip, setParam } from "../../../app/canvas/edits.ts";
import { goTo, openGraph, select, selectNodes, undo, useGraph } from "../../../app/canvas/useGraph.ts";
import { emptyGraph } from "../../../core/graph/document.ts";
import { addNode, copy } from "../../../core/graph/edit.ts";
import { findLayer } from "../../../core/layers/index.ts";

const graph = () => useGraph.getState().graph;
const layer = (type: string) => {
  const found = findLayer(type);
  if (!found) throw new Error(`No layer ${type}.`);
  return found;
};
const wires = () => graph().edges.map(({ from, to }) => `${from.node}>${to.node}`);

beforeEach(() => {
  const input = addNode(emptyGraph, { type: "input", at: { x: 0, y: 0 }, params: { shape: [1, 28, 28] } });
  openGraph("m1", addNode(input, { type: "output", at: { x: 0, y: 384 } }));
});

describe("adding layers", () => {
  it("a chain grows by itself from the only open end, and the output makes room", () => {
    for (const type of ["conv2d", "relu", "max_pool2d", "flatten", "linear"]) addLayer(layer(type));
    expect(wires()).toEqual(["input_1>conv2d_1", "conv2d_1>relu_1", "relu_1>max_pool2d_1", "max_pool2d_1>flatten_1", "flatten_1>linear_1"]);
    const places = graph().nodes.map((node) => node.at.y);
    expect(new Set(places).size).toBe(places.length);
    expect(graph().nodes.find((node) => node.type === "output")?.at.y).toBeGreaterThan(graph().nodes.find((node) => node.type === "linear")?.at.y ?? 0);
  });

  it("guesses no wire where several would do", () => {
    addLayer(layer("matmul"));
    expect(wires()).toEqual([]);
  });

  it("goes onto the selected wire", () => {
    addLayer(layer("conv2d"));
    const [edge] = graph().edges;
    select({ nodes: new Set(), edges: new Set([edge?.id ?? ""]) });
    addLayer(layer("batch_norm2d"));
    expect(wires().sort()).toEqual(["batch_norm2d_1>conv2d_1", "input_1>batch_norm2d_1"]);
  });

  it("a dropped layer is wired to nothing", () => {
    dropLayer(layer("conv2d"), { x: 500, y: 100 }, null);
    expect(wires()).toEqual([]);
    expect([...useGraph.getState().selection.nodes]).toEqual(["conv2d_1"]);
  });

  it("works inside a zone", () => {
    addLayer(layer("while"));
    goTo([{ node: "while_1", role: "body" }]);
    const before = graph().nodes.find((node) => node.id === "while_1")?.bodies?.body?.nodes.length ?? 0;
    dropLayer(layer("relu"), { x: 300, y: 0 }, null);
    expect(graph().nodes.find((node) => node.id === "while_1")?.bodies?.body?.nodes.length).toBe(before + 1);
  });
});

describe("editing", () => {
  it("typing a number is one step", () => {
    addLayer(layer("conv2d"));
    for (const value of [1, 12, 128]) setParam("conv2d_1", "out_channels", value);
    expect(graph().nodes.find((node) => node.id === "conv2d_1")?.params.out_channels).toBe(128);
    undo();
    expect(graph().nodes.find((node) => node.id === "conv2d_1")?.params).toEqual({});
  });

  it("arrow keys held down are one step", () => {
    selectNodes(["input_1"]);
    for (let i = 0; i < 5; i++) nudgeSelection({ x: 8, y: 0 });
    expect(graph().nodes[0]?.at.x).toBe(40);
    undo();
    expect(graph().nodes[0]?.at.x).toBe(0);
  });

  it("copies keep their inner wires and get names of their own", () => {
    addLayer(layer("conv2d"));
    addLayer(layer("relu"));
    selectNodes(["conv2d_1", "relu_1"]);
    duplicateSelection();
    expect(wires()).toContain("conv2d_2>relu_2");
    expect([...useGraph.getState().selection.nodes].sort()).toEqual(["conv2d_2", "relu_2"]);
    deleteSelection();
    expect(graph().nodes.some((node) => node.id === "conv2d_2")).toBe(false);
    undo();
    expect(wires()).toContain("conv2d_2>relu_2");
  });

  it("nodes travel as text, and other text is left alone", () => {
    addLayer(layer("conv2d"));
    const text = printClip(copy(graph(), ["input_1", "conv2d_1"]));
    expect(parseClip(text)?.nodes).toHaveLength(2);
    expect(parseClip("an ordinary sentence")).toBeNull();
    expect(parseClip('{"kind":"tensorloom nodes","nodes":[{"id":1}]}')).toBeNull();
    pasteClip(text);
    expect(wires()).toContain("input_2>conv2d_2");
  });

  it("two selected nodes are wired from the upper to the lower", () => {
    selectNodes(["output_1", "input_1"]);
    connectSelection();
    expect(wires()).toEqual(["input_1>output_1"]);
  });

  it("a problem's fix is one step that can be taken back", () => {
    dropLayer(layer("conv2d"), { x: 300, y: 100 }, null);
    setParam("conv2d_1", "out_channels", -3);
    const problem = currentChecked().problems.find((p) => p.code === "GRAPH_PARAM");
    const fix = problem?.fixes[0];
    if (!problem || !fix) throw new Error("A wrong parameter is a problem with a fix.");
    fixProblem(problem, fix);
    expect(currentChecked().problems.some((p) => p.code === "GRAPH_PARAM")).toBe(false);
    undo();
    expect(currentChecked().problems.some((p) => p.code === "GRAPH_PARAM")).toBe(true);
  });
});
