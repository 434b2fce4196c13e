import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Autosave, type Draft, type SaveState, sameJson } from "../../../app/canvas/autosave.ts";
import { emptyGraph, type Graph } from "../../../core/graph/document.ts";

const graphOf = (...ids: string[]): Graph => ({ ...emptyGraph, nodes: ids.map((id) => ({ id, type: "relu", params: {}, at: { x: 0, y: 0 } })) });
class Refused extends Error {}

/** A server that keeps one document, and can be made to misbehave. */
function setUp() {
  const server = { revision: 1, graph: graphOf(), calls: 0, mood: "well" as "well" | "away" | "answer lost" };
  const kept = new Map<string, Draft>();
  const states: SaveState["kind"][] = [];
  const autosave = new Autosave({
    modelId: "m1",
    revision: server.revision,
    graph: server.graph,
    async save(revision, graph) {
      server.calls += 1;
      await Promise.resolve();
      if (server.mood === "away") throw new Error("fetch failed");
      if (revision !== server.revision) throw new Refused("changed elsewhere");
      server.revision += 1;
      server.graph = graph;
      if (server.mood === "answer lost") throw new Error("connection closed");
      return { revision: server.revision };
    },
    load: async () => ({ revision: server.revision, graph: structuredClone(server.graph) }),
    isConflict: (error) => error instanceof Refused,
    isRefusal: (error) => error instanceof Refused,
    drafts: { read: (id) => kept.get(id) ?? null, write: (id, draft) => void kept.set(id, draft), clear: (id) => void kept.delete(id) },
    onState: (state) => states.push(state.kind),
    onRevision: () => {},
  });
  return { server, autosave, kept, states };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("autosave", () => {
  it("waits for a pause, then saves the last state once", async () => {
    const { server, autosave, kept } = setUp();
    autosave.change(graphOf("a"));
    await vi.advanceTimersByTimeAsync(300);
    autosave.change(graphOf("a", "b"));
    expect(kept.get("m1")?.graph.nodes).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(700);
    expect(server.calls).toBe(1);
    expect(server.graph.nodes).toHaveLength(2);
    expect(autosave.state).toEqual({ kind: "saved" });
    expect(kept.size).toBe(0);
  });

  it("keeps the draft while the server is away, and brings it there when it is back", async () => {
    const { server, autosave, kept } = setUp();
    server.mood = "away";
    autosave.change(graphOf("a"));
    await vi.advanceTimersByTimeAsync(5_000);
    expect(autosave.state.kind).toBe("failed");
    expect(kept.get("m1")?.graph.nodes).toHaveLength(1);
    server.mood = "well";
    await vi.advanceTimersByTimeAsync(30_000);
    expect(autosave.state.kind).toBe("saved");
    expect(server.graph.nodes).toHaveLength(1);
    expect(kept.size).toBe(0);
  });

  it("takes its own work, whose answer got lost, for no conflict", async () => {
    const { server, autosave } = setUp();
    server.mood = "answer lost";
    autosave.change(graphOf("a"));
    await vi.advanceTimersByTimeAsync(700);
    server.mood = "well";
    await vi.advanceTimersByTimeAsync(5_000);
    expect(autosave.state.kind).toBe("saved");
    expect(server.revision).toBe(2);
  });

  it("also when the canvas went on in the meantime", async () => {
    const { server, autosave } = setUp();
    server.mood = "answer lost";
    autosave.change(graphOf("a"));
    await vi.advanceTimersByTimeAsync(700);
    server.mood = "well";
    autosave.change(graphOf("a", "b"));
    await vi.advanceTimersByTimeAsync(5_000);
    expect(autosave.state.kind).toBe("saved");
    expect(server.graph.nodes).toHaveLength(2);
  });

  it("stops at another person's change until somebody chooses", async () => {
    const { server, autosave, kept } = setUp();
    server.revision = 7;
    server.graph = graphOf("theirs");
    autosave.change(graphOf("mine"));
    await vi.advanceTimersByTimeAsync(700);
    expect(autosave.state).toMatchObject({ kind: "conflict", theirs: { revision: 7 } });
    autosave.change(graphOf("mine", "more"));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(server.graph.nodes[0]?.id).toBe("theirs");
    expect(kept.get("m1")?.graph.nodes).toHaveLength(2);
    expect(await autosave.flush()).toBe(false);

    autosave.resolve({ revision: 7, graph: server.graph }, true);
    await vi.advanceTimersByTimeAsync(10);
    expect(autosave.state.kind).toBe("saved");
    expect(server.graph.nodes.map((n) => n.id)).toEqual(["mine", "more"]);
  });

  it("flush saves at once and says whether it worked", async () => {
    const { server, autosave } = setUp();
    autosave.change(graphOf("a"));
    expect(await autosave.flush()).toBe(true);
    server.mood = "away";
    autosave.change(graphOf("a", "b"));
    expect(await autosave.flush()).toBe(false);
    autosave.close();
  });

  it("undoing back to what is saved is saved", async () => {
    const { server, autosave } = setUp();
    const saved = server.graph;
    autosave.change(graphOf("a"));
    autosave.change(saved);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(server.calls).toBe(0);
    expect(autosave.state.kind).toBe("saved");
  });
});

it("JSON values are compared by what they say, not by the order of their keys", () => {
  expect(sameJson({ a: 1, b: [1, { c: null }] }, { b: [1, { c: null }], a: 1 })).toBe(true);
  expect(sameJson({ a: 1 }, { a: 1, b: undefined })).toBe(true);
  expect(sameJson([1, 2], [2, 1])).toBe(false);
  expect(sameJson({ a: 1 }, [1])).toBe(false);
});
