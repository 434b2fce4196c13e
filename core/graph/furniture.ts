import { type Params, p, readParams } from "../layers/params.ts";
import type { Body, Json, Node } from "./document.ts";
import { NODE_SIZE } from "./layout.ts";

/**
 * What stands on the canvas and computes nothing: notes and frames. They are nodes of the document, so that they are moved, copied,
 * undone and saved like all others, but of no layer: checks, training and exports pass them by. `at` is their upper left corner.
 */

export const FURNITURE_COLORS = ["yellow", "green", "blue", "pink", "plain"] as const;
export type FurnitureColor = (typeof FURNITURE_COLORS)[number];

/** The most letters on one note. */
export const NOTE_LETTERS = 4000;

const size = (of: "width" | "height", smallest: number, first: number) => p.int({ min: smallest, max: 4000, default: first, doc: `Its ${of} on the canvas, in pixels.` });
const color = p.choice({ options: FURNITURE_COLORS, default: "yellow", doc: "What it is drawn in." });

/** The parameters of each kind, by type. The title of a frame is the node's name. */
const KINDS = {
  note: {
    text: {
      ...p.code({ language: "expression", default: "", doc: "What it says: # headings, - lists, **bold**, *italic*, `code` and links." }),
      control: { kind: "text", placeholder: "" },
    },
    color,
    width: size("width", 96, 216),
    height: size("height", 48, 120),
  },
  frame: { color: { ...color, default: "plain" }, width: size("width", 120, 480), height: size("height", 80, 320) },
} as const satisfies { [type: string]: Params };

export type FurnitureType = keyof typeof KINDS;

/** A note or frame as it is drawn; parameters that cannot stand are their defaults. */
export type Furniture = { type: FurnitureType; text: string; color: FurnitureColor; width: number; height: number };

export function isFurniture({ type }: Pick<Node, "type">): boolean {
  return Object.hasOwn(KINDS, type);
}

/** A body as what it computes. */
export function withoutFurniture(body: Body): Body {
  return body.nodes.some(isFurniture) ? { nodes: body.nodes.filter((node) => !isFurniture(node)), edges: body.edges } : body;
}

/** The parameters of a kind of furniture; nothing for a type of layer. */
export function furnitureParams(type: string): Params | undefined {
  return Object.hasOwn(KINDS, type) ? KINDS[type as FurnitureType] : undefined;
}

export function readFurniture(node: Node): Furniture | null {
  const params = furnitureParams(node.type);
  if (!params) return null;
  const { text = "", ...drawn } = readParams(params, node.params).values as Omit<Furniture, "type">;
  return { type: node.type as FurnitureType, text, ...drawn };
}

type Point = { x: number; y: number };
type Size = { width: number; height: number };
export type Box = { left: number; top: number; right: number; bottom: number };
/** How large a node is drawn; furniture says it itself. */
export type SizeOf = (node: Node) => Size;

const plainSize: SizeOf = (node) => readFurniture(node) ?? NODE_SIZE;

/** Where a node is drawn: furniture from its corner, all else with its middle over that of a plain node. */
export function boxOf(node: Node, sizeOf: SizeOf = plainSize): Box {
  const own = readFurniture(node);
  const { width, height } = own ?? sizeOf(node);
  const left = own ? node.at.x : node.at.x - (width - NODE_SIZE.width) / 2;
  return { left, top: node.at.y, right: left + width, bottom: node.at.y + height };
}

/** The ids of what stands in a frame: all whose middle does, other frames where they do wholly. */
export function insideOf(body: Body, frame: Node, sizeOf?: SizeOf): string[] {
  const around = boxOf(frame);
  return body.nodes.flatMap((node) => {
    if (node.id === frame.id) return [];
    const box = boxOf(node, sizeOf);
    const [x, y] = [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
    const isIn =
      node.type === "frame"
        ? box.left >= around.left && box.right <= around.right && box.top >= around.top && box.bottom <= around.bottom && !isSameBox(box, around)
        : x >= around.left && x <= around.right && y >= around.top && y <= around.bottom;
    return isIn ? [node.id] : [];
  });
}

/** These nodes, and all that stand in the frames among them. */
export function withInside(body: Body, ids: Iterable<string>, sizeOf?: SizeOf): Set<string> {
  const all = new Set(ids);
  for (const node of body.nodes) if (node.type === "frame" && all.has(node.id)) for (const id of insideOf(body, node, sizeOf)) all.add(id);
  return all;
}

/** These new places, and those of what moves along with the frames among them. */
export function carryInside(body: Body, places: ReadonlyMap<string, Point>, sizeOf?: SizeOf): Map<string, Point> {
  const all = new Map(places);
  const nodes = new Map(body.nodes.map((node) => [node.id, node]));
  for (const [id, to] of places) {
    const frame = nodes.get(id);
    if (frame?.type !== "frame") continue;
    for (const inner of insideOf(body, frame, sizeOf)) {
      const at = nodes.get(inner)?.at;
      if (at && !places.has(inner)) all.set(inner, { x: at.x + to.x - frame.at.x, y: at.y + to.y - frame.at.y });
    }
  }
  return all;
}

/** Room between a frame and what it is drawn around, above that for its title; two fit between a node and the next below it. */
const FRAME = { beside: 20, above: 32, below: 10 };

/** Where and how large a frame is that holds these boxes. */
export function frameAround(boxes: readonly Box[]): { at: Point; width: number; height: number } {
  const left = Math.min(...boxes.map((box) => box.left)) - FRAME.beside;
  const top = Math.min(...boxes.map((box) => box.top)) - FRAME.above;
  const right = Math.max(...boxes.map((box) => box.right)) + FRAME.beside;
  const bottom = Math.max(...boxes.map((box) => box.bottom)) + FRAME.below;
  return { at: { x: Math.round(left), y: Math.round(top) }, width: Math.round(right - left), height: Math.round(bottom - top) };
}

/** After nodes were brought to other places: frames around what they held, and notes beside the node they were nearest to. */
export function follow(body: Body, places: ReadonlyMap<string, Point>, sizeOf: SizeOf = plainSize): { places: Map<string, Point>; params: Map<string, { [name: string]: Json }> } {
  const moved = new Map(places);
  const params = new Map<string, { [name: string]: Json }>();
  const solid = body.nodes.filter((node) => !isFurniture(node));
  for (const note of body.nodes) {
    if (note.type !== "note" || places.has(note.id)) continue;
    const near = solid.reduce<{ node: Node; far: number } | null>((best, node) => {
      const far = distance(boxOf(note), boxOf(node, sizeOf));
      return !best || far < best.far ? { node, far } : best;
    }, null)?.node;
    const to = near && places.get(near.id);
    if (near && to) moved.set(note.id, { x: note.at.x + to.x - near.at.x, y: note.at.y + to.y - near.at.y });
  }
  const boxAt = (node: Node): Box => boxOf({ ...node, at: moved.get(node.id) ?? node.at, params: { ...node.params, ...params.get(node.id) } }, sizeOf);
  // The innermost first, so that those around them hold them as they are then.
  const frames = body.nodes.filter(({ type }) => type === "frame").map((frame) => ({ frame, inside: insideOf(body, frame, sizeOf) }));
  for (const { frame, inside } of frames.sort((a, b) => a.inside.length - b.inside.length)) {
    const held = body.nodes.filter(({ id }) => inside.includes(id));
    if (held.length === 0) continue;
    const { at, ...drawn } = frameAround(held.map(boxAt));
    moved.set(frame.id, at);
    params.set(frame.id, drawn);
  }
  return { places: moved, params };
}

function isSameBox(a: Box, b: Box): boolean {
  return a.left === b.left && a.right === b.right && a.top === b.top && a.bottom === b.bottom;
}

/** Between the nearest sides. */
function distance(a: Box, b: Box): number {
  return Math.hypot(Math.max(0, a.left - b.right, b.left - a.right), Math.max(0, a.top - b.bottom, b.top - a.bottom));
}
