import { useEffect, useState } from "react";
import type { Point } from "./useStudio.ts";

/** Where on the screen a mouse or the first finger is. */
export function screenOf(event: object): Point | null {
  const at: unknown = "changedTouches" in event && event.changedTouches instanceof TouchList ? event.changedTouches[0] : event;
  return typeof at === "object" && at !== null && "clientX" in at && "clientY" in at ? { x: Number(at.clientX), y: Number(at.clientY) } : null;
}

/** Whether one points with a finger. */
export function useCoarsePointer(): boolean {
  const [coarse, setCoarse] = useState(false);
  useEffect(() => {
    const query = matchMedia("(pointer: coarse)");
    const listen = () => setCoarse(query.matches);
    listen();
    query.addEventListener("change", listen);
    return () => query.removeEventListener("change", listen);
  }, []);
  return coarse;
}
