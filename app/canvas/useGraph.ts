"use client";

import { create } from "zustand";
import { settle } from "../../core/graph/definitions.ts";
import { type Body, emptyGraph, type Graph } from "../../core/graph/document.ts";
import { bodyAt as findBody } from "../../core/graph/edit.ts";
import type { BodyStep } from "../../core/graph/path.ts";
import { type Patch, SharedGraph } from "../../core/graph/shared.ts";
import { say } from "../../core/language/say.ts";
import { notify } from "../ui/Notices.tsx";
import { HISTORY_LIMIT, type History, keepHistory } from "./history.ts";

/** The way from the model's own canvas into a body: a zone's node and which of its bodies, outermost first. Empty: the model itself. */
export type Scope = readonly BodyStep[];

/** What is selected, by ids of the body that is on the canvas. */
export type Selection = { nodes: ReadonlySet<string>; edges: ReadonlySet<string> };

export const nothing: Selection = { nodes: new Set(), edges: new Set() };

/**
 * One step of the history: what it did to the document, and where one was. `before` and `after` are the graphs around it, known until the
 * page is left; they share what did not change, so a thousand of them are small.
 */
export type Step = { patch: Patch; scope: Scope; selection: Selection; before?: Graph; after?: Graph };

/** Keystrokes in one field, or nudges of one selection, that follow each other within this time are one step. */
const COALESCE_MS = 1500;

type GraphState = {
  graph: Graph;
  scope: Scope;
  selection: Selection;
  /** Which model this is; null before one is opened. */
  modelId: string | null;
  past: readonly Step[];
  future: readonly Step[];
  /** What the last edit was, for joining the next one to it. */
  lastEdit: { key: string; atMs: number } | null;
};

/** The document on the canvas, with its history. Everything that draws the graph reads it here; `edit` is the only way to change it. */
export const useGraph = create<GraphState>(() => ({ modelId: null, graph: emptyGraph, scope: [], selection: nothing, past: [], future: [], lastEdit: null }));

/** What is edited, by this person and others. */
let shared = SharedGraph.of(emptyGraph);
let stopFollowing = () => {};

/** Puts another document on the canvas that nobody else has, with an empty history. */
export function openGraph(modelId: string, graph: Graph): void {
  openShared(modelId, SharedGraph.of(graph), { past: [], future: [] });
}

/** Puts a document on the canvas, and follows what others do to it. */
export function openShared(modelId: string, document: SharedGraph, { past, future }: History): void {
  stopFollowing();
  shared = document;
  useGraph.setState({ modelId, graph: document.graph, scope: [], selection: nothing, past, future, lastEdit: null });
  stopFollowing = document.onChange((graph) => {
    const { scope, selection } = useGraph.getState();
    const reached = reachable(graph, scope);
    useGraph.setState({ graph, scope: reached, selection: prune(bodyAt(graph, reached), selection), lastEdit: null });
  });
}

let readOnly = false;
/** Whether edits are refused here already: a viewer's would be refused by the server. */
export function setReadOnly(value: boolean): void {
  readOnly = value;
}

/**
 * Applies one edit as one step of the history. Edits with the same `coalesce` key that follow each other closely are one step;
 * an edit that changes nothing is none. `select` is selected afterwards; otherwise the selection stays, less what is gone.
 */
export function edit(change: (graph: Graph) => Graph, options: { coalesce?: string; select?: Selection; nowMs?: number } = {}): void {
  if (readOnly) {
    notify(say("You may look at this model. Ask an admin for the role member to change it."));
    return;
  }
  const state = useGraph.getState();
  const changed = change(state.graph);
  if (changed === state.graph) return;
  const nowMs = options.nowMs ?? Date.now();
  const last = state.past.at(-1);
  const joined = options.coalesce !== undefined && state.lastEdit?.key === options.coalesce && nowMs - state.lastEdit.atMs < COALESCE_MS ? last : undefined;
  // An edit inside a block that is used several times is an edit of all of them; one step of the history is one version.
  const graph = settle(state.graph, changed, joined?.before ?? state.graph);
  const patch = shared.change(graph);
  const step: Step = joined
    ? { ...joined, patch: joinPatches(joined.patch, patch), after: graph }
    : { patch, scope: state.scope, selection: state.selection, before: state.graph, after: graph };
  const past = [...(joined ? state.past.slice(0, -1) : state.past.slice(-(HISTORY_LIMIT - 1))), step];
  const scope = reachable(graph, state.scope);
  useGraph.setState({
    graph,
    scope,
    past,
    future: [],
    lastEdit: options.coalesce === undefined ? null : { key: options.coalesce, atMs: nowMs },
    selection: prune(bodyAt(graph, scope), options.select ?? state.selection),
  });
  keep();
}

/** Takes back one's own last step; what others have made of the same things since stays as they made it. */
export function undo(): void {
  step("past", "future");
}

export function redo(): void {
  step("future", "past");
}

function step(from: "past" | "future", to: "past" | "future"): void {
  const { graph, scope, selection, ...lists } = useGraph.getState();
  const steps = [...lists[from]];
  for (let last = steps.pop(); last; last = steps.pop()) {
    const patch = shared.revert(last.patch, graph === last.after ? last.before : undefined);
    // Others have changed everything that it did: the one before it is meant.
    if (Object.keys(patch).length === 0) continue;
    const now = shared.graph;
    const reached = reachable(now, last.scope);
    const taken: Step = { patch, scope, selection, before: graph, after: now };
    const both = { past: lists.past, future: lists.future, [from]: steps, [to]: [...lists[to], taken] };
    useGraph.setState({ ...both, graph: now, scope: reached, selection: prune(bodyAt(now, reached), last.selection), lastEdit: null });
    keep();
    return;
  }
  useGraph.setState({ [from]: [], lastEdit: null });
}

function keep(): void {
  const { modelId, past, future } = useGraph.getState();
  if (modelId !== null && shared.epoch !== "") keepHistory(modelId, shared.epoch, { past, future });
}

function joinPatches(first: Patch, second: Patch): Patch {
  const joined = { ...first };
  for (const [entry, { before, after }] of Object.entries(second)) {
    const start = Object.hasOwn(first, entry) ? first[entry]?.before : before;
    joined[entry] = { ...(start === undefined ? {} : { before: start }), ...(after === undefined ? {} : { after }) };
  }
  return joined;
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
