import type { Checked } from "../../core/graph/check.ts";
import type { Body } from "../../core/graph/document.ts";
import type { End } from "../../core/graph/edit.ts";
import { pathOf } from "../../core/graph/path.ts";
import { say } from "../../core/language/say.ts";
import { findLayer } from "../../core/layers/index.ts";
import { acceptedDtypes, accepts, portsOf } from "../../core/layers/kit.ts";
import { currentChecked } from "./checked.ts";
import { bodyAt, type Scope, useGraph } from "./useGraph.ts";

/** Why a wire cannot run from this output to this input, or null where it can. An input that has a wire already changes it for the new one. */
export function refuseWire(body: Body, scope: Scope, checked: Checked, from: End, to: End): string | null {
  const source = body.nodes.find((node) => node.id === from.node);
  const target = body.nodes.find((node) => node.id === to.node);
  const layer = target && findLayer(target.type);
  const port = layer && portsOf(layer, target).inputs[to.port];
  if (!source || !target || !port) return say("There is no such input.");
  if (body.edges.some((edge) => edge.from.node === from.node && edge.from.port === from.port && edge.to.node === to.node && edge.to.port === to.port))
    return say("This wire is there already.");
  if (reaches(body, to.node, from.node)) return say("Data flows one way: this wire would close a loop.");
  const type = checked.types.get(pathOf(scope, from.node))?.outputs[from.port];
  if (type && !accepts(port, type.dtype)) return say("Input {port} takes {port2}, and this is {dtype}.", { port: to.port, port2: acceptedDtypes(port), dtype: type.dtype });
  return null;
}

/** Whether wires lead from one node to another, or the two are one. */
export function reaches(body: Body, from: string, to: string): boolean {
  const next = new Map<string, string[]>();
  for (const edge of body.edges) next.set(edge.from.node, [...(next.get(edge.from.node) ?? []), edge.to.node]);
  const seen = new Set<string>();
  const open = [from];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (id === to) return true;
    if (seen.has(id)) continue;
    seen.add(id);
    open.push(...(next.get(id) ?? []));
  }
  return false;
}

/** `refuseWire` for the body on the canvas. */
export function canConnect(from: End, to: End): string | null {
  const { graph, scope } = useGraph.getState();
  return refuseWire(bodyAt(graph, scope), scope, currentChecked(), from, to);
}

/**
 * The input of a node that a wire let go over it means: the first that is free and takes it, else the first that takes it.
 * Null where none does.
 */
export function pickInput(body: Body, scope: Scope, checked: Checked, from: End, node: string): string | null {
  const target = body.nodes.find((n) => n.id === node);
  const layer = target && findLayer(target.type);
  if (!layer) return null;
  const open = Object.entries(portsOf(layer, target).inputs).filter(([port]) => refuseWire(body, scope, checked, from, { node, port }) === null);
  const free = open.find(([port, { many }]) => many || !body.edges.some((edge) => edge.to.node === node && edge.to.port === port));
  return (free ?? open[0])?.[0] ?? null;
}
