import fc from "fast-check";
import { expect, test } from "vitest";
import { diffGraphs, sayDiff } from "../../../core/graph/diff.ts";
import type { Graph } from "../../../core/graph/document.ts";
import { findTemplate, templates } from "../../../core/templates/index.ts";

const lenet = findTemplate("lenet5")?.graph as Graph;
const copy = (graph: Graph): Graph => structuredClone(graph);

/** The same drawing with ids of its own. */
function renamed(graph: Graph): Graph {
  const fresh = copy(graph);
  const ids = new Map(fresh.nodes.map((node, i) => [node.id, `n${fresh.nodes.length - i}`]));
  for (const node of fresh.nodes) node.id = ids.get(node.id) as string;
  for (const [i, edge] of fresh.edges.entries()) {
    edge.id = `w${i}`;
    edge.from.node = ids.get(edge.from.node) as string;
    edge.to.node = ids.get(edge.to.node) as string;
  }
  return fresh;
}

test("a graph is the same as itself, wherever its nodes stand, and as the same drawing with other ids", () => {
  for (const { graph } of templates) {
    expect(diffGraphs(graph, graph)).toMatchObject({ isSame: true });
    const moved = copy(graph);
    for (const node of moved.nodes) node.at = { x: node.at.x + 40, y: -node.at.y };
    expect(diffGraphs(graph, moved).isSame).toBe(true);
    const { isSame, nodes } = diffGraphs(graph, renamed(graph));
    expect(nodes.filter(({ state }) => state !== "same" && state !== "changed")).toEqual([]);
    expect(isSame).toBe(true);
  }
});

test("a parameter that was written or left to its default is said with both values", () => {
  const after = copy(lenet);
  const conv = after.nodes.find(({ type }) => type === "conv2d");
  if (!conv) throw new Error("LeNet has convolutions.");
  const { out_channels } = conv.params;
  conv.params = { ...conv.params, out_channels: 64, bias: false };
  const { nodes, edges, isSame } = diffGraphs(lenet, after);
  expect(isSame).toBe(false);
  expect(nodes.filter(({ state }) => state !== "same")).toMatchObject([
    {
      state: "changed",
      afterPath: conv.id,
      changes: [
        { name: "out_channels", before: out_channels, after: 64 },
        { name: "bias", before: true, after: false },
      ],
    },
  ]);
  expect(edges.every(({ state }) => state === "same")).toBe(true);
  expect(sayDiff({ nodes, edges, isSame })).toEqual([`Conv2d: out_channels ${out_channels} → 64`, "Conv2d: bias true → false"]);
});

test("a node that took another's place is that one with another type", () => {
  const after = copy(lenet);
  const relu = after.nodes.find(({ type }) => type === "relu" || type === "tanh" || type === "sigmoid");
  if (!relu) throw new Error("LeNet has activations.");
  for (const { from, to } of after.edges) for (const end of [from, to]) if (end.node === relu.id) end.node = "gelu_9";
  const was = relu.type;
  Object.assign(relu, { id: "gelu_9", type: "gelu", params: {} });
  const { nodes, edges } = diffGraphs(lenet, after);
  expect(nodes.filter(({ state }) => state !== "same")).toMatchObject([{ state: "changed", changes: [{ what: "type", before: was, after: "gelu" }] }]);
  expect(edges.filter(({ state }) => state !== "same")).toEqual([]);
});

test("what is added or removed inside a zone is found there, and marks the zone", () => {
  const before = templates.find(({ graph }) => graph.nodes.some(({ bodies }) => bodies))?.graph as Graph;
  const after = copy(before);
  const zone = after.nodes.find(({ bodies }) => bodies);
  const [role, body] = Object.entries(zone?.bodies ?? {})[0] ?? [];
  body?.nodes.push({ id: "dropout_77", type: "dropout", params: {}, at: { x: 0, y: 0 } });
  const { nodes } = diffGraphs(before, after);
  expect(nodes.find(({ state }) => state === "added")).toMatchObject({ afterPath: `${zone?.id}/${role}/dropout_77` });
  expect(nodes.find((diff) => diff.state === "changed" && diff.afterPath === zone?.id)).toMatchObject({ changes: [], inside: true });
});

test("every node and wire of both graphs is accounted for exactly once, and the way back is the mirror", () => {
  const some = fc.constantFrom(...templates.map(({ graph }) => graph));
  fc.assert(
    fc.property(some, some, (before, after) => {
      const there = diffGraphs(before, after);
      const back = diffGraphs(after, before);
      const top = (paths: string[]) => paths.filter((path) => !path.includes("/")).sort();
      expect(top(there.nodes.flatMap((d) => (d.state === "removed" ? [] : [d.afterPath])))).toEqual(after.nodes.map(({ id }) => id).sort());
      expect(top(there.nodes.flatMap((d) => (d.state === "added" ? [] : [d.beforePath])))).toEqual(before.nodes.map(({ id }) => id).sort());
      expect(top(there.edges.flatMap((d) => (d.state === "removed" ? [] : [d.path])))).toEqual(after.edges.map(({ id }) => id).sort());
      expect(there.isSame).toBe(back.isSame);
    }),
    { numRuns: 60 },
  );
});
