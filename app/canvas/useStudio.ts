"use client";

import { create } from "zustand";
import type { Graph } from "../../core/graph/document.ts";
import type { SaveState } from "./autosave.ts";

/** A place in the canvas's own coordinates. */
export type Point = { x: number; y: number };

/** What the canvas can do for commands; it says so once it is mounted. */
export type CanvasHandle = {
  /** Shows the whole drawing, or the nodes that are named. */
  fit: (only?: ReadonlySet<string>) => void;
  zoom: (factor: number) => void;
  /** The place in the middle of what is seen. */
  center: () => Point;
  /** Where a place of the screen is on the canvas; null where the screen shows something else there. */
  at: (screen: Point) => Point | null;
  /** Offers layers to add where the pointer is, or in the middle where it is elsewhere. */
  addAtPointer: () => void;
  /** The next change of places is seen as a way, not a jump. */
  glide: () => void;
  /** Brings a node into view. */
  reveal: (id: string) => void;
};

/** A small search for a layer to add, opened where the pointer is; `from` is the output whose wire was let go there. */
export type QuickAdd = { screen: Point; at: Point; from: { node: string; port: string } | null };

type StudioState = {
  save: SaveState;
  revision: number;
  name: string;
  /** What stands at the right: the inspector's tab, or the Train panel. */
  panel: "inspect" | "train";
  tab: "node" | "help" | "code";
  /** On a phone: which panel lies over the canvas. */
  sheet: "palette" | "panel" | null;
  drawer: boolean;
  minimap: boolean;
  /** By touch: a finger draws a marquee and taps add to the selection, where else it pans and selects one. */
  several: boolean;
  keysShown: boolean;
  /** The port from which a wire is being drawn. */
  wiring: { node: string; port: string; type: "source" | "target" } | null;
  /** The node whose name is being typed on the canvas. */
  renaming: string | null;
  /** The node whose problem is told beside it. */
  problemAt: string | null;
  /** The node beside which its layer is explained. */
  helpAt: string | null;
  quickAdd: QuickAdd | null;
  /** The field over the page that is open: for commands, for nodes, or for what the selected node is wired from. */
  asking: "commands" | "find" | "wire" | null;
  /** What stands at the left. */
  shelf: "layers" | "outline";
  versionsShown: boolean;
  /** An earlier graph that the drawing is compared with. */
  compare: { title: string; graph: Graph } | null;
  canvas: CanvasHandle | null;
  /** What needs the server; the open studio says how. */
  actions: { save: () => Promise<boolean>; train: () => Promise<void> } | null;
};

/** How the studio stands: what is open and where, nothing of the document itself. */
export const useStudio = create<StudioState>(() => ({
  save: { kind: "saved" },
  revision: 0,
  name: "",
  panel: "inspect",
  tab: "node",
  sheet: null,
  drawer: true,
  minimap: true,
  several: false,
  keysShown: false,
  wiring: null,
  renaming: null,
  problemAt: null,
  helpAt: null,
  quickAdd: null,
  asking: null,
  shelf: "layers",
  versionsShown: false,
  compare: null,
  canvas: null,
  actions: null,
}));
