"use client";

import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import { useTRPC, useTRPCClient } from "../ui/trpc.ts";
import { isActive, type RunSummary } from "./run.ts";

/** The newest runs are asked for again and again, because only they change by themselves; the rest is read once. */
const NEWEST = 50;
const OLDER = 200;

/** All runs, of one model or of the organization, newest first; the moving ones stay fresh. */
export function useRuns(modelId?: string) {
  const trpc = useTRPC();
  const client = useTRPCClient();
  const newest = useQuery(
    trpc.runs.list.queryOptions({ modelId, limit: NEWEST }, { refetchInterval: ({ state }) => (state.data?.runs.some(({ status }) => isActive(status)) ? 1_000 : 5_000) }),
  );
  const isLong = newest.data !== undefined && newest.data.next !== null;
  const older = useInfiniteQuery({
    queryKey: ["older runs", modelId],
    queryFn: ({ pageParam, signal }) => client.runs.list.query({ modelId, limit: OLDER, cursor: pageParam }, { signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ next }) => next ?? undefined,
    enabled: isLong,
    staleTime: 60_000,
  });
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = older;
  useEffect(() => {
    if (isLong && hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [isLong, hasNextPage, isFetchingNextPage, fetchNextPage]);

  const runs = useMemo((): RunSummary[] | undefined => {
    if (!newest.data) return undefined;
    const fresh = newest.data.runs;
    const oldest = fresh.at(-1)?.createdAt;
    if (!isLong || oldest === undefined) return fresh;
    const known = new Set(fresh.map(({ id }) => id));
    return [...fresh, ...(older.data?.pages.flatMap((page) => page.runs).filter(({ id, createdAt }) => createdAt <= oldest && !known.has(id)) ?? [])];
  }, [newest.data, older.data, isLong]);
  return { runs, error: newest.error, refetch: newest.refetch };
}
