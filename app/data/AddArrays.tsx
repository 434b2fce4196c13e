"use client";

import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import type { ArraysFound } from "../../core/data/arrays.ts";
import { useUpload } from "../models/useUpload.ts";
import { useTRPC, useTRPCClient } from "../ui/trpc.ts";
import type { Adding } from "./AddData.tsx";
import { ArrayPlanForm } from "./ArrayPlanForm.tsx";
import { Underway } from "./Underway.tsx";

/** Brings in NumPy arrays: the file is sent, looked at, corrected, and then read into a data set. */
export function AddArrays({ picked, onOther, onAdded }: Adding) {
  const client = useTRPCClient();
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const [problem, setProblem] = useState<string | null>(null);
  const { work, start } = useUpload<{ uploadId: string; file: File; found: ArraysFound }>(async (file, uploadId) => {
    const found = await client.datasets.inspectArrays.mutate({ uploadId });
    if (!found.ok) throw new Error(found.failure.message);
    return { uploadId, file, found };
  });
  const begun = useRef(false);
  useEffect(() => {
    if (begun.current || picked.kind !== "file") return;
    begun.current = true;
    start(picked.file);
  });
  const failure = work.kind === "failed" ? work.message : null;
  useEffect(() => {
    if (failure !== null) onOther(failure);
  }, [failure]);
  if (work.kind !== "answered") return <Underway {...(work.kind === "busy" ? work : { text: "Beginning", share: null })} onCancel={() => onOther()} />;
  const { uploadId, file, found } = work.answer;
  return (
    <ArrayPlanForm
      fileName={file.name}
      found={found}
      problem={problem}
      onOther={() => onOther()}
      onCreate={async (name, plan) => {
        setProblem(null);
        try {
          const answer = await client.datasets.createArrays.mutate({ uploadId, fileName: file.name, name, plan });
          if (!answer.ok) return setProblem(answer.failure.message);
          await queryClient.invalidateQueries(trpc.datasets.list.queryFilter());
          onAdded(answer.datasetId);
        } catch (error) {
          setProblem(error instanceof Error ? error.message : String(error));
        }
      }}
    />
  );
}
