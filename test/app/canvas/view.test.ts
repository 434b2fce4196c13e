import { describe, expect, it } from "vitest";
import { createViewer } from "../../../app/canvas/view.ts";
import { checkGraph } from "../../../core/graph/check.ts";
import type { Graph } from "../../../core/graph/document.ts";
import { addNode, moveNodes, setParams } from "../../../core/graph/edit.ts";
import { findTemplate } from "../../../core/templates/index.ts";

const lenet = findTemplate("lenet5")?.graph;
if (!lenet) throw new Error("There is a LeNet-5.");
const view = (viewer: ReturnType<typeof createViewer>, graph: Graph) => viewer(graph, [], checkGraph(graph));

describe("what is drawn", () => {
  it("shows each wire's shape and each node's count", () => {
    const { nodes, edges } = view(createViewer(), lenet);
    expect(edges.find((edge) => edge.to === "conv1")?.shape).toBe("B×1×28×28");
    expect(nodes.find((node) => node.id === "conv1")).toMatchObject({ label: "Conv2d conv1", parameters: 156, category: "convolution" });
  });

  it("a moved node draws nothing again; a changed one only itself and what follows", () => {
    const viewer = createViewer();
    const before = view(viewer, lenet);
    const moved = view(viewer, moveNodes(lenet, new Map([["conv1", { x: 999, y: 0 }]])));
    expect(moved.nodes.every((node, index) => node === before.nodes[index])).toBe(true);
    const wider = view(viewer, setParams(lenet, "fc2", { out_features: 90 }));
    const redrawn = wider.nodes.filter((node) => !before.nodes.includes(node)).map((node) => node.id);
    expect(redrawn.sort()).toEqual(["fc2", "fc3", "relu4"]);
  });

  it("a layer of another version stays as a placeholder with its wires", () => {
    const graph: Graph = {
      ...lenet,
      nodes: [...lenet.nodes, { id: "odd", type: "from_the_future", params: { depth: 3 }, at: { x: 0, y: 0 } }],
      edges: [...lenet.edges, { id: "w", from: { node: "conv1", port: "y" }, to: { node: "odd", port: "signal" } }],
    };
    const odd = view(createViewer(), graph).nodes.find((node) => node.id === "odd");
    expect(odd).toMatchObject({ known: false, title: "from_the_future", severity: "error", inputs: [{ id: "signal" }] });
  });

  it("an input without a wire is marked on the port, not as a broken node", () => {
    const { nodes } = view(createViewer(), addNode(lenet, { type: "relu", at: { x: 0, y: 0 }, id: "loose" }));
    expect(nodes.find((node) => node.id === "loose")).toMatchObject({ severity: null, inputs: [{ id: "x", missing: true }] });
  });
});
