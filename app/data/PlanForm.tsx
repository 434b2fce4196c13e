"use client";

import { type ReactNode, useState } from "react";
import type { SplitPlan } from "../../core/data/split.ts";
import { say } from "../../core/language/say.ts";
import { Button } from "../ui/Button.tsx";
import { Field, NumberInput, Select, TextInput } from "../ui/Field.tsx";

/** The frame of what a person corrects before their data is kept: what the file is, its name, fields in two columns, and the button that makes it a data set. */
export function PlanForm({
  fileName,
  about,
  preview,
  fields,
  moreFields,
  children,
  problem,
  note,
  other = say("Another file"),
  isReady,
  onOther,
  onCreate,
}: {
  fileName: string;
  /** What is in the file, in a few words. */
  about: ReactNode;
  preview?: ReactNode;
  /** Below the name, and in the second column. */
  fields: ReactNode;
  moreFields: ReactNode;
  /** What was found, part by part. */
  children: ReactNode;
  problem: string | null;
  /** What is still missing, or what the data will take. */
  note: ReactNode;
  other?: string;
  isReady: boolean;
  onOther: () => void;
  onCreate: (name: string) => Promise<void>;
}) {
  const [name, setName] = useState(fileName.replace(/\.[^.]{1,8}$/, "").slice(0, 120) || say("My data"));
  const [isBusy, setBusy] = useState(false);
  const canCreate = isReady && name.trim() !== "" && !isBusy;
  return (
    <form
      className="space-y-4"
      onSubmit={(event) => {
        event.preventDefault();
        if (!canCreate) return;
        setBusy(true);
        void onCreate(name.trim()).finally(() => setBusy(false));
      }}
    >
      <div className="space-y-2">
        <p>
          <span className="font-semibold [overflow-wrap:anywhere]">{fileName}</span> <span className="text-ink2">{about}</span>
        </p>
        {preview}
      </div>
      <div className="grid gap-x-8 sm:grid-cols-2">
        <div>
          <Field label={say("Name")}>{(ids) => <TextInput {...ids} maxLength={120} value={name} onChange={(event) => setName(event.target.value)} />}</Field>
          {fields}
        </div>
        <div>{moreFields}</div>
      </div>
      {children}
      {problem !== null && (
        <p role="alert" className="[overflow-wrap:anywhere] text-bad">
          {problem}
        </p>
      )}
      <div className="sticky bottom-0 z-20 -mx-4 -mb-4 flex flex-wrap items-center justify-end gap-2 border-t border-line bg-panel px-4 py-3">
        {note}
        <Button onClick={onOther}>{other}</Button>
        <Button type="submit" kind="primary" disabled={!canCreate}>
          {isBusy ? say("Reading") : say("Add the data set")}
        </Button>
      </div>
    </form>
  );
}

const splitTitles: { [how: string]: string } = {
  given: say("As the source says"),
  stratified: say("Stratified by class"),
  random: say("Random"),
  time: say("The latest held back"),
  column: say("As a column says"),
};

/** How rows come into the two parts. */
export function SplitFields<Split extends SplitPlan>({
  split,
  ways,
  onSplit,
  children,
}: {
  split: Split;
  /** In the order offered; `title` where its own is not exact enough. */
  ways: readonly { how: Split["how"]; title?: string; isDisabled?: boolean }[];
  onSplit: (split: Split) => void;
  /** What else a way of splitting asks. */
  children?: ReactNode;
}) {
  return (
    <>
      <Field label={say("Split")} doc={say("Stratified: every class has the same share in both parts.")}>
        {(ids) => (
          <Select
            {...ids}
            value={split.how}
            onChange={(event) => {
              const way = ways.find(({ how }) => how === event.target.value);
              if (way) onSplit({ ...split, how: way.how });
            }}
          >
            {ways.map(({ how, title, isDisabled }) => (
              <option key={how} value={how} disabled={isDisabled}>
                {title ?? splitTitles[how]}
              </option>
            ))}
          </Select>
        )}
      </Field>
      {children}
      {split.how !== "given" && split.how !== "column" && (
        <Field label={say("Validation share")}>
          {(ids) => <NumberInput {...ids} min={0.01} max={0.9} step={0.05} value={split.validationShare} onValue={(validationShare) => onSplit({ ...split, validationShare })} />}
        </Field>
      )}
      {split.how !== "time" && split.how !== "column" && (
        <Field label={say("Seed")} doc={say("The same seed gives the same split and order.")}>
          {(ids) => <NumberInput {...ids} whole min={1} max={2 ** 32 - 1} value={split.seed} onValue={(seed) => onSplit({ ...split, seed })} />}
        </Field>
      )}
    </>
  );
}
