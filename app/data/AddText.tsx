"use client";

import { usualLanguagePlan } from "../../core/data/language.ts";
import { type Answers, useTRPCClient } from "../ui/trpc.ts";
import type { Adding } from "./AddData.tsx";
import { TextPlanForm } from "./TextPlanForm.tsx";
import { Underway } from "./Underway.tsx";
import { useAdding } from "./useAdding.ts";

export type TextFacts = Extract<Answers["datasets"]["inspectText"], { ok: true }>;

/** Brings in one long text: it is sent, cut into tokens as the person likes, and then made a data set that a language model learns from. */
export function AddText(adding: Adding) {
  const { datasets } = useTRPCClient();
  const { tokenizer, validationShare } = usualLanguagePlan;
  const { found, underway, problem, create } = useAdding<TextFacts>(adding, ({ uploadId }) =>
    datasets.inspectText.mutate({ uploadId, question: { of: "file", tokenizer, validationShare } }),
  );
  const { onOther, onReadAs } = adding;
  if (!found) return <Underway {...underway} onCancel={() => onOther()} />;
  const { upload, facts } = found;
  return (
    <TextPlanForm
      upload={upload}
      facts={facts}
      problem={problem}
      onTable={() => onReadAs("table")}
      onOther={() => onOther()}
      onCreate={(name, plan) => create(() => datasets.createText.mutate({ ...upload, name, plan }))}
    />
  );
}
