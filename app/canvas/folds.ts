import { create } from "zustand";
import type { Body } from "../../core/graph/document.ts";
import { findLayer } from "../../core/layers/index.ts";

/** Up to so many layers inside, a zone or block stands open on the canvas until it is folded. */
const OPEN_UP_TO = 8;

const key = (modelId: string) => `tensorloom.folds.${modelId}`;

type Folds = { modelId: string | null /** What a person opened or folded, by path. */; chosen: { readonly [path: string]: boolean } };

/** Which zones and blocks show their inside on the canvas. A matter of this browser, not of the model. */
export const useFolds = create<Folds>(() => ({ modelId: null, chosen: {} }));

export function openFolds(modelId: string): void {
  let chosen: Folds["chosen"] = {};
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(key(modelId)) ?? "{}");
    if (kept && typeof kept === "object") chosen = Object.fromEntries(Object.entries(kept).filter(([, open]) => typeof open === "boolean"));
  } catch {
    // Storage may be forbidden or hold something else: then everything stands as it does at first.
  }
  useFolds.setState({ modelId, chosen });
}

/** Whether what holds these bodies shows them until somebody folds it. */
export function startsOpen(bodies: readonly Body[]): boolean {
  return bodies.reduce((sum, { nodes }) => sum + nodes.filter(({ type }) => !findLayer(type)?.boundary).length, 0) <= OPEN_UP_TO;
}

export function isOpen({ chosen }: Folds, path: string, bodies: readonly Body[]): boolean {
  return Object.hasOwn(chosen, path) ? chosen[path] === true : startsOpen(bodies);
}

export function setOpen(path: string, open: boolean): void {
  const { modelId, chosen } = useFolds.getState();
  const next = { ...chosen, [path]: open };
  useFolds.setState({ chosen: next });
  if (modelId === null) return;
  try {
    localStorage.setItem(key(modelId), JSON.stringify(next));
  } catch {
    // As above.
  }
}
