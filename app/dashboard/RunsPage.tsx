"use client";

import { useQuery } from "@tanstack/react-query";
import { Download, Trash2 } from "lucide-react";
import { useCallback, useMemo, useState } from "react";
import { say } from "../../core/language/say.ts";
import { writeView } from "../../core/runs/view.ts";
import { Button, ButtonLink } from "../ui/Button.tsx";
import { formatCount } from "../ui/format.ts";
import { Menu } from "../ui/Menu.tsx";
import { Empty, Failing, Loading } from "../ui/States.tsx";
import { TopBar } from "../ui/TopBar.tsx";
import { useTRPC } from "../ui/trpc.ts";
import { ColumnsMenu } from "./table/ColumnsMenu.tsx";
import { usualColumns } from "./table/columns.ts";
import { ColumnSelect, FilterBar } from "./table/FilterBar.tsx";
import { GroupedRuns } from "./table/GroupedRuns.tsx";
import { RunTable, type TableItem } from "./table/RunTable.tsx";
import { Selection } from "./table/Selection.tsx";
import { useRunList } from "./table/useRunList.ts";
import { useView } from "./table/useView.ts";
import { ViewsMenu } from "./table/ViewsMenu.tsx";

/** All runs of a model, or of the whole organization. */
export function RunsPage({ modelId }: { modelId?: string }) {
  const trpc = useTRPC();
  const model = useQuery(trpc.models.record.queryOptions({ modelId: modelId ?? "" }, { enabled: modelId !== undefined }));
  const [view, setView] = useView();
  const scope = useMemo(() => (modelId ? { modelId } : {}), [modelId]);
  const { runs, list, count } = useRunList(scope, view);
  const [ticked, setTicked] = useState<ReadonlySet<string>>(new Set());
  const onTick = useCallback(
    (ids: readonly string[], on: boolean) =>
      setTicked((before) => {
        const next = new Set(before);
        for (const id of ids)
          if (on) next.add(id);
          else next.delete(id);
        return next;
      }),
    [],
  );
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = list;
  const onEnd = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  const columns = view.columns ?? usualColumns(runs?.slice(0, 100) ?? [], modelId !== undefined);
  const items = useMemo(() => runs?.map((run): TableItem => ({ kind: "run", run })) ?? [], [runs]);
  const isNarrowed = view.filters.length > 0 || view.search !== "" || view.trash;
  const nothing = runs?.length === 0 && !isNarrowed && !list.isPlaceholderData;
  const download = (format: string) => {
    const asked = writeView({ ...view, columns });
    if (modelId) asked.set("model", modelId);
    location.assign(`/api/run-table/${format}?${asked}`);
  };

  return (
    <div className="flex h-dvh min-h-[480px] flex-col">
      <TopBar
        place={
          modelId
            ? [{ label: model.data?.project.name ?? "…", href: "/" }, { label: model.data?.name ?? "…", href: `/models/${modelId}` }, { label: say("Runs") }]
            : [{ label: say("Home"), href: "/" }, { label: say("Runs") }]
        }
        modelId={modelId}
        room="runs"
      />
      <main className="flex min-h-0 w-full flex-1 flex-col gap-3 p-3 md:p-5">
        <header className="flex flex-wrap items-baseline gap-x-3 gap-y-1">
          <h1 className="text-title font-semibold">{view.trash ? say("Runs in the trash") : say("Runs")}</h1>
          {count && !nothing && (
            <p className="text-ink2 tabular-nums">
              {formatCount(count.total)}
              {isNarrowed && !view.trash && say(" found")}
              {count.active > 0 && say(", {active} going on", { active: formatCount(count.active) })}
              {view.trash && `. ${say("They are deleted for good 30 days after they were put here.")}`}
            </p>
          )}
        </header>
        {model.error ? (
          <Failing what={say("This model")} error={model.error} onRetry={() => void model.refetch()} />
        ) : list.error && !runs ? (
          <Failing what={say("The runs")} error={list.error} onRetry={() => void list.refetch()} />
        ) : !runs ? (
          <Loading label={say("Loading runs")} className="h-72" />
        ) : nothing ? (
          <Empty
            title={say("No runs yet")}
            action={
              <span className="flex gap-2">
                <ButtonLink kind="primary" href={modelId ? `/models/${modelId}` : "/"}>
                  {modelId ? say("Open the studio") : say("Choose a model")}
                </ButtonLink>
                <Button onClick={() => setView({ trash: true })}>{say("Open the trash")}</Button>
              </span>
            }
          >
            {say("A run trains a model on its data and keeps everything that decided the numbers: graph, data set, settings and seed. Press Train in the studio to start one.")}
          </Empty>
        ) : (
          <>
            <div role="toolbar" aria-label={say("What the table shows")} className="flex flex-wrap items-center gap-2">
              <FilterBar view={view} onView={setView} />
              <span className="ml-auto flex flex-wrap items-center gap-2">
                <span className="w-40">
                  <ColumnSelect
                    label={say("Group by")}
                    none={say("No groups")}
                    metrics={false}
                    value={view.group ?? ""}
                    onValue={(id) => setView({ group: id === "" ? null : id })}
                  />
                </span>
                <ColumnsMenu columns={columns} onColumns={(next) => setView({ columns: next })} />
                <ViewsMenu view={view} onView={setView} />
                <Menu
                  align="end"
                  items={[
                    { label: say("CSV"), run: () => download("csv") },
                    { label: say("JSON"), run: () => download("json") },
                    { label: say("Parquet"), run: () => download("parquet") },
                  ]}
                >
                  <Button>
                    <Download size={13} /> {say("Take along")}
                  </Button>
                </Menu>
                <Button aria-pressed={view.trash} onClick={() => setView({ trash: !view.trash })}>
                  <Trash2 size={13} /> {view.trash ? say("Back to the runs") : say("Trash")}
                </Button>
              </span>
            </div>
            {runs.length === 0 ? (
              <Empty
                title={view.trash ? say("The trash is empty") : say("No run is like that")}
                action={view.trash ? undefined : <Button onClick={() => setView({ filters: [], search: "" })}>{say("Show all runs")}</Button>}
              >
                {view.trash
                  ? say("Runs that are moved to the trash can be restored for 30 days.")
                  : say("Nothing meets all the filters above. Take one away, or look for other words.")}
              </Empty>
            ) : view.group ? (
              <GroupedRuns scope={scope} view={view} onView={setView} columns={columns} ticked={ticked} onTick={onTick} />
            ) : (
              <RunTable
                label={say("Runs")}
                items={items}
                columns={columns}
                sort={view.sort}
                onSort={(sort) => setView({ sort })}
                ticked={ticked}
                onTick={onTick}
                onEnd={onEnd}
                loadingMore={isFetchingNextPage}
              />
            )}
          </>
        )}
        {ticked.size > 0 && <Selection ids={[...ticked]} trash={view.trash} onClear={() => setTicked(new Set())} />}
      </main>
    </div>
  );
}
