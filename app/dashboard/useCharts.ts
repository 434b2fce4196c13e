"use client";

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useCallback, useRef } from "react";
import { type ChartLayout, readCharts, writeCharts } from "../../core/runs/charts.ts";
import { isRefusal, useTRPC } from "../ui/trpc.ts";
import { useAddress } from "../ui/useAddress.ts";

const SAVE_AFTER_MS = 600;

/**
 * How the charts are laid out: as the address says, else as the project keeps it. A change stands in the address at once, so that a link shows the same to
 * another, and is kept with the project for those who may change that.
 */
export function useCharts(runId: string, projectId: string, kept: ChartLayout | null): [ChartLayout, (layout: ChartLayout | null) => void] {
  const trpc = useTRPC();
  const client = useQueryClient();
  const [text, setText] = useAddress("charts");
  const save = useMutation(
    trpc.projects.saveCharts.mutationOptions({
      onSuccess: (_, { charts }) => client.setQueryData(trpc.runs.get.queryKey({ runId }), (run) => run && { ...run, project: { ...run.project, charts } }),
      // Who only looks keeps the layout in the address.
      onError: (error) => (isRefusal(error) ? undefined : console.warn(error)),
    }),
  );
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const change = useCallback(
    (charts: ChartLayout | null) => {
      setText(charts && writeCharts(charts));
      clearTimeout(timer.current);
      timer.current = setTimeout(() => save.mutate({ projectId, charts }), SAVE_AFTER_MS);
    },
    [projectId, save.mutate, setText],
  );
  return [text === null ? (kept ?? []) : readCharts(text), change];
}
