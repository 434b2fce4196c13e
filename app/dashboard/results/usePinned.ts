"use client";

import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { useInflated } from "../../ui/inflate.ts";
import { useTRPC } from "../../ui/trpc.ts";
import type { Run } from "../run.ts";

/** Up to this size the server sends masks as bytes; larger pictures it would make smaller. */
const WHOLE_SIDE = 256;

/** The validation rows that every evaluation shows, each with the picture that the network makes of it. */
export function usePinned({ evaluation, dataset }: Pick<Run, "evaluation" | "dataset">) {
  const trpc = useTRPC();
  const seen = evaluation?.samples.filter(({ bytes }) => bytes !== undefined) ?? [];
  const key = seen.map(({ row }) => row).join();
  const rows = useMemo(() => (key === "" ? [] : key.split(",").map(Number)), [key]);
  const samples = useQuery(
    trpc.datasets.samples.queryOptions(
      { datasetId: dataset.id, split: "validation", rows, ...(dataset.inputShape.every((size) => size <= WHOLE_SIDE) ? { side: WHOLE_SIDE } : {}) },
      { enabled: rows.length > 0, staleTime: Number.POSITIVE_INFINITY },
    ),
  );
  const made = useInflated(seen.map(({ bytes = "" }) => bytes));
  return { rows, samples, made };
}
