"use client";

import { create } from "zustand";
import { settle } from "../../core/graph/definitions.ts";
import { type Body, emptyGraph, type Graph } from "../../core/graph/document.ts";
import { bodyAt as findBody } from "../../core/graph/edit.ts";
import type { BodyStep } from "../../core/graph/path.ts";

/** The way from the model's own canvas into a body: a zone's node and which of its bodies, outermost first. Empty: the model itself. */
export type Scope = readonly BodyStep[];

/** What is selected, by ids of the body that is on the canvas. */
export type Selection = { nodes: ReadonlySet<string>; edges: ReadonlySet<string> };

export const nothing: Selection = { nodes: new Set(), edges: new Set() };

/** All that one undo brings back. Graphs share what did not change, so a thousand of these are small. */
type Moment = { graph: Graph; scope: Scope; selection: Selection };

/** More than anybody steps back; the oldest are let go. */
const HISTORY_LIMIT = 1000;
/** Keystrokes in one field, or nudges of one selection, that follow each other within this time are one step. */
const COALESCE_MS = 1500;

type GraphState = Moment & {
  /** Which model this is; null before one is opened. */
  modelId: string | null;
  past: readonly Moment[];
  future: readonly Moment[];
  /** What the last edit was, for joining the next one to it. */
  lastEdit: { key: string; atMs: number } | null;
};

/** The document on the canvas, with its history. Everything that draws the graph reads it here; `edit` is the only way to change it. */
export const useGraph = create<GraphState>(() => ({ modelId: null, graph: emptyGraph, scope: [], selection: nothing, past: [], future: [], lastEdit: null }));

/** Puts another document on the canvas, with an empty history. */
export function openGraph(modelId: string, graph: Graph): void {
  useGraph.setState({ modelId, graph, scope: [], selection: nothing, past: [], future: [], lastEdit: null });
}

/**
 * Applies one edit as one step of the history. Edits with the same `coalesce` key that follow each other closely are one step;
 * an edit that changes nothing is none. `select` is selected afterwards; otherwise the selection stays, less what is gone.
 */
export function edit(change: (graph: Graph) => Graph, options: { coalesce?: string; select?: Selection; nowMs?: number } = {}): void {
  const state = useGraph.getState();
  const changed = change(state.graph);
  if (changed === state.graph) return;
  const nowMs = options.nowMs ?? Date.now();
  const joins = options.coalesce !== undefined && state.lastEdit?.key === options.coalesce && nowMs - state.lastEdit.atMs < COALESCE_MS && state.past.length > 0;
  const past = joins ? state.past : [...state.past.slice(-(HISTORY_LIMIT - 1)), { graph: state.graph, scope: state.scope, selection: state.selection }];
  // An edit inside a block that is used several times is an edit of all of them; one step of the history is one version.
  const graph = settle(state.graph, changed, past.at(-1)?.graph);
  const scope = reachable(graph, state.scope);
  useGraph.setState({
    graph,
    scope,
    past,
    future: [],
    lastEdit: options.coalesce === undefined ? null : { key: options.coalesce, atMs: nowMs },
    selection: prune(bodyAt(graph, scope), options.select ?? state.selection),
  });
}

export function undo(): void {
  const { past, future, graph, scope, selection } = useGraph.getState();
  const moment = past.at(-1);
  if (!moment) return;
  useGraph.setState({ ...moment, past: past.slice(0, -1), future: [...future, { graph, scope, selection }], lastEdit: null });
}

export function redo(): void {
  const { past, future, graph, scope, selection } = useGraph.getState();
  const moment = future.at(-1);
  if (!moment) return;
  useGraph.setState({ ...moment, future: future.slice(0, -1), past: [...past, { graph, scope, selection }], lastEdit: null });
}

/** Replaces the selection. An equal one is no change, so that nothing redraws. */
export function select(selection: Selection): void {
  const current = useGraph.getState().selection;
  if (sameSet(current.nodes, selection.nodes) && sameSet(current.edges, selection.edges)) return;
  useGraph.setState({ selection });
}

export function selectNodes(ids: Iterable<string>): void {
  select({ nodes: new Set(ids), edges: new Set() });
}

/** Shows another body on the canvas. */
export function goTo(scope: Scope, selection: Selection = nothing): void {
  const { graph } = useGraph.getState();
  const reached = reachable(graph, scope);
  useGraph.setState({ scope: reached, selection: prune(bodyAt(graph, reached), selection), lastEdit: null });
}

/** Leaves the innermost body, and selects the node that holds it. */
export function leave(): void {
  const { scope } = useGraph.getState();
  const last = scope.at(-1);
  if (last) goTo(scope.slice(0, -1), { nodes: new Set([last.node]), edges: new Set() });
}

/** The body that `scope` leads to. A scope in the store always leads somewhere. */
export function bodyAt(graph: Graph, scope: Scope): Body {
  return findBody(graph, scope) ?? graph;
}

/** As much of `scope` as exists in `graph`: an undo or another person's edit may have taken a zone away. */
function reachable(graph: Graph, scope: Scope): Scope {
  let steps = scope;
  while (!findBody(graph, steps)) steps = steps.slice(0, -1);
  return steps;
}

function prune(body: Body, selection: Selection): Selection {
  if (selection.nodes.size === 0 && selection.edges.size === 0) return nothing;
  const nodes = new Set(body.nodes.filter((n) => selection.nodes.has(n.id)).map((n) => n.id));
  const edges = new Set(body.edges.filter((e) => selection.edges.has(e.id)).map((e) => e.id));
  return nodes.size === selection.nodes.size && edges.size === selection.edges.size ? selection : { nodes, edges };
}

function sameSet(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && [...a].every((id) => b.has(id));
}
