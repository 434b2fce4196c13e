import { whyNotBypass } from "../../core/graph/bypass.ts";
import type { Json } from "../../core/graph/document.ts";
import * as core from "../../core/graph/edit.ts";
import { boxOf, type FurnitureColor, frameAround, furnitureParams, isFurniture } from "../../core/graph/furniture.ts";
import { NODE_SIZE } from "../../core/graph/layout.ts";
import { pathOf } from "../../core/graph/path.ts";
import { say } from "../../core/language/say.ts";
import { findLayer } from "../../core/layers/index.ts";
import { notify } from "../ui/Notices.tsx";
import { here, insertLayer, only } from "./edits.ts";
import { measured } from "./measured.ts";
import { edit } from "./useGraph.ts";
import { type Point, useStudio } from "./useStudio.ts";

/** What people do with notes, frames, dots on wires and bypasses, each one step of the history. */

/** Puts an empty note where one is looking, ready to be written on. */
export function addNote(): void {
  const { scope, body } = here();
  const id = core.freshId(body, "note");
  const { x, y } = useStudio.getState().canvas?.center() ?? { x: 0, y: 0 };
  edit((graph) => core.addNode(graph, { type: "note", id, at: { x: Math.round(x - 108), y: Math.round(y - 60) } }, scope), { select: only([id]) });
  useStudio.setState({ renaming: id });
}

/** Draws a frame around the selected nodes, or an empty one where one is looking, and asks for its title. */
export function addFrame(): void {
  const { scope, body, selection } = here();
  const held = body.nodes.filter((node) => selection.nodes.has(node.id));
  const id = core.freshId(body, "frame");
  const { x, y } = useStudio.getState().canvas?.center() ?? { x: 0, y: 0 };
  const { at, ...size } = held.length > 0 ? frameAround(held.map((node) => boxOf(node, measured.sizeOf))) : { at: { x: Math.round(x - 240), y: Math.round(y - 120) } };
  edit((graph) => core.addNode(graph, { type: "frame", id, at, params: size }, scope), { select: only([id]) });
  useStudio.setState({ renaming: id });
}

/** Sets what a note or frame is drawn with. */
export function setFurniture(id: string, patch: { [name: string]: Json }): void {
  const { scope } = here();
  edit((graph) => core.setParams(graph, id, patch, scope), { coalesce: `furniture ${pathOf(scope, id)} ${Object.keys(patch).join(" ")}` });
}

/** Paints the notes and frames that are selected. */
export function paintSelection(color: FurnitureColor): void {
  const { scope, body, selection } = here();
  const ids = body.nodes.filter((node) => selection.nodes.has(node.id) && furnitureParams(node.type)).map(({ id }) => id);
  edit((graph) => ids.reduce((next, id) => core.setParams(next, id, { color }, scope), graph));
}

/** Puts a dot on a wire, in the middle of it or at a point. */
export function addDot(wire: string, at?: Point): void {
  const { body } = here();
  const edge = body.edges.find(({ id }) => id === wire);
  const source = body.nodes.find(({ id }) => id === edge?.from.node);
  const target = body.nodes.find(({ id }) => id === edge?.to.node);
  const dot = findLayer("reroute");
  if (!source || !target || !dot) return;
  const from = boxOf(source, measured.sizeOf);
  const middle = { x: (source.at.x + target.at.x + NODE_SIZE.width) / 2, y: (from.bottom + target.at.y) / 2 };
  const { x, y } = at ?? middle;
  insertLayer(dot, wire, { x: Math.round(x - NODE_SIZE.width / 2), y: Math.round(y - 8) });
}

/** Ends the bypass of a node. */
export function restoreNode(id: string): void {
  const { scope } = here();
  edit((graph) => core.setBypass(graph, [id], false, scope));
}

/** Bypasses the selected nodes; brings them back where all that can be are bypassed. Says why where none can. */
export function bypassSelection(): void {
  const { scope, body, selection } = here();
  const nodes = body.nodes.filter((node) => selection.nodes.has(node.id) && !isFurniture(node));
  const able = nodes.filter((node) => node.bypass || whyNotBypass(node) === null);
  if (able.length === 0) {
    const [first] = nodes;
    notify((first && whyNotBypass(first)) ?? say("Only layers can be bypassed."));
    return;
  }
  const restore = able.every((node) => node.bypass);
  edit((graph) =>
    core.setBypass(
      graph,
      able.map(({ id }) => id),
      !restore,
      scope,
    ),
  );
}
