"use client";

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useRef, useState, useSyncExternalStore } from "react";
import { type Answers, isRefusal, useTRPC, useTRPCClient } from "../ui/trpc.ts";
import type { StepRange } from "./MetricChart.tsx";
import { MetricStore, type Metrics } from "./metricStore.ts";
import { bucketsOf, isActive, type Run } from "./run.ts";
import { CAPACITY, type Series, seriesOf } from "./series.ts";

const SHOW_EVERY_MS = 1_000;

/** Whether what is shown is as fresh as it can be: `live` while connected, `lost` while the server does not answer. */
export type Connection = "connecting" | "live" | "lost";

/**
 * A run and everything that happens to it, for one page: one query for where it stands, one subscription for what follows.
 * The subscription goes on from its last event after a lost connection, so a curve has neither gap nor double.
 */
export function useRun(runId: string) {
  const trpc = useTRPC();
  const client = useTRPCClient();
  const queryClient = useQueryClient();
  const run = useQuery(trpc.runs.get.queryOptions({ runId }));
  const [store] = useState(() => new MetricStore());
  const [connection, setConnection] = useState<Connection>("connecting");
  const [historyError, setHistoryError] = useState<unknown>(null);

  useEffect(() => {
    const runKey = trpc.runs.get.queryKey({ runId });
    const logKey = trpc.runs.log.queryKey({ runId });
    let over = false;
    let lastEventId: string | undefined;
    let attempt = 0;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let subscription: { unsubscribe: () => void } | undefined;

    let news: Partial<Run> = {};
    let showTimer: ReturnType<typeof setTimeout> | undefined;

    function showNews(): void {
      clearTimeout(showTimer);
      showTimer = undefined;
      const before = queryClient.getQueryData(runKey);
      if (before === undefined) {
        // The run itself is still on its way; what is known already waits for it.
        showTimer = setTimeout(showNews, SHOW_EVERY_MS);
        return;
      }
      queryClient.setQueryData(runKey, (old) => old && { ...old, ...news });
      const { status = before.status, exporting = before.exporting } = news;
      if (status !== before.status || exporting !== before.exporting) {
        void queryClient.invalidateQueries({ queryKey: runKey });
        void queryClient.invalidateQueries({ queryKey: trpc.runs.list.queryKey() });
      }
      news = {};
    }

    async function loadHistory(): Promise<void> {
      store.hold();
      for (let attempt = 0; !over; attempt++) {
        try {
          const { series } = await client.runs.metrics.query({ runId, maxPoints: CAPACITY });
          if (over) return;
          store.load(series.map(({ key, points }) => ({ key, buckets: bucketsOf(points) })));
          setHistoryError(null);
          return;
        } catch (error) {
          setHistoryError(error);
          if (isRefusal(error)) {
            end();
            return;
          }
          await new Promise((resolve) => setTimeout(resolve, Math.min(500 * 2 ** attempt, 8_000)));
        }
      }
    }

    function watch(): void {
      subscription = client.runs.watch.subscribe(
        { runId, lastEventId },
        {
          onStarted() {
            attempt = 0;
            setConnection("live");
            // Only after the server has begun to listen: what happens from here on comes as an event.
            if (lastEventId === undefined) void loadHistory();
          },
          onData({ id, data }) {
            lastEventId = id;
            setConnection("live");
            if (data.rewindTo !== undefined && store.rewindTo(data.rewindTo)) {
              void loadHistory();
              void queryClient.invalidateQueries({ queryKey: trpc.runs.metrics.queryKey() });
            }
            if (data.points) store.append(data.points);
            const { state, log, look } = data;
            if (look !== undefined) {
              news = { ...news, look };
              showTimer ??= setTimeout(showNews, SHOW_EVERY_MS);
            }
            if (log?.length) {
              queryClient.setQueryData(logKey, (old) => {
                const known = old?.at(-1)?.id ?? Number.NEGATIVE_INFINITY;
                return old ? [...old, ...log.filter((line) => line.id > known)] : old;
              });
            }
            if (state) {
              news = { ...news, ...state };
              // Where a run stands comes ten times a second; once is enough to read. Another status shows at once.
              if (queryClient.getQueryData(runKey)?.status !== state.status) showNews();
              else showTimer ??= setTimeout(showNews, SHOW_EVERY_MS);
            }
          },
          onConnectionStateChange({ state }) {
            if (state === "connecting" && lastEventId !== undefined) setConnection("lost");
          },
          onError: (error) => (isRefusal(error) ? end() : again()),
          onComplete: () => {
            const known = queryClient.getQueryData(runKey);
            if (known === undefined || isActive(known.status) || known.exporting) again();
          },
        },
      );
    }

    /** A stream that ended is opened again; the browser itself gives up on a server that is just starting. */
    function again(): void {
      if (over) return;
      setConnection("lost");
      timer = setTimeout(watch, Math.min(300 * 2 ** attempt++, 5_000));
    }

    /** Nothing more will come: the page is left, or the server said no. */
    function end(): void {
      over = true;
      clearTimeout(timer);
      clearTimeout(showTimer);
      subscription?.unsubscribe();
    }

    store.hold();
    watch();
    return end;
  }, [runId, client, queryClient, store, trpc]);

  return { run, store, connection, historyError };
}

/** All metrics of the run, as they come, at most eight times a second; as they were last seen while `awake` is false. */
export function useMetrics(store: MetricStore, awake: boolean): Metrics {
  const seen = useRef(store.read());
  const read = useCallback(() => {
    if (awake) seen.current = store.read();
    return seen.current;
  }, [store, awake]);
  return useSyncExternalStore(awake ? store.subscribe : asleep, read, read);
}

const asleep = () => () => {};

/** What is worked out of the metrics: a component that asks for this is drawn anew when the answer is another one, and not at every point. */
export function useFromMetrics<T extends string | number | boolean | Series>(store: MetricStore, pick: (metrics: Metrics) => T): T {
  const read = () => pick(store.read());
  return useSyncExternalStore(store.subscribe, read, read);
}

/**
 * Finer curves of some metrics inside a range of steps, and whether they are on their way; null where nothing is zoomed into. A metric of which the page holds every point anyway is drawn from those; the
 * others are asked for while they are `awake`, a point a pixel, and until they come their coarse curve stands in.
 */
export function useZoomedMetrics(runId: string, store: MetricStore, keys: readonly string[], range: StepRange | null, awake: boolean, pixels: number): [Metrics | null, boolean] {
  const trpc = useTRPC();
  const names = useFromMetrics(store, (metrics) => (range === null ? "" : keys.filter((key) => (metrics.get(key)?.bucketSize ?? 1) > 1).join("\n")));
  const coarse = names === "" ? [] : names.split("\n").sort();
  const { data, isFetching } = useQuery(
    trpc.runs.metrics.queryOptions(
      { runId, keys: coarse, fromStep: range?.[0], toStep: range?.[1], maxPoints: Math.min(CAPACITY, Math.max(100, pixels)) },
      { enabled: awake && coarse.length > 0, select: toMetrics },
    ),
  );
  return coarse.length > 0 ? [data ?? null, isFetching && data === undefined] : [null, false];
}

const toMetrics = ({ series }: Answers["runs"]["metrics"]): Metrics => new Map(series.map(({ key, points }) => [key, seriesOf(bucketsOf(points))]));

/** What grows at every step of a run. */
const GROWING: ReadonlySet<string> = new Set(["step", "elapsedMs", "stepsPerSecond", "peakBytes", "summary"] satisfies (keyof Run)[]);

/** The run, the same object while no more of it changes than what grows at every step: for what shows none of that. */
export function useCalm<T extends Run | undefined>(run: T): T {
  const kept = useRef(run);
  if (kept.current !== run && !isAlike(kept.current, run)) kept.current = run;
  return kept.current;
}

function isAlike(a: Run | undefined, b: Run | undefined): boolean {
  if (!a || !b || Object.keys(a.summary).length !== Object.keys(b.summary).length) return false;
  return (Object.keys(b) as (keyof Run)[]).every((name) => GROWING.has(name) || a[name] === b[name]);
}
