"use client";

import { useCallback, useMemo } from "react";
import { readView, type View, writeView } from "../../../core/runs/view.ts";
import { changeSearch, useSearch } from "../../ui/useAddress.ts";

/** The view that the address says, and how to change it. What is seen is always what the address says: a link shows the same to another. */
export function useView(): [View, (change: Partial<View>) => void] {
  const search = useSearch();
  const view = useMemo(() => readView(new URLSearchParams(search)), [search]);
  const change = useCallback((part: Partial<View>) => {
    changeSearch(writeView({ ...readView(new URLSearchParams(location.search)), ...part }));
  }, []);
  return [view, change];
}
