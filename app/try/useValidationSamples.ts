"use client";

import { useQuery } from "@tanstack/react-query";
import type { Run } from "../dashboard/run.ts";
import { type Answers, useTRPC } from "../ui/trpc.ts";

/** What of a run can be tried. */
export type TryRun = Pick<Run, "artifacts" | "dataset" | "graph" | "evaluation">;
export type Samples = Answers["datasets"]["samples"];
export type Sample = Samples["samples"][number];

/** How many validation samples are at hand. */
const SAMPLES = 12;

/** The first validation rows of a run's data set. */
export function useValidationSamples(run: TryRun) {
  const trpc = useTRPC();
  return useQuery(trpc.datasets.samples.queryOptions({ datasetId: run.dataset.id, split: "validation", offset: 0, limit: SAMPLES }, { staleTime: Number.POSITIVE_INFINITY }));
}
