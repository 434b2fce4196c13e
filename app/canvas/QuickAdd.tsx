"use client";

import { useEffect, useMemo, useRef, useState } from "react";
import { pathOf } from "../../core/graph/path.ts";
import { accepts } from "../../core/layers/kit.ts";
import { cx } from "../ui/cx.ts";
import { categoryColor } from "./categories.ts";
import { currentChecked } from "./checked.ts";
import { addLayerAt } from "./edits.ts";
import { blockItems, type Item, portsOfItem, searchItems } from "./shelf.ts";
import { useGraph } from "./useGraph.ts";
import { type QuickAdd as Request, useStudio } from "./useStudio.ts";

/** A small search where the pointer is: for a double click on the canvas, or a wire let go over nothing. */
export function QuickAdd() {
  const request = useStudio((s) => s.quickAdd);
  return request ? <Panel key={`${request.at.x},${request.at.y}`} request={request} /> : null;
}

function Panel({ request }: { request: Request }) {
  const [query, setQuery] = useState("");
  const [active, setActive] = useState(0);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  const own = useMemo(() => blockItems(useGraph.getState().graph.definitions), []);
  const takes = useMemo(() => {
    const { from } = request;
    if (!from) return () => true;
    // Only layers that can take what the wire carries.
    const type = currentChecked().types.get(pathOf(useGraph.getState().scope, from.node))?.outputs[from.port];
    return (item: Item) => Object.values(portsOfItem(item)).some((port) => !type || accepts(port, type.dtype));
  }, [request]);
  const found = useMemo(() => searchItems(query, own).filter(takes).slice(0, 8), [own, takes, query]);
  const close = () => useStudio.setState({ quickAdd: null });
  const add = (index: number) => {
    const item = found[index];
    if (!item) return;
    close();
    addLayerAt(item.layer, request.at, request.from, item.definition);
  };
  return (
    <>
      <div aria-hidden className="fixed inset-0 z-20" onPointerDown={close} />
      <div
        role="dialog"
        aria-label="Add a layer"
        className="appear fixed z-20 w-56 rounded-lg border border-line2 bg-raise p-1 shadow-float"
        style={{ left: `min(${request.screen.x - 112}px, calc(100vw - 236px))`, top: `min(${request.screen.y}px, calc(100dvh - 290px))` }}
      >
        <input
          ref={field}
          role="combobox"
          aria-expanded
          aria-controls="quick-add-list"
          aria-activedescendant={found[active] ? `quick-${found[active].key}` : undefined}
          aria-label="Find a layer to add"
          placeholder="Add a layer"
          autoComplete="off"
          spellCheck={false}
          className="mb-1 h-7 w-full rounded-md bg-sunk px-2 outline-none"
          value={query}
          onChange={(event) => {
            setQuery(event.target.value);
            setActive(0);
          }}
          onKeyDown={(event) => {
            if (event.key === "Enter") add(active);
            if (event.key === "Escape") {
              event.stopPropagation();
              close();
            }
            if (event.key === "ArrowDown" || event.key === "ArrowUp") {
              event.preventDefault();
              setActive((index) => (index + (event.key === "ArrowDown" ? 1 : -1) + found.length) % Math.max(1, found.length));
            }
          }}
        />
        <div id="quick-add-list" role="listbox" aria-label="Layers">
          {found.map((item, index) => (
            <button
              key={item.key}
              type="button"
              id={`quick-${item.key}`}
              role="option"
              aria-selected={index === active}
              tabIndex={-1}
              onPointerMove={() => setActive(index)}
              onClick={() => add(index)}
              className={cx("flex h-7 w-full items-center gap-2 rounded-md px-2 text-left", index === active && "bg-hover")}
            >
              <span aria-hidden className="size-2 rounded-[2px]" style={{ background: categoryColor(item.category) }} />
              <span className="min-w-0 truncate">{item.title}</span>
            </button>
          ))}
        </div>
        {found.length === 0 && <p className="px-2 py-1 text-ink2">No layer fits.</p>}
      </div>
    </>
  );
}
