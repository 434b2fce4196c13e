import { beforeEach, describe, expect, it } from "vitest";
import { blockAround, defineBlock, detachBlock, exposeParam, groupSelection, setExposed, ungroupSelection, unpackNode } from "../../../app/canvas/blockEdits.ts";
import { addLayer, copySelection, pasteClip, setParam } from "../../../app/canvas/edits.ts";
import { isOpen, isWanted, openFolds, setOpen, useFolds } from "../../../app/canvas/folds.ts";
import { drawInsides, heightWith } from "../../../app/canvas/insideDrawing.ts";
import { blockItems, searchItems } from "../../../app/canvas/shelf.ts";
import { lendersOf, sayLender } from "../../../app/canvas/tied.ts";
import { bodyAt, goTo, openGraph, selectNodes, undo, useGraph } from "../../../app/canvas/useGraph.ts";
import { createViewer } from "../../../app/canvas/view.ts";
import { checkGraph } from "../../../core/graph/check.ts";
import type { Graph } from "../../../core/graph/document.ts";
import { findLayer } from "../../../core/layers/index.ts";
import { draw, lenet } from "../../core/graph/sketches.ts";

const graph = () => useGraph.getState().graph;
const block = () => graph().nodes.find(({ type }) => type === "block");
const blockLayer = findLayer("block");

beforeEach(() => openGraph("m", lenet));

/** LeNet with its first three layers as a reusable block. */
function withBlock(): { node: string; definition: string } {
  selectNodes(["conv1", "relu1", "pool1"]);
  groupSelection();
  const node = block()?.id ?? "";
  defineBlock(node);
  return { node, definition: Object.keys(graph().definitions ?? {})[0] ?? "" };
}

describe("blocks on the canvas", () => {
  it("are made of a selection in one step, and taken apart in one", () => {
    selectNodes(["conv1", "relu1", "pool1"]);
    groupSelection();
    expect([...useGraph.getState().selection.nodes]).toEqual(["block_1"]);
    ungroupSelection();
    expect([...useGraph.getState().selection.nodes].sort()).toEqual(["conv1", "pool1", "relu1"]);
    undo();
    undo();
    expect(graph()).toBe(lenet);
  });

  it("change together wherever one is edited, one version for one field", () => {
    const { node, definition } = withBlock();
    if (blockLayer) addLayer(blockLayer, definition);
    const second = graph().nodes.find(({ id, type }) => type === "block" && id !== node)?.id ?? "";
    goTo([{ node: second, role: "body" }]);
    setParam("conv1", "out_channels", 1);
    setParam("conv1", "out_channels", 16);
    expect(bodyAt(graph(), [{ node, role: "body" }]).nodes.find(({ id }) => id === "conv1")?.params.out_channels).toBe(16);
    expect(graph().definitions?.[definition]?.version).toBe(2);
    undo();
    expect(graph().definitions?.[definition]?.version).toBe(1);
  });

  it("show a parameter on the outside, also of a block that was not reusable yet", () => {
    selectNodes(["conv1", "relu1"]);
    groupSelection();
    const node = block()?.id ?? "";
    goTo([{ node, role: "body" }]);
    expect(blockAround(graph(), useGraph.getState().scope)?.node.id).toBe(node);
    exposeParam("conv1", "out_channels");
    const [definition] = Object.values(graph().definitions ?? {});
    expect(definition?.exposed).toEqual([{ name: "out_channels", node: "conv1", param: "out_channels" }]);
    goTo([]);
    setExposed(node, "out_channels", 9);
    expect(checkGraph(graph()).types.get(node)?.outputs.y?.shape).toEqual(["B", 9, 28, 28]);
    detachBlock(node);
    expect(block()?.params.definition).toBeUndefined();
  });

  it("are never pasted into themselves", () => {
    const { node } = withBlock();
    selectNodes([node]);
    copySelection();
    goTo([{ node, role: "body" }]);
    pasteClip();
    const inside = bodyAt(graph(), [{ node, role: "body" }]).nodes.find(({ type }) => type === "block");
    expect(inside).toBeDefined();
    expect(inside?.params.definition).toBeUndefined();
  });

  it("are what a composed layer can be opened as", () => {
    openGraph("m", draw(["image", "input", { shape: [8, 16, 16] }], ["sep", "separable_conv2d"], ["out", "output"]));
    const before = checkGraph(graph()).totals;
    unpackNode("sep");
    expect(block()?.name).toBe("SeparableConv2d");
    expect(checkGraph(graph()).totals).toEqual(before);
  });

  it("stand in the palette by their names, before the layers", () => {
    const { definition } = withBlock();
    const own = blockItems(graph().definitions);
    expect(own).toMatchObject([{ title: "Block", definition, version: 1 }]);
    expect(searchItems("block", own)[0]).toMatchObject({ definition });
    expect(searchItems("conv2d", own)[0]?.key).toBe("conv2d");
  });
});

describe("what is drawn of the inside", () => {
  const asked = { definitions: undefined, carries: [{ input: "x", output: "y" }], shapeOf: () => null, severityOf: () => undefined };

  it("are names where there is room, else slabs", () => {
    withBlock();
    const body = block()?.bodies?.body;
    if (!body) throw new Error("The block has a body.");
    const [named] = drawInsides([{ body, asked }], Number.POSITIVE_INFINITY);
    expect(named?.cards.map(({ title, goesRound }) => `${title}${goesRound ? " ↻" : ""}`).sort()).toEqual(["Conv2d", "MaxPool2d", "ReLU", "x ↻", "y ↻"]);
    const [small] = drawInsides([{ body, asked }], heightWith(named ? [named] : []) - 1);
    expect(small?.small).toBe(true);
    // Names do not lie over each other.
    const cards = named?.cards ?? [];
    for (const a of cards) for (const b of cards) if (a !== b) expect(a.y + a.height <= b.y || b.y + b.height <= a.y || a.x + a.width <= b.x || b.x + b.width <= a.x).toBe(true);
  });

  it("stands open until it is folded, and then as the person wants it", () => {
    const { node } = withBlock();
    openFolds("m");
    const look = () =>
      createViewer()(graph(), [], checkGraph(graph()), {
        graph: graph(),
        isOpen: (path) => isOpen(useFolds.getState(), path),
        isWanted: (path) => isWanted(useFolds.getState(), path),
      }).nodes.find(({ id }) => id === node);
    expect(look()).toMatchObject({ title: "Block", shared: { version: 1, count: 1 }, bodies: [{ role: "body", drawing: { small: false } }] });
    setOpen(node, false);
    expect(look()?.bodies[0]?.drawing).toBeNull();
    expect(look()?.bodies[0]?.text).toBe("Conv2d → ReLU → MaxPool2d");
  });
});

describe("tied weights", () => {
  it("are offered where a name and a shape fit, those beside it first", () => {
    openGraph(
      "m",
      draw(["rows", "input", { shape: [6] }], ["a", "linear", { out_features: 6 }], ["b", "linear", { out_features: 6 }], ["c", "linear", { out_features: 3 }], ["out", "output"]),
    );
    selectNodes(["a"]);
    groupSelection();
    const b = graph().nodes.find(({ id }) => id === "b");
    if (!b) throw new Error("b is there.");
    // Of c only the bias could fit, and it does not.
    expect(lendersOf(graph(), checkGraph(graph()), [], b)).toEqual([{ value: "/block_1/body/a", label: "Block / Linear a" }]);
    const tied: Graph = { ...graph(), nodes: graph().nodes.map((node) => (node.id === "b" ? { ...node, weightsOf: "/block_1/body/a" } : node)) };
    expect(checkGraph(tied).problems.filter(({ severity }) => severity === "error")).toEqual([]);
    const now = tied.nodes.find(({ id }) => id === "b");
    expect(now && sayLender(tied, [], now)).toBe("Linear a");
    expect(now && lendersOf(tied, checkGraph(tied), [], now).map(({ value }) => value)).toEqual(["/block_1/body/a"]);
  });
});
