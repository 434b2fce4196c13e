"use client";

import { useQuery } from "@tanstack/react-query";
import { useTRPC } from "../ui/trpc.ts";

/** Whether one may change things here. Until that is known, yes: most may, and the server has the last word. */
export function useMayChange(): boolean {
  const trpc = useTRPC();
  const me = useQuery(trpc.workspace.me.queryOptions(undefined, { staleTime: 60_000 }));
  return me.data?.role !== "viewer";
}
