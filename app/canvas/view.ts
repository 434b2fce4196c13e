import { type Checked, type Problem, paramsOf } from "../../core/graph/check.ts";
import type { Body, Node } from "../../core/graph/document.ts";
import { pathOf } from "../../core/graph/path.ts";
import { formatShape, type TensorType } from "../../core/graph/shape.ts";
import { findLayer } from "../../core/layers/index.ts";
import { bodiesOf, type Category, portsOf } from "../../core/layers/kit.ts";
import type { Scope } from "./useGraph.ts";

/** A port as it is drawn. */
export type PortView = {
  id: string;
  many: boolean;
  optional: boolean;
  /** The shape on it, as drawn; null while it is not known. */
  shape: string | null;
  /** It needs a wire and has none. */
  missing: boolean;
};

/** Everything that a node's drawing depends on but its place and whether it is selected. Equal views are the same object. */
export type NodeView = {
  id: string;
  title: string;
  /** The layer's own title, or the type where no layer is known. */
  layerTitle: string;
  label: string;
  summary: string;
  parameters: number | null;
  category: Category | null;
  known: boolean;
  severity: Problem["severity"] | null;
  inputs: PortView[];
  outputs: PortView[];
  /** The bodies of a zone, in order; empty for plain layers. */
  bodies: { role: string; text: string; problem: boolean }[];
};

export type EdgeView = {
  id: string;
  from: string;
  fromPort: string;
  to: string;
  toPort: string;
  /** The shape that flows, as drawn: `B×32×28×28`; empty while it is not known. */
  shape: string;
  dtype: string | null;
  bad: boolean;
  label: string;
};

type BodyView = { nodes: NodeView[]; edges: EdgeView[] };

/** Makes the views of one body, and hands out the former object wherever nothing in it changed, so that only changed nodes are drawn again. */
export function createViewer(): (body: Body, scope: Scope, checked: Checked) => BodyView {
  let nodes = new Map<string, { key: string; view: NodeView }>();
  let edges = new Map<string, { key: string; view: EdgeView }>();
  return (body, scope, checked) => {
    const severities = worstByPath(checked.problems);
    const badEdges = new Set(checked.problems.flatMap((problem) => (problem.severity === "error" && problem.edge !== undefined ? [problem.edge] : [])));
    const nextNodes = new Map<string, { key: string; view: NodeView }>();
    const nextEdges = new Map<string, { key: string; view: EdgeView }>();
    const wired = wiredPorts(body);
    for (const node of body.nodes) keep(nodes, nextNodes, viewNode(node, pathOf(scope, node.id), checked, severities, wired.get(node.id)));
    const titles = new Map([...nextNodes].map(([id, { view }]) => [id, view.title]));
    for (const edge of body.edges) {
      const type = checked.types.get(pathOf(scope, edge.from.node))?.outputs[edge.from.port];
      keep(edges, nextEdges, {
        id: edge.id,
        from: edge.from.node,
        fromPort: edge.from.port,
        to: edge.to.node,
        toPort: edge.to.port,
        shape: type ? formatShape(type.shape) : "",
        dtype: type?.dtype ?? null,
        bad: badEdges.has(pathOf(scope, edge.id)),
        label: `Wire from ${titles.get(edge.from.node) ?? edge.from.node} to ${titles.get(edge.to.node) ?? edge.to.node}${type ? `, ${formatShape(type.shape)}` : ""}`,
      });
    }
    nodes = nextNodes;
    edges = nextEdges;
    return { nodes: [...nodes.values()].map((entry) => entry.view), edges: [...edges.values()].map((entry) => entry.view) };
  };
}

function keep<V extends { id: string }>(before: Map<string, { key: string; view: V }>, next: Map<string, { key: string; view: V }>, view: V): void {
  const key = JSON.stringify(view);
  const known = before.get(view.id);
  next.set(view.id, known?.key === key ? known : { key, view });
}

type Wired = { inputs: Set<string>; outputs: Set<string> };

/** The ports that wires lead to, whether the layer has them or not: a wire that is wrong must be seen to be mended. */
function wiredPorts(body: Body): Map<string, Wired> {
  const wired = new Map<string, Wired>();
  const of = (id: string) => {
    const ports = wired.get(id) ?? { inputs: new Set(), outputs: new Set() };
    wired.set(id, ports);
    return ports;
  };
  for (const { from, to } of body.edges) {
    of(from.node).outputs.add(from.port);
    of(to.node).inputs.add(to.port);
  }
  return wired;
}

function viewNode(
  node: Node,
  path: string,
  checked: Checked,
  severities: ReadonlyMap<string, Problem["severity"]>,
  wired: Wired = { inputs: new Set(), outputs: new Set() },
): NodeView {
  const layer = findLayer(node.type);
  const severity = severities.get(path) ?? null;
  const strays = (known: object, ports: Set<string>, many: boolean): PortView[] =>
    [...ports].filter((id) => !Object.hasOwn(known, id)).map((id) => ({ id, many, optional: true, shape: null, missing: false }));
  if (!layer) {
    return {
      id: node.id,
      title: node.name?.trim() || node.type,
      layerTitle: node.type,
      label: `Unknown layer ${node.type} ${node.id}`,
      summary: "not known to this version",
      parameters: null,
      category: null,
      known: false,
      severity,
      inputs: strays({}, wired.inputs, false),
      outputs: strays({}, wired.outputs, true),
      bodies: [],
    };
  }
  const types = checked.types.get(path);
  const inside = path.includes("/");
  const { inputs, outputs } = portsOf(layer, node);
  const shapeOf = (type: TensorType | TensorType[] | undefined) =>
    type === undefined
      ? null
      : [type]
          .flat()
          .map(({ shape }) => formatShape(shape))
          .join(", ") || null;
  return {
    id: node.id,
    title: node.name?.trim() || layer.title,
    layerTitle: layer.title,
    label: `${layer.title} ${node.id}`,
    // Inside a zone an input's value comes from around it, whatever its parameters say.
    summary: inside && layer.boundary ? `${layer.boundary.kind} ${node.name?.trim() || layer.boundary.name}` : layer.summary(paramsOf(layer, node)),
    parameters: checked.parameterCount.get(path) ?? null,
    category: layer.category,
    known: true,
    severity,
    inputs: [
      ...Object.entries(inputs).map(([id, port]) => ({
        id,
        many: port.many ?? false,
        optional: port.optional ?? false,
        shape: shapeOf(types?.inputs[id]),
        missing: !port.optional && !wired.inputs.has(id),
      })),
      ...strays(inputs, wired.inputs, false),
    ],
    outputs: [
      ...Object.keys(outputs).map((id) => ({ id, many: true, optional: false, shape: shapeOf(types?.outputs[id]), missing: false })),
      ...strays(outputs, wired.outputs, true),
    ],
    bodies: Object.keys(bodiesOf(layer, node)).map((role) => ({ role, text: sayBody(node.bodies?.[role]), problem: severities.get(`${path}/${role}`) === "error" })),
  };
}

/** What a body does, in a few words: its layers from top to bottom, as in `Mean → Greater`. */
function sayBody(body: Body | undefined): string {
  const inner = (body?.nodes ?? [])
    .map((node) => ({ node, layer: findLayer(node.type) }))
    .filter(({ layer }) => !layer?.boundary)
    .sort((a, b) => a.node.at.y - b.node.at.y || a.node.at.x - b.node.at.x);
  if (inner.length === 0) return "passes on what comes";
  if (inner.length > 4) return `${inner.length} layers`;
  return inner.map(({ node, layer }) => node.name?.trim() || layer?.title || node.type).join(" → ");
}

/** The worst that is said of each node, and of each body and zone around it. */
function worstByPath(problems: readonly Problem[]): Map<string, Problem["severity"]> {
  const worst = new Map<string, Problem["severity"]>();
  for (const { node, severity, code } of problems) {
    // What is only not wired yet is marked on its port: a drawing in the making is no mistake.
    if (node === undefined || code === "GRAPH_UNCONNECTED" || code === "GRAPH_UNUSED") continue;
    const parts = node.split("/");
    for (let end = parts.length; end > 0; end--) {
      const path = parts.slice(0, end).join("/");
      if (worst.get(path) !== "error") worst.set(path, severity);
    }
  }
  return worst;
}
