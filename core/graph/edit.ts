import { findLayer } from "../layers/index.ts";
import { bodiesOf, type Fix, type Layer, portsOf } from "../layers/kit.ts";
import type { Problem } from "./check.ts";
import type { Body, Definitions, Edge, Graph, Json, Node, Tuning } from "./document.ts";
import { furnitureParams } from "./furniture.ts";
import { type BodyStep, splitPath } from "./path.ts";

/**
 * Edits of a graph. Each gives a new graph that shares whatever it did not touch with the old one, or the very same graph where
 * it would change nothing, as when a node is gone. `steps` leads into the body of a zone or block; without it the edit is at the top.
 */

/** An end of a wire. */
export type End = { node: string; port: string };

/** Nodes on their way to be pasted, with the wires among them, and the definitions that they are instances of. */
export type Clip = Body & {
  definitions?: Definitions;
  /** What fed the nodes where they were copied, for pasting them with their wires. */
  outside?: Edge[];
};

/** `bodies`: what it holds, where that is not what its layer starts with. */
export type NewNode = { type: string; at: { x: number; y: number }; id?: string; params?: Node["params"]; name?: string; bodies?: Node["bodies"] };

/** The body that `steps` lead to. */
export function bodyAt(graph: Graph, steps: readonly BodyStep[] = []): Body | undefined {
  let body: Body | undefined = graph;
  for (const { node, role } of steps) {
    const bodies: Node["bodies"] = body?.nodes.find(({ id }) => id === node)?.bodies;
    body = bodies && Object.hasOwn(bodies, role) ? bodies[role] : undefined;
  }
  return body;
}

/**
 * An id for a new node: its type and the next number, as in `conv2d_3`. It becomes the attribute's name in PyTorch code and
 * the first part of weight names.
 */
export function freshId(body: Body, type: string): string {
  return nextId(
    body.nodes.map(({ id }) => id),
    type.replaceAll(/[^\w-]/g, "_").slice(0, 48),
  );
}

/** Puts a node on the canvas; a zone or block starts with the bodies of its layer. */
export function addNode(graph: Graph, { type, at, id, params = {}, name, bodies: given }: NewNode, steps: readonly BodyStep[] = []): Graph {
  return editBody(graph, steps, (body) => {
    if (id !== undefined && body.nodes.some((node) => node.id === id)) return body;
    const node: Node = { id: id ?? freshId(body, type), type, params, at };
    if (name) node.name = name;
    if (given) node.bodies = given;
    const bodies = startBodies(findLayer(type), node);
    if (bodies) node.bodies = bodies;
    return { ...body, nodes: [...body.nodes, node] };
  });
}

/** Takes nodes away with their wires. */
export function removeNodes(graph: Graph, ids: Iterable<string>, steps: readonly BodyStep[] = []): Graph {
  const gone = new Set(ids);
  return editBody(graph, steps, (body) => {
    const nodes = body.nodes.filter(({ id }) => !gone.has(id));
    if (nodes.length === body.nodes.length) return body;
    return { nodes, edges: body.edges.filter(({ from, to }) => !gone.has(from.node) && !gone.has(to.node)) };
  });
}

/** Draws a wire. An input that takes one wire lets go of the one it has. */
export function connect(graph: Graph, from: End, to: End, steps: readonly BodyStep[] = []): Graph {
  return editBody(graph, steps, (body) => connectIn(body, from, to));
}

/** Takes wires away. */
export function disconnect(graph: Graph, edgeIds: Iterable<string>, steps: readonly BodyStep[] = []): Graph {
  const gone = new Set(edgeIds);
  return editBody(graph, steps, (body) => {
    const edges = body.edges.filter(({ id }) => !gone.has(id));
    return edges.length === body.edges.length ? body : { ...body, edges };
  });
}

/** Sets parameters. `undefined`, or a value equal to the layer's default, goes back to the default. */
export function setParams(graph: Graph, id: string, patch: { [name: string]: Json | undefined }, steps: readonly BodyStep[] = []): Graph {
  return editNode(graph, id, steps, (node) => {
    const layer = findLayer(node.type);
    const known = layer?.params ?? furnitureParams(node.type);
    const params = new Map(Object.entries(node.params));
    for (const [name, value] of Object.entries(patch)) {
      const isDefault = known && Object.hasOwn(known, name) && isSame(known[name]?.default, value);
      if (value === undefined || isDefault) params.delete(name);
      else params.set(name, value);
    }
    const next = Object.fromEntries(params);
    if (isSame(next, node.params)) return node;
    const changed = { ...node, params: next };
    return layer?.roles ? { ...changed, bodies: startBodies(layer, changed) } : changed;
  });
}

/**
 * Names a node; an empty name is the layer's title again. The name of an input or output inside a zone or block is the name of
 * the port outside, whose wires follow it.
 */
export function renameNode(graph: Graph, id: string, name: string, steps: readonly BodyStep[] = []): Graph {
  const wanted = name.trim().slice(0, 120);
  const before = bodyAt(graph, steps)?.nodes.find((node) => node.id === id);
  const renamed = editNode(graph, id, steps, (node) => {
    if ((node.name ?? "") === wanted) return node;
    const { name: _, ...rest } = node;
    return wanted === "" ? rest : { ...rest, name: wanted };
  });
  const boundary = before && findLayer(before.type)?.boundary;
  const zone = steps.at(-1);
  if (!before || !boundary || boundary.kind === "target" || !zone || renamed === graph) return renamed;
  const oldPort = before.name?.trim() || boundary.name;
  const newPort = wanted || boundary.name;
  return editBody(renamed, steps.slice(0, -1), (body) => {
    const place = body.nodes.findIndex((node) => node.id === zone.node);
    const around = body.nodes[place];
    const layer = around && findLayer(around.type);
    if (!around || !layer?.ports) return body;
    // Inputs of one name in several bodies are one port, and stay one.
    const changed = boundary.kind === "input" ? renameInputs(around, before.type, oldPort, wanted) : around;
    const { inputs, outputs } = layer.ports(changed);
    const nodes = changed === around ? body.nodes : body.nodes.with(place, changed);
    if (Object.hasOwn(boundary.kind === "input" ? inputs : outputs, oldPort)) return { ...body, nodes };
    const end = boundary.kind === "input" ? "to" : "from";
    return { nodes, edges: body.edges.map((edge) => (edge[end].node === zone.node && edge[end].port === oldPort ? { ...edge, [end]: { ...edge[end], port: newPort } } : edge)) };
  });
}

function renameInputs(zone: Node, type: string, from: string, to: string): Node {
  const isIts = ({ type: own, name }: Node) => own === type && (name?.trim() || findLayer(type)?.boundary?.name) === from;
  const rename = ({ name: _, ...node }: Node): Node => (to === "" ? node : { ...node, name: to });
  const bodies = Object.entries(zone.bodies ?? {});
  if (!bodies.some(([, { nodes }]) => nodes.some(isIts))) return zone;
  return { ...zone, bodies: Object.fromEntries(bodies.map(([role, inner]) => [role, { ...inner, nodes: inner.nodes.map((node) => (isIts(node) ? rename(node) : node)) }])) };
}

/** Lets a node use the weights of another: `target` is the id of one beside it, or the whole path behind a `/`; without it the node has its own again. */
export function tieWeights(graph: Graph, id: string, target: string | undefined, steps: readonly BodyStep[] = []): Graph {
  return editNode(graph, id, steps, (node) => {
    if (node.weightsOf === target) return node;
    const { weightsOf: _, ...own } = node;
    return target === undefined ? own : { ...own, weightsOf: target };
  });
}

/** Says of nodes how they are trained, in place of what was said before; nothing said is as for the node around. */
export function setTuning(graph: Graph, ids: Iterable<string>, tuning: Tuning, steps: readonly BodyStep[] = []): Graph {
  const isPlain = Object.keys(tuning).length === 0;
  return editNodes(graph, ids, steps, ({ tuning: _, ...node }) => (isPlain ? node : { ...node, tuning }));
}

/** Bypasses nodes, or brings them back. */
export function setBypass(graph: Graph, ids: Iterable<string>, bypass: boolean, steps: readonly BodyStep[] = []): Graph {
  return editNodes(graph, ids, steps, (node) => {
    if ((node.bypass ?? false) === bypass) return node;
    const { bypass: _, ...rest } = node;
    return bypass ? { ...rest, bypass } : rest;
  });
}

/** Keeps nodes where they are when the drawing is tidied, or lets go of them again. */
export function pinNodes(graph: Graph, ids: Iterable<string>, pinned: boolean, steps: readonly BodyStep[] = []): Graph {
  return editNodes(graph, ids, steps, (node) => {
    if ((node.pinned ?? false) === pinned) return node;
    const { pinned: _, ...loose } = node;
    return pinned ? { ...loose, pinned } : loose;
  });
}

/** Puts nodes to other places, by id. */
export function moveNodes(graph: Graph, places: ReadonlyMap<string, { x: number; y: number }>, steps: readonly BodyStep[] = []): Graph {
  return editBody(graph, steps, (body) => {
    let hasMoved = false;
    const nodes = body.nodes.map((node) => {
      const at = places.get(node.id);
      if (!at || (at.x === node.at.x && at.y === node.at.y)) return node;
      hasMoved = true;
      return { ...node, at };
    });
    return hasMoved ? { ...body, nodes } : body;
  });
}

/** The nodes with these ids and the wires among them. */
export function copy(graph: Graph, ids: Iterable<string>, steps: readonly BodyStep[] = []): Clip {
  const wanted = new Set(ids);
  const body = bodyAt(graph, steps);
  return {
    nodes: body?.nodes.filter(({ id }) => wanted.has(id)) ?? [],
    edges: body?.edges.filter(({ from, to }) => wanted.has(from.node) && wanted.has(to.node)) ?? [],
  };
}

/** Adds what was copied, its upper left corner at `at`, under new ids, which it gives. */
export function paste(graph: Graph, clip: Clip, at: { x: number; y: number }, steps: readonly BodyStep[] = []): { graph: Graph; ids: string[] } {
  const ids: string[] = [];
  const pasted = editBody(graph, steps, (body) => {
    if (clip.nodes.length === 0) return body;
    const left = Math.min(...clip.nodes.map((node) => node.at.x));
    const top = Math.min(...clip.nodes.map((node) => node.at.y));
    const renamed = new Map<string, string>();
    const nodes = [...body.nodes];
    for (const node of clip.nodes) {
      const id = freshId({ nodes, edges: [] }, node.type);
      renamed.set(node.id, id);
      ids.push(id);
      nodes.push({ ...node, id, at: { x: node.at.x - left + at.x, y: node.at.y - top + at.y } });
    }
    const edges = [...body.edges];
    for (const { from, to } of clip.edges) {
      const [source, target] = [renamed.get(from.node), renamed.get(to.node)];
      if (source !== undefined && target !== undefined) edges.push({ id: nextEdgeId(edges), from: { node: source, port: from.port }, to: { node: target, port: to.port } });
    }
    return { nodes, edges };
  });
  return { graph: pasted, ids };
}

/** How far apart two nodes stand, one below the other. */
const ROW = 96;

/** Puts a new node into a wire, by its first ports, and makes room below where there is none. */
export function insertOnEdge(graph: Graph, edgeId: string, node: Omit<NewNode, "at"> & { at?: NewNode["at"] }, steps: readonly BodyStep[] = []): Graph {
  const body = bodyAt(graph, steps);
  const edge = body?.edges.find(({ id }) => id === edgeId);
  const source = body?.nodes.find(({ id }) => id === edge?.from.node);
  const target = body?.nodes.find(({ id }) => id === edge?.to.node);
  if (!body || !edge || !source || !target) return graph;
  const id = node.id ?? freshId(body, node.type);
  const lacksRoom = target.at.y - source.at.y < 2 * ROW;
  const at = node.at ?? { x: target.at.x, y: lacksRoom ? target.at.y : Math.round((source.at.y + target.at.y) / 2) };
  const added = addNode(graph, { ...node, id, at }, steps);
  return editBody(added, steps, (now) => {
    const inserted = now.nodes.find((other) => other.id === id);
    const ports = inserted && portsIn(inserted);
    if (!inserted || !ports) return now;
    const below = node.at || !lacksRoom ? new Set<string>() : reachableFrom(now, target.id);
    const nodes = now.nodes.map((other) => (below.has(other.id) && other.at.y >= target.at.y ? { ...other, at: { x: other.at.x, y: other.at.y + ROW } } : other));
    const edges = now.edges.filter((other) => other.id !== edgeId);
    edges.push({ id: nextEdgeId(now.edges), from: edge.from, to: { node: id, port: ports.input } });
    // The wire into the target keeps its place among those of the same port, where their order matters.
    edges.splice(now.edges.indexOf(edge), 0, { ...edge, from: { node: id, port: ports.output } });
    return { nodes, edges };
  });
}

/** Makes the edit that a problem's fix describes. */
export function applyFix(graph: Graph, problem: Problem, fix: Fix): Graph {
  if (fix.kind === "remove-edge") {
    if (problem.edge === undefined) return graph;
    const { steps, id } = splitPath(problem.edge);
    return editBody(graph, steps, (body) => {
      // Of two wires with one id the later is the one too many.
      const at = body.edges.findLastIndex((edge) => edge.id === id);
      return at === -1 ? body : { ...body, edges: body.edges.toSpliced(at, 1) };
    });
  }
  if (fix.kind === "add") return addBeside(graph, fix);
  const path = (fix.kind === "set-param" || fix.kind === "remove-node" ? fix.node : undefined) ?? problem.node;
  if (path === undefined) return graph;
  const { steps, id } = splitPath(path);
  if (fix.kind === "set-param") return setParams(graph, id, { [fix.name]: fix.value }, steps);
  if (fix.kind === "restore") return setBypass(graph, [id], false, steps);
  if (fix.kind === "remove-param") return setParams(graph, id, { [fix.name]: undefined }, steps);
  if (fix.kind === "remove-node") return editBody(graph, steps, (body) => bridge(body, id));
  if (fix.kind === "rename") return renameNode(graph, id, fix.name, steps);
  if (fix.kind === "connect") return connect(graph, fix.from, { node: id, port: fix.port }, steps);

  let fixed = graph;
  for (const { type, params } of fix.nodes) {
    const into = bodyAt(fixed, steps)?.edges.filter(({ to }) => to.node === id && to.port === fix.port) ?? [];
    const edge = into.find((wire) => wire.id === (problem.edge && splitPath(problem.edge).id)) ?? into[0];
    if (edge) fixed = insertOnEdge(fixed, edge.id, { type, params }, steps);
  }
  return fixed;
}

function addBeside(graph: Graph, { type, params, beside, port, side }: Extract<Fix, { kind: "add" }>): Graph {
  const neighbour = graph.nodes.find(({ id }) => id === beside);
  if (!neighbour) return graph;
  const id = freshId(graph, type);
  const at = { x: neighbour.at.x, y: neighbour.at.y + (side === "below" ? ROW : -ROW) };
  const added = addNode(graph, { type, params, at, id });
  const ports = portsIn({ id, type, params, at });
  const own = { node: id, port: side === "below" ? (ports?.input ?? "x") : (ports?.output ?? "y") };
  return side === "below" ? connect(added, { node: beside, port }, own) : connect(added, own, { node: beside, port });
}

/** Takes a node out of the wire it sits in: what fed its first input feeds what it fed. */
function bridge(body: Body, id: string): Body {
  const node = body.nodes.find((other) => other.id === id);
  if (!node) return body;
  const input = portsIn(node)?.input;
  const source = body.edges.find(({ to }) => to.node === id && to.port === input)?.from;
  const edges = body.edges.flatMap((edge) => {
    if (edge.to.node === id) return [];
    if (edge.from.node !== id) return [edge];
    return source && source.node !== id ? [{ ...edge, from: source }] : [];
  });
  return { nodes: body.nodes.filter((other) => other !== node), edges };
}

function connectIn(body: Body, from: End, to: End): Body {
  const target = body.nodes.find(({ id }) => id === to.node);
  if (!target || !body.nodes.some(({ id }) => id === from.node)) return body;
  const isSameWire = (edge: Edge) => edge.from.node === from.node && edge.from.port === from.port && edge.to.node === to.node && edge.to.port === to.port;
  if (body.edges.some(isSameWire)) return body;
  const layer = findLayer(target.type);
  const takesMany = layer && portsOf(layer, target).inputs[to.port]?.many;
  const kept = takesMany ? body.edges : body.edges.filter((edge) => edge.to.node !== to.node || edge.to.port !== to.port);
  return { ...body, edges: [...kept, { id: nextEdgeId(body.edges), from, to }] };
}

function portsIn(node: Node): { input: string; output: string } | undefined {
  const layer = findLayer(node.type);
  if (!layer) return undefined;
  const { inputs, outputs } = portsOf(layer, node);
  const [input] = Object.keys(inputs);
  const [output] = Object.keys(outputs);
  return input === undefined || output === undefined ? undefined : { input, output };
}

function reachableFrom(body: Body, id: string): Set<string> {
  const next = new Map<string, string[]>();
  for (const { from, to } of body.edges) {
    const known = next.get(from.node);
    if (known) known.push(to.node);
    else next.set(from.node, [to.node]);
  }
  const reached = new Set([id]);
  for (const at of reached) for (const to of next.get(at) ?? []) reached.add(to);
  return reached;
}

/** A body for each of the node's roles: the one it has, or what its layer starts with. */
export function startBodies(layer: Layer | undefined, node: Node): Node["bodies"] {
  if (!layer?.bodies) return node.bodies;
  return { ...Object.fromEntries(Object.entries(bodiesOf(layer, node)).map(([role, { start }]) => [role, start])), ...node.bodies };
}

/** An id for a new wire. */
export function nextEdgeId(edges: readonly Edge[]): string {
  return nextId(
    edges.map(({ id }) => id),
    "wire",
  );
}

function nextId(taken: readonly string[], base: string): string {
  let greatest = 0;
  for (const id of taken) {
    const number = id.startsWith(`${base}_`) ? Number(id.slice(base.length + 1)) : Number.NaN;
    if (Number.isSafeInteger(number) && number > greatest) greatest = number;
  }
  return `${base}_${greatest + 1}`;
}

/** Changes one node of the body that `steps` lead to. */
export function editNode(graph: Graph, id: string, steps: readonly BodyStep[], change: (node: Node) => Node): Graph {
  return editBody(graph, steps, (body) => {
    const at = body.nodes.findIndex((node) => node.id === id);
    const node = body.nodes[at];
    const changed = node && change(node);
    return !changed || changed === node ? body : { ...body, nodes: body.nodes.with(at, changed) };
  });
}

/** Changes some nodes of a body; `change` gives a node back as it is where there is nothing to do. */
function editNodes(graph: Graph, ids: Iterable<string>, steps: readonly BodyStep[], change: (node: Node) => Node): Graph {
  const wanted = new Set(ids);
  return editBody(graph, steps, (body) => {
    const nodes = body.nodes.map((node) => (wanted.has(node.id) ? change(node) : node));
    return nodes.every((node, at) => node === body.nodes[at]) ? body : { ...body, nodes };
  });
}

/** Changes the body that `steps` lead to; everything around it is shared. */
export function editBody(graph: Graph, steps: readonly BodyStep[], change: (body: Body) => Body): Graph {
  const [step, ...inner] = steps;
  if (!step) {
    const { nodes, edges } = change(graph);
    return nodes === graph.nodes && edges === graph.edges ? graph : { ...graph, nodes, edges };
  }
  return editNode(graph, step.node, [], (node) => {
    const bodies = node.bodies;
    const body = bodies && Object.hasOwn(bodies, step.role) ? bodies[step.role] : undefined;
    if (!body) return node;
    const changed = editBody({ schemaVersion: graph.schemaVersion, ...body }, inner, change);
    return changed.nodes === body.nodes && changed.edges === body.edges ? node : { ...node, bodies: { ...bodies, [step.role]: { nodes: changed.nodes, edges: changed.edges } } };
  });
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
