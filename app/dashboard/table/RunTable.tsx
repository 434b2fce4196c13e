"use client";

import { useQuery } from "@tanstack/react-query";
import { useVirtualizer } from "@tanstack/react-virtual";
import { ChevronDown, ChevronRight, Lock, StickyNote } from "lucide-react";
import Link from "next/link";
import { type KeyboardEvent, type MouseEvent, useEffect, useMemo, useRef } from "react";
import { say } from "../../../core/language/say.ts";
import { type Column, readColumn, type View } from "../../../core/runs/view.ts";
import { cx } from "../../ui/cx.ts";
import { formatCount, formatDuration } from "../../ui/format.ts";
import { useTRPC } from "../../ui/trpc.ts";
import { formatFigure } from "../figures.ts";
import { RunBadge } from "../RunBadge.tsx";
import { remainingMs } from "../remaining.ts";
import { type RunSummary, unitOf } from "../run.ts";
import { cellText, columnTitle, isNumeric } from "./columns.ts";
import { questionOf, type Scope } from "./useRunList.ts";

const ROW = 36;
const NAME_WIDTH = 132;

/** Pixels of a column. */
function widthOf(column: Column): number {
  if (column.kind === "metric") return 158;
  if (column.kind === "setting") return 122;
  return { created: 148, number: 80, state: 176, model: 160, data: 140, creator: 110, took: 84, epochs: 100, steps: 90, tags: 140, notes: 220, locked: 80 }[column.name];
}

/** One line of the body: a run, or the head of a group. */
export type TableItem =
  | { kind: "run"; run: RunSummary }
  | { kind: "group"; id: string; title: string; count: number; range: string | null; open: boolean; onToggle: () => void; onOnly: () => void };

/**
 * Runs as a dense table of any columns. Only the lines in sight are drawn; whoever scrolls near the end is given more. Columns are sorted by the
 * server; Shift-click ticks a stretch; arrow keys walk the lines.
 */
export function RunTable({
  items,
  columns,
  sort,
  onSort,
  ticked,
  onTick,
  onEnd,
  loadingMore,
  label,
}: {
  items: readonly TableItem[];
  columns: readonly string[];
  sort: View["sort"];
  onSort: (sort: View["sort"]) => void;
  ticked: ReadonlySet<string>;
  onTick: (ids: readonly string[], on: boolean) => void;
  /** More is wanted. */
  onEnd: () => void;
  loadingMore: boolean;
  label: string;
}) {
  const frame = useRef<HTMLDivElement>(null);
  const anchor = useRef<string | null>(null);
  const read = useMemo(() => columns.flatMap((id) => (readColumn(id) ? [{ id, column: readColumn(id) as Column }] : [])), [columns]);
  const virtual = useVirtualizer({ count: items.length, getScrollElement: () => frame.current, estimateSize: () => ROW, overscan: 12 });
  const lines = virtual.getVirtualItems();
  const lastSeen = lines.at(-1)?.index ?? 0;
  useEffect(() => {
    if (items.length > 0 && lastSeen >= items.length - 30) onEnd();
  }, [lastSeen, items.length, onEnd]);

  const runIds = useMemo(() => items.flatMap((item) => (item.kind === "run" ? [item.run.id] : [])), [items]);
  const allTicked = runIds.length > 0 && runIds.every((id) => ticked.has(id));
  const width = NAME_WIDTH + read.reduce((sum, { column }) => sum + widthOf(column), 0);

  function tick(id: string, on: boolean, event: MouseEvent): void {
    const from = event.shiftKey && anchor.current !== null ? runIds.indexOf(anchor.current) : -1;
    const to = runIds.indexOf(id);
    onTick(from >= 0 ? runIds.slice(Math.min(from, to), Math.max(from, to) + 1) : [id], on);
    anchor.current = id;
  }

  function walk(event: KeyboardEvent): void {
    const by = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    const at = event.target instanceof HTMLElement ? event.target.closest("tr")?.dataset.index : undefined;
    if (by === 0 || at === undefined) return;
    event.preventDefault();
    const next = Number(at) + by;
    if (next < 0 || next >= items.length) return;
    virtual.scrollToIndex(next);
    requestAnimationFrame(() => frame.current?.querySelector<HTMLElement>(`tr[data-index="${next}"] :is(a, button)`)?.focus());
  }

  return (
    <div ref={frame} className="min-h-0 flex-1 overflow-auto rounded-xl border border-line bg-raise">
      <table aria-label={label} aria-rowcount={items.length + 1} onKeyDown={walk} className="w-full table-fixed border-separate border-spacing-0" style={{ minWidth: width }}>
        <colgroup>
          <col style={{ width: NAME_WIDTH }} />
          {read.map(({ id, column }) => (
            <col key={id} style={{ width: widthOf(column) }} />
          ))}
        </colgroup>
        <thead className="sticky top-0 z-10">
          <tr className="text-left">
            <th scope="col" className="sticky left-0 z-10 h-8 border-b border-line bg-raise pl-3 font-normal">
              <span className="flex items-center gap-2.5">
                <input
                  type="checkbox"
                  aria-label={say("Tick all runs shown")}
                  className="accent-accent"
                  checked={allTicked}
                  onChange={(event) => onTick(runIds, event.target.checked)}
                />
                <Head id="created" title={say("Run")} sort={sort} onSort={onSort} />
              </span>
            </th>
            {read.map(({ id, column }) => (
              <th
                key={id}
                scope="col"
                aria-sort={sort.column === id ? (sort.descending ? "descending" : "ascending") : undefined}
                className={cx("h-8 border-b border-line bg-raise px-2.5 font-normal last:pr-3.5", isNumeric(column) && "text-right")}
              >
                <Head id={id} title={columnTitle(id)} sort={sort} onSort={onSort} right={isNumeric(column)} />
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {(lines[0]?.start ?? 0) > 0 && <tr aria-hidden style={{ height: lines[0]?.start }} />}
          {lines.map(({ index }) => {
            const item = items[index];
            if (!item) return null;
            return item.kind === "group" ? (
              <GroupRow key={item.id} index={index} item={item} columns={read.length + 1} />
            ) : (
              <RunRow key={item.run.id} index={index} run={item.run} columns={read} ticked={ticked.has(item.run.id)} onTick={tick} />
            );
          })}
          <tr aria-hidden style={{ height: Math.max(0, virtual.getTotalSize() - (lines.at(-1)?.end ?? 0)) }} />
        </tbody>
      </table>
      {loadingMore && (
        <p role="status" className="sticky left-0 px-3.5 py-2 text-sm text-ink2">
          {say("Loading more")}
        </p>
      )}
    </div>
  );
}

function Head({ id, title, sort, onSort, right = false }: { id: string; title: string; sort: View["sort"]; onSort: (sort: View["sort"]) => void; right?: boolean }) {
  const isSorted = sort.column === id;
  return (
    <button
      type="button"
      title={title}
      onClick={() => onSort({ column: id, descending: isSorted ? !sort.descending : startsDescending(id) })}
      className={cx("max-w-full truncate text-sm hover:text-ink", isSorted ? "font-semibold text-ink" : "text-ink2")}
    >
      {isSorted && right && <span aria-hidden>{sort.descending ? "↓ " : "↑ "}</span>}
      {title}
      {isSorted && !right && <span aria-hidden>{sort.descending ? " ↓" : " ↑"}</span>}
    </button>
  );
}

/** Losses and words are best read from the lowest; whatever grows, from the highest. */
function startsDescending(id: string): boolean {
  const column = readColumn(id);
  if (column?.kind === "metric") return !/loss|error|mae|mse|mape/.test(column.key);
  return column?.kind === "own" && ["created", "took", "epochs", "steps", "number"].includes(column.name);
}

function GroupRow({ index, item, columns }: { index: number; item: Extract<TableItem, { kind: "group" }>; columns: number }) {
  const Icon = item.open ? ChevronDown : ChevronRight;
  return (
    <tr data-index={index} aria-rowindex={index + 2} style={{ height: ROW }}>
      <th scope="colgroup" colSpan={columns} className="border-b border-line bg-panel px-2 text-left font-normal">
        <span className="sticky left-2 inline-flex items-center gap-3">
          <button type="button" aria-expanded={item.open} onClick={item.onToggle} className="flex items-center gap-1.5 font-semibold">
            <Icon size={14} aria-hidden className="text-ink3" />
            {item.title}
          </button>
          <span className="figures text-ink2">{say("{count} {n, plural, one {run} other {runs}}", { count: formatCount(item.count), n: item.count })}</span>
          {item.range && <span className="figures text-ink2">{item.range}</span>}
          <button type="button" className="text-sm text-accent hover:underline" onClick={item.onOnly}>
            {say("Only these")}
          </button>
        </span>
      </th>
    </tr>
  );
}

function RunRow({
  index,
  run,
  columns,
  ticked,
  onTick,
}: {
  index: number;
  run: RunSummary;
  columns: readonly { id: string; column: Column }[];
  ticked: boolean;
  onTick: (id: string, on: boolean, event: MouseEvent) => void;
}) {
  return (
    <tr data-index={index} aria-rowindex={index + 2} aria-selected={ticked} className={cx("group", ticked ? "bg-accent-soft" : "hover:bg-hover")} style={{ height: ROW }}>
      <td className="sticky left-0 border-b border-line p-0">
        <span className={cx("flex h-[35px] items-center gap-2.5 pl-3", ticked ? "bg-accent-soft" : "bg-raise group-hover:bg-[color-mix(in_srgb,var(--ink)_5%,var(--raise))]")}>
          <input
            type="checkbox"
            aria-label={say("Tick run {number} of {modelName}", { number: run.number, modelName: run.modelName })}
            className="accent-accent"
            checked={ticked}
            onChange={() => {}}
            onClick={(event) => onTick(run.id, !ticked, event)}
          />
          <Link href={`/runs/${run.id}`} prefetch={false} className="min-w-0 truncate font-medium hover:underline">
            {say("Run {number}", { number: run.number })}
          </Link>
          {run.locked && <Lock size={12} role="img" aria-label={say("Locked")} className="shrink-0 text-ink3" />}
          {run.notes !== "" && (
            <span title={run.notes} className="shrink-0 text-ink3">
              <StickyNote size={12} role="img" aria-label={say("Has notes")} />
            </span>
          )}
        </span>
      </td>
      {columns.map(({ id, column }) => (
        <td key={id} className={cx("overflow-hidden border-b border-line px-2.5 last:pr-3.5", isNumeric(column) && "text-right")}>
          <Cell run={run} column={column} />
        </td>
      ))}
    </tr>
  );
}

function Cell({ run, column }: { run: RunSummary; column: Column }) {
  if (column.kind === "own" && column.name === "state") return <StateCell run={run} />;
  if (column.kind === "own" && column.name === "tags")
    return (
      <span className="flex gap-1 overflow-hidden">
        {run.tags.map((tag) => (
          <span key={tag} className="h-5 max-w-28 shrink-0 truncate rounded-full border border-line2 px-2 text-xs leading-[18px] text-ink2">
            {tag}
          </span>
        ))}
      </span>
    );
  const text = cellText(run, column);
  if (text === null) return <span className="text-ink3">–</span>;
  const isFigure = isNumeric(column) || (column.kind === "setting" && typeof run.settings[column.key] === "number");
  return (
    <span title={text} className={cx("block truncate", isFigure ? "figures" : "text-ink2")}>
      {text}
    </span>
  );
}

function StateCell({ run }: { run: RunSummary }) {
  const share = run.totalSteps > 0 ? run.step / run.totalSteps : 0;
  const left = run.status === "running" ? remainingMs(run) : null;
  return (
    <span className="flex items-center gap-2">
      <RunBadge status={run.status} stopping={run.cancelling} pausing={run.pausing} />
      {run.status === "running" && (
        <>
          <span
            role="progressbar"
            aria-label={say("Progress of run {number}", { number: run.number })}
            aria-valuemin={0}
            aria-valuemax={100}
            aria-valuenow={Math.floor(share * 100)}
            className="h-1 w-10 shrink-0 overflow-hidden rounded-full bg-sunk"
          >
            <span className="block h-full rounded-full bg-accent" style={{ width: `${share * 100}%` }} />
          </span>
          {left !== null && <span className="truncate text-sm text-ink2 tabular-nums">{say("{duration} left", { duration: formatDuration(Math.max(1000, left)) })}</span>}
        </>
      )}
      {run.failure && (
        <span className="truncate text-sm text-ink2" title={run.failure.message}>
          {run.failure.message}
        </span>
      )}
    </span>
  );
}

/** The groups of a view, with how a metric lies in each. */
export function useGroups(scope: Scope, view: View, metric: string | null) {
  const trpc = useTRPC();
  const by = view.group ?? "";
  const groups = useQuery(trpc.runs.groups.queryOptions({ ...questionOf(scope, view), by, metric }, { enabled: view.group !== null, refetchInterval: 10_000 }));
  const key = metric === null ? null : readColumn(metric);
  const rangeOf = ({ low, mean, high }: { low: number | null; mean: number | null; high: number | null }): string | null => {
    if (key?.kind !== "metric" || low === null || mean === null || high === null) return null;
    const print = (value: number) => formatFigure(value, unitOf(key.key));
    return low === high ? print(low) : say("{low} to {high}, mean {mean}", { low: print(low), high: print(high), mean: print(mean) });
  };
  return { groups, rangeOf };
}
