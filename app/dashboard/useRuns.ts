"use client";

import { useQuery } from "@tanstack/react-query";
import { useTRPC } from "../ui/trpc.ts";
import { isActive } from "./run.ts";

/** The newest runs of a model, kept fresh while any of them goes on. */
export function useRuns(modelId: string) {
  const trpc = useTRPC();
  const { data, error, refetch } = useQuery(
    trpc.runs.list.queryOptions({ modelId, limit: 200 }, { refetchInterval: ({ state }) => (state.data?.runs.some(({ status }) => isActive(status)) ? 1_000 : 5_000) }),
  );
  return { runs: data?.runs, error, refetch };
}
