import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import * as Y from "yjs";
import { Autosave, type Draft, type SaveState } from "../../../app/canvas/autosave.ts";
import { fromBase64, toBase64 } from "../../../core/data/base64.ts";
import { emptyGraph } from "../../../core/graph/document.ts";
import { addNode } from "../../../core/graph/edit.ts";
import { SharedGraph } from "../../../core/graph/shared.ts";

class Refused extends Error {}

/** A server that keeps one document, and can be made to misbehave. */
function setUp() {
  const server = { shared: SharedGraph.of(emptyGraph, "e1"), revision: 1, calls: 0, mood: "well" as "well" | "away" | "answer lost" | "refuses" };
  const kept = new Map<string, Draft>();
  const states: SaveState["kind"][] = [];
  const open = () => {
    const doc = new Y.Doc();
    Y.applyUpdate(doc, Y.encodeStateAsUpdate(server.shared.doc));
    const shared = new SharedGraph(doc);
    const autosave = new Autosave({
      modelId: "m1",
      shared,
      async push(epoch, update) {
        server.calls += 1;
        await Promise.resolve();
        if (server.mood === "away") throw new Error("fetch failed");
        if (server.mood === "refuses" || epoch !== server.shared.epoch) throw new Refused("too large");
        server.revision += 1;
        Y.applyUpdate(server.shared.doc, fromBase64(update));
        if (server.mood === "answer lost") throw new Error("connection closed");
        return { revision: server.revision };
      },
      isRefusal: (error) => error instanceof Refused,
      drafts: { read: (id) => kept.get(id) ?? null, write: (id, draft) => void kept.set(id, draft), clear: (id) => void kept.delete(id) },
      onState: (state) => states.push(state.kind),
      onRevision: () => {},
    });
    const add = (id: string) => void shared.change(addNode(shared.graph, { type: "relu", id, at: { x: 0, y: 0 } }));
    return { shared, autosave, add };
  };
  const ids = () => server.shared.graph.nodes.map(({ id }) => id);
  return { server, kept, states, open, ids, ...open() };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("autosave", () => {
  it("waits for a pause, then saves all edits at once", async () => {
    const { server, autosave, kept, add, ids } = setUp();
    add("a");
    await vi.advanceTimersByTimeAsync(100);
    add("b");
    expect(kept.get("m1")?.graph.nodes).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(700);
    expect(server.calls).toBe(1);
    expect(ids()).toEqual(["a", "b"]);
    expect(autosave.state).toEqual({ kind: "saved" });
    expect(kept.size).toBe(0);
  });

  it("keeps the draft while the server is away, and brings it there when it is back", async () => {
    const { server, autosave, kept, add, ids } = setUp();
    server.mood = "away";
    add("a");
    await vi.advanceTimersByTimeAsync(5_000);
    expect(autosave.state.kind).toBe("failed");
    expect(kept.get("m1")?.graph.nodes).toHaveLength(1);
    server.mood = "well";
    await vi.advanceTimersByTimeAsync(30_000);
    expect(autosave.state.kind).toBe("saved");
    expect(ids()).toEqual(["a"]);
    expect(kept.size).toBe(0);
  });

  it("keeps it also when the server refuses, and tries again only with the next edit", async () => {
    const { server, kept, add } = setUp();
    server.mood = "refuses";
    add("a");
    await vi.advanceTimersByTimeAsync(60_000);
    expect(server.calls).toBe(1);
    expect(kept.size).toBe(1);
    server.mood = "well";
    add("b");
    await vi.advanceTimersByTimeAsync(1_000);
    expect(server.shared.graph.nodes).toHaveLength(2);
    expect(kept.size).toBe(0);
  });

  it("an edit whose answer got lost is one edit, also when the canvas went on in the meantime", async () => {
    const { server, autosave, add, ids } = setUp();
    server.mood = "answer lost";
    add("a");
    await vi.advanceTimersByTimeAsync(400);
    server.mood = "well";
    add("b");
    await vi.advanceTimersByTimeAsync(5_000);
    expect(autosave.state.kind).toBe("saved");
    expect(ids()).toEqual(["a", "b"]);
  });

  it("what comes from others is not sent back", async () => {
    const { server, autosave, shared } = setUp();
    server.shared.change(addNode(server.shared.graph, { type: "relu", id: "theirs", at: { x: 0, y: 0 } }));
    autosave.receive(toBase64(Y.encodeStateAsUpdate(server.shared.doc)));
    await vi.advanceTimersByTimeAsync(5_000);
    expect(shared.graph.nodes).toHaveLength(1);
    expect(server.calls).toBe(0);
  });

  it("a draft goes on after the page was left, beside what others did since", async () => {
    const { server, autosave, kept, add, open, ids } = setUp();
    server.mood = "away";
    add("mine");
    await vi.advanceTimersByTimeAsync(300);
    autosave.close();
    server.mood = "well";
    server.shared.change(addNode(server.shared.graph, { type: "relu", id: "theirs", at: { x: 0, y: 0 } }));
    const again = open();
    again.autosave.resume(kept.get("m1")?.update ?? "");
    expect(again.shared.graph.nodes).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(ids().sort()).toEqual(["mine", "theirs"]);
    expect(kept.size).toBe(0);
  });

  it("flush saves at once and says whether it worked", async () => {
    const { server, autosave, add } = setUp();
    add("a");
    expect(await autosave.flush()).toBe(true);
    server.mood = "away";
    add("b");
    expect(await autosave.flush()).toBe(false);
    autosave.close();
  });
});
