"use client";

import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTRPC } from "../../ui/trpc.ts";
import { isActive, type Run } from "../run.ts";

/**
 * What the network of a run says of its validation rows, as it was at the evaluation that is shown. That is worked out anew; while the run still
 * trains only when somebody asks for it, since it would take from it.
 */
export function useStudy(run: Pick<Run, "id" | "status" | "evaluation" | "checkpoints">) {
  const trpc = useTRPC();
  const [asked, setAsked] = useState(false);
  const step = run.evaluation?.step ?? null;
  const there = step !== null && run.checkpoints.length > 0;
  const study = useQuery(
    trpc.runs.study.queryOptions({ runId: run.id, step }, { enabled: there && (asked || !isActive(run.status)), staleTime: Number.POSITIVE_INFINITY, retry: false }),
  );
  return { ...study, /** Whether it waits to be asked for. */ waits: there && !asked && isActive(run.status), ask: () => setAsked(true), there };
}
export type StudyQuery = ReturnType<typeof useStudy>;
