"use client";

import { type Answers, useTRPCClient } from "../ui/trpc.ts";
import type { Adding } from "./AddData.tsx";
import { PicturePlanForm } from "./PicturePlanForm.tsx";
import { Underway } from "./Underway.tsx";
import { useAdding } from "./useAdding.ts";

type Facts = Extract<Answers["datasets"]["inspectPictures"], { ok: true }>;

/** Brings in pictures, from a zip or a folder: they are sent, looked at, corrected, and then read in the background. */
export function AddPictures(adding: Adding) {
  const { datasets } = useTRPCClient();
  const { found, underway, problem, inspectAgain, create } = useAdding<Facts>(adding, ({ uploadId }) => datasets.inspectPictures.mutate({ uploadId }));
  const { onOther } = adding;
  if (!found) return <Underway {...underway} onCancel={() => onOther()} />;
  const { upload, facts } = found;
  return (
    <PicturePlanForm
      key={facts.task}
      fileName={upload.fileName}
      facts={facts}
      problem={problem}
      onTask={(task) => inspectAgain(() => datasets.inspectPictures.mutate({ uploadId: upload.uploadId, task }))}
      onOther={() => onOther()}
      onCreate={(name, plan) => create(async () => ({ ok: true, ...(await datasets.createPictures.mutate({ ...upload, name, plan })) }))}
    />
  );
}
