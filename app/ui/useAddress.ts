"use client";

import { useCallback, useSyncExternalStore } from "react";

const CHANGED = "tensorloom:address";

function subscribe(listener: () => void): () => void {
  addEventListener("popstate", listener);
  addEventListener(CHANGED, listener);
  return () => {
    removeEventListener("popstate", listener);
    removeEventListener(CHANGED, listener);
  };
}

/** What the address says behind its `?`; empty on the server. */
export function useSearch(): string {
  return useSyncExternalStore(
    subscribe,
    () => location.search,
    () => "",
  );
}

/** Lets the address say something else, in place of what it said. */
export function changeSearch(params: URLSearchParams): void {
  const text = params.toString();
  history.replaceState(history.state, "", text === "" ? location.pathname : `?${text}`);
  dispatchEvent(new Event(CHANGED));
}

/** A part of the address, and how to change it; null: it says nothing. */
export function useAddress(name: string): [string | null, (value: string | null) => void] {
  const value = new URLSearchParams(useSearch()).get(name);
  const change = useCallback(
    (next: string | null) => {
      const params = new URLSearchParams(location.search);
      if (next === null) params.delete(name);
      else params.set(name, next);
      changeSearch(params);
    },
    [name],
  );
  return [value, change];
}
