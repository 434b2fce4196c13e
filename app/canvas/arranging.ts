import { alignBoxes, type Box, detachNodes, distributeBoxes, incomingOf, insertNode, type Side, type SnapLine, snapBox, wireLikeOriginals } from "../../core/graph/arrange.ts";
import * as defs from "../../core/graph/definitions.ts";
import type { Node } from "../../core/graph/document.ts";
import * as core from "../../core/graph/edit.ts";
import { isFurniture, withInside } from "../../core/graph/furniture.ts";
import { printCount } from "../../core/language/numbers.ts";
import { say } from "../../core/language/say.ts";
import { findLayer } from "../../core/layers/index.ts";
import { portsOf } from "../../core/layers/kit.ts";
import { notify } from "../ui/Notices.tsx";
import { saveText } from "../ui/saveFile.ts";
import { printClip, readClip } from "./clip.ts";
import { here, moveNodes, newDefinitionId, only, pushDown } from "./edits.ts";
import { LINK_LETTERS, linkTo } from "./link.ts";
import { measured } from "./measured.ts";
import { edit } from "./useGraph.ts";
import { type Point, useStudio } from "./useStudio.ts";

/** Order among nodes: sides and gaps, in and out of wires, copies with their wires. */

/** So near, in pixels of the screen, a dragged node is drawn to a line. */
const SNAP_REACH = 6;

function boxOf(node: Node): Box {
  const { x, y } = measured.cornerOf(node);
  return { id: node.id, left: x, top: y, ...measured.sizeOf(node) };
}

const selectedNodes = (): Node[] => {
  const { body, selection } = here();
  return body.nodes.filter(({ id }) => selection.nodes.has(id));
};

/** Brings new corners back to the places of the document. */
function moveCorners(nodes: readonly Node[], corners: ReadonlyMap<string, { left: number; top: number }>): void {
  const places = new Map<string, Point>();
  for (const node of nodes) {
    const corner = corners.get(node.id);
    const now = measured.cornerOf(node);
    if (corner) places.set(node.id, { x: node.at.x + corner.left - now.x, y: node.at.y + corner.top - now.y });
  }
  if (places.size > 0) moveNodes(places);
}

export function alignSelection(side: Side): void {
  const nodes = selectedNodes();
  moveCorners(nodes, alignBoxes(nodes.map(boxOf), side));
}

export function distributeSelection(axis: "x" | "y"): void {
  const nodes = selectedNodes();
  moveCorners(nodes, distributeBoxes(nodes.map(boxOf), axis));
}

/** Pins what is selected, or lets go of it where all of it is pinned. */
export function pinSelection(): void {
  const { scope } = here();
  const nodes = selectedNodes().filter((node) => !isFurniture(node));
  const pinned = !nodes.every((node) => node.pinned);
  edit((graph) => core.pinNodes(graph, new Set(nodes.map(({ id }) => id)), pinned, scope));
  notify(pinned ? say("Pinned: tidying up leaves it where it is.") : say("No longer pinned."));
}

/** Takes what is selected out of its wires. */
export function detachSelection(): void {
  detach(here().selection.nodes);
}

export function detach(ids: ReadonlySet<string>): void {
  const { scope } = here();
  edit((graph) => detachNodes(graph, ids, scope));
}

/** Whether no wire leads to a node or from it: only such a one sits down in a wire that it is let go over. */
export function isLoose(id: string): boolean {
  return !here().body.edges.some(({ from, to }) => from.node === id || to.node === id);
}

/** Puts a node into the wire that it was let go over, between its ends. False where it cannot sit there. */
export function insertInto(wire: string, id: string): boolean {
  const { scope, body, graph } = here();
  const node = body.nodes.find((one) => one.id === id);
  const layer = node && findLayer(node.type);
  if (!layer) return false;
  const { inputs, outputs } = portsOf(layer, node);
  const [[input] = [], [output] = []] = [Object.keys(inputs), Object.keys(outputs)];
  if (input === undefined || output === undefined) return false;
  const edge = body.edges.find((one) => one.id === wire);
  const [above, below] = [edge?.from.node, edge?.to.node].map((end) => body.nodes.find((one) => one.id === end));
  const inserted = insertNode(graph, wire, id, { input, output }, scope);
  if (inserted === graph || !above || !below) return false;
  const at = { x: below.at.x, y: Math.max(Math.round((above.at.y + below.at.y) / 2), above.at.y + measured.sizeOf(above).height + 44) };
  edit(() => pushDown(core.moveNodes(inserted, new Map([[id, at]]), scope), scope, id));
  return true;
}

/** Pastes what was copied, fed by what feeds the originals. */
export function pasteWithWires(): void {
  const clip = readClip();
  if (!clip) return;
  const { graph, scope } = here();
  const left = Math.min(...clip.nodes.map((node) => node.at.x));
  const top = Math.min(...clip.nodes.map((node) => node.at.y));
  const adopted = defs.adoptDefinitions(graph, clip, scope, newDefinitionId);
  const pasted = core.paste(adopted.graph, adopted.clip, { x: left + 240, y: top }, scope);
  const copies = new Map(clip.nodes.map(({ id }, index) => [id, pasted.ids[index] ?? ""]));
  edit(() => wireLikeOriginals(pasted.graph, clip.outside ?? [], copies, scope), { select: only(pasted.ids) });
}

/** What is selected as a file, that another model takes by pasting its text or dropping it on the canvas. */
export function exportSelection(): void {
  const { graph, scope, selection, body } = here();
  const ids = withInside(body, selection.nodes, measured.sizeOf);
  const clip = defs.withDefinitions(graph, core.copy(graph, ids, scope));
  const name =
    useStudio
      .getState()
      .name.replaceAll(/[^\w-]+/g, "-")
      .toLowerCase() || "model";
  saveText(`${name}-selection.json`, printClip({ ...clip, outside: incomingOf(body, ids) }));
  notify(say("Saved as a file. Drop it on a canvas, or paste its text there."));
}

/** Puts a link on the clipboard that holds the whole graph; whoever opens it gets a copy. */
export async function copyLink(): Promise<void> {
  const made = await linkTo(here().graph, useStudio.getState().name, location.origin);
  if (!("link" in made)) {
    notify(
      say("This graph takes {letters} letters, and a link that everything passes on has at most {LINK_LETTERS}. Save the selection as a file instead.", {
        letters: printCount(made.letters),
        LINK_LETTERS: printCount(LINK_LETTERS),
      }),
    );
    return;
  }
  try {
    await navigator.clipboard.writeText(made.link);
    notify(say("The link is on your clipboard. Whoever opens it gets a copy of this graph, without data and weights."));
  } catch {
    notify(say("The browser did not allow the clipboard; open this page over https or on localhost."), { tone: "bad" });
  }
}

/** While nodes are dragged: how far they are drawn to a line that others stand on, and those lines. */
export function snapDragged(moves: ReadonlyMap<string, Point>, zoom: number): { moves: ReadonlyMap<string, Point>; lines: SnapLine[] } {
  const { body } = here();
  const boxes = body.nodes.filter((node) => moves.has(node.id) && !isFurniture(node)).map((node) => boxOf({ ...node, at: moves.get(node.id) ?? node.at }));
  // Frames have sides of their own, and of thousands of nodes no line says anything.
  if (boxes.length === 0 || boxes.length > 50 || body.nodes.length > 400) return { moves, lines: [] };
  const left = Math.min(...boxes.map((box) => box.left));
  const top = Math.min(...boxes.map((box) => box.top));
  const whole = {
    id: "",
    left,
    top,
    width: Math.max(...boxes.map((box) => box.left + box.width)) - left,
    height: Math.max(...boxes.map((box) => box.top + box.height)) - top,
  };
  const others = body.nodes.filter((node) => !moves.has(node.id) && !isFurniture(node)).map(boxOf);
  const { by, lines } = snapBox(whole, others, SNAP_REACH / zoom);
  if (by.x === 0 && by.y === 0) return { moves, lines };
  return { moves: new Map([...moves].map(([id, at]) => [id, { x: Math.round(at.x + by.x), y: Math.round(at.y + by.y) }])), lines };
}

/** So many turns back and forth within this time are a shake. */
const SHAKE_TURNS = 4;
const SHAKE_MS = 700;
/** Shorter ways are a trembling hand, in pixels. */
const SHAKE_WAY = 24;

/** Tells a shake from a drag: fed with where the pointer is, it says when somebody shakes. */
export function shakeTeller(): (x: number, nowMs: number) => boolean {
  let turnX: number | null = null;
  let direction = 0;
  let turns: number[] = [];
  return (x, nowMs) => {
    if (turnX === null) turnX = x;
    const way = x - turnX;
    if (Math.abs(way) < SHAKE_WAY) return false;
    if (direction !== 0 && Math.sign(way) !== direction) turns = [...turns.filter((atMs) => nowMs - atMs < SHAKE_MS), nowMs];
    direction = Math.sign(way);
    turnX = x;
    if (turns.length < SHAKE_TURNS) return false;
    turns = [];
    return true;
  };
}
