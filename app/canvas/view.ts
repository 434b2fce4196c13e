import { type Checked, type Problem, paramsOf } from "../../core/graph/check.ts";
import { countInstances, definitionOf } from "../../core/graph/definitions.ts";
import type { Body, Definitions, Graph, Node } from "../../core/graph/document.ts";
import { type Furniture, readFurniture, withoutFurniture } from "../../core/graph/furniture.ts";
import { NODE_SIZE } from "../../core/graph/layout.ts";
import { pathOf } from "../../core/graph/path.ts";
import { formatShape, type Shape, type TensorType } from "../../core/graph/shape.ts";
import { tuningAt } from "../../core/graph/tuning.ts";
import { say } from "../../core/language/say.ts";
import { findLayer } from "../../core/layers/index.ts";
import { bodiesOf, type Category, portsOf } from "../../core/layers/kit.ts";
import { drawInsides, type InsideDrawing } from "./insideDrawing.ts";
import { plainTitle, titleOf } from "./names.ts";
import { sayLender } from "./tied.ts";
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
  /** The layer's own title, or its definition's, or the type where no layer is known. */
  layerTitle: string;
  label: string;
  summary: string;
  parameters: number | null;
  category: Category | null;
  known: boolean;
  severity: Problem["severity"] | null;
  inputs: PortView[];
  outputs: PortView[];
  /** The bodies of a zone or block, in order; empty for plain layers. `drawing` while it stands open. */
  bodies: { role: string; text: string; problem: boolean; drawing: InsideDrawing | null }[];
  /** It runs several copies of its body, one behind the other. */
  copies: boolean;
  /** The definition that it is an instance of: which version, and how often it is used. */
  shared: { version: number; count: number } | null;
  /** Whose weights it uses. */
  lender: string | null;
  /** It hands its input on as if it were not there. */
  bypassed: boolean;
  /** Its weights, and those of all inside it, stay as they are. */
  frozen: boolean;
  /** Drawn as a dot on a wire. */
  dot: boolean;
};

/** A note or frame as it is drawn. */
export type FurnitureView = Furniture & { id: string; title: string; label: string };

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

/** What a node's drawing depends on besides its own body: the graph whose definitions and names it uses, and which nodes stand open. */
export type Around = { graph: Graph; isOpen: (path: string) => boolean /** To be read whatever room there is. */; isWanted: (path: string) => boolean };

type BodyView = { nodes: NodeView[]; furniture: FurnitureView[]; edges: EdgeView[] };

/** Makes the views of one body, and hands out the former object wherever nothing in it changed, so that only changed nodes are drawn again. */
export function createViewer(): (body: Body, scope: Scope, checked: Checked, around?: Around) => BodyView {
  let nodes = new Map<string, { key: string; view: NodeView }>();
  let furniture = new Map<string, { key: string; view: FurnitureView }>();
  let edges = new Map<string, { key: string; view: EdgeView }>();
  return (body, scope, checked, around) => {
    const severities = worstByPath(checked.problems);
    const badEdges = new Set(checked.problems.flatMap((problem) => (problem.severity === "error" && problem.edge !== undefined ? [problem.edge] : [])));
    const nextNodes = new Map<string, { key: string; view: NodeView }>();
    const nextFurniture = new Map<string, { key: string; view: FurnitureView }>();
    const nextEdges = new Map<string, { key: string; view: EdgeView }>();
    const wired = wiredPorts(body);
    const counts = new Map(Object.keys(around?.graph.definitions ?? {}).map((id) => [id, around ? countInstances(around.graph, id) : 0]));
    for (const node of body.nodes) {
      const drawn = readFurniture(node);
      if (!drawn) continue;
      const title = titleOf(node, undefined);
      keep(furniture, nextFurniture, { ...drawn, id: node.id, title, label: `${title} ${node.id}` });
    }
    for (const node of withoutFurniture(body).nodes) keep(nodes, nextNodes, viewNode(body, node, scope, checked, severities, counts, around, wired.get(node.id)));
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
        label: type
          ? say("Wire from {source} to {target}, {shape}", {
              source: titles.get(edge.from.node) ?? edge.from.node,
              target: titles.get(edge.to.node) ?? edge.to.node,
              shape: formatShape(type.shape),
            })
          : say("Wire from {source} to {target}", { source: titles.get(edge.from.node) ?? edge.from.node, target: titles.get(edge.to.node) ?? edge.to.node }),
      });
    }
    nodes = nextNodes;
    furniture = nextFurniture;
    edges = nextEdges;
    return {
      nodes: [...nodes.values()].map((entry) => entry.view),
      furniture: [...furniture.values()].map((entry) => entry.view),
      edges: [...edges.values()].map((entry) => entry.view),
    };
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
  body: Body,
  node: Node,
  scope: Scope,
  checked: Checked,
  severities: ReadonlyMap<string, Problem["severity"]>,
  counts: ReadonlyMap<string, number>,
  around: Around | undefined,
  wired: Wired = { inputs: new Set(), outputs: new Set() },
): NodeView {
  const layer = findLayer(node.type);
  const path = pathOf(scope, node.id);
  const severity = severities.get(path) ?? null;
  const strays = (known: object, ports: Set<string>, many: boolean): PortView[] =>
    [...ports].filter((id) => !Object.hasOwn(known, id)).map((id) => ({ id, many, optional: true, shape: null, missing: false }));
  if (!layer) {
    return {
      id: node.id,
      title: node.name?.trim() || node.type,
      layerTitle: node.type,
      label: say("Unknown layer {type} {id}", { type: node.type, id: node.id }),
      summary: say("not known to this version"),
      parameters: null,
      category: null,
      known: false,
      severity,
      inputs: strays({}, wired.inputs, false),
      outputs: strays({}, wired.outputs, true),
      bodies: [],
      copies: false,
      shared: null,
      lender: null,
      bypassed: false,
      frozen: false,
      dot: false,
    };
  }
  const types = checked.types.get(path);
  const inside = scope.length > 0;
  const definitions = around?.graph.definitions;
  const definition = definitionOf(node, definitions);
  const roles = Object.keys(bodiesOf(layer, node));
  const isOpen = roles.length > 0 && (around?.isOpen(path) ?? false);
  const carries = layer.carries?.(node) ?? [];
  const insides = roles.flatMap((role) => {
    const inner = node.bodies?.[role];
    const at = (id: string) => `${path}/${role}/${id}`;
    return inner
      ? [{ role, body: inner, asked: { definitions, carries, shapeOf: (id: string) => outputShape(checked, at(id)), severityOf: (id: string) => severities.get(at(id)) } }]
      : [];
  });
  const drawn = isOpen ? drawInsides(insides, around?.isWanted(path) ? Number.POSITIVE_INFINITY : roomBelow(body, node)) : [];
  const drawings = new Map(insides.map(({ role }, i) => [role, drawn[i] ?? null]));
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
    title: titleOf(node, definitions),
    layerTitle: plainTitle(node, definitions),
    label: `${layer.title} ${node.id}`,
    // Inside a zone an input's value comes from around it, whatever its parameters say.
    summary: node.bypass ? say("bypassed") : inside && layer.boundary ? `${layer.boundary.kind} ${node.name?.trim() || layer.boundary.name}` : layer.summary(paramsOf(layer, node)),
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
    bodies: roles.map((role) => ({
      role,
      text: sayBody(node.bodies?.[role], definitions),
      problem: severities.get(`${path}/${role}`) === "error",
      drawing: drawings.get(role) ?? null,
    })),
    copies: layer.compose !== undefined && layer.bodies !== undefined,
    shared: definition === undefined ? null : { version: definitions?.[definition]?.version ?? 1, count: counts.get(definition) ?? 1 },
    lender: around ? sayLender(around.graph, scope, node) : null,
    bypassed: node.bypass ?? false,
    frozen: node.tuning?.frozen ?? (around !== undefined && inside && tuningAt(around.graph, path).frozen),
    dot: layer.dot ?? false,
  };
}

/** How high a node can be before it covers the next one below it, or any that stands beside that. */
function roomBelow(body: Body, node: Node): number {
  const { width } = NODE_SIZE;
  const below = body.nodes.filter((other) => other.id !== node.id && other.type !== "frame" && Math.abs(other.at.x - node.at.x) < width && other.at.y > node.at.y);
  return Math.min(...below.map((other) => other.at.y)) - node.at.y - GAP;
}

/** At least so much of a wire is seen between two nodes. */
const GAP = 20;

function outputShape(checked: Checked, path: string): Shape | null {
  const types = checked.types.get(path);
  return Object.values(types?.outputs ?? types?.inputs ?? {}).flat()[0]?.shape ?? null;
}

/** What a body does, in a few words: its layers from top to bottom, as in `Mean → Greater`. */
function sayBody(body: Body | undefined, definitions: Definitions | undefined): string {
  const inner = (body ? withoutFurniture(body).nodes : [])
    .map((node) => ({ node, layer: findLayer(node.type) }))
    .filter(({ layer }) => !layer?.boundary)
    .sort((a, b) => a.node.at.y - b.node.at.y || a.node.at.x - b.node.at.x);
  if (inner.length === 0) return say("passes on what comes");
  if (inner.length > 4) return say("{count} layers", { count: inner.length });
  return inner.map(({ node }) => titleOf(node, definitions)).join(" → ");
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
