import { measures } from "../../../core/training/look.ts";
import type { Shown } from "./usePulse.ts";

const KEY = "tensorloom:glow";

/** By what nodes glow, as this person last chose. */
export function readShown(): Shown {
  try {
    const kept = localStorage.getItem(KEY);
    return kept === "" ? null : (measures.find(({ id }) => id === kept)?.id ?? "gradient");
  } catch {
    return "gradient";
  }
}

export function writeShown(shown: Shown): void {
  try {
    localStorage.setItem(KEY, shown ?? "");
  } catch {
    // A browser that keeps nothing asks again.
  }
}
