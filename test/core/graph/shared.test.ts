import { describe, expect, it } from "vitest";
import * as Y from "yjs";
import { emptyGraph, type Graph } from "../../../core/graph/document.ts";
import { addNode, connect, removeNodes, renameNode, setParams } from "../../../core/graph/edit.ts";
import { type Patch, SharedGraph } from "../../../core/graph/shared.ts";
import { templates } from "../../../core/templates/index.ts";
import { randomEdit, seeded } from "./edits.ts";

/** Somebody else's copy of the same document. */
function copyOf(shared: SharedGraph): SharedGraph {
  const doc = new Y.Doc();
  Y.applyUpdate(doc, Y.encodeStateAsUpdate(shared.doc));
  return new SharedGraph(doc);
}

function exchange(a: SharedGraph, b: SharedGraph): void {
  Y.applyUpdate(a.doc, Y.encodeStateAsUpdate(b.doc, Y.encodeStateVector(a.doc)));
  Y.applyUpdate(b.doc, Y.encodeStateAsUpdate(a.doc, Y.encodeStateVector(b.doc)));
}

const relu = { type: "relu", at: { x: 0, y: 0 } };
const two = addNode(addNode(emptyGraph, { ...relu, id: "a" }), { type: "linear", id: "b", at: { x: 0, y: 96 } });
const idsOf = (graph: Graph) => graph.nodes.map(({ id }) => id);

describe("a shared graph", () => {
  it("says every template as it is, order included", () => {
    for (const { graph } of templates) expect(copyOf(SharedGraph.of(graph)).graph).toEqual(graph);
  });

  it("is after each of 300 edits what the edit made it, read anew or not, and goes back step by step", () => {
    const random = seeded(7);
    const shared = SharedGraph.of(templates[0]?.graph ?? emptyGraph);
    const steps: { before: Graph; patch: Patch }[] = [];
    for (let i = 0; i < 300; i++) {
      const before = shared.graph;
      const next = randomEdit(before, random);
      const patch = shared.change(next);
      expect(shared.graph).toBe(next);
      if (i % 10 === 0) expect(copyOf(shared).graph).toEqual(next);
      steps.push({ before, patch: JSON.parse(JSON.stringify(patch)) });
    }
    for (const { before, patch } of steps.reverse()) {
      shared.revert(patch);
      expect(shared.graph).toEqual(before);
    }
  });

  it("keeps the objects of what a change from elsewhere did not touch", () => {
    const mine = SharedGraph.of(two);
    const theirs = copyOf(mine);
    const before = mine.graph;
    theirs.change(setParams(theirs.graph, "b", { out_features: 7 }));
    exchange(mine, theirs);
    expect(mine.graph.nodes[0]).toBe(before.nodes[0]);
    expect(mine.graph.edges).toBe(before.edges);
    expect(mine.graph.nodes[1]?.params).toEqual({ out_features: 7 });
  });
});

describe("edits that meet", () => {
  it("of different things both stay", () => {
    const mine = SharedGraph.of(two);
    const theirs = copyOf(mine);
    mine.change(setParams(mine.graph, "b", { out_features: 7 }));
    theirs.change(renameNode(theirs.graph, "b", "Head"));
    exchange(mine, theirs);
    expect(mine.graph.nodes[1]).toMatchObject({ name: "Head", params: { out_features: 7 } });
    expect(theirs.graph).toEqual(mine.graph);
  });

  it("that add nodes of one name keep both, and each its own wires", () => {
    const mine = SharedGraph.of(two);
    const theirs = copyOf(mine);
    mine.change(connect(addNode(mine.graph, relu), { node: "a", port: "y" }, { node: "relu_1", port: "x" }));
    theirs.change(connect(addNode(theirs.graph, relu), { node: "b", port: "y" }, { node: "relu_1", port: "x" }));
    exchange(mine, theirs);
    expect(idsOf(mine.graph).sort()).toEqual(["a", "b", "relu_1", "relu_2"]);
    expect(new Set(mine.graph.edges.map(({ from, to }) => `${from.node} ${to.node}`)).size).toBe(2);
    expect(theirs.graph).toEqual(mine.graph);
    // Settled, the second keeps its name also when the first goes.
    mine.settle();
    mine.change(removeNodes(mine.graph, ["relu_1"]));
    exchange(mine, theirs);
    expect(idsOf(theirs.graph)).toEqual(["a", "b", "relu_2"]);
  });

  it("that wire one input leave one wire, for good", () => {
    const mine = SharedGraph.of(addNode(two, { ...relu, id: "c" }));
    const theirs = copyOf(mine);
    mine.change(connect(mine.graph, { node: "a", port: "y" }, { node: "c", port: "x" }));
    theirs.change(connect(theirs.graph, { node: "b", port: "y" }, { node: "c", port: "x" }));
    exchange(mine, theirs);
    expect(mine.graph.edges).toHaveLength(1);
    expect(theirs.graph).toEqual(mine.graph);
    mine.settle();
    mine.change({ ...mine.graph, edges: [] });
    exchange(mine, theirs);
    expect(theirs.graph.edges).toEqual([]);
  });

  it("of a node that another removed go with it, and come back with it", () => {
    const mine = SharedGraph.of(two);
    const theirs = copyOf(mine);
    const removal = mine.change(removeNodes(mine.graph, ["b"]));
    theirs.change(setParams(theirs.graph, "b", { out_features: 7 }));
    exchange(mine, theirs);
    expect(idsOf(mine.graph)).toEqual(["a"]);
    expect(theirs.graph).toEqual(mine.graph);
    mine.revert(removal);
    exchange(mine, theirs);
    expect(idsOf(theirs.graph)).toEqual(["a", "b"]);
    expect(theirs.graph).toEqual(mine.graph);
  });

  it("undo takes back one's own, not what another made of it since", () => {
    const mine = SharedGraph.of(two);
    const theirs = copyOf(mine);
    const step = mine.change(setParams(mine.graph, "b", { out_features: 7, bias: false }));
    exchange(mine, theirs);
    theirs.change(setParams(theirs.graph, "b", { out_features: 9 }));
    exchange(mine, theirs);
    const back = mine.revert(step);
    expect(mine.graph.nodes[1]?.params).toEqual({ out_features: 9 });
    mine.revert(back);
    expect(mine.graph.nodes[1]?.params).toEqual({ out_features: 9, bias: false });
  });

  it("by two people, 200 of them with partings in between, end as the same graph", () => {
    for (const seed of [1, 2, 3]) {
      const random = seeded(seed);
      const mine = SharedGraph.of(templates[0]?.graph ?? emptyGraph);
      const theirs = copyOf(mine);
      const undone: Patch[] = [];
      for (let i = 0; i < 200; i++) {
        const who = random() < 0.5 ? mine : theirs;
        const back = who === mine && random() < 0.1 ? undone.pop() : undefined;
        if (back) who.revert(back);
        else {
          const patch = who.change(randomEdit(who.graph, random));
          if (who === mine) undone.push(patch);
        }
        if (random() < 0.08) exchange(mine, theirs);
      }
      exchange(mine, theirs);
      mine.settle();
      exchange(mine, theirs);
      expect(theirs.graph).toEqual(mine.graph);
      expect(copyOf(mine).graph).toEqual(mine.graph);
      const ids = idsOf(mine.graph);
      expect(new Set(ids).size).toBe(ids.length);
    }
  });
});
