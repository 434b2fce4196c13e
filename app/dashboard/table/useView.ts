"use client";

import { useCallback, useMemo, useSyncExternalStore } from "react";
import { readView, type View, writeView } from "../../../core/runs/view.ts";

const CHANGED = "tensorloom:address";

function subscribe(listener: () => void): () => void {
  addEventListener("popstate", listener);
  addEventListener(CHANGED, listener);
  return () => {
    removeEventListener("popstate", listener);
    removeEventListener(CHANGED, listener);
  };
}

/** The view that the address says, and how to change it. What is seen is always what the address says: a link shows the same to another. */
export function useView(): [View, (change: Partial<View>) => void] {
  const search = useSyncExternalStore(
    subscribe,
    () => location.search,
    () => "",
  );
  const view = useMemo(() => readView(new URLSearchParams(search)), [search]);
  const change = useCallback((part: Partial<View>) => {
    const next = writeView({ ...readView(new URLSearchParams(location.search)), ...part }).toString();
    history.replaceState(history.state, "", next === "" ? location.pathname : `?${next}`);
    dispatchEvent(new Event(CHANGED));
  }, []);
  return [view, change];
}
