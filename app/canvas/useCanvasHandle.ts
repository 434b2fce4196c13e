import { useReactFlow, useStoreApi } from "@xyflow/react";
import { type RefObject, useEffect } from "react";
import { NODE_SIZE } from "../../core/graph/layout.ts";
import { here } from "./edits.ts";
import { measured } from "./measured.ts";
import { useGraph } from "./useGraph.ts";
import { type CanvasHandle, type Point, useStudio } from "./useStudio.ts";

/** Space around the drawing, and below it what the drawer covers. */
const MARGIN = 48;
/** A tall drawing opens at a size that can be read, from its top, rather than whole and tiny. */
const OPENING_ZOOM = 0.8;
export const MIN_ZOOM = 0.1;
export const MAX_ZOOM = 2;
const ZOOM_MS = 100;

const { width: WIDTH, height: HEIGHT } = NODE_SIZE;

/** Where the pointer is on the screen, while it is over the canvas. */
let pointer: Point | null = null;

export function setPointer(at: Point | null): void {
  pointer = at;
}

/** Offers the view to commands. Whenever another body is opened, shows it whole (or its beginning), then the node that is selected in it. */
export function useCanvasHandle(wrapper: RefObject<HTMLDivElement | null>, opened: string): void {
  const flow = useReactFlow();
  const store = useStoreApi();
  useEffect(() => {
    const frame = (minZoom: number, duration: number, only?: ReadonlySet<string>) => {
      const { width, height } = store.getState();
      const nodes = here().body.nodes.filter(({ id }) => !only || only.has(id));
      if (nodes.length === 0 || width === 0) return;
      const below = document.getElementById("before-you-train")?.offsetHeight ?? 0;
      const sizes = nodes.map((node) => ({ ...measured.cornerOf(node), ...measured.sizeOf(node) }));
      const left = Math.min(...sizes.map((n) => n.x));
      const top = Math.min(...sizes.map((n) => n.y));
      const right = Math.max(...sizes.map((n) => n.x + n.width));
      const bottom = Math.max(...sizes.map((n) => n.y + n.height));
      const room = { x: Math.max(80, width - MARGIN * 2), y: Math.max(80, height - below - MARGIN * 2) };
      const zoom = Math.min(1, Math.max(minZoom, Math.min(room.x / (right - left), room.y / (bottom - top))));
      const fits = (bottom - top) * zoom <= room.y;
      void flow.setViewport(
        { zoom, x: width / 2 - ((left + right) / 2) * zoom, y: fits ? MARGIN + room.y / 2 - ((top + bottom) / 2) * zoom : MARGIN + 8 - top * zoom },
        { duration: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : duration },
      );
    };
    let aim = { zoom: 1, until: 0 };
    const canvas: CanvasHandle = {
      fit: (only) => frame(MIN_ZOOM, 150, only),
      zoom: (factor) => {
        // A press while the last one still moves counts from where that one goes.
        const now = performance.now();
        aim = { zoom: Math.min(MAX_ZOOM, Math.max(MIN_ZOOM, (now < aim.until ? aim.zoom : flow.getZoom()) * factor)), until: now + ZOOM_MS };
        void flow.zoomTo(aim.zoom, { duration: ZOOM_MS });
      },
      center: () => {
        const box = wrapper.current?.getBoundingClientRect();
        return box ? flow.screenToFlowPosition({ x: box.x + box.width / 2, y: box.y + box.height / 3 }) : { x: 0, y: 0 };
      },
      at: (screen) => (wrapper.current?.contains(document.elementFromPoint(screen.x, screen.y)) ? flow.screenToFlowPosition(screen) : null),
      glide: () => {
        wrapper.current?.setAttribute("data-gliding", "");
        setTimeout(() => wrapper.current?.removeAttribute("data-gliding"), 220);
      },
      addAtPointer: () => {
        const box = wrapper.current?.getBoundingClientRect();
        const screen = pointer ?? (box ? { x: box.x + box.width / 2, y: box.y + box.height / 3 } : { x: 0, y: 0 });
        useStudio.setState({ quickAdd: { screen, at: flow.screenToFlowPosition(screen), from: null } });
      },
      reveal: (id) => {
        const node = flow.getInternalNode(id);
        const { width, height, transform } = store.getState();
        const at = node?.internals.positionAbsolute ?? here().body.nodes.find((n) => n.id === id)?.at;
        if (!at) return;
        const below = document.getElementById("before-you-train")?.offsetHeight ?? 0;
        const x = at.x * transform[2] + transform[0];
        const y = at.y * transform[2] + transform[1];
        const inView = x > 0 && y > 0 && x + WIDTH * transform[2] < width && y + HEIGHT * transform[2] < height - below - 16;
        if (!inView) void flow.setCenter(at.x + WIDTH / 2, at.y + HEIGHT / 2 + below / 2 / transform[2], { zoom: transform[2], duration: 120 });
      },
    };
    useStudio.setState({ canvas });
    // The first sizes are known one frame after the nodes are there.
    const timer = requestAnimationFrame(() => {
      frame(OPENING_ZOOM, 0);
      const [id, ...more] = useGraph.getState().selection.nodes;
      if (id !== undefined && more.length === 0) canvas.reveal(id);
    });
    return () => {
      cancelAnimationFrame(timer);
      useStudio.setState({ canvas: null });
    };
  }, [flow, store, wrapper, opened]);
}
