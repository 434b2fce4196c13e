"use client";

import type { ArraysFound } from "../../core/data/arrays.ts";
import { useTRPCClient } from "../ui/trpc.ts";
import type { Adding } from "./AddData.tsx";
import { ArrayPlanForm } from "./ArrayPlanForm.tsx";
import { Underway } from "./Underway.tsx";
import { useAdding } from "./useAdding.ts";

/** Brings in NumPy arrays: the file is sent, looked at, corrected, and then read into a data set. */
export function AddArrays(adding: Adding) {
  const { datasets } = useTRPCClient();
  const { found, underway, problem, create } = useAdding<ArraysFound>(adding, ({ uploadId }) => datasets.inspectArrays.mutate({ uploadId }));
  const { onOther } = adding;
  if (!found) return <Underway {...underway} onCancel={() => onOther()} />;
  const { upload, facts } = found;
  return (
    <ArrayPlanForm
      fileName={upload.fileName}
      found={facts}
      problem={problem}
      onOther={() => onOther()}
      onCreate={(name, plan) => create(() => datasets.createArrays.mutate({ ...upload, name, plan }))}
    />
  );
}
