"use client";

import { useEffect, useMemo, useRef, useState } from "react";
import { paramsOf } from "../../core/graph/check.ts";
import { emptyGraph } from "../../core/graph/document.ts";
import { addNode } from "../../core/graph/edit.ts";
import { pathOf } from "../../core/graph/path.ts";
import type { TensorType } from "../../core/graph/shape.ts";
import { say } from "../../core/language/say.ts";
import { accepts, type Layer, portsOf } from "../../core/layers/kit.ts";
import { cx } from "../ui/cx.ts";
import { categoryColor } from "./categories.ts";
import { currentChecked } from "./checked.ts";
import { addLayerAt } from "./edits.ts";
import { blockItems, type Item, portsOfItem, searchItems } from "./shelf.ts";
import { useGraph } from "./useGraph.ts";
import { type QuickAdd as Request, useStudio } from "./useStudio.ts";

/** A small search where the pointer is: for a double click on the canvas, or a wire let go over nothing. */
export default function QuickAdd() {
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
  // What works with the very shape on the wire comes first.
  const fits = useMemo(() => (request.from ? fitTeller(request.from) : () => 0), [request]);
  const found = useMemo(() => {
    const taken = searchItems(query, own).filter(takes);
    const ranks = new Map(taken.map((item) => [item, fits(item)]));
    return taken.sort((a, b) => (ranks.get(a) ?? 0) - (ranks.get(b) ?? 0)).slice(0, 8);
  }, [own, takes, query, fits]);
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
        aria-label={say("Add a layer")}
        className="appear fixed z-20 w-56 rounded-lg border border-line2 bg-raise p-1 shadow-float"
        style={{ left: `min(${request.screen.x - 112}px, calc(100vw - 236px))`, top: `min(${request.screen.y}px, calc(100dvh - 290px))` }}
      >
        <input
          ref={field}
          role="combobox"
          aria-expanded
          aria-controls="quick-add-list"
          aria-activedescendant={found[active] ? `quick-${found[active].key}` : undefined}
          aria-label={say("Find a layer to add")}
          placeholder={say("Add a layer")}
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
        <div id="quick-add-list" role="listbox" aria-label={say("Layers")}>
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
        {found.length === 0 && <p className="px-2 py-1 text-ink2">{say("No layer fits.")}</p>}
      </div>
    </>
  );
}

/** Tells how well an item takes what an output gives: 0 as it is, 1 with another parameter or edit, 2 where something is still missing. */
function fitTeller(from: { node: string; port: string }): (item: Item) => number {
  const type = currentChecked().types.get(pathOf(useGraph.getState().scope, from.node))?.outputs[from.port];
  const known = new Map<string, number>();
  return (item) => {
    const before = known.get(item.key);
    if (before !== undefined || !type) return before ?? 0;
    const required = Object.entries(portsOfItem(item)).filter(([, port]) => !port.optional);
    const [input] = Object.entries(portsOfItem(item)).filter(([, port]) => accepts(port, type.dtype));
    let rank = 2;
    if (input && item.definition === undefined && required.length <= 1) {
      const { problem } = tryLayer(item.layer, input[0], type);
      rank = problem ? 1 : 0;
    } else if (input && required.length <= 1) rank = 0;
    known.set(item.key, rank);
    return rank;
  };
}

/** Whether a layer as it comes can read a value of this type. */
function tryLayer(layer: Layer, port: string, type: TensorType): { problem: boolean } {
  const draft = addNode(emptyGraph, { type: layer.type, at: { x: 0, y: 0 } }).nodes[0];
  if (!draft) return { problem: true };
  try {
    const answer = layer.infer(paramsOf(layer, draft), { [port]: portsOf(layer, draft).inputs[port]?.many ? [type] : type }, () => null, draft);
    return { problem: answer !== null && "problem" in answer };
  } catch {
    // It needs more than this input.
    return { problem: true };
  }
}
