"use client";

import { useStoreApi, ViewportPortal } from "@xyflow/react";
import { type RefObject, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import type { Glow } from "../../core/training/look.ts";
import { useTheme } from "../ui/theme.ts";
import { categoryColor } from "./categories.ts";
import { type Box, type PaintedWire, type Picture, shiftsOf, wayOf } from "./overview.ts";
import { usePulse } from "./pulse/usePulse.ts";
import type { Point } from "./useStudio.ts";

/** So much of the screen is painted beyond each side, so that a push of the view shows what is there already. */
const BEYOND = 0.5;
/** Pictures larger than this at a side are painted coarser. */
const MOST_PIXELS = 4096;
/** Names are painted from this zoom on; below it they are dust. */
const NAMES_ZOOM = 0.28;

type Area = Box & { scale: number };
type Selection = { nodes: ReadonlySet<string>; edges: ReadonlySet<string> };

/**
 * A large body seen from far, painted as one picture that the browser pushes about with the view. What is being dragged is drawn over it, so that a frame
 * of a drag costs as little as the nodes that move.
 */
export function Overview({ picture, dragged, selection }: { picture: Picture; dragged: ReadonlyMap<string, Point> | null; selection: Selection }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const area = useArea(picture.bounds);
  const glow = usePulse((s) => s.glow);
  const colors = useColors(canvas);
  // Which nodes move changes once a drag; where they are, every frame.
  const moving = dragged ? [...dragged.keys()].join(" ") : "";
  const leave = useMemo<ReadonlySet<string>>(() => new Set(moving === "" ? [] : moving.split(" ")), [moving]);
  useLayoutEffect(() => {
    const board = canvas.current;
    const pen = board?.getContext("2d");
    if (!board || !pen || !area || !colors) return;
    board.width = Math.max(1, Math.round(area.width * area.scale));
    board.height = Math.max(1, Math.round(area.height * area.scale));
    pen.setTransform(area.scale, 0, 0, area.scale, -area.left * area.scale, -area.top * area.scale);
    paint(pen, picture, { area, selection, glow, colors, leave });
    board.dataset.painted = String(picture.nodes.size);
  }, [picture, selection, glow, colors, area, leave]);
  return (
    <ViewportPortal>
      <canvas
        ref={canvas}
        aria-hidden
        className="overview pointer-events-none absolute top-0 left-0 -z-1"
        style={area ? { width: area.width, height: area.height, transform: `translate(${area.left}px, ${area.top}px)` } : { width: 0, height: 0 }}
      />
      {dragged && <Dragged picture={picture} dragged={dragged} leave={leave} />}
    </ViewportPortal>
  );
}

/** The nodes that are being dragged and the wires that follow them. */
function Dragged({ picture, dragged, leave }: { picture: Picture; dragged: ReadonlyMap<string, Point>; leave: ReadonlySet<string> }) {
  const wires = useMemo(() => picture.wires.filter(({ view }) => leave.has(view.from) || leave.has(view.to)), [picture, leave]);
  const shifts = shiftsOf(picture, dragged);
  const shift = (at: Point, by: Point | undefined) => (by ? { x: at.x + by.x, y: at.y + by.y } : at);
  const boxes = [...shifts].flatMap(([id, by]) => {
    const box = picture.nodes.get(id)?.box;
    return box ? [`M${box.left + by.x} ${box.top + by.y}h${box.width}v${box.height}h${-box.width}z`] : [];
  });
  return (
    <svg aria-hidden className="pointer-events-none absolute top-0 left-0 -z-1 overflow-visible" width="1" height="1">
      <path
        d={wires.map(({ view, from, to }) => printWay({ from: shift(from, shifts.get(view.from)), to: shift(to, shifts.get(view.to)) })).join("")}
        fill="none"
        stroke="var(--line2)"
        strokeWidth="1.5"
      />
      <path d={boxes.join("")} fill="var(--raise)" stroke="var(--accent)" strokeWidth="2" />
    </svg>
  );
}

const printWay = (wire: Pick<PaintedWire, "from" | "to">) => `M${wayOf(wire).map(({ x, y }) => `${x} ${y}`).join("L")}`; // biome-ignore format: one line

/** The part of the drawing that is painted: what is seen and more around it; another one when the view leaves it or comes much nearer. */
function useArea(bounds: Box): Area | null {
  const store = useStoreApi();
  const [area, setArea] = useState<Area | null>(null);
  const last = useRef<{ area: Area; zoom: number; bounds: Box } | null>(null);
  const look = useCallback(
    (isSettled: boolean) => {
      const { transform, width, height } = store.getState();
      const [x, y, zoom] = transform;
      if (width === 0) return;
      const seen = clip({ left: -x / zoom, top: -y / zoom, width: width / zoom, height: height / zoom }, bounds);
      const before = last.current;
      const sharp = before && (isSettled ? before.zoom === zoom : zoom / before.zoom < 2);
      if (before && sharp && before.bounds === bounds && holds(before.area, seen)) return;
      const wide = clip({ left: seen.left - (width * BEYOND) / zoom, top: seen.top - (height * BEYOND) / zoom, width: seen.width + (2 * width * BEYOND) / zoom, height: seen.height + (2 * height * BEYOND) / zoom }, bounds); // biome-ignore format: one line
      const scale = Math.min(zoom * Math.min(2, window.devicePixelRatio), MOST_PIXELS / Math.max(1, wide.width), MOST_PIXELS / Math.max(1, wide.height));
      const next = { ...wide, scale };
      last.current = { area: next, zoom, bounds };
      setArea(next);
    },
    [store, bounds],
  );
  useLayoutEffect(() => look(true), [look]);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let before = store.getState().transform;
    const stop = store.subscribe(({ transform }) => {
      if (transform === before) return;
      before = transform;
      look(false);
      // Sharp again once it rests.
      clearTimeout(timer);
      timer = setTimeout(() => look(true), 120);
    });
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, [store, look]);
  return area;
}

/** As much of `box` as a drawing fills, with room for its borders. */
function clip(box: Box, bounds: Box): Box {
  const left = Math.max(box.left, bounds.left - 16);
  const top = Math.max(box.top, bounds.top - 16);
  const right = Math.min(box.left + box.width, bounds.left + bounds.width + 16);
  const bottom = Math.min(box.top + box.height, bounds.top + bounds.height + 16);
  return { left, top, width: Math.max(0, right - left), height: Math.max(0, bottom - top) };
}

function holds(outer: Box, inner: Box): boolean {
  return inner.left >= outer.left && inner.top >= outer.top && inner.left + inner.width <= outer.left + outer.width && inner.top + inner.height <= outer.top + outer.height;
}

type Colors = { of: (value: string) => string };

/** Colours of the theme as the picture needs them: a canvas knows no variables. */
function useColors(canvas: RefObject<HTMLCanvasElement | null>): Colors | null {
  const theme = useTheme();
  const [dark, setDark] = useState(false);
  const [colors, setColors] = useState<Colors | null>(null);
  useEffect(() => {
    const query = matchMedia("(prefers-color-scheme: dark)");
    const listen = () => setDark(query.matches);
    listen();
    query.addEventListener("change", listen);
    return () => query.removeEventListener("change", listen);
  }, []);
  useLayoutEffect(() => {
    // Whatever the theme became, every colour is asked anew.
    void [theme, dark];
    const known = new Map<string, string>();
    setColors({
      of(value) {
        const before = known.get(value);
        if (before !== undefined) return before;
        const board = canvas.current;
        if (!board) return "gray";
        board.style.color = value;
        const color = getComputedStyle(board).color;
        known.set(value, color);
        return color;
      },
    });
  }, [theme, dark, canvas]);
  return colors;
}

type How = { area: Area; selection: Selection; glow: Glow; colors: Colors; leave: ReadonlySet<string> };

function paint(pen: CanvasRenderingContext2D, { nodes, wires }: Picture, { area, selection, glow, colors, leave }: How): void {
  const seen = (left: number, top: number, right: number, bottom: number) =>
    right >= area.left && bottom >= area.top && left <= area.left + area.width && top <= area.top + area.height;
  // One stroke for all wires of a kind: a stroke each would take ten times as long.
  const kinds = [
    { stroke: "var(--line2)", width: 1.5, dash: [], of: ({ view }: PaintedWire) => !view.bad && !selection.edges.has(view.id) },
    { stroke: "var(--bad)", width: 1.5, dash: [5, 4], of: ({ view }: PaintedWire) => view.bad },
    { stroke: "var(--accent)", width: 2, dash: [], of: ({ view }: PaintedWire) => selection.edges.has(view.id) },
  ];
  for (const { stroke, width, dash, of } of kinds) {
    pen.beginPath();
    for (const wire of wires) {
      if (!of(wire) || leave.has(wire.view.from) || leave.has(wire.view.to)) continue;
      const [{ x: ax, y: ay }, { x: bx, y: by }] = [wire.from, wire.to];
      if (!seen(Math.min(ax, bx), Math.min(ay, by) - 16, Math.max(ax, bx), Math.max(ay, by) + 16)) continue;
      for (const [i, { x, y }] of wayOf(wire).entries()) i === 0 ? pen.moveTo(x, y) : pen.lineTo(x, y);
    }
    pen.setLineDash(dash);
    pen.lineWidth = Math.max(width, 0.6 / area.scale);
    pen.strokeStyle = colors.of(stroke);
    pen.stroke();
  }
  pen.setLineDash([]);
  const named = area.scale >= NAMES_ZOOM;
  pen.font = '600 13px "Inter Variable", system-ui, sans-serif';
  pen.textBaseline = "middle";
  for (const [id, { view, box }] of nodes) {
    const { left, top, width, height } = box;
    if (leave.has(id) || !seen(left, top, left + width, top + height)) continue;
    const one = glow.get(id);
    const isSelected = selection.nodes.has(id);
    pen.beginPath();
    pen.roundRect(left, top, width, height, 8);
    pen.fillStyle = colors.of(one ? `color-mix(in srgb, var(--${one.remark ? "warn" : "glow"}) ${Math.round(15 + 60 * one.level)}%, var(--raise))` : "var(--raise)");
    pen.fill();
    const border = isSelected ? "var(--accent)" : view.severity === "error" ? "var(--bad)" : view.severity === "hint" ? "var(--warn)" : "var(--line2)";
    pen.lineWidth = Math.max(isSelected || view.severity ? 3 : 1, (isSelected || view.severity ? 1.5 : 0.6) / area.scale);
    pen.strokeStyle = colors.of(border);
    pen.stroke();
    pen.fillStyle = colors.of(categoryColor(view.category));
    pen.fillRect(left + 5, top + 7, Math.max(3, 1 / area.scale), Math.max(1, height - 14));
    if (!named || view.dot) continue;
    pen.fillStyle = colors.of("var(--ink)");
    pen.fillText(fit(pen, view.title, width - 30), left + 15, top + Math.min(height / 2, 18));
  }
}

/** As much of a text as there is room for. */
function fit(pen: CanvasRenderingContext2D, text: string, width: number): string {
  if (text.length * 6 < width || pen.measureText(text).width <= width) return text;
  let end = text.length - 1;
  while (end > 1 && pen.measureText(`${text.slice(0, end)}…`).width > width) end--;
  return `${text.slice(0, end)}…`;
}
