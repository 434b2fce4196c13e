"use client";

import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { useUpload } from "../models/useUpload.ts";
import { type Answers, useTRPC, useTRPCClient } from "../ui/trpc.ts";
import type { Adding } from "./AddData.tsx";
import { TablePlanForm } from "./TablePlanForm.tsx";
import { Underway } from "./Underway.tsx";

type Inspected = { uploadId: string; file: File; facts: Facts };
export type Facts = Extract<Answers["datasets"]["inspectTable"], { ok: true }>;

/** Brings in a table: it is sent, looked at, corrected, and then read into a data set. */
export function AddTable({ picked, onOther, onAdded }: Adding) {
  const client = useTRPCClient();
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const [problem, setProblem] = useState<string | null>(null);
  const { work, start } = useUpload<Inspected>(async (file, uploadId) => {
    const facts = await client.datasets.inspectTable.mutate({ uploadId, fileName: file.name });
    if (!facts.ok) throw new Error(facts.failure.message);
    return { uploadId, file, facts };
  });
  // Counted in another form than was guessed, at the person's word.
  const [again, setAgain] = useState<Inspected | null>(null);
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
  const inspected = again ?? (work.kind === "answered" ? work.answer : null);
  if (!inspected) return <Underway {...(work.kind === "busy" ? work : { text: "Beginning", share: null })} onCancel={() => onOther()} />;
  const { uploadId, file, facts } = inspected;

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
    <TablePlanForm
      key={`${facts.form.delimiter}${facts.form.header}`}
      fileName={file.name}
      facts={facts}
      problem={problem}
      onForm={(form) =>
        void attempt(async () => {
          const answer = await client.datasets.inspectTable.mutate({ uploadId, fileName: file.name, form: { ...facts.form, ...form } });
          if (answer.ok) setAgain({ uploadId, file, facts: answer });
          else setProblem(answer.failure.message);
        })
      }
      onOther={() => onOther()}
      onCreate={(name, plan) =>
        attempt(async () => {
          const answer = await client.datasets.createTable.mutate({ uploadId, fileName: file.name, name, plan });
          if (!answer.ok) return setProblem(answer.failure.message);
          await queryClient.invalidateQueries(trpc.datasets.list.queryFilter());
          onAdded(answer.datasetId);
        })
      }
    />
  );
}
