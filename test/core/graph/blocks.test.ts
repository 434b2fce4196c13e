import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { groupInto, groupIntoBlock, ungroup, unpack } from "../../../core/graph/blocks.ts";
import { checkGraph } from "../../../core/graph/check.ts";
import { type Body, Graph, type Node } from "../../../core/graph/document.ts";
import { addNode, bodyAt, connect } from "../../../core/graph/edit.ts";
import { findLayer } from "../../../core/layers/index.ts";
import { draw, lenet, soundGraph } from "./sketches.ts";

function grouped(graph: Graph, ids: string[], type = "block"): { graph: Graph; id: string } {
  const made = type === "block" ? groupIntoBlock(graph, ids) : groupInto(graph, ids, type);
  if ("problem" in made) throw new Error(made.problem);
  return made;
}
const inside = (graph: Graph, id: string): Body => {
  const body = graph.nodes.find((node) => node.id === id)?.bodies?.body;
  if (!body) throw new Error(`${id} has no body`);
  return body;
};
const names = (body: Body, type: string) => body.nodes.filter((node) => node.type === type).map((node) => node.name ?? (type === "input" ? "x" : "y"));
/** What a graph computes, its ids and places aside. */
const meaning = (graph: Graph) => {
  const checked = checkGraph(graph);
  return { problems: checked.problems.map(({ code }) => code), parameters: checked.totals.parameters, multiplyAdds: checked.totals.multiplyAdds };
};

const residual = draw(
  ["image", "input", { shape: [8, 16, 16] }],
  ["conv1", "conv2d", { out_channels: 8, padding: 1 }],
  ["act", "relu"],
  ["conv2", "conv2d", { out_channels: 8, padding: 1 }],
  ["sum", "add", {}, { a: "conv2", b: "image" }],
  ["flat", "flatten"],
  ["scores", "output"],
);

describe("grouping", () => {
  it("moves a chain into a block whose x and y are the wires at its border", () => {
    const { graph, id } = grouped(lenet, ["conv1", "relu1", "pool1"]);
    const body = inside(graph, id);
    expect(names(body, "input")).toEqual(["x"]);
    expect(names(body, "output")).toEqual(["y"]);
    expect(body.nodes.filter(({ type }) => !findLayer(type)?.boundary).map((node) => node.id)).toEqual(["conv1", "relu1", "pool1"]);
    expect(graph.nodes.map((node) => node.id)).toEqual(["image", "block_1", "conv2", "relu2", "pool2", "flat", "fc1", "relu3", "fc2", "scores"]);
    expect(checkGraph(graph).problems).toEqual([]);
    expect(meaning(graph)).toEqual(meaning(lenet));
  });

  it("makes one input for each distinct source, and keeps places", () => {
    const { graph, id } = grouped(residual, ["conv1", "act", "conv2", "sum"]);
    expect(names(inside(graph, id), "input")).toEqual(["x"]);
    expect(graph.edges.filter(({ to }) => to.node === id)).toHaveLength(1);
    expect(inside(graph, id).nodes.find((node) => node.id === "act")?.at).toEqual(residual.nodes.find((node) => node.id === "act")?.at);
    expect(checkGraph(graph).problems).toEqual([]);
  });

  it("names several inputs by the ports that take them, or by their sources", () => {
    const attention = draw(
      ["tokens", "input", { shape: [5, 8] }],
      ["q", "linear", { out_features: 8 }],
      ["k", "linear", { out_features: 8 }, { x: "tokens" }],
      ["v", "linear", { out_features: 8 }, { x: "tokens" }],
      ["mix", "scaled_dot_product_attention", {}, { query: "q", key: "k", value: "v" }],
      ["out", "output"],
    );
    const { graph, id } = grouped(attention, ["mix"]);
    expect(names(inside(graph, id), "input")).toEqual(["query", "key", "value"]);
    const named = { ...residual, nodes: residual.nodes.map((node) => (node.id === "image" ? { ...node, name: "picture" } : node)) };
    const sum = grouped(named, ["sum"]);
    expect(names(inside(sum.graph, sum.id), "input")).toEqual(["x", "picture"]);
    expect(checkGraph(sum.graph).problems).toEqual([]);
  });

  it("refuses a selection that data leaves and comes back to, and says which nodes are missing", () => {
    const made = groupIntoBlock(lenet, ["conv1", "pool1"]);
    expect(made).toMatchObject({ between: ["relu1"] });
    expect(made).toHaveProperty("problem", expect.stringContaining("ReLU"));
  });

  it("leaves the model's own inputs and outputs outside", () => {
    expect(groupIntoBlock(lenet, ["image"])).toHaveProperty("problem");
    const { graph } = grouped(
      lenet,
      lenet.nodes.map((node) => node.id),
    );
    expect(graph.nodes.map((node) => node.type)).toEqual(["input", "block", "output"]);
    expect(checkGraph(graph).problems).toEqual([]);
  });

  it("puts a selection into a zone", () => {
    const steady = draw(["rows", "input", { shape: [6] }], ["fc", "linear", { out_features: 6 }], ["act", "tanh"], ["out", "output"]);
    for (const type of ["repeat", "stack", "while"]) {
      const { graph, id } = grouped(steady, ["fc", "act"], type);
      expect(checkGraph(graph).problems, type).toEqual([]);
      expect(inside(graph, id).nodes.map((node) => node.id)).toContain("fc");
    }
    const branch = grouped(steady, ["fc", "act"], "if");
    expect(branch.graph.nodes.find(({ id }) => id === branch.id)?.bodies?.then?.nodes.map((node) => node.id)).toContain("fc");
  });

  it("takes tied weights along", () => {
    const base = draw(
      ["rows", "input", { shape: [6] }],
      ["a", "linear", { out_features: 6 }],
      ["b", "linear", { out_features: 6 }],
      ["c", "linear", { out_features: 6 }],
      ["out", "output"],
    );
    const tied = { ...base, nodes: base.nodes.map((node): Node => (node.id === "b" || node.id === "c" ? { ...node, weightsOf: "a" } : node)) };
    const before = checkGraph(tied).totals.parameters;
    for (const ids of [["a", "b"], ["a"], ["b", "c"], ["a", "b", "c"]]) {
      const { graph, id } = grouped(tied, ids);
      const checked = checkGraph(graph);
      expect(
        checked.problems.filter(({ severity }) => severity === "error"),
        ids.join(),
      ).toEqual([]);
      expect(checked.totals.parameters).toBe(before);
      expect(ungroup(graph, id).graph.nodes.map(({ weightsOf }) => weightsOf?.replace("/", ""))).toEqual(tied.nodes.map(({ weightsOf }) => weightsOf));
    }
  });
});

describe("ungrouping", () => {
  it("is the way back", () => {
    for (const [graph, ids] of [
      [lenet, ["conv1", "relu1", "pool1"]],
      [residual, ["conv1", "act", "conv2", "sum"]],
      [residual, ["conv1", "act"]],
    ] as const) {
      const block = grouped(graph, [...ids]);
      const back = ungroup(block.graph, block.id);
      const wires = (g: Graph) => g.edges.map(({ from, to }) => `${from.node}:${from.port} ${to.node}:${to.port}`).sort();
      expect(back.graph.nodes).toEqual(graph.nodes);
      expect(wires(back.graph)).toEqual(wires(graph));
      expect(back.ids).toEqual(ids);
    }
  });

  it("gives new ids to nodes whose ids are taken outside", () => {
    const block = grouped(lenet, ["relu1"]);
    const crowded = addNode(block.graph, { type: "relu", id: "relu1", at: { x: 0, y: 0 } });
    const { graph, ids } = ungroup(crowded, block.id);
    expect(ids).toEqual(["relu_1"]);
    expect(checkGraph(graph).problems.filter(({ severity }) => severity === "error")).toEqual([]);
  });

  it("joins what a block only passes on", () => {
    const around = connect(
      connect(
        addNode(draw(["rows", "input", { shape: [3] }], ["out", "output", {}, {}]), { type: "block", id: "b", at: { x: 0, y: 0 } }),
        { node: "rows", port: "y" },
        { node: "b", port: "x" },
      ),
      { node: "b", port: "y" },
      { node: "out", port: "x" },
    );
    expect(ungroup(around, "b").graph.edges.map(({ from, to }) => [from.node, to.node])).toEqual([["rows", "out"]]);
  });

  it("works inside of zones", () => {
    const zone = grouped(lenet, ["conv1", "relu1", "pool1"]);
    const steps = [{ node: zone.id, role: "body" }];
    const inner = groupIntoBlock(zone.graph, ["relu1", "pool1"], steps);
    if ("problem" in inner) throw new Error(inner.problem);
    expect(checkGraph(inner.graph).problems).toEqual([]);
    expect(bodyAt(inner.graph, [...steps, { node: inner.id, role: "body" }])?.nodes).toHaveLength(4);
    expect(meaning(ungroup(inner.graph, inner.id, steps).graph)).toEqual(meaning(lenet));
  });

  it("keeps the meaning of any graph, whatever is selected", () => {
    fc.assert(
      fc.property(soundGraph, fc.infiniteStream(fc.boolean()), (graph, picks) => {
        const ids = graph.nodes.filter(() => picks.next().value === true).map(({ id }) => id);
        const made = groupIntoBlock(graph, ids);
        if ("problem" in made) return;
        Graph.parse(made.graph);
        expect(meaning(made.graph).parameters).toBe(meaning(graph).parameters);
        const back = ungroup(made.graph, made.id).graph;
        expect(meaning(back)).toEqual(meaning(graph));
        expect(back.nodes.map(({ id }) => id).sort()).toEqual(graph.nodes.map(({ id }) => id).sort());
      }),
      { numRuns: 100 },
    );
  });
});

describe("unpacking", () => {
  it("makes a block of a composed layer with the same weights", () => {
    const graph = draw(["image", "input", { shape: [8, 16, 16] }], ["sep", "separable_conv2d", { out_channels: 4 }], ["out", "output"]);
    const before = checkGraph(graph);
    const body = before.composed.get("sep")?.body;
    if (!body) throw new Error("SeparableConv2d is composed.");
    const after = checkGraph(unpack(graph, "sep", body));
    expect(after.problems).toEqual([]);
    expect([...after.weights.keys()].filter((path) => path.startsWith("sep/"))).toEqual([...before.weights.keys()].filter((path) => path.startsWith("sep/")));
    expect(after.totals).toEqual(before.totals);
  });
});
