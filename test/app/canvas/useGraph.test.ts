import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import * as Y from "yjs";
import { flushHistory, readHistory } from "../../../app/canvas/history.ts";
import { bodyAt, edit, goTo, leave, openGraph, openShared, redo, select, selectNodes, undo, useGraph } from "../../../app/canvas/useGraph.ts";
import { emptyGraph, type Graph, type Node } from "../../../core/graph/document.ts";
import { SharedGraph } from "../../../core/graph/shared.ts";

const node = (id: string, more: Partial<Node> = {}): Node => ({ id, type: "relu", params: {}, at: { x: 0, y: 0 }, ...more });
const add = (id: string) => (graph: Graph) => ({ ...graph, nodes: [...graph.nodes, node(id)] });
const rename = (id: string, name: string) => (graph: Graph) => ({ ...graph, nodes: graph.nodes.map((n) => (n.id === id ? { ...n, name } : n)) });
const ids = () => useGraph.getState().graph.nodes.map((n) => n.id);

beforeEach(() => openGraph("m1", emptyGraph));
afterEach(() => vi.unstubAllGlobals());

describe("the document's history", () => {
  it("steps back and forth through 600 edits", () => {
    for (let i = 0; i < 600; i++) edit(add(`n${i}`));
    for (let i = 0; i < 600; i++) undo();
    expect(ids()).toEqual([]);
    for (let i = 0; i < 600; i++) redo();
    expect(ids()).toHaveLength(600);
  });

  it("goes 500 steps back after the page was left, and takes only one's own", () => {
    const kept = new Map<string, string>();
    vi.stubGlobal("localStorage", {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => void kept.set(key, value),
      removeItem: (key: string) => void kept.delete(key),
    });
    const server = SharedGraph.of(emptyGraph, "e1");
    const visit = () => {
      const doc = new Y.Doc();
      Y.applyUpdate(doc, Y.encodeStateAsUpdate(server.doc));
      const shared = new SharedGraph(doc);
      openShared("m1", shared, readHistory("m1", "e1"));
      return () => {
        flushHistory();
        Y.applyUpdate(server.doc, Y.encodeStateAsUpdate(doc));
      };
    };
    const leavePage = visit();
    for (let i = 0; i < 500; i++) edit(i % 2 === 0 ? add(`n${i}`) : rename(`n${i - 1}`, `called ${i}`));
    leavePage();
    server.change(add("theirs")(server.graph));
    visit();
    expect(useGraph.getState().past).toHaveLength(500);
    for (let i = 0; i < 500; i++) undo();
    expect(ids()).toEqual(["theirs"]);
    for (let i = 0; i < 500; i++) redo();
    expect(ids()).toHaveLength(251);
  });

  it("brings back forty deleted nodes with their selection, as the very same objects", () => {
    for (let i = 0; i < 40; i++) edit(add(`n${i}`));
    const before = useGraph.getState().graph;
    selectNodes(ids());
    edit((graph) => ({ ...graph, nodes: [] }));
    expect(useGraph.getState().selection.nodes.size).toBe(0);
    undo();
    expect(useGraph.getState().graph).toBe(before);
    expect(useGraph.getState().selection.nodes.size).toBe(40);
  });

  it("joins typing in one field into one step, and only while it goes on", () => {
    edit(add("a"));
    edit(rename("a", "c"), { coalesce: "name:a", nowMs: 1000 });
    edit(rename("a", "co"), { coalesce: "name:a", nowMs: 1200 });
    edit(rename("a", "con"), { coalesce: "name:a", nowMs: 9000 });
    undo();
    expect(useGraph.getState().graph.nodes[0]?.name).toBe("co");
    undo();
    expect(useGraph.getState().graph.nodes[0]?.name).toBeUndefined();
  });

  it("does not join an edit to a step that was undone in between", () => {
    edit(add("a"));
    edit(rename("a", "c"), { coalesce: "name:a", nowMs: 1000 });
    undo();
    edit(rename("a", "d"), { coalesce: "name:a", nowMs: 1100 });
    undo();
    expect(useGraph.getState().graph.nodes[0]?.name).toBeUndefined();
    expect(ids()).toEqual(["a"]);
  });

  it("forgets the undone steps once something else is done", () => {
    edit(add("a"));
    undo();
    edit(add("b"));
    redo();
    expect(ids()).toEqual(["b"]);
  });

  it("counts an edit that changes nothing as none", () => {
    edit((graph) => graph);
    expect(useGraph.getState().past).toHaveLength(0);
  });
});

describe("scopes", () => {
  const zone = node("loop", { type: "while", bodies: { body: { nodes: [node("inner")], edges: [] } } });

  it("undo returns to the body in which the edit was made", () => {
    openGraph("m1", { ...emptyGraph, nodes: [zone] });
    goTo([{ node: "loop", role: "body" }]);
    expect(bodyAt(useGraph.getState().graph, useGraph.getState().scope).nodes[0]?.id).toBe("inner");
    edit((graph) => ({ ...graph, nodes: [{ ...zone, name: "again" }] }));
    leave();
    expect(useGraph.getState().selection.nodes).toEqual(new Set(["loop"]));
    undo();
    expect(useGraph.getState().scope).toEqual([{ node: "loop", role: "body" }]);
  });

  it("falls back to the model's own canvas when the zone is gone", () => {
    openGraph("m1", { ...emptyGraph, nodes: [zone] });
    goTo([{ node: "loop", role: "body" }]);
    edit((graph) => ({ ...graph, nodes: [] }));
    expect(useGraph.getState().scope).toEqual([]);
  });
});

it("an equal selection is no change", () => {
  openGraph("m1", { ...emptyGraph, nodes: [node("a")] });
  selectNodes(["a"]);
  const before = useGraph.getState();
  select({ nodes: new Set(["a"]), edges: new Set() });
  expect(useGraph.getState()).toBe(before);
});
