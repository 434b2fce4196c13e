"use client";

import { useReactFlow, useStore } from "@xyflow/react";
import { type PointerEvent, useLayoutEffect, useMemo, useRef } from "react";
import { say } from "../../core/language/say.ts";
import { useTheme } from "../ui/theme.ts";
import type { Box } from "./overview.ts";

const WIDTH = 128;
const HEIGHT = 84;
const MARGIN = 0.05;

/** Where something of the drawing stands, and whether it is wrong. */
export type MapBox = Box & { bad: boolean };

/** The whole drawing, small, with a window on what is seen; the window is dragged, the wheel zooms. */
export function BodyMap({ boxes }: { boxes: readonly MapBox[] }) {
  const board = useRef<HTMLCanvasElement>(null);
  const theme = useTheme();
  const { setCenter, zoomTo, getZoom } = useReactFlow();
  const bounds = useMemo(() => around(boxes), [boxes]);
  const view = useStore(
    ({ transform: [x, y, zoom], width, height }) => ({ left: -x / zoom, top: -y / zoom, width: width / zoom, height: height / zoom }),
    (a, b) => a.left === b.left && a.top === b.top && a.width === b.width,
  );
  // The map shows what is drawn and what is seen, whichever reaches further.
  const whole = around([...(boxes.length > 0 ? [bounds] : []), view]);
  const scale = Math.min(WIDTH / (whole.width * (1 + 2 * MARGIN)), HEIGHT / (whole.height * (1 + 2 * MARGIN)));
  const x0 = whole.left - (WIDTH / scale - whole.width) / 2;
  const y0 = whole.top - (HEIGHT / scale - whole.height) / 2;
  // The picture is painted at its own size and only pushed about as the view moves.
  const own = Math.min(WIDTH / Math.max(1, bounds.width), HEIGHT / Math.max(1, bounds.height));
  useLayoutEffect(() => {
    void theme;
    const canvas = board.current;
    const pen = canvas?.getContext("2d");
    if (!canvas || !pen) return;
    const dense = Math.min(2, window.devicePixelRatio);
    canvas.width = Math.max(1, Math.ceil(bounds.width * own * dense));
    canvas.height = Math.max(1, Math.ceil(bounds.height * own * dense));
    pen.setTransform(own * dense, 0, 0, own * dense, -bounds.left * own * dense, -bounds.top * own * dense);
    for (const bad of [false, true]) {
      canvas.style.color = bad ? "var(--bad)" : "var(--line2)";
      pen.fillStyle = getComputedStyle(canvas).color;
      for (const box of boxes) if (box.bad === bad) pen.fillRect(box.left, box.top, box.width, box.height);
    }
  }, [boxes, bounds, own, theme]);
  function lookAt({ currentTarget, clientX, clientY }: PointerEvent<HTMLDivElement>): void {
    const { left, top } = currentTarget.getBoundingClientRect();
    void setCenter(x0 + (clientX - left) / scale, y0 + (clientY - top) / scale, { zoom: getZoom(), duration: 0 });
  }
  return (
    <div
      role="img"
      aria-label={say("Map")}
      className="nowheel absolute top-3 right-3 z-5 touch-none overflow-hidden rounded-lg border border-line bg-panel max-md:hidden"
      style={{ width: WIDTH, height: HEIGHT }}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        lookAt(event);
      }}
      onPointerMove={(event) => event.buttons > 0 && lookAt(event)}
      onWheel={(event) => void zoomTo(getZoom() * (event.deltaY < 0 ? 1.15 : 1 / 1.15))}
    >
      <canvas
        ref={board}
        aria-hidden
        className="pointer-events-none absolute top-0 left-0 origin-top-left"
        style={{
          width: bounds.width * own,
          height: bounds.height * own,
          transform: `translate(${(bounds.left - x0) * scale}px, ${(bounds.top - y0) * scale}px) scale(${scale / own})`,
        }}
      />
      <div
        className="pointer-events-none absolute top-0 left-0 rounded-sm border-[1.5px] border-accent"
        style={{
          width: Math.max(4, view.width * scale),
          height: Math.max(4, view.height * scale),
          transform: `translate(${(view.left - x0) * scale}px, ${(view.top - y0) * scale}px)`,
          boxShadow: "0 0 0 200px color-mix(in srgb, var(--bg) 70%, transparent)",
        }}
      />
    </div>
  );
}

function around(boxes: readonly Box[]): Box {
  if (boxes.length === 0) return { left: 0, top: 0, width: 1, height: 1 };
  let [left, top, right, bottom] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const box of boxes) {
    left = Math.min(left, box.left);
    top = Math.min(top, box.top);
    right = Math.max(right, box.left + box.width);
    bottom = Math.max(bottom, box.top + box.height);
  }
  return { left, top, width: Math.max(1, right - left), height: Math.max(1, bottom - top) };
}
