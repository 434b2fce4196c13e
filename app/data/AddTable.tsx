"use client";

import { type Answers, useTRPCClient } from "../ui/trpc.ts";
import type { Adding } from "./AddData.tsx";
import { TablePlanForm } from "./TablePlanForm.tsx";
import { Underway } from "./Underway.tsx";
import { useAdding } from "./useAdding.ts";

export type Facts = Extract<Answers["datasets"]["inspectTable"], { ok: true }>;

/** Brings in a table: it is sent, looked at, corrected, and then read into a data set. */
export function AddTable(adding: Adding) {
  const { datasets } = useTRPCClient();
  const { found, underway, problem, inspectAgain, create } = useAdding<Facts>(adding, (upload) => datasets.inspectTable.mutate(upload));
  const { onOther, onReadAs } = adding;
  if (!found) return <Underway {...underway} onCancel={() => onOther()} />;
  const { upload, facts } = found;
  return (
    <TablePlanForm
      key={`${facts.form.delimiter}${facts.form.header}`}
      upload={upload}
      facts={facts}
      problem={problem}
      onText={/\.(txt|md)$/i.test(upload.fileName) ? () => onReadAs("text") : null}
      onForm={(form) => inspectAgain(() => datasets.inspectTable.mutate({ ...upload, form: { ...facts.form, ...form } }))}
      onOther={() => onOther()}
      onCreate={(name, plan) => create(() => datasets.createTable.mutate({ ...upload, name, plan }))}
    />
  );
}
