import { groupInto, ungroup, unpack } from "../../core/graph/blocks.ts";
import * as defs from "../../core/graph/definitions.ts";
import type { Graph, Json, Node } from "../../core/graph/document.ts";
import { tidyLayout } from "../../core/graph/layout.ts";
import { pathOf } from "../../core/graph/path.ts";
import { say } from "../../core/language/say.ts";
import { notify } from "../ui/Notices.tsx";
import { currentChecked } from "./checked.ts";
import { here, newDefinitionId, only, pushDown } from "./edits.ts";
import { bodyAt, edit, type Scope, selectNodes } from "./useGraph.ts";
import { useStudio } from "./useStudio.ts";

/** What people do with blocks on the canvas, each one step of the history. */

/** Puts what is selected into a new block or zone of this type, or says why that cannot be. */
export function groupSelection(type = "block"): void {
  const { graph, scope, selection } = here();
  const made = groupInto(graph, selection.nodes, type, scope);
  if ("problem" in made) {
    const { between } = made;
    notify(made.problem, between.length === 0 ? {} : { action: { label: say("Take them too"), run: () => groupWith(between, type) } });
    return;
  }
  edit(() => pushDown(made.graph, scope, made.id), { select: only([made.id]) });
  if (type === "block") useStudio.setState({ renaming: made.id });
  useStudio.getState().canvas?.reveal(made.id);
}

function groupWith(more: readonly string[], type: string): void {
  selectNodes([...here().selection.nodes, ...more]);
  groupSelection(type);
}

/** Takes the selected blocks apart. */
export function ungroupSelection(): void {
  const { scope, selection, body } = here();
  const blocks = body.nodes.filter((node) => selection.nodes.has(node.id) && node.type === "block");
  const ids = new Set([...selection.nodes].filter((id) => !blocks.some((node) => node.id === id)));
  let next = here().graph;
  for (const { id } of blocks) {
    const made = ungroup(next, id, scope);
    next = made.graph;
    for (const freed of made.ids) ids.add(freed);
  }
  edit(() => next, { select: only(ids) });
}

/** A composed layer as a block: what it is made of, to be seen and changed. */
export function unpackNode(id: string): void {
  const { graph, scope, body } = here();
  const inside = currentChecked().composed.get(pathOf(scope, id))?.body;
  if (!inside || !body.nodes.some((node) => node.id === id)) return;
  const tidied = tidyLayout(inside);
  edit(() => unpack(graph, id, { ...inside, nodes: inside.nodes.map((node) => ({ ...node, at: tidied.get(node.id) ?? node.at })) }, scope), { select: only([id]) });
}

function blockName(graph: Graph, node: Node | undefined): string {
  const taken = new Set(Object.values(graph.definitions ?? {}).map(({ name }) => name));
  const wanted = node?.name?.trim() || say("Block");
  for (let n = 1; ; n++) if (!taken.has(n === 1 ? wanted : `${wanted} ${n}`)) return n === 1 ? wanted : `${wanted} ${n}`;
}

/** Makes a block one of the person's own, to be used many times. */
export function defineBlock(id: string): void {
  const { graph, scope, body } = here();
  const name = blockName(
    graph,
    body.nodes.find((node) => node.id === id),
  );
  edit((g) => defs.defineBlock(g, id, scope, { definition: newDefinitionId(name), name }));
}

export function detachBlock(id: string): void {
  const { scope } = here();
  edit((graph) => defs.detach(graph, id, scope));
}

export function detachAround(): void {
  const { graph, scope } = here();
  const around = defs.instanceAround(graph, scope);
  if (around) edit((g) => defs.detach(g, around.node.id, around.outer));
}

export function setExposed(id: string, name: string, value: Json | undefined): void {
  const { scope } = here();
  edit((graph) => defs.setExposed(graph, id, name, value, scope), value === undefined ? {} : { coalesce: `exposed ${pathOf(scope, id)} ${name}` });
}

/** The block around the open body on which a parameter of a node here can be exposed, with the steps from it to here. */
export function blockAround(graph: Graph, scope: Scope): { outer: Scope; inner: Scope; node: Node; definition?: string } | null {
  const instance = defs.instanceAround(graph, scope);
  if (instance) return instance;
  for (let depth = scope.length - 1; depth >= 0; depth--) {
    const node = bodyAt(graph, scope.slice(0, depth)).nodes.find(({ id }) => id === scope[depth]?.node);
    if (node?.type === "block") return { outer: scope.slice(0, depth), inner: scope.slice(depth + 1), node };
  }
  return null;
}

/** Puts a parameter of a node here on the outside of the block around it, which becomes reusable if it is not. `node` is its path from here. */
export function exposeParam(node: string, param: string): void {
  const { graph, scope } = here();
  const around = blockAround(graph, scope);
  if (!around) return;
  const definition = around.definition ?? newDefinitionId(blockName(graph, around.node));
  edit((g) => {
    const defined = around.definition === undefined ? defs.defineBlock(g, around.node.id, around.outer, { definition, name: blockName(g, around.node) }) : g;
    return defs.exposeParam(defined, definition, { node: pathOf(around.inner, node), param });
  });
}

export function unexposeParam(definition: string, name: string): void {
  edit((graph) => defs.unexpose(graph, definition, name));
}

export function renameExposed(definition: string, name: string, next: string): void {
  edit((graph) => defs.renameExposed(graph, definition, name, next));
}

export function describeDefinition(definition: string, patch: { name?: string; doc?: string }): void {
  edit((graph) => defs.describeDefinition(graph, definition, patch));
}

export function removeDefinition(definition: string): void {
  edit((graph) => defs.removeDefinition(graph, definition));
}
