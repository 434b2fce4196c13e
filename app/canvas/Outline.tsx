"use client";

import { ChevronRight } from "lucide-react";
import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from "react";
import { inFlow } from "../../core/graph/arrange.ts";
import type { Body, Graph } from "../../core/graph/document.ts";
import { isFurniture } from "../../core/graph/furniture.ts";
import { formatShape } from "../../core/graph/shape.ts";
import { say } from "../../core/language/say.ts";
import { findLayer } from "../../core/layers/index.ts";
import { bodiesOf } from "../../core/layers/kit.ts";
import { cx } from "../ui/cx.ts";
import { categoryColor } from "./categories.ts";
import { useChecked } from "./checked.ts";
import { OUTLINE_ID } from "./commands.ts";
import { titleOf } from "./names.ts";
import { goTo, type Scope, useGraph } from "./useGraph.ts";

type Row = {
  key: string;
  level: number;
  title: string;
  hint: string;
  color: string | null;
  scope: Scope;
  node: string | null;
  wire: string | null;
  severity: "error" | "hint" | null;
  children: boolean;
  open: boolean;
};

/**
 * The whole model as a tree, in the order of data flow: each node with the wires that feed it, and what stands inside of zones and blocks.
 * The row that has the focus is what is selected, so that every command works on it as on the canvas.
 */
export function Outline() {
  const graph = useGraph((s) => s.graph);
  const scope = useGraph((s) => s.scope);
  const selection = useGraph((s) => s.selection);
  const checked = useChecked();
  const [shut, setShut] = useState<ReadonlySet<string>>(new Set());
  const tree = useRef<HTMLDivElement>(null);
  const rows = useMemo(() => rowsOf(graph, checked, shut), [graph, checked, shut]);
  const here = JSON.stringify(scope);
  const [node] = selection.nodes;
  const [wire] = selection.edges;
  const at = rows.findIndex((row) => JSON.stringify(row.scope) === here && (node !== undefined ? row.node === node && row.wire === null : wire !== undefined && row.wire === wire));
  const current = Math.max(0, at);
  const last = useRef<{ key: string; index: number } | null>(null);
  const isFocused = useRef(false);

  // Where the row at hand is gone, the one in its place is next: whoever deletes by keyboard stays in the tree.
  useEffect(() => {
    const row = rows[at];
    if (row) last.current = { key: row.key, index: at };
    else if (isFocused.current && last.current && !rows.some(({ key }) => key === last.current?.key)) choose(Math.min(last.current.index, rows.length - 1));
  });

  function choose(index: number): void {
    const row = rows[index];
    if (!row) return;
    goTo(row.scope, { nodes: new Set(row.node !== null && row.wire === null ? [row.node] : []), edges: new Set(row.wire === null ? [] : [row.wire]) });
    requestAnimationFrame(() => tree.current?.querySelector<HTMLElement>(`[data-row="${CSS.escape(row.key)}"]`)?.focus());
  }

  function onKeyDown(event: KeyboardEvent): void {
    const row = rows[current];
    if (event.ctrlKey || event.metaKey || event.altKey || !row) return;
    const parent = rows.findLastIndex((other, index) => index < current && other.level < row.level);
    const steps: { [key: string]: () => void } = {
      ArrowDown: () => choose(Math.min(rows.length - 1, at < 0 ? 0 : current + 1)),
      ArrowUp: () => choose(Math.max(0, current - 1)),
      Home: () => choose(0),
      End: () => choose(rows.length - 1),
      ArrowRight: () => (row.children && !row.open ? setShut(without(shut, row.key)) : row.children && choose(current + 1)),
      ArrowLeft: () => (row.children && row.open ? setShut(new Set([...shut, row.key])) : parent >= 0 && choose(parent)),
    };
    const step = steps[event.key];
    if (!step || event.shiftKey) return;
    event.preventDefault();
    event.stopPropagation();
    step();
  }

  if (rows.length === 0) return <p className="p-3.5 text-ink2">{say("Nothing is drawn yet. Press / and type a layer's name.")}</p>;
  return (
    <div
      ref={tree}
      id={OUTLINE_ID}
      role="tree"
      aria-label={say("Outline")}
      tabIndex={-1}
      className="min-h-0 flex-1 overflow-y-auto p-1.5"
      onKeyDown={onKeyDown}
      onFocus={() => {
        isFocused.current = true;
      }}
      onBlur={(event) => {
        // A row that is taken away while it has the focus names nobody who gets it.
        if (event.relatedTarget && !tree.current?.contains(event.relatedTarget)) isFocused.current = false;
      }}
    >
      {rows.map((row, index) => (
        // biome-ignore lint/a11y/useKeyWithClickEvents: the tree hears the keys of all its rows.
        <div
          key={row.key}
          data-row={row.key}
          role="treeitem"
          aria-level={row.level}
          aria-selected={index === at}
          aria-expanded={row.children ? row.open : undefined}
          aria-label={`${row.title}${row.hint ? `, ${row.hint}` : ""}${row.severity === "error" ? say(", has a problem") : row.severity === "hint" ? say(", has a hint") : ""}`}
          tabIndex={index === current ? 0 : -1}
          className={cx("flex h-7 cursor-default items-center gap-1.5 rounded-md pr-2", index === at ? "bg-accent-soft" : "hover:bg-hover", row.wire !== null && "text-ink2")}
          style={{ paddingLeft: 4 + (row.level - 1) * 14 }}
          onClick={() => choose(index)}
        >
          {row.children ? (
            <ChevronRight
              aria-hidden
              size={13}
              className={cx("shrink-0 text-ink2", row.open && "rotate-90")}
              onClick={(event) => {
                event.stopPropagation();
                setShut(row.open ? new Set([...shut, row.key]) : without(shut, row.key));
              }}
            />
          ) : (
            <span aria-hidden className="w-[13px] shrink-0" />
          )}
          {row.color && <span aria-hidden className="size-2 shrink-0 rounded-[2px]" style={{ background: row.color }} />}
          <span className={cx("min-w-0 truncate", row.severity === "error" && "text-bad")}>{row.title}</span>
          {row.hint && <span className="figures ml-auto shrink-0 truncate text-ink2">{row.hint}</span>}
        </div>
      ))}
    </div>
  );
}

const without = (set: ReadonlySet<string>, key: string) => new Set([...set].filter((other) => other !== key));

function rowsOf(graph: Graph, checked: ReturnType<typeof useChecked>, shut: ReadonlySet<string>): Row[] {
  const severities = new Map<string, "error" | "hint">();
  for (const { node, severity } of checked.problems) if (node !== undefined && severities.get(node) !== "error") severities.set(node, severity);
  const rows: Row[] = [];
  const visit = (body: Body, scope: Scope, at: string, level: number): void => {
    const titles = new Map(body.nodes.map((node) => [node.id, titleOf(node, graph.definitions)]));
    for (const node of inFlow(body)) {
      if (isFurniture(node)) continue;
      const path = at + node.id;
      const layer = findLayer(node.type);
      const [type] = Object.values(checked.types.get(path)?.outputs ?? {}).flat();
      const wires = body.edges.filter(({ to }) => to.node === node.id);
      const roles = layer ? Object.keys(bodiesOf(layer, node)).filter((role) => node.bodies?.[role]) : [];
      const children = wires.length + roles.length > 0;
      const open = children && !shut.has(path);
      rows.push({
        key: path,
        level,
        title: titles.get(node.id) ?? node.id,
        hint: type ? formatShape(type.shape) : "",
        color: layer ? categoryColor(layer.category) : null,
        scope,
        node: node.id,
        wire: null,
        severity: severities.get(path) ?? null,
        children,
        open,
      });
      if (!open) continue;
      for (const wire of wires) {
        rows.push({
          key: `${path} ${wire.id}`,
          level: level + 1,
          title: say("{port} from {value}", { port: wire.to.port, value: titles.get(wire.from.node) ?? wire.from.node }),
          hint: "",
          color: null,
          scope,
          node: node.id,
          wire: wire.id,
          severity: null,
          children: false,
          open: false,
        });
      }
      for (const role of roles) visit(node.bodies?.[role] ?? { nodes: [], edges: [] }, [...scope, { node: node.id, role }], `${path}/${role}/`, level + 1);
    }
  };
  visit(graph, [], "", 1);
  return rows;
}
