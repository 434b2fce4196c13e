"use client";

import { Search } from "lucide-react";
import { useMemo, useRef, useState } from "react";
import { createPortal } from "react-dom";
import { layers } from "../../core/layers/index.ts";
import type { Layer } from "../../core/layers/kit.ts";
import { cx } from "../ui/cx.ts";
import { Tip } from "../ui/Tip.tsx";
import { categoryColor, sections } from "./categories.ts";
import { PALETTE_SEARCH_ID } from "./commands.ts";
import { markWireAt } from "./dropTarget.ts";
import { addLayer, dropLayer } from "./edits.ts";
import { searchLayers } from "./search.ts";
import { type Point, useStudio } from "./useStudio.ts";

/** Every layer there is, by category, with a search. A click or Enter adds one and wires it up where that is clear; dragging puts it anywhere, also onto a wire. */
export function Palette() {
  const [query, setQuery] = useState("");
  const [active, setActive] = useState(0);
  const found = useMemo(() => searchLayers(layers, query), [query]);
  const searching = query.trim() !== "";
  const groups = useMemo(
    () =>
      searching
        ? [{ category: null, title: "Found", layers: found }]
        : sections.map(({ category, title }) => ({ category, title, layers: layers.filter((layer) => layer.category === category) })).filter((group) => group.layers.length > 0),
    [searching, found],
  );

  return (
    <div className="flex h-full min-h-0 flex-col">
      <div className="relative p-2.5 pb-1.5 max-lg:pr-11">
        <Search size={14} aria-hidden className="absolute top-[19px] left-[19px] text-ink3" />
        <input
          id={PALETTE_SEARCH_ID}
          type="search"
          role="combobox"
          aria-expanded
          aria-controls="palette-list"
          aria-activedescendant={searching && found[active] ? `palette-${found[active].type}` : undefined}
          aria-label="Find a layer"
          placeholder="Find a layer"
          autoComplete="off"
          spellCheck={false}
          value={query}
          onChange={(event) => {
            setQuery(event.target.value);
            setActive(0);
          }}
          onKeyDown={(event) => {
            if (event.key === "ArrowDown" || event.key === "ArrowUp") {
              event.preventDefault();
              const step = event.key === "ArrowDown" ? 1 : -1;
              setActive((index) => (index + step + found.length) % Math.max(1, found.length));
            }
            const layer = found[active];
            if (event.key === "Enter" && !event.ctrlKey && !event.metaKey && searching && layer) addLayer(layer);
            if (event.key === "Escape") {
              event.stopPropagation();
              if (query) setQuery("");
              else event.currentTarget.blur();
            }
          }}
          className="h-8 w-full rounded-md border border-line2 bg-raise pr-7 pl-7 hover:border-ink3 [&::-webkit-search-cancel-button]:hidden"
        />
        <kbd aria-hidden className="figures absolute top-[18px] right-[20px] text-ink3 max-lg:hidden">
          /
        </kbd>
      </div>
      <div id="palette-list" className="min-h-0 flex-1 overflow-y-auto px-2.5 pb-4">
        {groups.map((group) => (
          <section key={group.title} aria-label={group.title}>
            <h3 className="section-name flex justify-between px-1 pt-3 pb-1">
              {group.title}
              <span className="figures font-normal">{group.layers.length}</span>
            </h3>
            <ul>
              {group.layers.map((layer) => (
                <li key={layer.type}>
                  <PaletteItem layer={layer} active={searching && layer === found[active]} />
                </li>
              ))}
            </ul>
          </section>
        ))}
        {found.length === 0 && <p className="px-1 pt-2 text-ink2">No layer fits “{query.trim()}”.</p>}
      </div>
    </div>
  );
}

/** How far the pointer must go before a press becomes a drag. */
const DRAG_PX = 4;

function PaletteItem({ layer, active }: { layer: Layer; active: boolean }) {
  const [ghost, setGhost] = useState<Point | null>(null);
  const start = useRef<Point | null>(null);
  const dragged = useRef(false);

  function end(): void {
    start.current = null;
    setGhost(null);
    markWireAt(null);
  }

  return (
    <>
      <Tip text={layer.doc} side="right">
        <button
          type="button"
          id={`palette-${layer.type}`}
          aria-label={layer.title}
          data-active={active || undefined}
          className={cx("group flex h-[26px] w-full touch-manipulation items-center gap-2 rounded-md px-1.5 text-left hover:bg-hover", active && "bg-accent-soft")}
          onClick={(event) => {
            // A double click means one layer.
            if (!dragged.current && event.detail < 2) addLayer(layer);
          }}
          onPointerDown={(event) => {
            dragged.current = false;
            // A finger scrolls the list; it adds by tapping.
            if (event.button !== 0 || event.pointerType === "touch") return;
            start.current = { x: event.clientX, y: event.clientY };
            event.currentTarget.setPointerCapture(event.pointerId);
          }}
          onPointerMove={(event) => {
            if (!start.current) return;
            const far = Math.hypot(event.clientX - start.current.x, event.clientY - start.current.y) > DRAG_PX;
            if (!far && !dragged.current) return;
            dragged.current = true;
            const at = { x: event.clientX, y: event.clientY };
            setGhost(at);
            markWireAt(at);
          }}
          onPointerUp={(event) => {
            if (dragged.current) {
              const at = { x: event.clientX, y: event.clientY };
              const place = useStudio.getState().canvas?.at(at);
              if (place) dropLayer(layer, place, markWireAt(at));
            }
            end();
          }}
          onPointerCancel={end}
          onKeyDown={(event) => {
            if (event.key === "Escape" && dragged.current) end();
          }}
        >
          <span aria-hidden className="size-2 shrink-0 rounded-[2px]" style={{ background: categoryColor(layer.category) }} />
          <span className="min-w-0 flex-1 truncate">{layer.title}</span>
          <span aria-hidden className="text-sm text-ink3 opacity-0 group-hover:opacity-100 max-sm:hidden">
            drag
          </span>
        </button>
      </Tip>
      {ghost &&
        createPortal(
          <div
            aria-hidden
            className="pointer-events-none fixed z-50 flex h-[38px] w-[184px] items-center gap-2 rounded-lg border border-accent bg-raise px-3 font-semibold opacity-90"
            style={{ left: ghost.x - 92, top: ghost.y - 19 }}
          >
            <span className="h-5 w-[3px] rounded-full" style={{ background: categoryColor(layer.category) }} />
            {layer.title}
          </div>,
          document.body,
        )}
    </>
  );
}
