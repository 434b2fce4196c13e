import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LIMITS } from "../../../core/graph/limits.ts";
import { parseGraph, readGraph } from "../../../core/graph/migrate.ts";
import { anyGraph, draw, lenet } from "./sketches.ts";

const codeOf = (text: string) => {
  const parsed = parseGraph(text);
  return "code" in parsed ? parsed.code : "read";
};

describe("reading a saved graph", () => {
  it("gives back what was written, unknown types and parameters included", () => {
    expect(parseGraph(JSON.stringify(lenet))).toEqual({ graph: lenet });
    const later = draw(["a", "input"], ["b", "hologram", { depth: [1, { deep: true }], why: null }], ["c", "relu", { colour: "red" }]);
    expect(parseGraph(JSON.stringify(later))).toEqual({ graph: later });
  });

  it("gives back every graph of the document's form", () => {
    fc.assert(
      fc.property(anyGraph, (graph) => {
        const text = JSON.stringify(graph);
        const parsed = parseGraph(text);
        // A parameter called __proto__ cannot be kept as a property, and is not.
        if ("graph" in parsed && !text.includes("__proto__")) expect(JSON.stringify(parsed.graph)).toBe(text);
      }),
      { numRuns: 200 },
    );
  });

  it("refuses what it cannot read, with a code", () => {
    expect(codeOf("{")).toBe("GRAPH_NOT_JSON");
    expect(codeOf("[]")).toBe("GRAPH_MALFORMED");
    expect(codeOf("{}")).toBe("GRAPH_MALFORMED");
    expect(codeOf(JSON.stringify({ ...lenet, schemaVersion: 99 }))).toBe("GRAPH_VERSION");
    expect(codeOf(JSON.stringify({ ...lenet, nodes: [{ id: "a b" }] }))).toBe("GRAPH_MALFORMED");
    expect(codeOf(" ".repeat(LIMITS.jsonBytes + 1))).toBe("GRAPH_TOO_LARGE");
    expect(codeOf(`"${"ü".repeat(LIMITS.jsonBytes / 2)}"`)).toBe("GRAPH_TOO_LARGE");
  });

  it("refuses deep nesting before walking it, and is not fooled by brackets in text", () => {
    expect(codeOf("[".repeat(500_000))).toBe("GRAPH_TOO_LARGE");
    const named = { ...lenet, nodes: lenet.nodes.map((node) => ({ ...node, name: '[[\\"{'.repeat(20) })) };
    expect(codeOf(JSON.stringify(named))).toBe("read");
    let deep: unknown = 1;
    for (let i = 0; i < 100; i++) deep = [deep];
    const read = readGraph({ ...lenet, nodes: [{ ...lenet.nodes[0], params: { deep } }] });
    expect("code" in read && read.code).toBe("GRAPH_TOO_LARGE");
  });

  it("never throws on any text", () => {
    fc.assert(fc.property(fc.oneof(fc.json(), fc.string()), (text) => void parseGraph(text)));
  });
});
