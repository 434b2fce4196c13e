import * as Y from "yjs";
import { findLayer } from "../layers/index.ts";
import { portsOf } from "../layers/kit.ts";
import { type Body, type Definition, type Edge, type Graph, type Json, type Node, SCHEMA_VERSION } from "./document.ts";

/**
 * A graph as several people edit it at once: one flat Yjs map. Each node, wire and definition is a record of its own, and each
 * thing said of it (a parameter, its place, its name) an entry, so that edits of different things both stay, and of two edits
 * of the same thing the same one stays everywhere. Records have keys that nobody sees: two people who add a `relu_2` each get
 * one of their own, and the later in order is called `relu_3`.
 */

/** What one edit did, entry by entry; a side that is missing had, or has, no entry. It is JSON, so that it can be kept. */
export type Patch = { [entry: string]: { before?: Json; after?: Json } };

/** A record of the map, with what it was last read as. */
type Entries = Map<string, Json>;
type Placed = { key: string; rank: number };
type ReadNode = Placed & { in: string; id: string; type: string };
type ReadEdge = Placed & { in: string; id: string; from: [string, string]; to: [string, string] };
type Read = { node: ReadNode } | { edge: ReadEdge };

const ENTRIES = "entries";
const META = "meta";
/** The record of what stands beside nodes, wires and definitions. */
const DOCUMENT = "document";
/** Keys of definitions begin with it; those of nodes and wires never do. */
const DEFINITION = "@";

/** What has entries of its own form, or belongs to the record. */
const NODE_PARTS = new Set(["node", "rank", "id", "type", "params", "bodies"]);
const GRAPH_PARTS = new Set(["rank", "nodes", "edges", "definitions"]);

const entryOf = (record: string, field: string) => `${record} ${field}`;
const bodyIn = (record: string, role: string) => `${record}/${role}`;
const isSame = (a: unknown, b: unknown) => a === b || JSON.stringify(a) === JSON.stringify(b);

export class SharedGraph {
  readonly doc: Y.Doc;
  readonly #map: Y.Map<Json>;
  readonly #records = new Map<string, Entries>();
  /** What a record was last read as, until one of its entries changes. */
  readonly #read = new Map<string, Read | null>();
  readonly #built = new Map<string, Node | Edge>();
  readonly #bodies = new Map<string, Body>();
  /** By body: which record a node or wire is. */
  #keys = new Map<string, { nodes: Map<string, string>; edges: Map<string, string> }>();
  #graph: Graph;
  #listeners = new Set<(graph: Graph) => void>();
  #made = 0;
  /** What the edit that is being written makes of the graph. */
  #next: Graph | null = null;

  /** Reads what is in `doc`, and follows it. */
  constructor(doc: Y.Doc = new Y.Doc()) {
    this.doc = doc;
    this.#map = doc.getMap<Json>(ENTRIES);
    for (const entry of this.#map.keys()) this.#note(entry);
    this.#graph = this.#build();
    this.#map.observe((event, transaction) => {
      for (const entry of event.keysChanged) this.#note(String(entry));
      // Before anybody hears of the edit, the graph says it.
      if (transaction.origin === this) {
        if (this.#next) this.#adopt(this.#next);
        else this.#graph = this.#build();
        return;
      }
      const before = this.#graph;
      this.#graph = this.#build();
      if (this.#graph !== before) for (const listener of this.#listeners) listener(this.#graph);
    });
  }

  /** A document that says what `graph` says. Only one is ever made of a graph: those made apart do not become one. */
  static of(graph: Graph, epoch = ""): SharedGraph {
    const shared = new SharedGraph();
    if (epoch !== "") shared.doc.getMap<string>(META).set("epoch", epoch);
    shared.change(graph);
    return shared;
  }

  get graph(): Graph {
    return this.#graph;
  }

  /** Which document this is: updates of one mean nothing to another. */
  get epoch(): string {
    const epoch = this.doc.getMap(META).get("epoch");
    return typeof epoch === "string" ? epoch : "";
  }

  /** Tells of changes that came from elsewhere. Gives the way to stop it. */
  onChange(listener: (graph: Graph) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Makes the document say what `next` says, writing only what differs, as one transaction. */
  change(next: Graph): Patch {
    if (next === this.#graph) return {};
    const patch: Patch = {};
    const { nodes, edges, definitions = {}, ...rest } = next;
    this.#putRecord(patch, DOCUMENT, new Map(Object.entries(rest) as [string, Json][]));
    this.#diffBody(patch, "", this.#graph, { nodes, edges });
    const before = this.#graph.definitions ?? {};
    for (const id of Object.keys(before)) if (!Object.hasOwn(definitions, id)) this.#removeRecord(patch, DEFINITION + id, [["body", before[id]?.body]]);
    for (const [id, definition] of Object.entries(definitions)) {
      if (definition === before[id]) continue;
      const { body, ...said } = definition;
      this.#putRecord(patch, DEFINITION + id, new Map(Object.entries(said).filter(([, value]) => value !== undefined) as [string, Json][]));
      this.#diffBody(patch, bodyIn(DEFINITION + id, "body"), before[id]?.body, body);
    }
    this.#next = next;
    this.#commit(patch);
    this.#next = null;
    if (this.#graph !== next) this.#adopt(next);
    return patch;
  }

  /**
   * Takes back what `patch` did, where nobody has changed it since. Gives what that did in its turn. `known` is the graph that
   * it leads to, where that is known.
   */
  revert(patch: Patch, known?: Graph): Patch {
    const done: Patch = {};
    let whole = true;
    for (const [entry, { before, after }] of Object.entries(patch)) {
      const now = this.#map.get(entry);
      if (!isSame(now, after)) whole = false;
      else if (!isSame(now, before)) done[entry] = { ...(now === undefined ? {} : { before: now }), ...(before === undefined ? {} : { after: before }) };
    }
    this.#commit(done);
    if (whole && known) this.#adopt(known);
    return done;
  }

  /**
   * Writes down what reading makes of edits that met: second names of the same, two wires into an input that takes one, and
   * what is left of records that another removed.
   */
  settle(): void {
    const patch: Patch = {};
    const kept = new Set([DOCUMENT]);
    const definitions = this.#graph.definitions ?? {};
    for (const id of Object.keys(definitions)) kept.add(DEFINITION + id);
    for (const { nodes, edges } of this.#keys.values()) {
      for (const [id, key] of nodes) {
        kept.add(key);
        const read = this.#readOf(key);
        if (read && "node" in read && read.node.id !== id) this.#put(patch, entryOf(key, "node"), { in: read.node.in, id, type: read.node.type });
      }
      for (const [id, key] of edges) {
        kept.add(key);
        const read = this.#readOf(key);
        if (read && "edge" in read && read.edge.id !== id) this.#put(patch, entryOf(key, "edge"), { in: read.edge.in, id, from: read.edge.from, to: read.edge.to });
      }
    }
    for (const [key, entries] of this.#records) if (!kept.has(key)) for (const field of entries.keys()) this.#put(patch, entryOf(key, field), undefined);
    if (Object.keys(patch).length === 0) return;
    this.#commit(patch);
  }

  #commit(patch: Patch): void {
    this.doc.transact(() => {
      for (const [entry, { after }] of Object.entries(patch)) {
        if (after === undefined) this.#map.delete(entry);
        else this.#map.set(entry, after);
      }
    }, this);
  }

  #note(entry: string): void {
    const at = entry.indexOf(" ");
    const [key, field] = [entry.slice(0, at), entry.slice(at + 1)];
    const value = this.#map.get(entry);
    const entries = this.#records.get(key) ?? new Map<string, Json>();
    if (value === undefined) entries.delete(field);
    else entries.set(field, value);
    if (entries.size === 0) this.#records.delete(key);
    else this.#records.set(key, entries);
    this.#read.delete(key);
    this.#built.delete(key);
  }

  /* Writing */

  #put(patch: Patch, entry: string, after: Json | undefined): void {
    const before = this.#map.get(entry);
    if (!isSame(before, after)) patch[entry] = { ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) };
  }

  #putRecord(patch: Patch, key: string, fields: Map<string, Json>): void {
    for (const field of this.#records.get(key)?.keys() ?? []) if (!fields.has(field) && field !== "rank") this.#put(patch, entryOf(key, field), undefined);
    for (const [field, value] of fields) this.#put(patch, entryOf(key, field), value);
  }

  #removeRecord(patch: Patch, key: string, bodies: [role: string, body: Body | undefined][]): void {
    for (const field of this.#records.get(key)?.keys() ?? []) this.#put(patch, entryOf(key, field), undefined);
    for (const [role, body] of bodies) this.#diffBody(patch, bodyIn(key, role), body, { nodes: [], edges: [] });
  }

  #newKey(): string {
    this.#made += 1;
    return `${this.doc.clientID.toString(36)}.${this.#made.toString(36)}`;
  }

  #diffBody(patch: Patch, at: string, before: Body | undefined, after: Body): void {
    if (before === after) return;
    let keys = this.#keys.get(at);
    if (!keys) {
      keys = { nodes: new Map(), edges: new Map() };
      this.#keys.set(at, keys);
    }
    const nodesBefore = new Map(before?.nodes.map((node) => [node.id, node]));
    if (before?.nodes !== after.nodes) {
      const stays = new Set(after.nodes.map(({ id }) => id));
      for (const node of before?.nodes ?? []) {
        const key = keys.nodes.get(node.id);
        if (stays.has(node.id) || key === undefined) continue;
        this.#removeRecord(patch, key, Object.entries(node.bodies ?? {}));
        keys.nodes.delete(node.id);
      }
      for (const node of after.nodes) if (!keys.nodes.has(node.id)) keys.nodes.set(node.id, this.#newKey());
      const ordered = after.nodes.map(({ id }) => keys.nodes.get(id) ?? "");
      const ranks = this.#ranksFor(ordered);
      for (const node of after.nodes) {
        const was = nodesBefore.get(node.id);
        const key = keys.nodes.get(node.id) ?? "";
        const rank = ranks.get(key);
        if (rank !== undefined) this.#put(patch, entryOf(key, "rank"), rank);
        if (was === node) continue;
        const { id, type, params, bodies, ...said } = node;
        const fields = new Map<string, Json>([["node", { in: at, id, type }]]);
        for (const [name, value] of Object.entries(said)) if (value !== undefined) fields.set(name, value as Json);
        for (const [name, value] of Object.entries(params)) fields.set(`param:${name}`, value);
        for (const role of Object.keys(bodies ?? {})) fields.set(`body:${role}`, true);
        this.#putRecord(patch, key, fields);
        for (const [role, body] of Object.entries(bodies ?? {})) this.#diffBody(patch, bodyIn(key, role), was?.bodies?.[role], body);
        for (const [role, body] of Object.entries(was?.bodies ?? {}))
          if (!bodies || !Object.hasOwn(bodies, role)) this.#diffBody(patch, bodyIn(key, role), body, { nodes: [], edges: [] });
      }
    }
    if (before?.edges === after.edges && before?.nodes === after.nodes) return;
    const stays = new Set(after.edges.map(({ id }) => id));
    for (const edge of before?.edges ?? []) {
      const key = keys.edges.get(edge.id);
      if (stays.has(edge.id) || key === undefined) continue;
      this.#removeRecord(patch, key, []);
      keys.edges.delete(edge.id);
    }
    for (const edge of after.edges) if (!keys.edges.has(edge.id)) keys.edges.set(edge.id, this.#newKey());
    const ranks = this.#ranksFor(after.edges.map(({ id }) => keys.edges.get(id) ?? ""));
    for (const edge of after.edges) {
      const key = keys.edges.get(edge.id) ?? "";
      const rank = ranks.get(key);
      if (rank !== undefined) this.#put(patch, entryOf(key, "rank"), rank);
      const [from, to] = [keys.nodes.get(edge.from.node) ?? "", keys.nodes.get(edge.to.node) ?? ""];
      this.#put(patch, entryOf(key, "edge"), { in: at, id: edge.id, from: [from, edge.from.port], to: [to, edge.to.port] });
    }
  }

  /** Ranks for those records whose place in the order is new or has changed; the others keep theirs. */
  #ranksFor(keys: readonly string[]): Map<string, number> {
    const rankOf = (key: string) => {
      const rank = this.#records.get(key)?.get("rank");
      return typeof rank === "number" ? rank : undefined;
    };
    const ranks = new Map<string, number>();
    let last = 0;
    for (let i = 0; i < keys.length; ) {
      const own = rankOf(keys[i] ?? "");
      if (own !== undefined && own > last) {
        last = own;
        i++;
        continue;
      }
      // A run of those that are new or out of order goes between its neighbours.
      let end = i + 1;
      let next = Number.POSITIVE_INFINITY;
      for (; end < keys.length; end++) {
        const rank = rankOf(keys[end] ?? "");
        if (rank !== undefined && rank > last) {
          next = rank;
          break;
        }
      }
      const gap = Number.isFinite(next) ? (next - last) / (end - i + 1) : 1;
      if (gap < 1e-9) return new Map(keys.map((key, index) => [key, index + 1]));
      for (let j = i; j < end; j++) {
        last += gap;
        ranks.set(keys[j] ?? "", last);
      }
      i = end;
    }
    return ranks;
  }

  /** `next` is what the document says now: its objects are those that reading gives until they change. */
  #adopt(next: Graph): void {
    const visit = (at: string, body: Body): void => {
      if (this.#bodies.get(at) === body) return;
      this.#bodies.set(at, body);
      const keys = this.#keys.get(at);
      for (const node of body.nodes) {
        const key = keys?.nodes.get(node.id) ?? "";
        this.#built.set(key, node);
        for (const [role, inner] of Object.entries(node.bodies ?? {})) visit(bodyIn(key, role), inner);
      }
      for (const edge of body.edges) this.#built.set(keys?.edges.get(edge.id) ?? "", edge);
    };
    this.#graph = next;
    visit("", next);
    for (const [id, { body }] of Object.entries(next.definitions ?? {})) visit(bodyIn(DEFINITION + id, "body"), body);
  }

  /* Reading */

  #readOf(key: string): Read | null {
    const known = this.#read.get(key);
    if (known !== undefined) return known;
    const entries = this.#records.get(key);
    const rank = Number(entries?.get("rank") ?? 0);
    const placed = { key, rank: Number.isFinite(rank) ? rank : 0 };
    const node = fieldsOf(entries?.get("node"));
    const edge = fieldsOf(entries?.get("edge"));
    let read: Read | null = null;
    if (node && typeof node.in === "string" && typeof node.id === "string" && typeof node.type === "string")
      read = { node: { ...placed, in: node.in, id: node.id, type: node.type } };
    else if (edge && typeof edge.in === "string" && typeof edge.id === "string" && isEnd(edge.from) && isEnd(edge.to))
      read = { edge: { ...placed, in: edge.in, id: edge.id, from: edge.from, to: edge.to } };
    this.#read.set(key, read);
    return read;
  }

  #build(): Graph {
    const nodesIn = new Map<string, ReadNode[]>();
    const edgesIn = new Map<string, ReadEdge[]>();
    const definitionIds: string[] = [];
    for (const key of this.#records.keys()) {
      if (key.startsWith(DEFINITION)) definitionIds.push(key.slice(1));
      const read = this.#readOf(key);
      if (read && "node" in read) add(nodesIn, read.node.in, read.node);
      else if (read && "edge" in read) add(edgesIn, read.edge.in, read.edge);
    }
    this.#keys = new Map();
    const bodyAt = (at: string): Body => {
      const keys = { nodes: new Map<string, string>(), edges: new Map<string, string>() };
      this.#keys.set(at, keys);
      const idOf = new Map<string, string>();
      const nodes = (nodesIn.get(at) ?? []).sort(inOrder).map((read): Node => {
        const id = freeId(read.id, keys.nodes, nodesIn.get(at) ?? []);
        keys.nodes.set(id, read.key);
        idOf.set(read.key, id);
        return this.#nodeOf(read.key, id, read.type, bodyAt);
      });
      const byId = new Map(nodes.map((node) => [node.id, node]));
      const into = new Map<string, number>();
      const edges: (Edge | null)[] = [];
      for (const read of (edgesIn.get(at) ?? []).sort(inOrder)) {
        const [from, to] = [idOf.get(read.from[0]), idOf.get(read.to[0])];
        if (from === undefined || to === undefined) continue;
        const end = `${to} ${read.to[1]}`;
        const other = into.get(end);
        // Two people wired the same input: where it takes one, the later wire stays.
        if (other !== undefined && !takesMany(byId.get(to), read.to[1])) {
          const lost = edges[other];
          if (lost) keys.edges.delete(lost.id);
          edges[other] = null;
        }
        const id = freeId(read.id, keys.edges, edgesIn.get(at) ?? []);
        keys.edges.set(id, read.key);
        into.set(end, edges.length);
        const known = this.#built.get(read.key);
        const edge: Edge = { id, from: { node: from, port: read.from[1] }, to: { node: to, port: read.to[1] } };
        const same = known && "from" in known && known.id === id && known.from.node === from && known.to.node === to;
        edges.push(same ? known : edge);
        if (!same) this.#built.set(read.key, edge);
      }
      const wires = edges.filter((edge) => edge !== null);
      const known = this.#bodies.get(at);
      const body = { nodes: sameList(known?.nodes, nodes), edges: sameList(known?.edges, wires) };
      if (known && known.nodes === body.nodes && known.edges === body.edges) return known;
      this.#bodies.set(at, body);
      return body;
    };
    const { nodes, edges } = bodyAt("");
    const before: Graph | undefined = this.#graph;
    const made: [string, Definition][] = [];
    for (const id of definitionIds.sort()) {
      const said = Object.fromEntries(this.#records.get(DEFINITION + id) ?? []);
      const body = bodyAt(bodyIn(DEFINITION + id, "body"));
      const known = before?.definitions?.[id];
      const { body: knownBody, ...knownSaid } = known ?? { body: null };
      // Entries that no longer name it are what is left of a definition that was removed.
      if (typeof said.name !== "string") continue;
      made.push([id, known && knownBody === body && isSame(sorted(knownSaid), sorted(said)) ? known : ({ ...said, body } as Definition)]);
    }
    const definitions = Object.fromEntries(made);
    const { schemaVersion = SCHEMA_VERSION, ...rest } = Object.fromEntries([...(this.#records.get(DOCUMENT) ?? [])].filter(([name]) => !GRAPH_PARTS.has(name)));
    const known = before?.definitions;
    const ids = Object.keys(definitions);
    const sameDefinitions = known && Object.keys(known).length === ids.length && ids.every((id) => known[id] === definitions[id]) ? known : definitions;
    const graph = { ...rest, schemaVersion, nodes, edges, ...(ids.length > 0 ? { definitions: sameDefinitions } : {}) } as Graph;
    const isUnchanged = before && Object.keys(before).length === Object.keys(graph).length && Object.entries(graph).every(([name, value]) => isEqual(before, name, value));
    return isUnchanged ? before : graph;
  }

  #nodeOf(key: string, id: string, type: string, bodyAt: (at: string) => Body): Node {
    const entries = this.#records.get(key);
    const known = this.#built.get(key);
    // Own properties, whatever they are called: the names come from other people.
    const params: [string, Json][] = [];
    const bodies: [string, Body][] = [];
    const said: [string, Json][] = [];
    for (const [field, value] of entries ?? []) {
      if (field.startsWith("param:")) params.push([field.slice(6), value]);
      else if (field.startsWith("body:")) bodies.push([field.slice(5), bodyAt(bodyIn(key, field.slice(5)))]);
      else if (!NODE_PARTS.has(field)) said.push([field, value]);
    }
    const inner = known && "type" in known ? known : undefined;
    if (inner && inner.id === id && bodies.length === Object.keys(inner.bodies ?? {}).length && bodies.every(([role, body]) => inner.bodies?.[role] === body)) return inner;
    const node = {
      at: { x: 0, y: 0 },
      ...Object.fromEntries(said),
      id,
      type,
      params: Object.fromEntries(params),
      ...(bodies.length > 0 ? { bodies: Object.fromEntries(bodies) } : {}),
    } as Node;
    this.#built.set(key, node);
    return node;
  }
}

function fieldsOf(value: Json | undefined): { [name: string]: Json } | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value : null;
}

function isEnd(value: Json | undefined): value is [string, string] {
  return Array.isArray(value) && value.length === 2 && value.every((part) => typeof part === "string");
}

const inOrder = (a: Placed, b: Placed) => a.rank - b.rank || (a.key < b.key ? -1 : 1);

function add<T>(into: Map<string, T[]>, key: string, value: T): void {
  const list = into.get(key);
  if (list) list.push(value);
  else into.set(key, [value]);
}

/** The id, or, where one before it has that, the next number that none in the body has. */
function freeId(id: string, taken: ReadonlyMap<string, string>, all: readonly { id: string }[]): string {
  if (!taken.has(id)) return id;
  const base = id.replace(/_\d+$/, "");
  let greatest = 0;
  for (const other of [...taken.keys(), ...all.map((one) => one.id)]) {
    const number = other.startsWith(`${base}_`) ? Number(other.slice(base.length + 1)) : Number.NaN;
    if (Number.isSafeInteger(number)) greatest = Math.max(greatest, number);
  }
  return `${base}_${greatest + 1}`;
}

function takesMany(node: Node | undefined, port: string): boolean {
  const layer = node && findLayer(node.type);
  // What a layer of a newer build takes is not known here: nothing is taken away.
  return !layer || portsOf(layer, node).inputs[port]?.many === true;
}

function sameList<T>(before: T[] | undefined, now: T[]): T[] {
  return before && before.length === now.length && before.every((one, index) => one === now[index]) ? before : now;
}

const sorted = (value: { [name: string]: unknown }) => Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));

function isEqual(graph: Graph, name: string, value: unknown): boolean {
  const own: unknown = Object.entries(graph).find(([key]) => key === name)?.[1];
  return own === value || (typeof own !== "object" && isSame(own, value));
}
