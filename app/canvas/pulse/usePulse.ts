"use client";

import { create } from "zustand";
import type { Glow, Look, Measure } from "../../../core/training/look.ts";

/** What of a run the nodes show; null: nothing. */
export type Shown = Measure["id"] | null;

type PulseState = {
  /** The run of this model that trains, or did a moment ago. */
  run: { id: string; number: number; live: boolean } | null;
  look: Look | null;
  shown: Shown;
  /** How the nodes of the open body glow, by id. */
  glow: Glow;
  /** How large the symbols of shapes were in the last batch: `T`. */
  sizes: { readonly [symbol: string]: number };
};

/** How a run that trains stands at the nodes of its drawing; `Pulse` keeps it. */
export const usePulse = create<PulseState>(() => ({ run: null, look: null, shown: "gradient", glow: new Map(), sizes: {} }));
