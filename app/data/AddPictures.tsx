"use client";

import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { useUpload } from "../models/useUpload.ts";
import { type Answers, useTRPC, useTRPCClient } from "../ui/trpc.ts";
import type { Adding } from "./AddData.tsx";
import { PicturePlanForm } from "./PicturePlanForm.tsx";
import { packFolder } from "./packFolder.ts";
import { Underway } from "./Underway.tsx";

type Facts = Extract<Answers["datasets"]["inspectPictures"], { ok: true }>;
type Inspected = { uploadId: string; file: File; facts: Facts };

/** Brings in pictures, from a zip or a folder: they are sent, looked at, corrected, and then read in the background. */
export function AddPictures({ picked, onOther, onAdded }: Adding) {
  const client = useTRPCClient();
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const [problem, setProblem] = useState<string | null>(null);
  const { work, start } = useUpload<Inspected>(async (file, uploadId) => {
    const facts = await client.datasets.inspectPictures.mutate({ uploadId });
    if (!facts.ok) throw new Error(facts.failure.message);
    return { uploadId, file, facts };
  });
  // Looked at as another task than was guessed, at the person's word.
  const [again, setAgain] = useState<Facts | null>(null);
  const begun = useRef(false);
  useEffect(() => {
    if (begun.current) return;
    begun.current = true;
    if (picked.kind === "file") start(picked.file);
    else start({ name: picked.folder.name, pack: (onProgress, signal) => packFolder(picked.folder, onProgress, signal) });
  });
  const failure = work.kind === "failed" ? work.message : null;
  useEffect(() => {
    if (failure !== null) onOther(failure);
  }, [failure]);
  if (work.kind !== "answered") return <Underway {...(work.kind === "busy" ? work : { text: "Beginning", share: null })} onCancel={() => onOther()} />;
  const { uploadId, file } = work.answer;
  const facts = again ?? work.answer.facts;

  /** Does something on the server; what goes wrong is said below the form. */
  async function attempt(work: () => Promise<void>): Promise<void> {
    setProblem(null);
    try {
      await work();
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  }

  return (
    <PicturePlanForm
      key={facts.task}
      fileName={file.name}
      facts={facts}
      problem={problem}
      onTask={(task) =>
        void attempt(async () => {
          const answer = await client.datasets.inspectPictures.mutate({ uploadId, task });
          if (answer.ok) setAgain(answer);
          else setProblem(answer.failure.message);
        })
      }
      onOther={() => onOther()}
      onCreate={(name, plan) =>
        attempt(async () => {
          const { datasetId } = await client.datasets.createPictures.mutate({ uploadId, fileName: file.name, name, plan });
          await queryClient.invalidateQueries(trpc.datasets.list.queryFilter());
          onAdded(datasetId);
        })
      }
    />
  );
}
