import { findLayer } from "../layers/index.ts";
import type { Body, Definition, Definitions, ExposedParam, Graph, Json, Node } from "./document.ts";
import { bodyAt, type Clip, editNode, type NewNode, setParams } from "./edit.ts";
import { type BodyStep, splitPath } from "./path.ts";

/**
 * Definitions are parts drawn once and used many times. Each `block` node whose parameter `definition` names one is an instance: it
 * holds a copy of the body with its own values of the exposed parameters. Whoever edits inside any instance edits the definition,
 * by `settle`, which follows every edit.
 */

/** The definition's id where a node is an instance of one that the graph has. */
export function definitionOf(node: Node | undefined, definitions: Definitions | undefined): string | undefined {
  const id = node?.type === "block" ? node.params.definition : undefined;
  return typeof id === "string" && definitions && Object.hasOwn(definitions, id) ? id : undefined;
}

/** The innermost instance around a body: the steps to where its node stands, the node, and its definition's id. */
export function instanceAround(graph: Graph, steps: readonly BodyStep[]): { outer: BodyStep[]; inner: BodyStep[]; node: Node; definition: string } | undefined {
  for (let depth = steps.length - 1; depth >= 0; depth--) {
    const outer = steps.slice(0, depth);
    const node = bodyAt(graph, outer)?.nodes.find(({ id }) => id === steps[depth]?.node);
    const definition = definitionOf(node, graph.definitions);
    if (node && definition !== undefined) return { outer, inner: steps.slice(depth + 1), node, definition };
  }
  return undefined;
}

/** How often a definition is drawn, those inside of zones and other blocks included. */
export function countInstances(graph: Graph, definition: string): number {
  return everyNode(graph).filter((node) => node.type === "block" && node.params.definition === definition).length;
}

/** Makes a definition of a block, which becomes its first instance. */
export function defineBlock(graph: Graph, id: string, steps: readonly BodyStep[], { definition, name }: { definition: string; name: string }): Graph {
  const node = bodyAt(graph, steps)?.nodes.find((other) => other.id === id);
  const body = node && bodyOf(node);
  if (!node || !body || node.type !== "block" || definitionOf(node, graph.definitions) !== undefined) return graph;
  const made: Definition = { name: name.trim().slice(0, 120) || "Block", version: 1, body, exposed: [] };
  const named = editNode(graph, id, steps, ({ name: _, ...rest }) => ({ ...rest, params: { ...rest.params, definition } }));
  return { ...named, definitions: { ...graph.definitions, [definition]: made } };
}

/** A new instance of a definition, for `addNode` and `insertOnEdge`. */
export function instanceOf(graph: Graph, definition: string): Pick<NewNode, "type" | "params" | "bodies"> | undefined {
  const made = graph.definitions && Object.hasOwn(graph.definitions, definition) ? graph.definitions[definition] : undefined;
  return made && { type: "block", params: { definition }, bodies: { body: made.body } };
}

/** Whether an instance of this definition may stand in a body: never inside of itself. */
export function canHold(graph: Graph, definition: string, steps: readonly BodyStep[]): boolean {
  const held = heldBy(graph.definitions ?? {}, definition);
  return !steps.some((step, depth) => {
    const around = definitionOf(
      bodyAt(graph, steps.slice(0, depth))?.nodes.find(({ id }) => id === step.node),
      graph.definitions,
    );
    return around !== undefined && held.has(around);
  });
}

/** A definition, and all that are used in it. */
function heldBy(definitions: Definitions, definition: string): Set<string> {
  const held = new Set([definition]);
  const look = (body: Body) => {
    for (const node of body.nodes) {
      const inner = definitionOf(node, definitions);
      if (inner !== undefined && !held.has(inner)) {
        held.add(inner);
        const made = definitions[inner];
        if (made) look(made.body);
      }
      for (const other of Object.values(node.bodies ?? {})) look(other);
    }
  };
  const made = Object.hasOwn(definitions, definition) ? definitions[definition] : undefined;
  if (made) look(made.body);
  return held;
}

/** The definitions that the nodes of a clip are instances of, so that they can be pasted into another model. */
export function withDefinitions(graph: Graph, clip: Clip): Clip {
  const all = graph.definitions ?? {};
  const used = new Set<string>();
  for (const node of everyNode(clip)) {
    const id = definitionOf(node, all);
    if (id !== undefined) for (const held of heldBy(all, id)) used.add(held);
  }
  return used.size === 0 ? clip : { ...clip, definitions: Object.fromEntries(Object.entries(all).filter(([id]) => used.has(id))) };
}

/**
 * Readies a clip for being pasted: definitions that the graph has not come along, under another id where the graph has a different
 * one under theirs (`freshId` gives it), and instances that would come to stand inside of themselves are made independent.
 */
export function adoptDefinitions(graph: Graph, clip: Clip, steps: readonly BodyStep[], freshId: (wanted: string) => string): { graph: Graph; clip: Clip } {
  const renamed = new Map<string, string>();
  const definitions: { [id: string]: Definition } = { ...graph.definitions };
  for (const [id, made] of Object.entries(clip.definitions ?? {})) {
    const known = Object.hasOwn(definitions, id) ? definitions[id] : undefined;
    if (known?.name === made.name) continue;
    const as = known ? freshId(id) : id;
    if (as !== id) renamed.set(id, as);
    definitions[as] = made;
  }
  const adapt = (body: Body): Body =>
    mapNodes(body, (node) => {
      const inner = mapBodies(node, adapt);
      const id = definitionOf(inner, clip.definitions) ?? definitionOf(inner, definitions);
      const as = id === undefined ? undefined : (renamed.get(id) ?? id);
      if (as !== undefined && !canHold({ ...graph, definitions }, as, steps)) {
        const { definition: _, ...params } = inner.params;
        return { ...inner, name: inner.name?.trim() || definitions[as]?.name || "Block", params };
      }
      return as === undefined || as === id ? inner : { ...inner, params: { ...inner.params, definition: as } };
    });
  for (const id of Object.keys(clip.definitions ?? {})) {
    const as = renamed.get(id) ?? id;
    const made = definitions[as];
    if (made && made === clip.definitions?.[id] && renamed.size > 0) definitions[as] = { ...made, body: adapt(made.body) };
  }
  const isSame = Object.keys(definitions).length === Object.keys(graph.definitions ?? {}).length;
  const { nodes, edges } = adapt(clip);
  return { graph: isSame ? graph : { ...graph, definitions }, clip: { nodes, edges } };
}

function everyNode(body: Body): Node[] {
  return body.nodes.flatMap((node) => [node, ...Object.values(node.bodies ?? {}).flatMap(everyNode)]);
}

/** Makes an instance independent: a block of its own with what it holds now. */
export function detach(graph: Graph, id: string, steps: readonly BodyStep[] = []): Graph {
  const { definitions } = graph;
  return editNode(graph, id, steps, (node) => {
    const definition = definitionOf(node, definitions);
    if (definition === undefined) return node;
    const { definition: _, ...params } = node.params;
    return { ...node, name: node.name?.trim() || definitions?.[definition]?.name || "Block", params };
  });
}

/** Changes what is said of a definition. */
export function describeDefinition(graph: Graph, definition: string, patch: { name?: string; doc?: string }): Graph {
  return editDefinition(graph, definition, (made) => {
    const name = patch.name === undefined ? made.name : patch.name.trim().slice(0, 120) || made.name;
    const doc = patch.doc === undefined ? (made.doc ?? "") : patch.doc.trim().slice(0, 2000);
    if (name === made.name && doc === (made.doc ?? "")) return made;
    const { doc: _, ...rest } = made;
    return { ...rest, name, ...(doc === "" ? {} : { doc }) };
  });
}

/** Takes a definition away; its instances stay, as blocks of their own. */
export function removeDefinition(graph: Graph, definition: string): Graph {
  if (!graph.definitions || !Object.hasOwn(graph.definitions, definition)) return graph;
  const name = graph.definitions[definition]?.name ?? "Block";
  const free = (body: Body): Body =>
    mapNodes(body, (node) => {
      const inner = mapBodies(node, free);
      if (inner.type !== "block" || inner.params.definition !== definition) return inner;
      const { definition: _, ...params } = inner.params;
      return { ...inner, name: inner.name?.trim() || name, params };
    });
  const { [definition]: _, ...others } = graph.definitions;
  const definitions = Object.fromEntries(Object.entries(others).map(([id, made]) => [id, { ...made, body: free(made.body) }]));
  const { nodes, edges } = free(graph);
  return { ...graph, nodes, edges, definitions };
}

/** Shows a parameter of a node inside on the outside of all instances, under a name like no other. `node` is its path in the body. */
export function exposeParam(graph: Graph, definition: string, { node, param }: { node: string; param: string }): Graph {
  return editDefinition(graph, definition, (made) => {
    if (made.exposed.some((one) => one.node === node && one.param === param)) return made;
    const taken = new Set(made.exposed.map(({ name }) => name));
    let name = param;
    for (let n = 2; taken.has(name); n++) name = `${param}_${n}`;
    return { ...made, version: made.version + 1, exposed: [...made.exposed, { name: name.slice(0, 40), node, param }] };
  });
}

/** Takes it off the outside again: every instance then has the definition's value. */
export function unexpose(graph: Graph, definition: string, name: string): Graph {
  return editDefinition(graph, definition, (made) => {
    const exposed = made.exposed.filter((one) => one.name !== name);
    return exposed.length === made.exposed.length ? made : { ...made, version: made.version + 1, exposed };
  });
}

/** Gives an exposed parameter another name; one that is taken or no name changes nothing. */
export function renameExposed(graph: Graph, definition: string, name: string, next: string): Graph {
  return editDefinition(graph, definition, (made) => {
    const isFree = /^[A-Za-z]\w{0,39}$/.test(next) && !made.exposed.some((one) => one.name === next);
    return isFree ? { ...made, exposed: made.exposed.map((one) => (one.name === name ? { ...one, name: next } : one)) } : made;
  });
}

/** Sets an exposed parameter of one instance; `undefined` goes back to the default of its layer. */
export function setExposed(graph: Graph, id: string, name: string, value: Json | undefined, steps: readonly BodyStep[] = []): Graph {
  const node = bodyAt(graph, steps)?.nodes.find((other) => other.id === id);
  const definition = definitionOf(node, graph.definitions);
  const exposed = definition === undefined ? undefined : graph.definitions?.[definition]?.exposed.find((one) => one.name === name);
  if (!exposed) return graph;
  const inner = splitPath(exposed.node);
  return setParams(graph, inner.id, { [exposed.param]: value }, [...steps, { node: id, role: "body" }, ...inner.steps]);
}

/** The node that an exposed parameter belongs to, in an instance's body. */
export function exposedNode(body: Body | undefined, exposed: ExposedParam): Node | undefined {
  const { steps, id } = splitPath(exposed.node);
  return body && bodyAt({ schemaVersion: 1, ...body }, steps)?.nodes.find((node) => node.id === id);
}

/**
 * What follows from an edit: a change inside an instance is written into its definition, whose version grows by one since `since`,
 * and from there into all other instances, also those inside of other definitions. Exposed parameters and places of their own are no
 * change of the definition. Gives `after` itself where nothing follows.
 */
export function settle(before: Graph, after: Graph, since: Graph = before): Graph {
  if (!after.definitions || before === after) return after;
  const changed = findChanges(before, after, after.definitions);
  if (after.definitions === before.definitions && changed.edited.length === 0 && !changed.hasNew) return after;
  let definitions: { [id: string]: Definition } = { ...after.definitions };
  const written = new Set<Body>();
  for (const { definition, body } of changed.edited) {
    written.add(body);
    const made = definitions[definition];
    if (!made) continue;
    const exposed = made.exposed.filter((one) => {
      const node = exposedNode(body, one);
      const layer = node && findLayer(node.type);
      return node && (!layer || Object.hasOwn(layer.params, one.param));
    });
    const next = withValues(body, readValues(made.body, exposed));
    if (exposed.length === made.exposed.length && print(next, definitions, true) === print(made.body, definitions, true)) continue;
    const isOtherwise = print(next, definitions, false) !== print(since.definitions?.[definition]?.body ?? made.body, definitions, false);
    const version = isOtherwise ? (since.definitions?.[definition]?.version ?? made.version) + 1 : made.version;
    definitions = { ...definitions, [definition]: { ...made, version: Math.max(version, made.version), body: next, exposed } };
  }
  return conform(after, before.definitions ?? {}, definitions, written);
}

type Values = { exposed: ExposedParam; value: Json | undefined }[];

function readValues(body: Body, exposed: readonly ExposedParam[]): Values {
  return exposed.map((one) => ({ exposed: one, value: exposedNode(body, one)?.params[one.param] }));
}

function withValues(body: Body, values: Values): Body {
  let graph: Graph = { schemaVersion: 1, nodes: body.nodes, edges: body.edges };
  for (const { exposed, value } of values) {
    const { steps, id } = splitPath(exposed.node);
    graph = setParams(graph, id, { [exposed.param]: value }, steps);
  }
  return graph.nodes === body.nodes ? body : { nodes: graph.nodes, edges: graph.edges };
}

/** Instances whose body an edit changed, the innermost first, and whether there are new ones. Looks only where something changed. */
function findChanges(before: Graph, after: Graph, definitions: Definitions): { edited: { definition: string; body: Body }[]; hasNew: boolean } {
  const edited: { definition: string; body: Body }[] = [];
  let hasNew = false;
  const look = (was: Body | undefined, now: Body): void => {
    if (was === now) return;
    const known = new Map(was?.nodes.map((node) => [node.id, node]));
    for (const node of now.nodes) {
      const old = known.get(node.id);
      if (old === node) continue;
      for (const [role, body] of Object.entries(node.bodies ?? {})) look(old?.bodies?.[role], body);
      const definition = definitionOf(node, definitions);
      if (definition === undefined) continue;
      const [body, oldBody] = [bodyOf(node), old && bodyOf(old)];
      if (old?.params.definition !== definition || !oldBody) hasNew = true;
      else if (body && body !== oldBody) edited.push({ definition, body });
    }
  };
  look(before, after);
  return { edited, hasNew };
}

/** Brings all instances in line with their definitions, each with its own values, which are found by the exposed parameters of `old`. */
function conform(graph: Graph, old: Definitions, definitions: { [id: string]: Definition }, written: ReadonlySet<Body>): Graph {
  const done = new Map<string, Definition>();
  const open = new Set<string>();
  const resolve = (id: string): Definition | undefined => {
    const known = done.get(id);
    const made = definitions[id];
    // A definition inside of itself cannot be drawn; what is there stays as it is.
    if (known || !made || open.has(id)) return known ?? made;
    open.add(id);
    const body = conformBody(made.body);
    open.delete(id);
    const result = body === made.body ? made : { ...made, body };
    done.set(id, result);
    return result;
  };
  const conformNode = (node: Node): Node => {
    const id = definitionOf(node, definitions);
    const body = bodyOf(node);
    const made = id === undefined || open.has(id) ? undefined : resolve(id);
    if (id === undefined || !made || !body) return mapBodies(node, conformBody);
    const before = written.has(body) || !Object.hasOwn(old, id) ? made.exposed : (old[id]?.exposed ?? made.exposed);
    const values = made.exposed.flatMap((exposed) => {
      const twin = before.find((one) => one.node === exposed.node && one.param === exposed.param) ?? before.find((one) => one.name === exposed.name);
      const holder = twin && exposedNode(body, twin);
      return twin && holder ? [{ exposed, value: holder.params[twin.param] }] : [];
    });
    const wanted = conformBody(withValues(made.body, values));
    return wanted === body || JSON.stringify(wanted) === JSON.stringify(body) ? node : { ...node, bodies: { ...node.bodies, body: wanted } };
  };
  const conformBody = (body: Body): Body => mapNodes(body, conformNode);
  const { nodes, edges } = conformBody(graph);
  return { ...graph, nodes, edges, definitions: Object.fromEntries(Object.keys(definitions).flatMap((id) => (resolve(id) ? [[id, resolve(id) as Definition]] : []))) };
}

/** A body as text, to be compared; of instances inside it only what is their own counts. */
function print(body: Body, definitions: Definitions, withPlaces: boolean): string {
  const plain = (inner: Body): unknown => ({
    nodes: inner.nodes.map((whole) => {
      const definition = definitionOf(whole, definitions);
      const { at, bodies, ...node } = whole;
      const made = definition === undefined ? undefined : definitions[definition];
      const inside = made ? readValues(bodies?.body ?? { nodes: [], edges: [] }, made.exposed).map(({ exposed, value }) => [exposed.name, value]) : undefined;
      return { ...node, ...(withPlaces ? { at } : {}), inside: inside ?? (bodies && Object.fromEntries(Object.entries(bodies).map(([role, other]) => [role, plain(other)]))) };
    }),
    edges: inner.edges,
  });
  return JSON.stringify(plain(body));
}

function editDefinition(graph: Graph, definition: string, change: (made: Definition) => Definition): Graph {
  const made = graph.definitions && Object.hasOwn(graph.definitions, definition) ? graph.definitions[definition] : undefined;
  const next = made && change(made);
  return !next || next === made ? graph : { ...graph, definitions: { ...graph.definitions, [definition]: next } };
}

function bodyOf(node: Node): Body | undefined {
  return node.bodies && Object.hasOwn(node.bodies, "body") ? node.bodies.body : undefined;
}

function mapNodes(body: Body, change: (node: Node) => Node): Body {
  let isChanged = false;
  const nodes = body.nodes.map((node) => {
    const next = change(node);
    if (next !== node) isChanged = true;
    return next;
  });
  return isChanged ? { nodes, edges: body.edges } : body;
}

function mapBodies(node: Node, change: (body: Body) => Body): Node {
  let bodies = node.bodies;
  for (const [role, body] of Object.entries(node.bodies ?? {})) {
    const next = change(body);
    if (next !== body) bodies = { ...bodies, [role]: next };
  }
  return bodies === node.bodies ? node : { ...node, bodies };
}
