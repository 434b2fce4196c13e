"use client";

import { useState } from "react";
import { type ColumnKind, guessKind, guessPlan, type MissingRule, missingRules, type TablePlan, unusable } from "../../core/data/table.ts";
import { Button } from "../ui/Button.tsx";
import { cx } from "../ui/cx.ts";
import { Field, NumberInput, Select, Switch } from "../ui/Field.tsx";
import { formatCount } from "../ui/format.ts";
import { Segments } from "../ui/Segments.tsx";
import type { Facts } from "./AddTable.tsx";
import { ruleTitles } from "./missingRules.ts";
import { PlanForm, SplitFields } from "./PlanForm.tsx";

const kindTitles: Record<ColumnKind, string> = { number: "Number", category: "Category", date: "Date", ignore: "Left out" };
/** What most people would choose where a column of this kind has gaps. */
const usualRule: Record<ColumnKind, MissingRule | null> = { number: "median", date: "median", category: "own-category", ignore: null };
/** More columns than this are there, but are not drawn one by one. */
const SHOWN = 200;

/** What was found in a table, and how it is to be read: every guess can be corrected. */
export function TablePlanForm({
  fileName,
  facts,
  problem,
  onForm,
  onOther,
  onCreate,
}: {
  fileName: string;
  facts: Facts;
  problem: string | null;
  onForm: (form: Partial<Facts["form"]>) => void;
  onOther: () => void;
  onCreate: (name: string, plan: TablePlan) => Promise<void>;
}) {
  const [plan, setPlan] = useState(() => guessPlan(facts.form, facts.columns));
  const isClass = plan.task === "tabular-classification";
  const change = (part: Partial<TablePlan>) => setPlan((before) => ({ ...before, ...part }));
  const changeColumn = (at: number, part: Partial<TablePlan["columns"][number]>) =>
    setPlan((before) => ({ ...before, columns: before.columns.map((column, index) => (index === at ? { ...column, ...part } : column)) }));
  const gaps = (at: number) => (at === plan.target ? 0 : unusable(facts.columns[at] as Facts["columns"][number], plan.columns[at]?.kind ?? "ignore"));
  const open = plan.columns.filter(({ missing }, at) => gaps(at) > 0 && missing === null);
  const inputs = plan.columns.filter(({ kind }, at) => kind !== "ignore" && at !== plan.target);
  const isReady = open.length === 0 && inputs.length > 0;

  function setTask(task: TablePlan["task"]): void {
    change({ task, split: { ...plan.split, how: task === "tabular-classification" ? "stratified" : "random" } });
  }

  return (
    <PlanForm
      fileName={fileName}
      about={`${formatCount(facts.rows)} rows, ${formatCount(facts.columns.length)} columns`}
      problem={problem}
      isReady={isReady}
      onOther={onOther}
      onCreate={(name) => onCreate(name, plan)}
      fields={
        <>
          <Field label="Predict">
            {(ids) => (
              <Select {...ids} value={plan.target} onChange={(event) => change({ target: Number(event.target.value) })}>
                {plan.columns.map((column, at) => (
                  <option key={column.name} value={at}>
                    {column.name}
                  </option>
                ))}
              </Select>
            )}
          </Field>
          <Field label="As">
            {() => (
              <Segments
                label="Task"
                options={[
                  { id: "tabular-classification", title: "A class" },
                  { id: "tabular-regression", title: "A number" },
                ]}
                value={plan.task}
                onValue={setTask}
              />
            )}
          </Field>
          <Field label="Categories kept" doc="The most frequent ones of each column; rarer ones are joined.">
            {(ids) => <NumberInput {...ids} whole min={2} max={256} value={plan.categories} onValue={(categories) => change({ categories })} />}
          </Field>
        </>
      }
      moreFields={
        <>
          <SplitFields split={plan.split} ways={[{ how: "stratified", isDisabled: !isClass }, { how: "random" }]} onSplit={(split) => change({ split })} />
          {facts.form.format === "delimited" && (
            <>
              <Field label="Between cells">
                {(ids) => (
                  <Select {...ids} value={facts.form.delimiter} onChange={(event) => onForm({ delimiter: event.target.value as Facts["form"]["delimiter"] })}>
                    <option value=",">Comma</option>
                    <option value=";">Semicolon</option>
                    <option value={"\t"}>Tab</option>
                    <option value="|">Bar</option>
                  </Select>
                )}
              </Field>
              <Field label="First line holds names">{(ids) => <Switch {...ids} checked={facts.form.header} onChecked={(header) => onForm({ header })} />}</Field>
            </>
          )}
        </>
      }
      note={
        <>
          {open.length > 0 && (
            <>
              <span className="text-ink2">{open.length === 1 ? "One column has" : `${open.length} columns have`} cells without a value: choose what stands for them.</span>
              <Button
                onClick={() =>
                  change({ columns: plan.columns.map((column, at) => (gaps(at) > 0 && column.missing === null ? { ...column, missing: usualRule[column.kind] } : column)) })
                }
              >
                Use the usual rules
              </Button>
            </>
          )}
          {inputs.length === 0 && <span className="text-ink2">Keep at least one column to learn from.</span>}
        </>
      }
    >
      <div className="max-h-[38dvh] overflow-auto rounded-lg border border-line">
        <table aria-label="Columns" className="w-full border-collapse text-left">
          <thead>
            <tr>
              {["Column", "Read as", "Without a value", "First rows"].map((title) => (
                <th key={title} scope="col" className="section-name sticky top-0 z-10 bg-panel px-3 py-1.5">
                  {title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {facts.columns.slice(0, SHOWN).map((column, at) => {
              const { kind, missing } = plan.columns[at] as TablePlan["columns"][number];
              const isTarget = at === plan.target;
              const gapCount = gaps(at);
              return (
                <tr key={column.name} className={cx("border-t border-line align-top", isTarget && "bg-accent-soft")}>
                  <th scope="row" className="max-w-44 px-3 py-1.5 font-medium">
                    <span className={cx("block truncate", kind === "ignore" && !isTarget && "text-ink3")} title={column.name}>
                      {column.name}
                    </span>
                    <span className="block truncate text-sm font-normal text-ink2">{guessKind(column).why}</span>
                  </th>
                  <td className="min-w-32 px-3 py-1.5">
                    {isTarget ? (
                      <span className="leading-7 font-medium text-accent">Predicted</span>
                    ) : (
                      <Select
                        aria-label={`${column.name} is read as`}
                        value={kind}
                        onChange={(event) => changeColumn(at, { kind: event.target.value as ColumnKind, missing: null })}
                      >
                        {(Object.keys(kindTitles) as ColumnKind[]).map((one) => (
                          <option key={one} value={one} disabled={(one === "number" && column.numbers === 0) || (one === "date" && column.dates === 0)}>
                            {kindTitles[one]}
                          </option>
                        ))}
                      </Select>
                    )}
                  </td>
                  <td className="min-w-48 px-3 py-1.5">
                    {isTarget && column.missing > 0 && <span className="leading-7 text-ink2">{formatCount(column.missing)}, rows left out</span>}
                    {gapCount > 0 && (
                      <>
                        <Select
                          aria-label={`Where ${column.name} has no value`}
                          aria-invalid={missing === null ? true : undefined}
                          value={missing ?? ""}
                          onChange={(event) => changeColumn(at, { missing: (event.target.value || null) as MissingRule | null })}
                        >
                          <option value="">{formatCount(gapCount)}: choose a rule</option>
                          {missingRules[kind].map((rule) => (
                            <option key={rule} value={rule}>
                              {ruleTitles[rule]}
                            </option>
                          ))}
                        </Select>
                        {kind === "number" && column.odd && (
                          <span className="block truncate text-sm text-ink2">
                            Line {column.odd.line}: “{column.odd.text}”
                          </span>
                        )}
                      </>
                    )}
                    {gapCount === 0 && !isTarget && kind !== "ignore" && <span className="leading-7 text-ink3">none</span>}
                  </td>
                  <td className="max-w-64 truncate px-3 py-1.5 leading-7 text-ink2">{facts.preview.map((row) => row[at] || "–").join(" · ")}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
      {facts.columns.length > SHOWN && <p className="text-ink2">{formatCount(facts.columns.length - SHOWN)} more columns are read as guessed.</p>}
    </PlanForm>
  );
}
