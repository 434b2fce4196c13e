"use client";

import { useQueries } from "@tanstack/react-query";
import { useState } from "react";
import { say } from "../../../core/language/say.ts";
import { type Filter, readColumn, type View } from "../../../core/runs/view.ts";
import { Failing, Loading } from "../../ui/States.tsx";
import { useTRPC } from "../../ui/trpc.ts";
import { columnTitle } from "./columns.ts";
import { RunTable, type TableItem, useGroups } from "./RunTable.tsx";
import { questionOf, type Scope } from "./useRunList.ts";

/** As many runs of an open group are shown; the rest is behind “Only these”. */
const SHOWN = 100;

/** The runs of a view, put together by a column; groups open one by one. */
export function GroupedRuns({
  scope,
  view,
  onView,
  columns,
  ticked,
  onTick,
}: {
  scope: Scope;
  view: View;
  onView: (change: Partial<View>) => void;
  columns: readonly string[];
  ticked: ReadonlySet<string>;
  onTick: (ids: readonly string[], on: boolean) => void;
}) {
  const trpc = useTRPC();
  const [open, setOpen] = useState<ReadonlySet<string | null>>(new Set());
  const by = view.group ?? "";
  const sorted = readColumn(view.sort.column);
  const metric = sorted?.kind === "metric" ? view.sort.column : (columns.find((id) => readColumn(id)?.kind === "metric") ?? null);
  const { groups, rangeOf } = useGroups(scope, view, metric);
  const shown = groups.data?.filter(({ value }) => open.has(value)) ?? [];
  const filterOf = (value: string | null): Filter => ({ column: by, operator: "=", value: value?.slice(0, 200) ?? "" });
  const lists = useQueries({
    queries: shown.map(({ value }) =>
      trpc.runs.list.queryOptions(
        { ...questionOf(scope, view), filters: [...view.filters, filterOf(value)].slice(-20), sort: view.sort, limit: SHOWN },
        { refetchInterval: 5_000 },
      ),
    ),
  });
  if (groups.error) return <Failing what={say("The groups")} error={groups.error} onRetry={() => void groups.refetch()} />;
  if (!groups.data) return <Loading label={say("Loading groups")} className="h-72" />;
  const runsOf = new Map(shown.map(({ value }, at) => [value, lists[at]?.data?.runs ?? []]));
  const items = groups.data.flatMap((group): TableItem[] => {
    const isOpen = open.has(group.value);
    return [
      {
        kind: "group",
        id: `group ${group.value}`,
        title: titleOf(by, group.value),
        count: group.count,
        range: rangeOf(group),
        open: isOpen,
        onToggle: () => {
          const next = new Set(open);
          if (!next.delete(group.value)) next.add(group.value);
          setOpen(next);
        },
        onOnly: () => onView({ group: null, filters: [...view.filters, filterOf(group.value)].slice(-20) }),
      },
      ...(isOpen ? (runsOf.get(group.value)?.map((run) => ({ kind: "run" as const, run })) ?? []) : []),
    ];
  });
  return (
    <RunTable
      label={say("Runs by {by}", { by: columnTitle(by).toLowerCase() })}
      items={items}
      columns={columns}
      sort={view.sort}
      onSort={(sort) => onView({ sort })}
      ticked={ticked}
      onTick={onTick}
      onEnd={() => {}}
      loadingMore={lists.some(({ isPending }) => isPending)}
    />
  );
}

/** What heads a group. */
function titleOf(by: string, value: string | null): string {
  if (value === null) return say("No {by}", { by: columnTitle(by).toLowerCase() });
  if (value !== "true" && value !== "false") return value;
  return by === "locked" ? (value === "true" ? say("Locked") : say("Not locked")) : value === "true" ? say("on") : say("off");
}
