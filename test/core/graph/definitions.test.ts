import { describe, expect, it } from "vitest";
import { groupIntoBlock } from "../../../core/graph/blocks.ts";
import { checkGraph } from "../../../core/graph/check.ts";
import {
  adoptDefinitions,
  canHold,
  countInstances,
  defineBlock,
  describeDefinition,
  detach,
  exposeParam,
  instanceAround,
  instanceOf,
  removeDefinition,
  setExposed,
  settle,
  unexpose,
  withDefinitions,
} from "../../../core/graph/definitions.ts";
import { type Body, Graph } from "../../../core/graph/document.ts";
import { addNode, bodyAt, connect, copy, moveNodes, paste, removeNodes, setParams } from "../../../core/graph/edit.ts";
import { draw } from "./sketches.ts";

const at = { x: 0, y: 0 };
const addInstance = (graph: Graph, definition: string, id: string) => {
  const made = instanceOf(graph, definition);
  return made ? addNode(graph, { ...made, id, at }) : graph;
};
const into = (...nodes: string[]) => nodes.map((node) => ({ node, role: "body" }));
/** An edit as the canvas makes it. */
const make = (graph: Graph, change: (graph: Graph) => Graph) => {
  const next = settle(graph, change(graph));
  Graph.parse(next);
  return next;
};
const width = (graph: Graph, ...path: string[]) => bodyAt(graph, into(...path.slice(0, -1)))?.nodes.find(({ id }) => id === path.at(-1))?.params.out_features;
const version = (graph: Graph, id = "part") => graph.definitions?.[id]?.version;

/** Two instances of a block of Linear and Tanh, one behind the other. */
function twice(): Graph {
  const chain = draw(["rows", "input", { shape: [6] }], ["fc", "linear", { out_features: 6 }], ["act", "tanh"], ["out", "output"]);
  const made = groupIntoBlock(chain, ["fc", "act"]);
  if ("problem" in made) throw new Error(made.problem);
  const defined = defineBlock(made.graph, "block_1", [], { definition: "part", name: "Part" });
  const added = addInstance(defined, "part", "block_2");
  return connect(connect(added, { node: "block_1", port: "y" }, { node: "block_2", port: "x" }), { node: "block_2", port: "y" }, { node: "out", port: "x" });
}

describe("definitions", () => {
  it("begin with a block, which becomes the first instance", () => {
    const graph = twice();
    expect(checkGraph(graph).problems).toEqual([]);
    expect(graph.definitions?.part).toMatchObject({ name: "Part", version: 1, exposed: [] });
    expect(countInstances(graph, "part")).toBe(2);
    expect(settle(graph, graph)).toBe(graph);
  });

  it("are edited in any instance, and all others follow", () => {
    const graph = make(twice(), (g) => setParams(g, "fc", { bias: false }, into("block_2")));
    expect(version(graph)).toBe(2);
    for (const block of ["block_1", "block_2"]) expect(bodyAt(graph, into(block))?.nodes.find(({ id }) => id === "fc")?.params.bias).toBe(false);
    const without = make(graph, (g) => removeNodes(g, ["act"], into("block_1")));
    expect(version(without)).toBe(3);
    expect(bodyAt(without, into("block_2"))?.nodes.some(({ id }) => id === "act")).toBe(false);
  });

  it("count one version for one step of the history, and none for a place", () => {
    const first = twice();
    const once = settle(first, setParams(first, "fc", { out_features: 3 }, into("block_1")));
    const again = settle(once, setParams(once, "fc", { out_features: 32 }, into("block_1")), first);
    expect(version(again)).toBe(2);
    const moved = make(again, (g) => moveNodes(g, new Map([["fc", { x: 500, y: 0 }]]), into("block_1")));
    expect(version(moved)).toBe(2);
    expect(bodyAt(moved, into("block_2"))?.nodes.find(({ id }) => id === "fc")?.at.x).toBe(500);
  });

  it("leave exposed parameters to each instance", () => {
    let graph = make(twice(), (g) => exposeParam(g, "part", { node: "fc", param: "out_features" }));
    graph = make(graph, (g) => setExposed(g, "block_2", "out_features", 12));
    expect([width(graph, "block_1", "fc"), width(graph, "block_2", "fc")]).toEqual([6, 12]);
    expect(version(graph)).toBe(2);
    // An edit of everything else reaches both, and their values stay.
    graph = make(graph, (g) => setParams(g, "fc", { bias: false }, into("block_2")));
    expect([width(graph, "block_1", "fc"), width(graph, "block_2", "fc"), version(graph)]).toEqual([6, 12, 3]);
    expect(width({ ...graph, ...(graph.definitions?.part?.body as Body) }, "fc")).toBe(6);
    expect(bodyAt(graph, into("block_1"))?.nodes.find(({ id }) => id === "fc")?.params.bias).toBe(false);
    graph = make(graph, (g) => unexpose(g, "part", "out_features"));
    expect([width(graph, "block_1", "fc"), width(graph, "block_2", "fc")]).toEqual([6, 6]);
  });

  it("follow an exposed parameter whose node is grouped inside", () => {
    let graph = make(twice(), (g) => exposeParam(g, "part", { node: "fc", param: "out_features" }));
    graph = make(graph, (g) => setExposed(g, "block_2", "out_features", 12));
    graph = make(graph, (g) => {
      const made = groupIntoBlock(g, ["fc"], into("block_1"));
      return "problem" in made ? g : made.graph;
    });
    expect(graph.definitions?.part?.exposed[0]?.node).toBe("block_1/body/fc");
    expect([width(graph, "block_1", "block_1", "fc"), width(graph, "block_2", "block_1", "fc")]).toEqual([6, 12]);
    graph = make(graph, (g) => removeNodes(g, ["block_1"], into("block_2")));
    expect(graph.definitions?.part?.exposed).toEqual([]);
  });

  it("nest, and are never put into themselves", () => {
    let graph = twice();
    const made = groupIntoBlock(graph, ["block_1", "block_2"]);
    if ("problem" in made) throw new Error(made.problem);
    graph = make(graph, () => defineBlock(made.graph, made.id, [], { definition: "pair", name: "Pair" }));
    graph = make(graph, (g) => addInstance(g, "pair", "second"));
    expect(countInstances(graph, "part")).toBe(4);
    expect(canHold(graph, "pair", into("second"))).toBe(false);
    expect(canHold(graph, "pair", into("second", "block_1"))).toBe(false);
    expect(canHold(graph, "part", into("second"))).toBe(true);
    expect(instanceAround(graph, into("second", "block_1"))).toMatchObject({ definition: "part", inner: [] });

    // An edit two levels down reaches every copy and the definition around it, whose own version stays.
    graph = make(graph, (g) => setParams(g, "fc", { bias: false }, into("second", "block_2")));
    expect([version(graph, "part"), version(graph, "pair")]).toEqual([2, 1]);
    for (const path of [
      [made.id, "block_1"],
      [made.id, "block_2"],
      ["second", "block_1"],
    ])
      expect(bodyAt(graph, into(...path))?.nodes.find(({ id }) => id === "fc")?.params.bias, path.join()).toBe(false);
    const inDefinition = graph.definitions?.pair?.body.nodes.find(({ id }) => id === "block_1")?.bodies?.body;
    expect(inDefinition?.nodes.find(({ id }) => id === "fc")?.params.bias).toBe(false);
  });

  it("let go of an instance, or of all", () => {
    const free = make(twice(), (g) => detach(g, "block_2"));
    const edited = make(free, (g) => setParams(g, "fc", { out_features: 3 }, into("block_2")));
    expect([width(edited, "block_1", "fc"), width(edited, "block_2", "fc"), version(edited)]).toEqual([6, 3, 1]);
    expect(edited.nodes.find(({ id }) => id === "block_2")?.name).toBe("Part");
    const none = make(edited, (g) => removeDefinition(g, "part"));
    expect([countInstances(none, "part"), Object.keys(none.definitions ?? {})]).toEqual([0, []]);
    expect(checkGraph(none).totals).toEqual(checkGraph(edited).totals);
  });

  it("are renamed and described without a new version", () => {
    const graph = make(twice(), (g) => describeDefinition(g, "part", { name: " Residual unit ", doc: "Two layers." }));
    expect(graph.definitions?.part).toMatchObject({ name: "Residual unit", doc: "Two layers.", version: 1 });
    expect(describeDefinition(graph, "part", { name: "" })).toBe(graph);
  });

  it("travel with what is copied, and are never pasted into themselves", () => {
    const graph = twice();
    const clip = withDefinitions(graph, copy(graph, ["block_2"]));
    expect(Object.keys(clip.definitions ?? {})).toEqual(["part"]);
    const fresh = () => "part_other";
    const put = (into_: Graph, steps: { node: string; role: string }[] = []) => {
      const adopted = adoptDefinitions(into_, clip, steps, fresh);
      return paste(adopted.graph, adopted.clip, at, steps);
    };

    // Another model gets the definition, the same model uses its own, and one that has another under this id keeps both.
    const elsewhere = put(draw(["rows", "input", { shape: [6] }]));
    expect([countInstances(elsewhere.graph, "part"), elsewhere.graph.definitions?.part?.name]).toEqual([1, "Part"]);
    expect(put(graph).graph.definitions).toBe(graph.definitions);
    const other = put({ ...draw(["rows", "input", { shape: [6] }]), definitions: { part: { name: "Something else", version: 4, body: { nodes: [], edges: [] }, exposed: [] } } });
    expect([countInstances(other.graph, "part"), countInstances(other.graph, "part_other")]).toEqual([0, 1]);

    const inside = settle(graph, put(graph, into("block_1")).graph);
    expect(countInstances(inside, "part")).toBe(2);
    expect(version(inside)).toBe(2);
  });
});
