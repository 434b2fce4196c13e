"use client";

import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import type { View } from "../../../core/runs/view.ts";
import { useTRPC, useTRPCClient } from "../../ui/trpc.ts";

const PAGE = 100;
/** So many pages are read anew by themselves; behind more of them the page says that there is news, and leaves it to the person. */
const FRESH_PAGES = 2;

export type Scope = { modelId?: string };

/** What of a view says which runs there are. */
export const questionOf = ({ modelId }: Scope, { filters, search, trash }: View) => ({ ...(modelId ? { modelId } : {}), filters, search, trash });

/** The runs of a view, page by page as they are scrolled to; those that go on are kept fresh wherever they stand. */
export function useRunList(scope: Scope, view: View, enabled = true) {
  const trpc = useTRPC();
  const client = useTRPCClient();
  const question = questionOf(scope, view);
  const list = useInfiniteQuery({
    // Under the path of the procedure, so that whatever makes lists stale makes this one stale.
    queryKey: [...trpc.runs.list.pathKey(), "pages", question, view.sort],
    queryFn: ({ pageParam, signal }) => client.runs.list.query({ ...question, sort: view.sort, limit: PAGE, cursor: pageParam }, { signal }),
    initialPageParam: null as string | null,
    getNextPageParam: ({ next }) => next,
    enabled,
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => ((state.data?.pages.length ?? 0) <= FRESH_PAGES ? 5_000 : false),
  });
  const count = useQuery(trpc.runs.count.queryOptions(question, { enabled, placeholderData: keepPreviousData, refetchInterval: 5_000 }));
  const moving = (count.data?.active ?? 0) > 0 && !view.trash;
  const active = useQuery(
    trpc.runs.list.queryOptions(
      { ...question, filters: [...question.filters.slice(0, 19), { column: "state", operator: "=", value: "running" }], sort: view.sort, limit: 200 },
      { enabled: enabled && moving, refetchInterval: 1_000 },
    ),
  );
  const runs = useMemo(() => {
    const fresh = new Map(active.data?.runs.map((run) => [run.id, run]));
    const seen = new Set<string>();
    // A page that was read later may begin with what another ended with.
    return list.data?.pages
      .flatMap((page) => page.runs)
      .filter(({ id }) => !seen.has(id) && seen.add(id))
      .map((run) => fresh.get(run.id) ?? run);
  }, [list.data, active.data]);
  return { runs, list, count: count.data };
}
