"use client";

import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { say } from "../../core/language/say.ts";
import { useUpload } from "../models/useUpload.ts";
import { useTRPC } from "../ui/trpc.ts";
import type { Adding } from "./AddData.tsx";
import { packFolder } from "./packFolder.ts";

type Refusal = { ok: false; failure: { message: string } };
/** A file that has been sent, as the server is told of it. */
type Upload = { uploadId: string; fileName: string };

/**
 * The way of a person's own data into a data set: what was picked is sent and looked at by `inspect`, shown, and made into a data set by `create`. What cannot be
 * looked at leads back to picking; what goes wrong later is `problem`, and the upload stays.
 */
export function useAdding<Facts extends { ok: true }>({ picked, onOther, onAdded }: Adding, inspect: (upload: Upload) => Promise<Facts | Refusal>) {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const [problem, setProblem] = useState<string | null>(null);
  const { work, start } = useUpload<Upload & { facts: Facts }>(async (file, uploadId) => {
    const upload = { uploadId, fileName: file.name };
    return { ...upload, facts: accepted(await inspect(upload)) };
  });
  // Looked at otherwise than was guessed, at the person's word.
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

  async function attempt(step: () => Promise<void>): Promise<void> {
    setProblem(null);
    try {
      await step();
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  }

  const { facts: first, ...upload } = work.kind === "answered" ? work.answer : { facts: null, uploadId: "", fileName: "" };
  const facts = again ?? first;
  return {
    found: facts && { upload, facts },
    underway: work.kind === "busy" ? work : { text: say("Beginning"), share: null },
    problem,
    inspectAgain: (ask: () => Promise<Facts | Refusal>) => void attempt(async () => setAgain(accepted(await ask()))),
    create: (ask: () => Promise<{ ok: true; datasetId: string } | Refusal>) =>
      attempt(async () => {
        const { datasetId } = accepted(await ask());
        await queryClient.invalidateQueries(trpc.datasets.list.queryFilter());
        onAdded(datasetId);
      }),
  };
}

function accepted<Good extends { ok: true }>(answer: Good | Refusal): Good {
  if (!answer.ok) throw new Error(answer.failure.message);
  return answer;
}
