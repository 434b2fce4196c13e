import { create } from "zustand";

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

/** Everything stands open until somebody folds it. */
export function isOpen({ chosen }: Folds, path: string): boolean {
  return !Object.hasOwn(chosen, path) || chosen[path] === true;
}

/** Whether a person opened it, and so wants to read it whatever room there is. */
export function isWanted({ chosen }: Folds, path: string): boolean {
  return Object.hasOwn(chosen, path) && chosen[path] === true;
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
