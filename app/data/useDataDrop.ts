"use client";

import { type DragEvent, useState } from "react";
import { useMayChange } from "../account/useRole.ts";
import { type Dropped, readDropped } from "../ui/dropped.ts";

/**
 * Bringing in data by a button or by letting a file or folder go anywhere on a page: `page` belongs to the page's main part, `dialog` to `AddData`. Whoever
 * may change nothing drops in vain.
 */
export function useDataDrop() {
  const mayChange = useMayChange();
  const [open, setOpen] = useState(false);
  const [dropped, setDropped] = useState<Dropped | null>(null);
  const onOpen = (next: boolean) => {
    setOpen(next);
    if (!next) setDropped(null);
  };
  const page = {
    onDragOver: (event: DragEvent) => event.preventDefault(),
    onDrop: (event: DragEvent) => {
      event.preventDefault();
      const found = open || !mayChange ? null : readDropped(event.dataTransfer);
      if (!found) return;
      setDropped(found);
      setOpen(true);
    },
  };
  return { mayChange, add: () => onOpen(true), close: () => onOpen(false), page, dialog: { open, onOpen, dropped } };
}
