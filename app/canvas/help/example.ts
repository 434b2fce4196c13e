import { checkGraph, paramsOf } from "../../../core/graph/check.ts";
import type { Edge, Graph, Node } from "../../../core/graph/document.ts";
import { tidyLayout } from "../../../core/graph/layout.ts";
import { splitPath } from "../../../core/graph/path.ts";
import type { Shape, TensorType } from "../../../core/graph/shape.ts";
import { type Inputs, type Layer, type NodeTypes, portsOf } from "../../../core/layers/kit.ts";

/** A layer at work: a node of it, and the types around it. */
export type AtWork = { node: Node; types: NodeTypes };

type Example = AtWork & { graph: Graph; parameters: number; multiplyAdds: number };

const examples = new WeakMap<Layer, Example | null>();

/** The layer's first example whose inputs can be drawn as a model's, with a batch of any size. Worked out once. */
export function exampleOf(layer: Layer): AtWork | null {
  return madeOf(layer);
}

/** That example as a whole model, laid out, and what it costs. Null where it is none: an Input or Output is no model. */
export function exampleGraph(layer: Layer): Example | null {
  const made = layer.boundary ? null : madeOf(layer);
  if (!made || Object.keys(made.types.outputs).length === 0) return null;
  const y: Node = { id: "y", type: "output", params: {}, at: { x: 0, y: 0 } };
  const [port] = Object.keys(made.types.outputs);
  const graph: Graph = {
    ...made.graph,
    nodes: [...made.graph.nodes, y],
    edges: [...made.graph.edges, { id: "out", from: { node: ID, port: port ?? "y" }, to: { node: y.id, port: "x" } }],
  };
  const places = tidyLayout(graph);
  return { ...made, graph: { ...graph, nodes: graph.nodes.map((node) => ({ ...node, at: places.get(node.id) ?? node.at })) } };
}

function madeOf(layer: Layer): Example | null {
  const known = examples.get(layer);
  if (known !== undefined) return known;
  let made: Example | null = null;
  for (const example of layer.examples) {
    made = atWork(layer, example);
    if (made) break;
  }
  examples.set(layer, made);
  return made;
}

const ID = "it";

function atWork(layer: Layer, { params = {}, inputs, bodies }: Layer["examples"][number]): Example | null {
  const node: Node = { id: ID, type: layer.type, params: params as Node["params"], at: { x: 0, y: 0 }, ...(bodies ? { bodies } : {}) };
  const nodes: Node[] = [node];
  const edges: Edge[] = [];
  const wire = (from: string, to: string, port: string) => edges.push({ id: `wire_${edges.length}`, from: { node: from, port: "y" }, to: { node: to, port } });
  const behind = (from: string, type: string, params: Node["params"]) => {
    const id = `${type}_${nodes.length}`;
    nodes.push({ id, type, params, at: { x: 0, y: 0 } });
    wire(from, id, "x");
    return id;
  };
  /** Conditions are made of numbers; the one for a whole batch of its mean. */
  const asCondition = (id: string, shape: Shape) => behind(shape.every((size) => size === 1) ? behind(id, "mean", { dim: [], keepdim: true }) : id, "cast", { dtype: "bool" });
  for (const [port, given] of Object.entries(inputs)) {
    for (const one of isMany(given) ? given : [given]) {
      const type: TensorType = Array.isArray(one) ? { dtype: "float32", shape: one } : one;
      // What has no batch cannot come in from outside.
      if (type.shape.length === 0) return null;
      const id = `input_${nodes.length}`;
      const isCondition = type.dtype === "bool";
      nodes.push({ id, type: "input", params: { shape: type.shape.slice(1), dtype: isCondition ? "float32" : type.dtype }, name: id, at: { x: 0, y: 0 } });
      wire(isCondition ? asCondition(id, type.shape) : id, ID, port);
    }
  }
  const graph: Graph = { schemaVersion: 1, nodes, edges };
  const checked = checkGraph(graph);
  const types = checked.types.get(ID);
  return types && isKnown(layer, node, types) ? { node, types, graph, parameters: checked.parameterCount.get(ID) ?? 0, multiplyAdds: checked.multiplyAdds.get(ID) ?? 0 } : null;
}

/** Whether it is known what comes out of the node, or in where nothing does. */
export function isKnown(layer: Layer, node: Node, types: NodeTypes): boolean {
  const hasOutputs = Object.keys(portsOf(layer, node).outputs).length > 0;
  return Object.keys(hasOutputs ? types.outputs : types.inputs).length > 0;
}

function isMany(given: Layer["examples"][number]["inputs"][string]): given is TensorType[] {
  return Array.isArray(given) && given.some((one) => typeof one === "object");
}

/** The line of PyTorch that a node is: what is made in `__init__`, or what stands in `forward`. Null where it is several lines. */
export function torchLine(layer: Layer, { node, types }: AtWork): string | null {
  if (layer.boundary || Object.keys(types.outputs).length === 0) return null;
  const code = layer.torch(paramsOf(layer, node), types as Parameters<Layer["torch"]>[1], node);
  if ("module" in code && code.module !== undefined) return code.module;
  if (!("forward" in code)) return null;
  const names: Inputs<string> = Object.fromEntries(
    Object.entries(types.inputs).flatMap(([port, type]): [string, string | string[]][] =>
      type === undefined ? [] : [[port, Array.isArray(type) ? type.map((_, i) => (type.length === 1 ? port : `${port}${i + 1}`)) : port]],
    ),
  );
  const outputs = Object.fromEntries(Object.keys(types.outputs).map((port) => [port, port]));
  const left = code.assign?.(outputs) ?? Object.keys(outputs).sort().join(", ");
  return `${left} = ${code.forward(`self.${splitPath(node.id).id}`, names)}`;
}
