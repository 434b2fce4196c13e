import { incomingOf } from "../../core/graph/arrange.ts";
import type { Problem } from "../../core/graph/check.ts";
import * as defs from "../../core/graph/definitions.ts";
import type { Body, Graph, Json, Node, Tuning } from "../../core/graph/document.ts";
import type { End } from "../../core/graph/edit.ts";
import * as core from "../../core/graph/edit.ts";
import { carryInside, follow, isFurniture, withInside, withoutFurniture } from "../../core/graph/furniture.ts";
import { NODE_SIZE } from "../../core/graph/layout.ts";
import { pathOf } from "../../core/graph/path.ts";
import { say } from "../../core/language/say.ts";
import { findLayer } from "../../core/layers/index.ts";
import { accepts, type Fix, type Layer, portsOf } from "../../core/layers/kit.ts";
import { notify } from "../ui/Notices.tsx";
import { currentChecked } from "./checked.ts";
import { parseClip, readClip, writeClip } from "./clip.ts";
import { canConnect, pickInput, reaches } from "./connect.ts";
import { layOut } from "./layOut.ts";
import { measured } from "./measured.ts";
import { rememberAdded } from "./shelf.ts";
import { bodyAt, edit, goTo, nothing, type Scope, type Selection, select, selectNodes, useGraph } from "./useGraph.ts";
import { type Point, useStudio } from "./useStudio.ts";

/** What people do on the canvas, each one step of the history. All of it happens in the body that is open. */

const GRID = 8;
/** From one node to the next below it. */
const ROW = 96;
const COLUMN = NODE_SIZE.width + 56;

const snap = ({ x, y }: Point): Point => ({ x: Math.round(x / GRID) * GRID, y: Math.round(y / GRID) * GRID });
export const only = (ids: Iterable<string>): Selection => ({ nodes: new Set(ids), edges: new Set() });

/** The body that is open, and what is selected there. */
export function here() {
  const { graph, scope, selection } = useGraph.getState();
  return { graph, scope, selection, body: bodyAt(graph, scope) };
}

/** After an edit at a node: tells what is wrong there now, or nothing. */
function tellProblem(id: string): void {
  const path = pathOf(useGraph.getState().scope, id);
  const wrong = currentChecked().problems.some((problem) => problem.severity === "error" && problem.node === path && problem.code !== "GRAPH_UNCONNECTED");
  useStudio.setState({ problemAt: wrong ? id : null });
}

/* Adding */

/**
 * Adds a layer where it most likely belongs: onto the selected wire; else below the selected node (or the only node whose result
 * nobody takes), wired to it if that is unambiguous; else where one is looking.
 */
export function addLayer(layer: Layer, definition?: string): void {
  const { graph, scope, selection, body } = here();
  const part = partOf(graph, layer, definition);
  if (!part) return;
  const [wire] = selection.nodes.size === 0 && selection.edges.size === 1 ? selection.edges : [];
  if (wire !== undefined && isThrough(part)) {
    insertOnWire(part, wire);
    return;
  }

  const source = sourceFor(body, selection);
  if (!source) {
    const center = useStudio.getState().canvas?.center() ?? { x: 0, y: 0 };
    place(part, freeSpot(body, snap({ x: center.x - NODE_SIZE.width / 2, y: center.y })), null);
    return;
  }
  const from = freeOutput(body, source);
  const type = from && currentChecked().types.get(pathOf(scope, source.id))?.outputs[from.port];
  const wanted = Object.values(portsOf(layer, part.draft).inputs).filter((port) => !port.optional);
  const fits = from !== null && wanted.length === 1 && wanted.every((port) => !type || accepts(port, type.dtype));
  if (fits) place(part, { x: source.at.x, y: source.at.y + measured.sizeOf(source).height + ROW - NODE_SIZE.height }, from, true);
  else place(part, freeSpot(body, { x: source.at.x + (from ? 0 : COLUMN), y: source.at.y + ROW }), null);
}

/** Puts a layer where it was dragged, its middle under the pointer, or onto the wire there. */
export function dropLayer(layer: Layer, at: Point, wire: string | null, definition?: string): void {
  const part = partOf(here().graph, layer, definition);
  if (!part) return;
  if (wire !== null && isThrough(part)) insertOnWire(part, wire);
  else place(part, snap({ x: at.x - NODE_SIZE.width / 2, y: at.y - NODE_SIZE.height / 2 }), null);
}

/** Adds a layer below a point, fed by the output whose wire was let go there. */
export function addLayerAt(layer: Layer, at: Point, from: End | null, definition?: string): void {
  const part = partOf(here().graph, layer, definition);
  if (part) place(part, snap({ x: at.x - NODE_SIZE.width / 2, y: at.y }), from);
}

/** Something to be added: a layer, or an instance of a definition. `draft` is the node that it would be, whose ports it has. */
type Part = { layer: Layer; made: Pick<core.NewNode, "type" | "params" | "bodies">; draft: Node };

function partOf(graph: Graph, layer: Layer, definition: string | undefined): Part | null {
  const { scope } = here();
  const made = definition === undefined ? { type: layer.type } : defs.instanceOf(graph, definition);
  if (!made) return null;
  if (definition !== undefined && !defs.canHold(graph, definition, scope)) {
    notify(say("A block cannot hold itself: go out of it first."));
    return null;
  }
  const [draft] = core.addNode({ schemaVersion: graph.schemaVersion, nodes: [], edges: [] }, { ...made, at: { x: 0, y: 0 } }).nodes;
  return draft ? { layer, made, draft } : null;
}

function place({ layer, made }: Part, at: Point, from: End | null, makeRoom = false): void {
  if (made.bodies === undefined) rememberAdded(layer.type);
  const { scope, body } = here();
  const id = core.freshId(body, layer.type);
  edit(
    (graph) => {
      const next = core.addNode(graph, { ...made, at, id }, scope);
      const added = bodyAt(next, scope).nodes.find((node) => node.id === id);
      const port = from && added && inputFor(added, layer, from);
      const wired = from && port ? core.connect(next, from, { node: id, port }, scope) : next;
      return makeRoom ? pushDown(wired, scope, id) : wired;
    },
    { select: only([id]) },
  );
  useStudio.getState().canvas?.reveal(id);
  if (from) tellProblem(id);
}

/** Puts a layer into a wire at a place of its own, and moves nothing. */
export function insertLayer(layer: Layer, wire: string, at: Point): void {
  const { scope, body } = here();
  const id = core.freshId(body, layer.type);
  edit((graph) => core.insertOnEdge(graph, wire, { type: layer.type, id, at }, scope), { select: only([id]) });
  tellProblem(id);
}

function inputFor(node: Node, layer: Layer, from: End): string | undefined {
  const type = currentChecked().types.get(pathOf(useGraph.getState().scope, from.node))?.outputs[from.port];
  return Object.entries(portsOf(layer, node).inputs).find(([, port]) => !type || accepts(port, type.dtype))?.[0];
}

function insertOnWire({ layer, made }: Part, wire: string): void {
  if (made.bodies === undefined) rememberAdded(layer.type);
  const { scope, body } = here();
  const id = core.freshId(body, layer.type);
  edit((graph) => pushDown(core.insertOnEdge(graph, wire, { ...made, id }, scope), scope, id), { select: only([id]) });
  useStudio.getState().canvas?.reveal(id);
  tellProblem(id);
}

/** Whether it can stand in the middle of a wire. */
function isThrough({ layer, draft }: Part): boolean {
  const { inputs, outputs } = portsOf(layer, draft);
  return Object.keys(inputs).length > 0 && Object.keys(outputs).length > 0;
}

/** The node that the next one most likely follows. */
function sourceFor(body: Body, selection: Selection): Node | undefined {
  if (selection.nodes.size === 1) return body.nodes.find((node) => selection.nodes.has(node.id));
  if (selection.nodes.size > 0) return undefined;
  const open = body.nodes.filter((node) => freeOutput(body, node) !== null);
  return open.length === 1 ? open[0] : undefined;
}

/** A node's output, if it has exactly one and nothing takes it yet. */
function freeOutput(body: Body, node: Node): End | null {
  const layer = findLayer(node.type);
  const ports = layer ? Object.keys(portsOf(layer, node).outputs) : [];
  const [port] = ports;
  if (ports.length !== 1 || port === undefined) return null;
  return body.edges.some((edge) => edge.from.node === node.id) ? null : { node: node.id, port };
}

const overlaps = (node: Node, at: Point) =>
  node.type !== "frame" &&
  Math.abs(node.at.x - at.x) < (NODE_SIZE.width + measured.sizeOf(node).width) / 2 + 8 &&
  node.at.y < at.y + NODE_SIZE.height + 8 &&
  node.at.y + measured.sizeOf(node).height + 8 > at.y;

function freeSpot(body: Body, at: Point): Point {
  let spot = at;
  for (let taken = body.nodes.find((node) => overlaps(node, spot)); taken; taken = body.nodes.find((node) => overlaps(node, spot))) {
    spot = snap({ x: spot.x, y: taken.at.y + measured.sizeOf(taken).height + ROW - NODE_SIZE.height });
  }
  return spot;
}

/** Makes room for a new node that covers others: those below it in its column move down; what feeds it stays. */
export function pushDown(graph: Graph, scope: Scope, id: string): Graph {
  const body = bodyAt(graph, scope);
  const added = body.nodes.find((node) => node.id === id);
  if (!added) return graph;
  const bottom = added.at.y + measured.sizeOf(added).height;
  const below = body.nodes.filter(
    (node) =>
      node.id !== id &&
      !isFurniture(node) &&
      Math.abs(node.at.x - added.at.x) < (measured.sizeOf(node).width + measured.sizeOf(added).width) / 2 &&
      node.at.y + measured.sizeOf(node).height > added.at.y &&
      !reaches(body, node.id, id),
  );
  const next = Math.min(...below.map((node) => node.at.y));
  if (next >= bottom + 8) return graph;
  const by = Math.ceil((bottom + ROW - NODE_SIZE.height - next) / GRID) * GRID;
  return core.moveNodes(graph, new Map(below.map((node) => [node.id, { x: node.at.x, y: node.at.y + by }])), scope);
}

/* Wires */

export function connectEnds(from: End, to: End): void {
  const { scope } = here();
  edit((graph) => core.connect(graph, from, to, scope));
  tellProblem(to.node);
}

/** Leads a wire into the input of a node that it must mean, or says why there is none. */
export function wireInto(from: End, node: string): void {
  const { scope, body } = here();
  const port = pickInput(body, scope, currentChecked(), from, node);
  if (port !== null) {
    connectEnds(from, { node, port });
    return;
  }
  const target = body.nodes.find((n) => n.id === node);
  const layer = target && findLayer(target.type);
  const [first] = layer ? Object.keys(portsOf(layer, target).inputs) : [];
  notify((first !== undefined && canConnect(from, { node, port: first })) || say("Nothing can be wired into this node."));
}

/** Wires two selected nodes, the upper into the lower, from its first output. */
export function connectSelection(): void {
  const { selection, body } = here();
  const [upper, lower] = body.nodes.filter((node) => selection.nodes.has(node.id)).sort((a, b) => a.at.y - b.at.y || a.at.x - b.at.x);
  const layer = upper && findLayer(upper.type);
  const [port] = layer ? Object.keys(portsOf(layer, upper).outputs) : [];
  if (!upper || !lower) return;
  if (port === undefined) notify(say("The upper of the two has no output."));
  else wireInto({ node: upper.id, port }, lower.id);
}

export function rewire(edgeId: string, from: End, to: End): void {
  const { scope } = here();
  edit((graph) => core.connect(core.disconnect(graph, [edgeId], scope), from, to, scope));
  tellProblem(to.node);
}

export function deleteWire(id: string): void {
  const { scope } = here();
  edit((graph) => core.disconnect(graph, [id], scope));
}

/* Nodes */

export function setParam(id: string, name: string, value: Json): void {
  const { scope } = here();
  edit((graph) => core.setParams(graph, id, { [name]: value }, scope), { coalesce: `param ${pathOf(scope, id)} ${name}` });
}

export function resetParam(id: string, name: string): void {
  const { scope } = here();
  edit((graph) => core.setParams(graph, id, { [name]: undefined }, scope));
}

export function renameNode(id: string, name: string): void {
  const { scope, body } = here();
  const node = body.nodes.find((n) => n.id === id);
  const title = node && findLayer(node.type)?.title;
  edit((graph) => core.renameNode(graph, id, name === title ? "" : name, scope));
}

/** Brings nodes to other places, and along with a frame all that stands in it. */
export function moveNodes(places: ReadonlyMap<string, Point>): void {
  const { scope, body } = here();
  edit((graph) => core.moveNodes(graph, carryInside(body, places, measured.sizeOf), scope));
}

export function nudgeSelection(by: Point): void {
  const { scope, selection, body } = here();
  const places = new Map(body.nodes.filter((node) => selection.nodes.has(node.id)).map((node) => [node.id, { x: node.at.x + by.x, y: node.at.y + by.y }]));
  edit((graph) => core.moveNodes(graph, carryInside(body, places, measured.sizeOf), scope), { coalesce: `nudge ${[...places.keys()].join(" ")}` });
}

export function deleteSelection(): void {
  const { scope, selection } = here();
  edit((graph) => core.disconnect(core.removeNodes(graph, selection.nodes, scope), selection.edges, scope), { select: nothing });
  useStudio.setState({ problemAt: null });
}

export function selectAll(): void {
  selectNodes(here().body.nodes.map((node) => node.id));
}

/** Brings order into the body on the canvas. What is pinned stays. A large one is laid out beside the page, and moves a moment later. */
export async function tidy(): Promise<void> {
  const { scope, body } = here();
  const places = await layOut(withoutFurniture(body), measured.sizeOf);
  // The layout tells corners; a wide node's place is that of a plain one in its middle.
  for (const node of body.nodes) {
    const corner = places.get(node.id);
    if (corner) places.set(node.id, { x: Math.round(corner.x + (measured.sizeOf(node).width - NODE_SIZE.width) / 2), y: corner.y });
  }
  const followed = follow(body, places, measured.sizeOf);
  useStudio.getState().canvas?.glide();
  edit((graph) => [...followed.params].reduce((next, [id, params]) => core.setParams(next, id, params, scope), core.moveNodes(graph, followed.places, scope)));
  useStudio.getState().canvas?.fit();
}

export function enterBody(node: string, role: string): void {
  goTo([...here().scope, { node, role }]);
  useStudio.setState({ problemAt: null });
}

/** Makes the edit that a problem offers, and goes on to what is then wrong at the same place, if anything. */
export function fixProblem(problem: Problem, fix: Fix): void {
  edit((graph) => core.applyFix(graph, problem, fix));
  const { problemAt } = useStudio.getState();
  if (problemAt !== null) tellProblem(problemAt);
}

/** Lets a node use the weights of another, or its own again. */
export function tieWeights(id: string, target: string | undefined): void {
  const { scope } = here();
  edit((graph) => core.tieWeights(graph, id, target, scope));
}

/** Says of nodes how they are trained, each from what was said of it before. */
export function tuneNodes(ids: readonly string[], change: (before: Tuning) => Tuning): void {
  const { scope, body } = here();
  const nodes = body.nodes.filter(({ id }) => ids.includes(id));
  edit((graph) => nodes.reduce((next, { id, tuning }) => core.setTuning(next, [id], change(tuning ?? {}), scope), graph));
}

/** Freezes the selected nodes with all inside them; thaws them where all are frozen. */
export function freezeSelection(): void {
  const { scope, body, selection } = here();
  const nodes = body.nodes.filter(({ id }) => selection.nodes.has(id));
  const thaw = nodes.every(({ tuning }) => tuning?.frozen);
  edit((graph) =>
    nodes.reduce((next, { id, tuning }) => {
      const { frozen: _, ...rest } = tuning ?? {};
      return core.setTuning(next, [id], thaw ? rest : { ...rest, frozen: true }, scope);
    }, graph),
  );
}

/* Copies */

/** How often the same copy was pasted, so that copies do not hide each other. */
let pasteCount = 0;

export function copySelection(): void {
  const { graph, scope, selection, body } = here();
  if (selection.nodes.size === 0) return;
  const ids = withInside(body, selection.nodes, measured.sizeOf);
  writeClip({ ...defs.withDefinitions(graph, core.copy(graph, ids, scope)), outside: incomingOf(body, ids) });
  pasteCount = 0;
}

export function cutSelection(): void {
  const { body, selection } = here();
  copySelection();
  select({ nodes: withInside(body, selection.nodes, measured.sizeOf), edges: selection.edges });
  deleteSelection();
}

/** Pastes the nodes in `text`, or what was copied last in this browser: beside their originals, or where one is looking. */
export function pasteClip(text?: string): void {
  const clip = (text === undefined ? null : parseClip(text)) ?? readClip();
  if (!clip) return;
  pasteCount += 1;
  const { body } = here();
  const left = Math.min(...clip.nodes.map((node) => node.at.x));
  const top = Math.min(...clip.nodes.map((node) => node.at.y));
  const hasOriginals = clip.nodes.some((node) => body.nodes.some((other) => other.id === node.id));
  const center = useStudio.getState().canvas?.center() ?? { x: 0, y: 0 };
  addClip(clip, hasOriginals ? { x: left + 32 * pasteCount, y: top + 32 * pasteCount } : snap({ x: center.x - NODE_SIZE.width / 2, y: center.y }));
}

export function duplicateSelection(): void {
  const { graph, scope, selection, body } = here();
  const ids = withInside(body, selection.nodes, measured.sizeOf);
  const nodes = body.nodes.filter((node) => ids.has(node.id));
  if (nodes.length === 0) return;
  const right = Math.max(...nodes.map((node) => node.at.x + (isFurniture(node) ? measured.sizeOf(node).width - NODE_SIZE.width : 0))) + COLUMN;
  addClip(core.copy(graph, ids, scope), { x: right, y: Math.min(...nodes.map((node) => node.at.y)) });
}

/** A new definition's id: readable, and like no other in any model, since definitions travel with what is copied. */
export function newDefinitionId(name: string): string {
  const word = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "_")
    .replaceAll(/^_+|_+$/g, "")
    .slice(0, 32);
  return `${word || "block"}_${crypto.randomUUID().slice(0, 6)}`;
}

function addClip(clip: core.Clip, at: Point): void {
  const { graph, scope } = here();
  const adopted = defs.adoptDefinitions(graph, clip, scope, newDefinitionId);
  const pasted = core.paste(adopted.graph, adopted.clip, at, scope);
  edit(() => pasted.graph, { select: only(pasted.ids) });
}
