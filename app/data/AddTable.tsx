"use client";

import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { useUpload } from "../models/useUpload.ts";
import { Button } from "../ui/Button.tsx";
import { Dialog } from "../ui/Dialog.tsx";
import { DropZone } from "../ui/DropZone.tsx";
import { type Answers, useTRPC, useTRPCClient } from "../ui/trpc.ts";
import { TablePlanForm } from "./TablePlanForm.tsx";

type Inspected = { uploadId: string; file: File; facts: Answers["datasets"]["inspectTable"] };
export type Facts = Extract<Inspected["facts"], { ok: true }>;

/** Brings in a table of one's own: it is sent, looked at, corrected, and then read into a data set. */
export function AddTable({ open, onOpen, dropped, onAdded }: { open: boolean; onOpen: (open: boolean) => void; dropped: File | null; onAdded: (datasetId: string) => void }) {
  return (
    <Dialog title="Add data" open={open} onOpen={onOpen} width="max-w-4xl">
      <div className="p-4">
        <Steps dropped={dropped} onAdded={onAdded} />
      </div>
    </Dialog>
  );
}

function Steps({ dropped, onAdded }: { dropped: File | null; onAdded: (datasetId: string) => void }) {
  const client = useTRPCClient();
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const [problem, setProblem] = useState<string | null>(null);
  const { work, start, reset } = useUpload<Inspected>(async (file, uploadId) => ({
    uploadId,
    file,
    facts: await client.datasets.inspectTable.mutate({ uploadId, fileName: file.name }),
  }));
  // Counted in another form than was guessed, at the person's word.
  const [again, setAgain] = useState<Inspected | null>(null);
  const begun = useRef<File | null>(null);
  useEffect(() => {
    if (!dropped || begun.current === dropped) return;
    begun.current = dropped;
    start(dropped);
  });
  const inspected = again ?? (work.kind === "answered" ? work.answer : null);
  const facts = inspected?.facts.ok ? inspected.facts : null;

  async function recount(form: Partial<Facts["form"]>): Promise<void> {
    if (!inspected || !facts) return;
    const { uploadId, file } = inspected;
    setProblem(null);
    try {
      const answer = await client.datasets.inspectTable.mutate({ uploadId, fileName: file.name, form: { ...facts.form, ...form } });
      if (answer.ok) setAgain({ uploadId, file, facts: answer });
      else setProblem(answer.failure.message);
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  }

  if (inspected && facts) {
    return (
      <TablePlanForm
        key={`${facts.form.delimiter}${facts.form.header}`}
        fileName={inspected.file.name}
        facts={facts}
        problem={problem}
        onForm={(form) => void recount(form)}
        onOther={() => {
          setAgain(null);
          setProblem(null);
          reset();
        }}
        onCreate={async (name, plan) => {
          setProblem(null);
          try {
            const answer = await client.datasets.createTable.mutate({ uploadId: inspected.uploadId, fileName: inspected.file.name, name, plan });
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
  const refusal = work.kind === "failed" ? work.message : inspected && !inspected.facts.ok ? inspected.facts.failure.message : null;
  return (
    <div className="space-y-3">
      <DropZone label="Table" accept=".csv,.tsv,.txt,.jsonl,.ndjson" busy={work.kind === "busy" ? work : null} onFile={start}>
        A table as CSV, TSV or JSON lines, one sample a row, up to 512 MiB. You see what is in its columns before anything is kept.
      </DropZone>
      {work.kind === "busy" && (
        <div className="flex justify-end">
          <Button onClick={reset}>Cancel</Button>
        </div>
      )}
      {refusal !== null && (
        <p role="alert" className="[overflow-wrap:anywhere] text-bad">
          {refusal}
        </p>
      )}
    </div>
  );
}
