import type { Problem } from "../../core/graph/check.ts";
import type { Body, Definitions } from "../../core/graph/document.ts";
import { withoutFurniture } from "../../core/graph/furniture.ts";
import { NODE_SIZE, tidyLayout } from "../../core/graph/layout.ts";
import type { Shape } from "../../core/graph/shape.ts";
import { findLayer } from "../../core/layers/index.ts";
import type { Category } from "../../core/layers/kit.ts";
import { titleOf } from "./names.ts";
import { drawSilhouette } from "./silhouette.ts";

/** The inside of a zone or block as it is drawn on its node: a card for each layer, a pill for each input and output. */
export type InsideDrawing = {
  width: number;
  height: number;
  cards: {
    id: string;
    x: number;
    y: number;
    width: number;
    height: number;
    title: string;
    category: Category | null;
    severity: Problem["severity"] | null;
    isPort: boolean;
    goesRound: boolean;
  }[];
  wires: { id: string; path: string }[];
  /** Too many for cards with names: slabs, as in the small drawings of whole models. */
  small: boolean;
};

const CARD = { width: 108, height: 22 };
const PILL_HEIGHT = 16;
/** From one place of the tidy layout to its place here. */
const SCALE = { x: 122 / (NODE_SIZE.width + 56), y: 33 / (NODE_SIZE.height + 44) };
/** Above this the names could not be read. */
const MAX_CARDS = 14;
const SMALL_HEIGHT = 48;
/** The head of a node that stands open, the frame around a drawing, and the name of a body. */
const AROUND = { head: 30, frame: 28, role: 15 };

export type Asked = {
  definitions: Definitions | undefined;
  /** What goes round, where the body is that of a loop. */
  carries: readonly { input: string; output: string }[];
  shapeOf: (id: string) => Shape | null;
  severityOf: (id: string) => Problem["severity"] | undefined;
};

const layouts = new WeakMap<Body["nodes"], { edges: Body["edges"]; places: Map<string, { x: number; y: number }> }>();

/** The bodies of one node, with names where there is room for them on the canvas, else as slabs. */
export function drawInsides(drawn: readonly { body: Body; asked: Asked }[], room: number): InsideDrawing[] {
  const bodies = drawn.map(({ body, asked }) => ({ body: withoutFurniture(body), asked }));
  if (bodies.every(({ body }) => body.nodes.length <= MAX_CARDS)) {
    const named = bodies.map(({ body, asked }) => drawCards(body, asked));
    if (heightWith(named) <= room) return named;
  }
  return bodies.map(({ body, asked }) => drawSlabs(body, asked));
}

/** How high and wide a node is that shows these drawings side by side. */
export function heightWith(drawings: readonly InsideDrawing[]): number {
  return AROUND.head + AROUND.frame + (drawings.length > 1 ? AROUND.role : 0) + Math.max(0, ...drawings.map(({ height }) => height));
}

export function widthWith(drawings: readonly InsideDrawing[]): number {
  return Math.max(
    NODE_SIZE.width,
    drawings.reduce((sum, { width }) => sum + width + AROUND.frame, 14),
  );
}

function drawCards(body: Body, { definitions, carries, severityOf }: Asked): InsideDrawing {
  const places = tidy(body);
  const round = { input: new Set(carries.map(({ input }) => input)), output: new Set(carries.map(({ output }) => output)) };
  const left = Math.min(...[...places.values()].map(({ x }) => x), Infinity);
  const top = Math.min(...[...places.values()].map(({ y }) => y), Infinity);
  const cards = body.nodes.map((node): InsideDrawing["cards"][number] => {
    const layer = findLayer(node.type);
    const boundary = layer?.boundary;
    const title = boundary ? node.name?.trim() || boundary.name : titleOf(node, definitions);
    const at = places.get(node.id) ?? node.at;
    const middle = { x: (at.x - left) * SCALE.x + CARD.width / 2, y: (at.y - top) * SCALE.y + CARD.height / 2 };
    const goesRound = boundary !== undefined && boundary.kind !== "target" && round[boundary.kind].has(title);
    const width = boundary ? Math.min(CARD.width, Math.round(title.length * 6 + 14 + (goesRound ? 12 : 0))) : CARD.width;
    const height = boundary ? PILL_HEIGHT : CARD.height;
    return {
      id: node.id,
      x: Math.round(middle.x - width / 2),
      y: Math.round(middle.y - height / 2),
      width,
      height,
      title,
      category: layer?.category ?? null,
      severity: severityOf(node.id) ?? null,
      isPort: boundary !== undefined,
      goesRound,
    };
  });
  const byId = new Map(cards.map((card) => [card.id, card]));
  const wires = body.edges.flatMap(({ id, from, to }) => {
    const [a, b] = [byId.get(from.node), byId.get(to.node)];
    return a && b ? [{ id, path: wirePath(a, b) }] : [];
  });
  return { width: Math.max(CARD.width, ...cards.map(({ x, width }) => x + width)), height: Math.max(0, ...cards.map(({ y, height }) => y + height)), cards, wires, small: false };
}

type Box = { x: number; y: number; width: number; height: number };

function wirePath(a: Box, b: Box): string {
  const [x1, y1, x2, y2] = [a.x + a.width / 2, a.y + a.height, b.x + b.width / 2, b.y];
  if (Math.abs(x1 - x2) < 1 && y2 > y1) return `M${x1} ${y1}V${y2}`;
  const bend = Math.max(6, Math.min(24, Math.abs(y2 - y1) / 2));
  return `M${x1} ${y1}C${x1} ${y1 + bend} ${x2} ${y2 - bend} ${x2} ${y2}`;
}

function drawSlabs(body: Body, { shapeOf }: Asked): InsideDrawing {
  const size = { width: Math.min(216, Math.max(60, body.nodes.length * 14)), height: SMALL_HEIGHT };
  const { slabs, wires } = drawSilhouette(body, shapeOf, size);
  const categories = new Map(body.nodes.map((node) => [node.id, findLayer(node.type)?.category ?? null]));
  return {
    ...size,
    cards: slabs.map((slab) => ({ ...slab, title: "", category: categories.get(slab.id) ?? null, severity: null, isPort: false, goesRound: false })),
    wires: wires.map(({ id, path }) => ({ id, path })),
    small: true,
  };
}

function tidy(body: Body): Map<string, { x: number; y: number }> {
  const known = layouts.get(body.nodes);
  if (known?.edges === body.edges) return known.places;
  const places = tidyLayout(body);
  layouts.set(body.nodes, { edges: body.edges, places });
  return places;
}
