"use client";

import { ChevronDown, ChevronRight, CircleHelp, MoreHorizontal, Search, Star } from "lucide-react";
import { useEffect, useMemo, useRef, useState } from "react";
import { createPortal } from "react-dom";
import { countInstances } from "../../core/graph/definitions.ts";
import { say } from "../../core/language/say.ts";
import { IconButton } from "../ui/Button.tsx";
import { cx } from "../ui/cx.ts";
import { Confirm } from "../ui/Dialog.tsx";
import { Menu } from "../ui/Menu.tsx";
import { Tip } from "../ui/Tip.tsx";
import { removeDefinition } from "./blockEdits.ts";
import { categoryColor, sections } from "./categories.ts";
import { PALETTE_SEARCH_ID } from "./commands.ts";
import { markWireAt } from "./dropTarget.ts";
import { addLayer, dropLayer } from "./edits.ts";
import { HelpPopover } from "./help/HelpPopover.tsx";
import { blockItems, type Item, layerItem, layerItems, openShelf, searchItems, toggleStar, toggleWhole, useShelf } from "./shelf.ts";
import { useGraph } from "./useGraph.ts";
import { type Point, useStudio } from "./useStudio.ts";

/** Of a long section so many are shown until it is opened; the palette's order puts first what is needed first. */
const FIRST = 5;

/** Every layer there is, by category, with a search. A click or Enter adds one and wires it up where that is clear; dragging puts it anywhere, also onto a wire. */
export function Palette() {
  const [query, setQuery] = useState("");
  const [active, setActive] = useState(0);
  const definitions = useGraph((s) => s.graph.definitions);
  const shelf = useShelf();
  useEffect(openShelf, []);
  const own = useMemo(() => blockItems(definitions), [definitions]);
  const found = useMemo(() => searchItems(query, own), [query, own]);
  const searching = query.trim() !== "";
  const known = (types: readonly string[]) => types.flatMap((type) => layerItem(type) ?? []);

  return (
    <div className="flex h-full min-h-0 flex-col">
      <div className="relative p-2.5 pb-1.5">
        <Search size={14} aria-hidden className="absolute top-[19px] left-[19px] text-ink3" />
        <input
          id={PALETTE_SEARCH_ID}
          type="search"
          role="combobox"
          aria-expanded
          aria-controls="palette-list"
          aria-activedescendant={searching && found[active] ? `palette-${found[active].key}` : undefined}
          aria-label={say("Find a layer")}
          placeholder={say("Find a layer")}
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
            const item = found[active];
            if (event.key === "Enter" && !event.ctrlKey && !event.metaKey && searching && item) {
              addLayer(item.layer, item.definition);
              // The next name takes the place of this one.
              event.currentTarget.select();
            }
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
        {searching ? (
          <>
            <Section id="found" title={say("Found")} items={found} active={found[active]} whole />
            {found.length === 0 && <p className="px-1 pt-2 text-ink2">{say("No layer fits “{query}”.", { query: query.trim() })}</p>}
          </>
        ) : (
          <>
            {own.length > 0 && <Section id="own" title={say("Your blocks")} items={own} whole />}
            {shelf.starred.length > 0 && <Section id="starred" title={say("Starred")} items={known(shelf.starred)} whole />}
            {shelf.recent.length > 0 && <Section id="recent" title={say("Added last")} items={known(shelf.recent.filter((type) => !shelf.starred.includes(type)))} whole />}
            {sections.map(({ category, title }) => (
              <Section key={category} id={category} title={title} items={layerItems.filter((item) => item.category === category)} whole={shelf.whole.includes(category)} />
            ))}
          </>
        )}
      </div>
    </div>
  );
}

function Section({ id, title, items, whole, active }: { id: string; title: string; items: readonly Item[]; whole: boolean; active?: Item }) {
  if (items.length === 0) return null;
  const folds = sections.some(({ category }) => category === id) && items.length > FIRST + 1;
  const shown = whole || !folds ? items : items.slice(0, FIRST);
  const Icon = whole ? ChevronDown : ChevronRight;
  return (
    <section aria-label={title}>
      <h3 className="section-name">
        {folds ? (
          <button
            type="button"
            aria-expanded={whole}
            onClick={() => toggleWhole(id)}
            className="group flex w-full items-center justify-between rounded-sm px-1 pt-3 pb-1 hover:text-ink"
          >
            {title}
            <span className="figures flex items-center gap-0.5 font-normal">
              {items.length}
              <Icon size={11} aria-hidden className="-mr-0.5" />
            </span>
          </button>
        ) : (
          <span className="flex justify-between px-1 pt-3 pb-1">
            {title}
            <span className="figures pr-3 font-normal">{items.length}</span>
          </span>
        )}
      </h3>
      <ul>
        {shown.map((item) => (
          <li key={item.key} className="group/item relative">
            <PaletteItem item={item} active={item === active} />
            <ItemTools item={item} />
          </li>
        ))}
      </ul>
      {folds && !whole && (
        <button type="button" onClick={() => toggleWhole(id)} className="h-6 w-full rounded-md pl-[21px] text-left text-sm text-ink2 hover:bg-hover hover:text-ink">
          {say("{count} more", { count: items.length - FIRST })}
        </button>
      )}
    </section>
  );
}

/** What else can be done with an entry; shown while the pointer or the focus is on it. */
function ItemTools({ item }: { item: Item }) {
  const starred = useShelf((s) => s.starred.includes(item.key));
  const [asking, setAsking] = useState(false);
  const tool = "size-5! opacity-0 group-focus-within/item:opacity-100 group-hover/item:opacity-100 data-[state=open]:opacity-100";
  if (item.definition !== undefined) {
    const { definition } = item;
    const count = countInstances(useGraph.getState().graph, definition);
    return (
      <span className="absolute top-[3px] right-1 flex">
        <Menu align="end" items={[{ label: say("Remove from the list…"), danger: true, run: () => setAsking(true) }]}>
          <IconButton label={say("More for {title}", { title: item.title })} tabIndex={-1} className={tool}>
            <MoreHorizontal size={13} />
          </IconButton>
        </Menu>
        <Confirm
          title={say("Remove {title}?", { title: item.title })}
          text={
            count === 0
              ? say("It is not used in this model.")
              : count === 1
                ? say("The one copy in the drawing stay, each as a block of its own.")
                : say("The {count} copies in the drawing stay, each as a block of its own.", { count })
          }
          action={say("Remove")}
          open={asking}
          onOpen={setAsking}
          onConfirm={() => removeDefinition(definition)}
        />
      </span>
    );
  }
  return (
    <span className="absolute top-[3px] right-1 flex max-lg:hidden">
      <HelpPopover layer={item.layer} side="right">
        <IconButton label={say("About {title}", { title: item.title })} tabIndex={-1} className={tool}>
          <CircleHelp size={13} />
        </IconButton>
      </HelpPopover>
      <IconButton
        label={starred ? say("Unstar {title}", { title: item.title }) : say("Star {title}", { title: item.title })}
        aria-pressed={starred}
        tabIndex={-1}
        className={cx(tool, starred && "text-accent!")}
        onClick={() => toggleStar(item.key)}
      >
        <Star size={13} fill={starred ? "currentColor" : "none"} />
      </IconButton>
    </span>
  );
}

/** How far the pointer must go before a press becomes a drag. */
const DRAG_PX = 4;

function PaletteItem({ item, active }: { item: Item; active: boolean }) {
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
      <Tip text={item.doc} side="right">
        <button
          type="button"
          id={`palette-${item.key}`}
          aria-label={item.title}
          data-active={active || undefined}
          className={cx("flex h-[26px] w-full touch-manipulation items-center gap-2 rounded-md px-1.5 text-left group-hover/item:bg-hover", active && "bg-accent-soft")}
          onClick={(event) => {
            // A double click means one layer.
            if (!dragged.current && event.detail < 2) addLayer(item.layer, item.definition);
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
              if (place) dropLayer(item.layer, place, markWireAt(at), item.definition);
            }
            end();
          }}
          onPointerCancel={end}
          onKeyDown={(event) => {
            if (event.key === "Escape" && dragged.current) end();
          }}
        >
          <span aria-hidden className="size-2 shrink-0 rounded-[2px]" style={{ background: categoryColor(item.category) }} />
          <span className="min-w-0 flex-1 truncate group-hover/item:pr-10">{item.title}</span>
          {item.version !== undefined && <span className="figures text-ink3 group-hover/item:invisible">{say("v{version}", { version: item.version })}</span>}
        </button>
      </Tip>
      {ghost &&
        createPortal(
          <div
            aria-hidden
            className="pointer-events-none fixed z-50 flex h-[38px] w-[184px] items-center gap-2 rounded-lg border border-accent bg-raise px-3 font-semibold opacity-90"
            style={{ left: ghost.x - 92, top: ghost.y - 19 }}
          >
            <span className="h-5 w-[3px] rounded-full" style={{ background: categoryColor(item.category) }} />
            <span className="min-w-0 truncate">{item.title}</span>
          </div>,
          document.body,
        )}
    </>
  );
}
