import { say } from "../language/say.ts";
import { findLayer } from "../layers/index.ts";
import { bodyInputs, input } from "../layers/input.ts";
import { portsOf } from "../layers/kit.ts";
import { bodyOutputs, output } from "../layers/output.ts";
import type { Body, Definition, Edge, Graph, Node } from "./document.ts";
import { bodyAt, type End, editBody, freshId, nextEdgeId, startBodies } from "./edit.ts";
import { type BodyStep, type NodePath, pathOf, resolvePath, splitPath } from "./path.ts";

/** Edits that move nodes into a block or zone, and out of one. As those of `edit.ts`, they share what they do not touch. */

/** What was made of a selection, or why nothing was: `between` are the nodes that would have to come along. */
export type Grouped = { graph: Graph; id: string } | { problem: string; between: string[] };

/** Puts nodes into a new block, whose inputs and outputs are the wires that crossed its border: one for each distinct source. */
export function groupIntoBlock(graph: Graph, ids: Iterable<string>, steps: readonly BodyStep[] = []): Grouped {
  return groupInto(graph, ids, "block", steps);
}

/**
 * Puts nodes into a new zone (or block) of this type: into its body, or into the first of its bodies where none is named so. What
 * stands at the border of the model, its inputs and outputs, stays where it is.
 */
export function groupInto(graph: Graph, ids: Iterable<string>, type: string, steps: readonly BodyStep[] = []): Grouped {
  const body = bodyAt(graph, steps);
  const layer = findLayer(type);
  if (!body || !layer?.bodies) return { problem: say("{title} holds no other nodes.", { title: layer?.title ?? type }), between: [] };
  const wanted = new Set(ids);
  const moved = body.nodes.filter((node) => wanted.has(node.id) && !findLayer(node.type)?.boundary);
  if (moved.length === 0) return { problem: say("Inputs and outputs of the model stay outside: select a layer too."), between: [] };
  const inside = new Set(moved.map(({ id }) => id));
  const between = nodesBetween(body, inside);
  if (between.length > 0) {
    const names = between.map((id) => nameOf(body.nodes.find((node) => node.id === id)));
    return {
      problem:
        names.length > 3
          ? say("{names} and more would have to come along: data leaves the selection there and comes back.", { names: names.slice(0, 3).join(", ") })
          : say("{names} would have to come along: data leaves the selection there and comes back.", { names: names.slice(0, 3).join(", ") }),
      between,
    };
  }

  const role = layer.bodies.body ? "body" : (Object.keys(layer.bodies)[0] ?? "body");
  const taken = new Set(Object.keys(layer.inputs).filter((port) => port !== "x"));
  const comesIn = distinctEnds(body.edges.filter(({ from, to }) => !inside.has(from.node) && inside.has(to.node)));
  const goesOut = distinctEnds(body.edges.filter(({ from, to }) => inside.has(from.node) && !inside.has(to.node)));
  const inputs = nameEnds(body, comesIn, "x", taken);
  const outputs = nameEnds(body, goesOut.length > 0 ? goesOut : openEnds(body, moved), "y", new Set());
  const inner = innerBody(body, moved, inputs, outputs);
  const box = boxOf(moved);
  const id = freshId(body, type);
  const node: Node = { id, type, params: {}, at: { x: Math.round((box.left + box.right) / 2), y: box.top } };
  node.bodies = { ...startBodies(layer, node), [role]: inner };

  const grouped = editBody(graph, steps, ({ nodes, edges }) => {
    const first = nodes.findIndex((other) => inside.has(other.id));
    const kept = nodes.filter((other) => !inside.has(other.id));
    kept.splice(nodes.slice(0, first).filter((other) => !inside.has(other.id)).length, 0, node);
    const wired = new Set<string>();
    const outer = edges.flatMap((edge): Edge[] => {
      const [fromInside, toInside] = [inside.has(edge.from.node), inside.has(edge.to.node)];
      if (fromInside && toInside) return [];
      if (fromInside) return [{ ...edge, from: { node: id, port: portFor(outputs, edge.from) } }];
      if (!toInside) return [edge];
      const port = portFor(inputs, edge.from);
      if (wired.has(port)) return [];
      wired.add(port);
      return [{ ...edge, to: { node: id, port } }];
    });
    return { nodes: kept, edges: outer };
  });
  const insideSteps = [...steps, { node: id, role }];
  return { graph: movePaths(graph, grouped, new Map(moved.map((other) => [pathOf(steps, other.id), pathOf(insideSteps, other.id)]))), id };
}

/** Takes what is in a block out again, in its place. Gives the ids of what stands there now. */
export function ungroup(graph: Graph, id: string, steps: readonly BodyStep[] = []): { graph: Graph; ids: string[] } {
  const around = bodyAt(graph, steps);
  const block = around?.nodes.find((node) => node.id === id);
  const body = block?.bodies && Object.hasOwn(block.bodies, "body") ? block.bodies.body : undefined;
  if (!around || !block || !body || block.type !== "block") return { graph, ids: [] };
  const inner = body.nodes.filter((node) => !findLayer(node.type)?.boundary);
  const box = inner.length > 0 ? boxOf(inner) : { left: block.at.x, right: block.at.x, top: block.at.y, bottom: block.at.y };
  const shift = { x: Math.round(block.at.x - (box.left + box.right) / 2), y: Math.round(block.at.y - box.top) };

  const renamed = new Map<string, string>();
  const others = around.nodes.filter((node) => node.id !== id);
  const placed: Node[] = [];
  for (const node of inner) {
    const isTaken = [...others, ...placed].some((other) => other.id === node.id);
    const fresh = isTaken ? freshId({ nodes: [...others, ...inner, ...placed], edges: [] }, node.type) : node.id;
    renamed.set(node.id, fresh);
    placed.push({ ...node, id: fresh, at: { x: node.at.x + shift.x, y: node.at.y + shift.y } });
  }

  const inputNames = new Map(bodyInputs(body).map(({ name, node }) => [node.id, name]));
  const outputNames = new Map(bodyOutputs(body).map(({ name, node }) => [node.id, name]));
  const intoBlock = new Map(around.edges.filter(({ to }) => to.node === id).map((edge) => [edge.to.port, edge.from]));
  /** Where a wire inside comes from, seen from outside. */
  const sourceOf = (from: End): End | undefined => {
    const port = inputNames.get(from.node);
    if (port !== undefined) return intoBlock.get(port);
    const node = renamed.get(from.node);
    return node === undefined ? undefined : { node, port: from.port };
  };
  const given = new Map<string, End>();
  for (const edge of body.edges) {
    const name = outputNames.get(edge.to.node);
    const source = sourceOf(edge.from);
    if (name !== undefined && source) given.set(name, source);
  }
  const edges: Edge[] = [];
  for (const edge of around.edges) {
    if (edge.to.node === id) continue;
    const from = edge.from.node === id ? given.get(edge.from.port) : edge.from;
    if (from) edges.push({ ...edge, from });
  }
  for (const edge of body.edges) {
    const to = renamed.get(edge.to.node);
    const from = sourceOf(edge.from);
    if (to !== undefined && from) edges.push({ id: nextEdgeId([...edges, ...around.edges]), from, to: { node: to, port: edge.to.port } });
  }
  const at = around.nodes.indexOf(block);
  const taken = editBody(graph, steps, () => ({ nodes: around.nodes.toSpliced(at, 1, ...placed), edges }));
  const inside = [...steps, { node: id, role: "body" }];
  return {
    graph: movePaths(graph, taken, new Map([...renamed].map(([before, now]) => [pathOf(inside, before), pathOf(steps, now)]))),
    ids: placed.map((node) => node.id),
  };
}

/** Makes a block of a node out of the graph that its layer is composed of, so that it can be seen and changed. Its weights keep their names. */
export function unpack(graph: Graph, id: string, body: Body, steps: readonly BodyStep[] = []): Graph {
  return editBody(graph, steps, (around) => {
    const at = around.nodes.findIndex((node) => node.id === id);
    const node = around.nodes[at];
    if (!node) return around;
    const name = node.name?.trim() || findLayer(node.type)?.title;
    return { ...around, nodes: around.nodes.with(at, { id, type: "block", params: {}, at: node.at, ...(name ? { name } : {}), bodies: { body } }) };
  });
}

type Named = { end: End; name: string; uses: Edge[] };

/** Distinct sources of wires, in the order of the wires, each with all its wires. */
function distinctEnds(edges: readonly Edge[]): { end: End; uses: Edge[] }[] {
  const byKey = new Map<string, { end: End; uses: Edge[] }>();
  for (const edge of edges) {
    const key = `${edge.from.node} ${edge.from.port}`;
    const known = byKey.get(key);
    if (known) known.uses.push(edge);
    else byKey.set(key, { end: edge.from, uses: [edge] });
  }
  return [...byKey.values()];
}

/** Where nothing leaves: what nobody takes yet would be its results. */
function openEnds(body: Body, moved: readonly Node[]): { end: End; uses: Edge[] }[] {
  const used = new Set(body.edges.map(({ from }) => from.node));
  return moved.flatMap((node) => {
    const layer = findLayer(node.type);
    if (!layer || used.has(node.id)) return [];
    return Object.keys(portsOf(layer, node).outputs).map((port) => ({ end: { node: node.id, port }, uses: [] }));
  });
}

/**
 * One input is x and one output is y. Of several each is named by what it is: the one port that takes it, where that says something,
 * or the name that a person gave to its source; else x, x2, x3.
 */
function nameEnds(body: Body, ends: readonly { end: End; uses: Edge[] }[], plain: "x" | "y", taken: ReadonlySet<string>): Named[] {
  const used = new Set(taken);
  const named = new Map<number, string>();
  const speaking = (port: string) => /^[A-Za-z]\w+$/.test(port);
  if (ends.length > 1) {
    for (const [i, { end, uses }] of ends.entries()) {
      const ports = new Set(plain === "x" ? uses.map(({ to }) => to.port) : [end.port]);
      const [port = ""] = ports;
      const given = body.nodes.find((node) => node.id === end.node)?.name?.trim() ?? "";
      const wanted = ports.size === 1 && speaking(port) ? port : plain === "x" && BOUNDARY_NAME.test(given) ? given : "";
      if (wanted !== "" && !used.has(wanted) && wanted !== plain) {
        named.set(i, wanted);
        used.add(wanted);
      }
    }
  }
  return ends.map(({ end, uses }, i) => {
    let name = named.get(i);
    for (let n = 1; name === undefined; n++) {
      const candidate = n === 1 ? plain : `${plain}${n}`;
      if (!used.has(candidate)) name = candidate;
    }
    used.add(name);
    return { end, uses, name };
  });
}

/** As `check.ts` asks of the name of an input or output. */
const BOUNDARY_NAME = /^\p{L}[\p{L}\p{N} _-]{0,63}$/u;

function innerBody(body: Body, moved: readonly Node[], inputs: readonly Named[], outputs: readonly Named[]): Body {
  const inside = new Set(moved.map(({ id }) => id));
  const box = boxOf(moved);
  const nodes = [...moved];
  const row = (count: number, i: number) => Math.round((box.left + box.right) / 2 + (i - (count - 1) / 2) * COLUMN);
  const border = (named: readonly Named[], type: string, plain: string, y: number): Map<Named, string> => {
    const ids = new Map<Named, string>();
    for (const [i, one] of named.entries()) {
      const id = freshId({ nodes, edges: [] }, type);
      ids.set(one, id);
      nodes.push({ id, type, params: {}, at: { x: row(named.length, i), y }, ...(one.name === plain ? {} : { name: one.name }) });
    }
    return ids;
  };
  const inputIds = border(inputs, input.type, "x", box.top - ROW);
  const outputIds = border(outputs, output.type, "y", box.bottom + ROW);
  const edges = body.edges.flatMap((edge): Edge[] => {
    if (!inside.has(edge.to.node)) return [];
    if (inside.has(edge.from.node)) return [edge];
    const from = [...inputIds].find(([{ end }]) => end.node === edge.from.node && end.port === edge.from.port)?.[1];
    return from === undefined ? [] : [{ ...edge, from: { node: from, port: "y" } }];
  });
  for (const [{ end }, id] of outputIds) edges.push({ id: nextEdgeId([...edges, ...body.edges]), from: end, to: { node: id, port: "x" } });
  return { nodes, edges };
}

const ROW = 96;
const COLUMN = 240;

function portFor(named: readonly Named[], end: End): string {
  return named.find((one) => one.end.node === end.node && one.end.port === end.port)?.name ?? end.port;
}

function boxOf(nodes: readonly Node[]): { left: number; right: number; top: number; bottom: number } {
  const [xs, ys] = [nodes.map(({ at }) => at.x), nodes.map(({ at }) => at.y)];
  return { left: Math.min(...xs), right: Math.max(...xs), top: Math.min(...ys), bottom: Math.max(...ys) };
}

/** Nodes outside of a set through which data leaves it and comes back: as one node the set would feed itself. */
function nodesBetween(body: Body, inside: ReadonlySet<string>): string[] {
  const walk = (next: (edge: Edge) => [from: string, to: string]) => {
    const reached = new Set<string>();
    const open = [...inside];
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      for (const edge of body.edges) {
        const [from, to] = next(edge);
        if (from !== at || inside.has(to) || reached.has(to)) continue;
        reached.add(to);
        open.push(to);
      }
    }
    return reached;
  };
  const after = walk(({ from, to }) => [from.node, to.node]);
  const before = walk(({ from, to }) => [to.node, from.node]);
  return body.nodes.map(({ id }) => id).filter((id) => after.has(id) && before.has(id));
}

function nameOf(node: Node | undefined): string {
  return node?.name?.trim() || (node && findLayer(node.type)?.title) || node?.type || "A node";
}

/**
 * After nodes went to other places: what refers to them by path follows, tied weights and the exposed parameters of the definitions
 * in whose bodies they are.
 */
function movePaths(before: Graph, graph: Graph, moves: ReadonlyMap<NodePath, NodePath>): Graph {
  const backs = new Map([...moves].map(([from, to]) => [to, from]));
  const follow = (path: NodePath, table: ReadonlyMap<NodePath, NodePath>): NodePath => {
    for (let end = path; end !== ""; end = end.includes("/") ? end.slice(0, end.lastIndexOf("/")) : "") {
      const to = table.get(end);
      if (to !== undefined) return to + path.slice(end.length);
    }
    return path;
  };
  const tie = (body: Body, steps: readonly BodyStep[]): Body => {
    let isChanged = false;
    const nodes = body.nodes.map((node) => {
      let next = node;
      if (node.weightsOf !== undefined) {
        // The text is as it was at the node's former place.
        const was = splitPath(follow(pathOf(steps, node.id), backs)).steps;
        const target = splitPath(follow(resolvePath(was, node.weightsOf), moves));
        const isBeside = pathOf(target.steps, "") === pathOf(steps, "");
        const text = isBeside && !node.weightsOf.startsWith("/") ? target.id : `/${pathOf(target.steps, target.id)}`;
        if (text !== node.weightsOf) next = { ...next, weightsOf: text };
      }
      for (const [role, inner] of Object.entries(node.bodies ?? {})) {
        const tied = tie(inner, [...steps, { node: node.id, role }]);
        if (tied !== inner) next = { ...next, bodies: { ...next.bodies, [role]: tied } };
      }
      if (next !== node) isChanged = true;
      return next;
    });
    return isChanged ? { ...body, nodes } : body;
  };
  const tied = tie(graph, []);
  const next = tied === graph ? graph : { ...graph, nodes: tied.nodes };
  return { ...next, ...followExposed(before, next, moves) };
}

/** Definitions in whose instances nodes moved: their exposed parameters are found at the new places. */
function followExposed(before: Graph, graph: Graph, moves: ReadonlyMap<NodePath, NodePath>): Pick<Graph, "definitions"> {
  let definitions = graph.definitions;
  if (!definitions) return {};
  const from = [...moves.keys()][0] ?? "";
  const { steps } = splitPath(from);
  for (const [depth, step] of steps.entries()) {
    const node = bodyAt(before, steps.slice(0, depth))?.nodes.find(({ id }) => id === step.node);
    const id = node?.type === "block" ? String(node.params.definition ?? "") : "";
    const definition: Definition | undefined = Object.hasOwn(definitions, id) ? definitions[id] : undefined;
    if (!definition) continue;
    const root = `${pathOf(steps.slice(0, depth), step.node)}/${step.role}/`;
    const local = new Map([...moves].flatMap(([a, b]): [string, string][] => (a.startsWith(root) && b.startsWith(root) ? [[a.slice(root.length), b.slice(root.length)]] : [])));
    const exposed: Definition["exposed"] = definition.exposed.map((one) => {
      const hit = [...local].find(([a]) => one.node === a || one.node.startsWith(`${a}/`));
      return hit ? { ...one, node: hit[1] + one.node.slice(hit[0].length) } : one;
    });
    definitions = { ...definitions, [id]: { ...definition, exposed } };
  }
  return { definitions };
}
