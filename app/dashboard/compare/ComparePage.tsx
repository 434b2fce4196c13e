"use client";

import { useQuery } from "@tanstack/react-query";
import { Eye, EyeOff } from "lucide-react";
import Link from "next/link";
import { useSearchParams } from "next/navigation";
import { useCallback, useMemo, useState } from "react";
import { say } from "../../../core/language/say.ts";
import { Button, ButtonLink } from "../../ui/Button.tsx";
import { cx } from "../../ui/cx.ts";
import { Segments } from "../../ui/Segments.tsx";
import { Empty, Failing, Loading } from "../../ui/States.tsx";
import { TopBar } from "../../ui/TopBar.tsx";
import { type Answers, useTRPC } from "../../ui/trpc.ts";
import { formatFigure } from "../figures.ts";
import { isActive, mainMetric, summaryOf, unitOf } from "../run.ts";
import { Curves } from "./Curves.tsx";
import { GraphDiff } from "./GraphDiff.tsx";
import { lookOf } from "./looks.ts";
import type { ShownRun } from "./OverlayChart.tsx";
import { Relations } from "./Relations.tsx";
import { SettingsDiff } from "./SettingsDiff.tsx";

export type Compared = Answers["runs"]["compare"][number];

const TABS = [
  { id: "curves", title: say("Curves") },
  { id: "readings", title: say("Readings") },
  { id: "settings", title: say("Settings") },
  { id: "graphs", title: say("Graphs") },
  { id: "relations", title: say("Relations") },
] as const;
type Tab = (typeof TABS)[number]["id"];
const MOST = 200;
const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Any runs beside each other. The address names them: a link shows the same to another. */
export function ComparePage() {
  const trpc = useTRPC();
  const params = useSearchParams();
  const runIds = useMemo(
    () =>
      [
        ...new Set(
          params
            .get("runs")
            ?.split(",")
            .filter((id) => ID.test(id)) ?? [],
        ),
      ].slice(0, MOST),
    [params],
  );
  const [tab, setTab] = useState<Tab>(TABS.find(({ id }) => id === params.get("tab"))?.id ?? "curves");
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const [chosen, setChosen] = useState<string | null>(null);
  const query = useQuery(
    trpc.runs.compare.queryOptions(
      { runIds },
      { enabled: runIds.length > 0, refetchInterval: ({ state }) => (state.data?.some(({ status }) => isActive(status)) ? 2_000 : false) },
    ),
  );
  const runs = query.data;
  const looks = useMemo(() => {
    const several = new Set(runs?.map(({ modelId }) => modelId)).size > 1;
    return new Map(
      runs?.map((run, at): [string, ShownRun] => [
        run.id,
        {
          id: run.id,
          name: several ? say("{modelName}, run {number}", { modelName: run.modelName, number: run.number }) : say("Run {number}", { number: run.number }),
          ...lookOf(at),
        },
      ]),
    );
  }, [runs]);
  const shown = useMemo(() => new Map([...looks].filter(([id]) => !hidden.has(id))), [looks, hidden]);
  const choose = useCallback((id: string | null) => setChosen(id), []);
  const open = (next: Tab) => {
    setTab(next);
    const address = new URLSearchParams(location.search);
    address.set("tab", next);
    history.replaceState(history.state, "", `?${address}`);
  };

  return (
    <div className="flex min-h-dvh flex-col">
      <TopBar place={[{ label: say("Home"), href: "/" }, { label: say("Runs"), href: "/runs" }, { label: say("Compare") }]} />
      <main className="flex w-full flex-1 flex-col gap-3 p-3 md:p-5">
        <header className="flex flex-wrap items-center gap-3">
          <h1 className="text-title font-semibold">{runs ? (runs.length === 1 ? say("1 run") : say("{count} runs compared", { count: runs.length })) : say("Compare runs")}</h1>
          {runIds.length > 0 && <Segments label={say("What is compared")} options={TABS} value={tab} onValue={open} />}
        </header>
        {runIds.length === 0 ? (
          <Empty title={say("No runs to compare")} action={<ButtonLink href="/runs">{say("Choose runs")}</ButtonLink>}>
            {say("Tick at least two runs in the table of runs and press Compare.")}
          </Empty>
        ) : query.error ? (
          <Failing what={say("These runs")} error={query.error} onRetry={() => void query.refetch()} />
        ) : !runs ? (
          <div className="grid gap-2.5 lg:grid-cols-2">
            <Loading label={say("Loading runs")} className="h-64" />
            <Loading label={say("Loading curves")} className="h-64" />
          </div>
        ) : (
          <div className="grid gap-4 lg:grid-cols-[250px_minmax(0,1fr)]">
            <Legend runs={runs} looks={looks} hidden={hidden} onHidden={setHidden} chosen={chosen} onChosen={choose} />
            <div className="min-w-0">
              {tab === "curves" && <Curves runs={runs} shown={shown} chosen={chosen} onChosen={choose} />}
              {tab === "readings" && <Readings runs={runs.filter(({ id }) => shown.has(id))} looks={looks} />}
              {tab === "settings" && <SettingsDiff runs={runs.filter(({ id }) => shown.has(id))} looks={looks} />}
              {tab === "graphs" && <GraphDiff runs={runs} />}
              {tab === "relations" && <Relations runs={runs} shown={shown} chosen={chosen} onChosen={choose} />}
            </div>
          </div>
        )}
      </main>
    </div>
  );
}

/** Which curve is whose. A click on a name shows that run alone, and again all of them; the eye hides one. */
function Legend({
  runs,
  looks,
  hidden,
  onHidden,
  chosen,
  onChosen,
}: {
  runs: readonly Compared[];
  looks: ReadonlyMap<string, ShownRun>;
  hidden: ReadonlySet<string>;
  onHidden: (hidden: ReadonlySet<string>) => void;
  chosen: string | null;
  onChosen: (id: string | null) => void;
}) {
  const isolated = runs.length - hidden.size === 1;
  return (
    <section aria-label={say("Runs")} className="min-w-0 lg:sticky lg:top-16 lg:max-h-[calc(100dvh-90px)] lg:self-start lg:overflow-y-auto">
      <div className="flex h-7 items-center justify-between">
        <h2 className="section-name">{say("Click a run to see it alone")}</h2>
        {hidden.size > 0 && (
          <Button size="sm" kind="quiet" onClick={() => onHidden(new Set())}>
            {say("All")}
          </Button>
        )}
      </div>
      <ul className="max-lg:flex max-lg:max-h-28 max-lg:flex-wrap max-lg:gap-1 max-lg:overflow-y-auto">
        {runs.map((run) => {
          const look = looks.get(run.id);
          const main = mainMetric(run);
          const isHidden = hidden.has(run.id);
          return (
            <li
              key={run.id}
              onPointerEnter={() => onChosen(run.id)}
              onPointerLeave={() => onChosen(null)}
              className={cx("flex h-8 max-w-full min-w-0 items-center gap-2 rounded-md px-1.5", chosen === run.id && "bg-hover", isHidden && "opacity-45")}
            >
              <svg aria-hidden width={16} height={8} className="shrink-0">
                <line x1={0} x2={16} y1={4} y2={4} stroke={look?.colour} strokeWidth={3} strokeDasharray={look?.dash.join(" ")} />
              </svg>
              <button
                type="button"
                aria-pressed={isolated && !isHidden}
                onFocus={() => onChosen(run.id)}
                onBlur={() => onChosen(null)}
                onClick={() => onHidden(isolated && !isHidden ? new Set() : new Set(runs.filter(({ id }) => id !== run.id).map(({ id }) => id)))}
                className="min-w-0 flex-1 truncate text-left"
                title={look?.name}
              >
                {look?.name}
              </button>
              {main && <span className="figures shrink-0 text-ink2">{formatFigure(summaryOf(run, main)?.best, unitOf(main))}</span>}
              <button
                type="button"
                aria-label={`${isHidden ? say("Show") : say("Hide")} ${look?.name}`}
                aria-pressed={isHidden}
                className="grid size-6 shrink-0 place-items-center rounded-sm text-ink3 hover:bg-hover hover:text-ink"
                onClick={() => {
                  const next = new Set(hidden);
                  if (!next.delete(run.id)) next.add(run.id);
                  onHidden(next);
                }}
              >
                {isHidden ? <EyeOff size={13} /> : <Eye size={13} />}
              </button>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

/** Each run in plain words. */
function Readings({ runs, looks }: { runs: readonly Compared[]; looks: ReadonlyMap<string, ShownRun> }) {
  return (
    <ul aria-label={say("Readings")} className="divide-y divide-line rounded-xl border border-line bg-raise">
      {runs.map((run) => (
        <li key={run.id} className="flex gap-3 px-3.5 py-2.5">
          <span aria-hidden className="mt-1.5 size-2 shrink-0 rounded-[2px]" style={{ background: looks.get(run.id)?.colour }} />
          <div className="min-w-0">
            <Link href={`/runs/${run.id}`} className="font-semibold wrap-anywhere hover:underline">
              {looks.get(run.id)?.name}
            </Link>
            {run.remarks.length === 0 ? (
              <p className="text-ink2">{isActive(run.status) ? say("Nothing to read from it yet.") : say("It ended before there was anything to read from it.")}</p>
            ) : (
              run.remarks.map(({ kind, text, tone }) => (
                <p key={kind} className={tone === "bad" ? "text-bad" : tone === "hint" ? "text-warn" : undefined}>
                  {text}
                </p>
              ))
            )}
          </div>
        </li>
      ))}
    </ul>
  );
}
