"use client";

import { useState } from "react";
import { type LanguagePlan, usualLanguagePlan } from "../../core/data/language.ts";
import { TEXT_LIMITS } from "../../core/data/text.ts";
import { say } from "../../core/language/say.ts";
import { Field, NumberInput } from "../ui/Field.tsx";
import { formatCount } from "../ui/format.ts";
import type { TextFacts } from "./AddText.tsx";
import { PlanForm } from "./PlanForm.tsx";
import { TokenizerFields, useTextFacts, VocabularyPreview } from "./Tokenizer.tsx";

/** How one long text becomes a data set for a language model: its tokens can be looked at before it is kept. */
export function TextPlanForm({
  upload,
  facts,
  problem,
  onTable,
  onOther,
  onCreate,
}: {
  upload: { uploadId: string; fileName: string };
  facts: TextFacts;
  problem: string | null;
  onTable: () => void;
  onOther: () => void;
  onCreate: (name: string, plan: LanguagePlan) => Promise<void>;
}) {
  const [plan, setPlan] = useState<LanguagePlan>(usualLanguagePlan);
  const change = (part: Partial<LanguagePlan>) => setPlan((before) => ({ ...before, ...part }));
  const { tokenizer, validationShare, context } = plan;
  const query = useTextFacts(upload.uploadId, { of: "file", tokenizer, validationShare }, facts);
  const tokens = query.data?.tokens ?? facts.tokens;
  const windows = Math.floor((tokens * (1 - validationShare) - 1) / context);
  const isShort = Math.floor(tokens * Math.min(validationShare, 1 - validationShare)) <= context;
  return (
    <PlanForm
      fileName={upload.fileName}
      about={say("{characters} characters, read as a text to be gone on with", { characters: formatCount(facts.characters) })}
      problem={problem}
      isReady={!isShort && !query.error}
      onOther={onOther}
      onCreate={(name) => onCreate(name, plan)}
      fields={<TokenizerFields tokenizer={tokenizer} onTokenizer={(next) => change({ tokenizer: next })} />}
      moreFields={
        <>
          <Field label={say("Tokens at once")} doc={say("How many tokens the network is shown; what comes next is asked at each.")}>
            {(ids) => <NumberInput {...ids} whole min={2} max={TEXT_LIMITS.context} value={context} onValue={(value) => change({ context: value })} />}
          </Field>
          <Field label={say("Held back")} doc={say("The end of the text, for validation; its vocabulary is not looked at.")}>
            {(ids) => <NumberInput {...ids} min={0.01} max={0.9} step={0.05} value={validationShare} onValue={(value) => change({ validationShare: value })} />}
          </Field>
          <p className="py-1 text-sm text-ink2">
            {say("Is it a table?")}{" "}
            <button type="button" className="font-medium text-accent hover:underline" onClick={onTable}>
              {say("Read it as one")}
            </button>
          </p>
        </>
      }
      note={
        <span className={isShort ? "text-bad" : "text-ink2"}>
          {isShort
            ? say("A part of the text is shorter than a window: show fewer tokens at once, or hold back more.")
            : say("About {windows} training windows", { windows: formatCount(windows) })}
        </span>
      }
    >
      <VocabularyPreview query={query} of={say("in all")} />
    </PlanForm>
  );
}
