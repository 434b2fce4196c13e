import { findLayer } from "../layers/index.ts";
import type { Body, Edge, Graph, Json, Node } from "./document.ts";
import type { NodePath } from "./path.ts";

/** One thing that two versions of a node say differently. A parameter that is not written has its layer's default; `undefined`: the layer has none of that name. */
export type Change = { what: "param"; name: string; before: Json | undefined; after: Json | undefined } | { what: "type" | "name" | "weightsOf"; before: string; after: string };

/** A node of either graph beside its counterpart in the other. Paths are those of `findNode`, each in its own graph. */
export type NodeDiff =
  | { state: "added"; afterPath: NodePath; after: Node }
  | { state: "removed"; beforePath: NodePath; before: Node }
  /** `inside`: something in one of its bodies differs. */
  | { state: "changed" | "same"; beforePath: NodePath; before: Node; afterPath: NodePath; after: Node; changes: Change[]; inside: boolean };

/** A wire of either graph. `path` is where it stands in the graph that has it: the later one, unless it was removed. */
export type EdgeDiff = { state: "added" | "removed" | "same"; path: NodePath; edge: Edge };

export type GraphDiff = { nodes: NodeDiff[]; edges: EdgeDiff[]; isSame: boolean };

/**
 * What was done to one graph to come to another, node by node and wire by wire, the insides of zones and blocks included. Places on the canvas do
 * not count: they change no number. Nodes are the same where id and type are; the others find their counterpart by what they say and by their
 * neighbours, so that a graph that was imported or drawn anew is compared as well. A node that took another's place between the same neighbours
 * is that one with another type.
 */
export function diffGraphs(before: Graph, after: Graph): GraphDiff {
  const diff: GraphDiff = { nodes: [], edges: [], isSame: true };
  diff.isSame = diffBodies(before, after, "", "", diff);
  return diff;
}

/** The changes one by one in words: `Conv2d: out_channels 32 → 64`. */
export function sayDiff({ nodes, edges }: GraphDiff): string[] {
  const lines = nodes.flatMap((diff): string[] => {
    if (diff.state === "added") return [`Added ${titleOf(diff.after)}`];
    if (diff.state === "removed") return [`Removed ${titleOf(diff.before)}`];
    return diff.changes.map((change) => {
      if (change.what === "param") return `${titleOf(diff.after)}: ${change.name} ${sayValue(change.before)} → ${sayValue(change.after)}`;
      if (change.what === "type") return `${layerTitle(change.before)} became ${layerTitle(change.after)}`;
      if (change.what === "name") return `${titleOf(diff.before)} is now called ${titleOf(diff.after)}`;
      return `${titleOf(diff.after)}: weights of ${change.before || "its own"} → ${change.after || "its own"}`;
    });
  });
  // Wires of nodes that came or went say nothing of their own.
  const settled = new Set(nodes.flatMap((diff) => (diff.state === "added" ? [diff.afterPath] : diff.state === "removed" ? [diff.beforePath] : [])));
  const rewired = edges.filter(({ state, path, edge }) => state !== "same" && ![edge.from.node, edge.to.node].some((id) => settled.has(besideOf(path, id)))).length;
  return rewired > 0 ? [...lines, `${rewired} wire${rewired === 1 ? "" : "s"} changed`] : lines;
}

const besideOf = (path: NodePath, id: string) => path.slice(0, path.lastIndexOf("/") + 1) + id;
const layerTitle = (type: string) => findLayer(type)?.title ?? type;
const titleOf = (node: Node) => node.name?.trim() || layerTitle(node.type);
const sayValue = (value: Json | undefined) => (value === undefined ? "none" : typeof value === "string" ? value : JSON.stringify(value).replaceAll(",", ", "));

/** Adds what differs between two bodies. True where nothing does. */
function diffBodies(before: Body, after: Body, beforeAt: string, afterAt: string, into: GraphDiff): boolean {
  const pairs = pairNodes(before, after);
  const found = new Set(pairs.values());
  let same = true;
  for (const node of after.nodes) {
    if (found.has(node.id)) continue;
    same = false;
    into.nodes.push({ state: "added", afterPath: afterAt + node.id, after: node });
  }
  const nodesAfter = new Map(after.nodes.map((node) => [node.id, node]));
  for (const node of before.nodes) {
    const twin = nodesAfter.get(pairs.get(node.id) ?? "");
    if (!twin) {
      same = false;
      into.nodes.push({ state: "removed", beforePath: beforeAt + node.id, before: node });
      continue;
    }
    const changes = compareNodes(node, twin);
    const place = into.nodes.length;
    let inside = false;
    for (const role of new Set([...Object.keys(node.bodies ?? {}), ...Object.keys(twin.bodies ?? {})])) {
      const [one, other] = [node.bodies?.[role] ?? nothing, twin.bodies?.[role] ?? nothing];
      if (!diffBodies(one, other, `${beforeAt}${node.id}/${role}/`, `${afterAt}${twin.id}/${role}/`, into)) inside = true;
    }
    const isSame = changes.length === 0 && !inside;
    same &&= isSame;
    // Before what is inside of it.
    into.nodes.splice(place, 0, { state: isSame ? "same" : "changed", beforePath: beforeAt + node.id, before: node, afterPath: afterAt + twin.id, after: twin, changes, inside });
  }
  return diffEdges(before.edges, after.edges, pairs, beforeAt, afterAt, into) && same;
}

const nothing: Body = { nodes: [], edges: [] };

function diffEdges(before: readonly Edge[], after: readonly Edge[], pairs: ReadonlyMap<string, string>, beforeAt: string, afterAt: string, into: GraphDiff): boolean {
  const keyOf = (from: string, fromPort: string, to: string, toPort: string) => JSON.stringify([from, fromPort, to, toPort]);
  // Several wires may join the same two ports.
  const left = new Map<string, number>();
  for (const { from, to } of before) {
    const [a, b] = [pairs.get(from.node), pairs.get(to.node)];
    if (a === undefined || b === undefined) continue;
    const key = keyOf(a, from.port, b, to.port);
    left.set(key, (left.get(key) ?? 0) + 1);
  }
  const kept = new Map<string, number>();
  let same = true;
  for (const edge of after) {
    const key = keyOf(edge.from.node, edge.from.port, edge.to.node, edge.to.port);
    const isKept = (left.get(key) ?? 0) > (kept.get(key) ?? 0);
    if (isKept) kept.set(key, (kept.get(key) ?? 0) + 1);
    else same = false;
    into.edges.push({ state: isKept ? "same" : "added", path: afterAt + edge.id, edge });
  }
  for (const edge of before) {
    const [a, b] = [pairs.get(edge.from.node), pairs.get(edge.to.node)];
    const key = a !== undefined && b !== undefined ? keyOf(a, edge.from.port, b, edge.to.port) : null;
    const remaining = key === null ? 0 : (kept.get(key) ?? 0);
    if (key !== null && remaining > 0) kept.set(key, remaining - 1);
    else {
      same = false;
      into.edges.push({ state: "removed", path: beforeAt + edge.id, edge });
    }
  }
  return same;
}

function compareNodes(before: Node, after: Node): Change[] {
  const changes: Change[] = [];
  if (before.type !== after.type) changes.push({ what: "type", before: before.type, after: after.type });
  if ((before.name ?? "") !== (after.name ?? "")) changes.push({ what: "name", before: before.name ?? "", after: after.name ?? "" });
  if ((before.weightsOf ?? "") !== (after.weightsOf ?? "")) changes.push({ what: "weightsOf", before: before.weightsOf ?? "", after: after.weightsOf ?? "" });
  const values = [valuesOf(before), valuesOf(after)] as const;
  // Parameters of another type are other parameters: only those of the same name are compared.
  const names = before.type === after.type ? [...new Set(values.flatMap((some) => Object.keys(some)))] : Object.keys(values[0]).filter((name) => name in values[1]);
  for (const name of names) {
    const [one, other] = [values[0][name], values[1][name]];
    if (canonical(one) !== canonical(other)) changes.push({ what: "param", name, before: one, after: other });
  }
  return changes;
}

/** A node's parameters, defaults included. */
function valuesOf(node: Node): { [name: string]: Json | undefined } {
  const layer = findLayer(node.type);
  const defaults = Object.fromEntries(Object.entries(layer?.params ?? {}).map(([name, param]) => [name, param.default as Json]));
  return { ...defaults, ...node.params };
}

function canonical(value: Json | undefined): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (value !== null && typeof value === "object")
    return `{${Object.keys(value)
      .sort()
      .map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`)
      .join()}}`;
  return JSON.stringify(value) ?? "";
}

/** The counterpart of each node, by id, where it has one. */
function pairNodes(before: Body, after: Body): Map<string, string> {
  const pairs = new Map<string, string>();
  const taken = new Set<string>();
  const pair = (a: Node, b: Node) => {
    pairs.set(a.id, b.id);
    taken.add(b.id);
  };
  const byId = new Map(after.nodes.map((node) => [node.id, node]));
  for (const node of before.nodes) {
    const twin = byId.get(node.id);
    if (twin && twin.type === node.type) pair(node, twin);
  }
  const free = () => [before.nodes.filter(({ id }) => !pairs.has(id)), after.nodes.filter(({ id }) => !taken.has(id))] as const;
  pairAlike(...free(), signatureOf, pair, true);
  const around = [neighboursOf(before), neighboursOf(after)] as const;
  // Whoever has a counterpart helps its neighbours to theirs: first those of the same type, then whoever stands in the place.
  for (const sameType of [true, false]) {
    for (let grew = true; grew; ) {
      grew = false;
      const [left, right] = free();
      for (const node of left) {
        const places = (around[0].get(node.id) ?? []).flatMap(({ side, id, ports }) => {
          const twin = pairs.get(id);
          return twin === undefined ? [] : [JSON.stringify([side, twin, sameType ? ports : null])];
        });
        const sides = new Set((around[0].get(node.id) ?? []).map(({ side }) => side)).size;
        const fits = right.filter((other) => {
          if (taken.has(other.id) || (sameType && other.type !== node.type)) return false;
          const theirs = new Set((around[1].get(other.id) ?? []).map(({ side, id, ports }) => JSON.stringify([side, id, sameType ? ports : null])));
          const shared = places.filter((place) => theirs.has(place));
          // In another's place is only who stands between the same two sides.
          return sameType ? shared.length > 0 : sides === 2 && new Set(shared.map((place) => (JSON.parse(place) as [string])[0])).size === 2;
        });
        const best = fits.find((other) => signatureOf(other) === signatureOf(node)) ?? fits[0];
        if (!best) continue;
        pair(node, best);
        grew = true;
      }
    }
  }
  pairAlike(...free(), signatureOf, pair, false);
  return pairs;
}

/** Pairs nodes that say the same, in their order; `unique`: only where there is one on either side. */
function pairAlike(left: readonly Node[], right: readonly Node[], keyOf: (node: Node) => string, pair: (a: Node, b: Node) => void, unique: boolean): void {
  const group = (nodes: readonly Node[]) => {
    const groups = new Map<string, Node[]>();
    for (const node of nodes) groups.set(keyOf(node), [...(groups.get(keyOf(node)) ?? []), node]);
    return groups;
  };
  const others = group(right);
  for (const [key, some] of group(left)) {
    const theirs = others.get(key) ?? [];
    if (unique && (some.length !== 1 || theirs.length !== 1)) continue;
    some.forEach((node, i) => {
      const twin = theirs[i];
      if (twin) pair(node, twin);
    });
  }
}

const signatureOf = (node: Node) => canonical([node.type, node.name ?? "", valuesOf(node) as { [name: string]: Json }]);

type Neighbour = { side: "into" | "out"; id: string; ports: string };

function neighboursOf({ edges }: Body): Map<string, Neighbour[]> {
  const found = new Map<string, Neighbour[]>();
  const add = (id: string, neighbour: Neighbour) => {
    const list = found.get(id);
    if (list) list.push(neighbour);
    else found.set(id, [neighbour]);
  };
  for (const { from, to } of edges) {
    const ports = `${from.port}>${to.port}`;
    add(from.node, { side: "out", id: to.node, ports });
    add(to.node, { side: "into", id: from.node, ports });
  }
  return found;
}
