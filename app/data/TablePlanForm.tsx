"use client";

import { useState } from "react";
import { SERIES_LIMITS, type SeriesPlan } from "../../core/data/series.ts";
import { type ColumnKind, guessKind, guessPlan, type MissingRule, missingRules, type TablePlan, unusable } from "../../core/data/table.ts";
import { TEXT_LIMITS } from "../../core/data/text.ts";
import { say } from "../../core/language/say.ts";
import { Button } from "../ui/Button.tsx";
import { cx } from "../ui/cx.ts";
import { Field, NumberInput, Select, Switch } from "../ui/Field.tsx";
import { formatCount } from "../ui/format.ts";
import { Segments } from "../ui/Segments.tsx";
import type { Facts } from "./AddTable.tsx";
import { FoundRow, FoundTable, found } from "./FoundTable.tsx";
import { ruleTitles } from "./missingRules.ts";
import { PlanForm, SplitFields } from "./PlanForm.tsx";
import { TokenizerFields, useTextFacts, VocabularyPreview } from "./Tokenizer.tsx";

const kindTitles: Record<ColumnKind, string> = { number: say("Number"), category: say("Category"), date: say("Date"), ignore: say("Left out") };
/** What most people would choose where a column of this kind has gaps. */
const usualRule: Record<ColumnKind, MissingRule | null> = { number: "median", date: "median", category: "own-category", ignore: null };
/** More columns than this are there, but are not drawn one by one. */
const SHOWN = 200;

/** What is learned from: the other columns, one of them that holds texts, or what the predicted one was before. */
type Reads = "columns" | "text" | "series";
const readsOf = (task: TablePlan["task"]): Reads => (task === "forecasting" ? "series" : task.startsWith("text-") ? "text" : "columns");

/** What was found in a table, and how it is to be read: every guess can be corrected. */
export function TablePlanForm({
  upload: { uploadId, fileName },
  facts,
  problem,
  onText,
  onForm,
  onOther,
  onCreate,
}: {
  upload: { uploadId: string; fileName: string };
  facts: Facts;
  problem: string | null;
  /** Reads the file as one long text; null where it can be none. */
  onText: (() => void) | null;
  onForm: (form: Partial<Facts["form"]>) => void;
  onOther: () => void;
  onCreate: (name: string, plan: TablePlan) => Promise<void>;
}) {
  const [plan, setPlan] = useState(() => guessPlan(facts.form, facts.columns));
  const reads = readsOf(plan.task);
  const isClass = plan.task.endsWith("classification");
  const change = (part: Partial<TablePlan>) => setPlan((before) => ({ ...before, ...part }));
  const changeColumn = (at: number, part: Partial<TablePlan["columns"][number]>) =>
    setPlan((before) => ({ ...before, columns: before.columns.map((column, index) => (index === at ? { ...column, ...part } : column)) }));
  const gaps = (at: number) => (reads !== "columns" || at === plan.target ? 0 : unusable(facts.columns[at] as Facts["columns"][number], plan.columns[at]?.kind ?? "ignore"));
  const open = plan.columns.filter(({ missing }, at) => gaps(at) > 0 && missing === null);
  const inputs = plan.columns.filter(({ kind }, at) => kind !== "ignore" && at !== plan.target);
  const textColumns = facts.columns.flatMap(({ filled, numbers, dates }, at) => (filled > numbers + dates ? [at] : []));
  const times = facts.columns.flatMap(({ dates, numbers, filled }, at) => (at !== plan.target && (dates === filled || numbers === filled) && filled === facts.rows ? [at] : []));
  const sayers = textColumns.filter((at) => at !== plan.target && (facts.columns[at]?.distinct ?? 99) <= 10);
  const measures = facts.columns.flatMap(({ numbers }, at) => (numbers > 2 ? [at] : []));
  const texts = useTextFacts(uploadId, reads === "text" && plan.text ? { of: "column", form: facts.form, text: plan.text } : null);
  const problems = [
    reads === "columns" && inputs.length === 0 && say("Keep at least one column to learn from."),
    reads === "text" && plan.text?.column === plan.target && say("The text and what is predicted are the same column."),
    reads === "series" && plan.series && plan.series.season > plan.series.context && say("A season does not fit into what it looks back: look back further."),
    reads === "series" && plan.series && plan.series.context + plan.series.horizon > facts.rows / 2 && say("The table is too short for that: look back less far."),
  ].filter((text) => typeof text === "string");
  const isReady = open.length === 0 && problems.length === 0 && !(reads === "text" && texts.error);

  /** A change of what is learned from takes along what goes with it. */
  function read(next: Reads): void {
    const learns = isClass ? "classification" : "regression";
    const text = plan.text ?? { column: textColumns.find((at) => at !== plan.target) ?? 0, tokenizer: { unit: "words", lowercase: true, vocabulary: 8_192 }, length: 256 };
    if (next === "columns") change({ task: `tabular-${learns}` });
    else if (next === "text") change({ task: `text-${learns}`, text });
    else change({ task: "forecasting", target: measures.includes(plan.target) ? plan.target : (measures[0] ?? plan.target), split: { ...plan.split, how: "random" } });
  }

  function setLearns(learns: "classification" | "regression"): void {
    change({ task: `${reads === "text" ? "text" : "tabular"}-${learns}`, split: { ...plan.split, how: learns === "classification" ? "stratified" : "random" } });
  }

  return (
    <PlanForm
      fileName={fileName}
      about={say("{rows} rows, {count} columns", { rows: formatCount(facts.rows), count: formatCount(facts.columns.length) })}
      problem={problem}
      isReady={isReady}
      onOther={onOther}
      onCreate={(name) => onCreate(name, plan)}
      fields={
        <>
          <Field label={say("Predict")}>
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
          <Field label={say("From")}>
            {() => (
              <Segments
                label={say("Learn from")}
                options={[
                  { id: "columns" as const, title: say("Columns") },
                  ...(textColumns.length > 0 ? [{ id: "text" as const, title: say("Text") }] : []),
                  ...(measures.length > 0 && plan.series ? [{ id: "series" as const, title: say("Past") }] : []),
                ]}
                value={reads}
                onValue={read}
              />
            )}
          </Field>
          {reads !== "series" && (
            <Field label={say("As")}>
              {() => (
                <Segments
                  label={say("Task")}
                  options={[
                    { id: "classification", title: say("A class") },
                    { id: "regression", title: say("A number") },
                  ]}
                  value={isClass ? "classification" : "regression"}
                  onValue={setLearns}
                />
              )}
            </Field>
          )}
          {reads === "columns" && (
            <Field label={say("Categories kept")} doc={say("The most frequent ones of each column; rarer ones are joined.")}>
              {(ids) => <NumberInput {...ids} whole min={2} max={256} value={plan.categories} onValue={(categories) => change({ categories })} />}
            </Field>
          )}
          {reads === "text" && plan.text && <TextColumn columns={plan.columns} candidates={textColumns} text={plan.text} onText={(text) => change({ text })} />}
          {reads === "series" && plan.series && <SeriesFields columns={facts.columns} target={plan.target} series={plan.series} onSeries={(series) => change({ series })} />}
        </>
      }
      moreFields={
        <>
          {reads === "series" ? (
            <Field label={say("Held back")} doc={say("The last values, for validation: no training window reaches them.")}>
              {(ids) => (
                <NumberInput
                  {...ids}
                  min={0.01}
                  max={0.9}
                  step={0.05}
                  value={plan.split.validationShare}
                  onValue={(validationShare) => change({ split: { ...plan.split, validationShare } })}
                />
              )}
            </Field>
          ) : (
            <SplitFields
              split={plan.split}
              ways={[
                { how: "stratified", isDisabled: !isClass },
                { how: "random" },
                { how: "time", isDisabled: times.length === 0 },
                { how: "column", isDisabled: sayers.length === 0 },
              ]}
              onSplit={(split) => change({ split: { ...split, column: split.how === plan.split.how ? split.column : ((split.how === "time" ? times : sayers)[0] ?? null) } })}
            >
              {(plan.split.how === "time" || plan.split.how === "column") && (
                <Field label={say("Column")} doc={say("By time: of dates or numbers that grow. As it says: train, or validation, val, dev, test.")}>
                  {(ids) => (
                    <Select {...ids} value={plan.split.column ?? ""} onChange={(event) => change({ split: { ...plan.split, column: Number(event.target.value) } })}>
                      {(plan.split.how === "time" ? times : sayers).map((at) => (
                        <option key={at} value={at}>
                          {plan.columns[at]?.name}
                        </option>
                      ))}
                    </Select>
                  )}
                </Field>
              )}
            </SplitFields>
          )}
          {facts.form.format === "delimited" && (
            <>
              <Field label={say("Between cells")}>
                {(ids) => (
                  <Select {...ids} value={facts.form.delimiter} onChange={(event) => onForm({ delimiter: event.target.value as Facts["form"]["delimiter"] })}>
                    <option value=",">{say("Comma")}</option>
                    <option value=";">{say("Semicolon")}</option>
                    <option value={"\t"}>{say("Tab")}</option>
                    <option value="|">{say("Bar")}</option>
                  </Select>
                )}
              </Field>
              <Field label={say("Names in line 1")}>{(ids) => <Switch {...ids} checked={facts.form.header} onChecked={(header) => onForm({ header })} />}</Field>
            </>
          )}
          {onText && (
            <p className="py-1 text-sm text-ink2">
              {say("Is it one long text?")}{" "}
              <button type="button" className="font-medium text-accent hover:underline" onClick={onText}>
                {say("Read it as one")}
              </button>
            </p>
          )}
        </>
      }
      note={
        <>
          {open.length > 0 && (
            <>
              <span className="text-ink2">
                {say("{count, plural, one {One column has} other {# columns have}} cells without a value: choose what stands for them.", { count: open.length })}
              </span>
              <Button
                onClick={() =>
                  change({ columns: plan.columns.map((column, at) => (gaps(at) > 0 && column.missing === null ? { ...column, missing: usualRule[column.kind] } : column)) })
                }
              >
                {say("Use the usual rules")}
              </Button>
            </>
          )}
          {problems.map((text) => (
            <span key={text} className="text-bad">
              {text}
            </span>
          ))}
        </>
      }
    >
      {reads === "text" && <VocabularyPreview query={texts} of={say("in {texts} texts", { texts: formatCount(texts.data?.texts ?? 0) })} />}
      <FoundTable label={say("Columns")} titles={[say("Column"), say("Read as"), say("Without a value"), say("First rows")]}>
        {facts.columns.slice(0, SHOWN).map((column, at) => {
          const { kind, missing } = plan.columns[at] as TablePlan["columns"][number];
          const isTarget = at === plan.target;
          const gapCount = gaps(at);
          const isUsed = isTarget || (reads === "columns" ? kind !== "ignore" : at === (reads === "text" ? plan.text?.column : plan.series?.time));
          return (
            <FoundRow key={column.name} chosen={isTarget}>
              <th scope="row" className={found.name}>
                <span className={cx("block truncate", !isUsed && "text-ink3")} title={column.name}>
                  {column.name}
                </span>
                <span className="block truncate text-sm font-normal text-ink2">{guessKind(column).why}</span>
              </th>
              <td className={cx(found.choice, "sm:min-w-32")}>
                {isTarget ? (
                  <span className="leading-7 font-medium text-accent">{reads === "series" ? say("Forecast") : say("Predicted")}</span>
                ) : reads === "text" ? (
                  <span className={cx("leading-7", at === plan.text?.column ? "font-medium" : "text-ink3")}>{at === plan.text?.column ? say("The text") : say("Not used")}</span>
                ) : reads === "series" ? (
                  <span className={cx("leading-7", at === plan.series?.time ? "font-medium" : "text-ink3")}>{at === plan.series?.time ? say("The time") : say("Not used")}</span>
                ) : (
                  <Select
                    aria-label={say("{name} is read as", { name: column.name })}
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
              <td className={cx(found.wide, "sm:min-w-48")}>
                {isTarget && column.missing > 0 && (
                  <span className="leading-7 text-ink2">
                    {formatCount(column.missing)}, {reads === "series" ? say("drawn between neighbours") : say("rows left out")}
                  </span>
                )}
                {gapCount > 0 && (
                  <>
                    <Select
                      aria-label={say("Where {name} has no value", { name: column.name })}
                      aria-invalid={missing === null ? true : undefined}
                      value={missing ?? ""}
                      onChange={(event) => changeColumn(at, { missing: (event.target.value || null) as MissingRule | null })}
                    >
                      <option value="">{say("{gapCount}: choose a rule", { gapCount: formatCount(gapCount) })}</option>
                      {missingRules[kind].map((rule) => (
                        <option key={rule} value={rule}>
                          {ruleTitles[rule]}
                        </option>
                      ))}
                    </Select>
                    {kind === "number" && column.odd && (
                      <span className="block truncate text-sm text-ink2">{say("Line {line}: “{text}”", { line: column.odd.line, text: column.odd.text })}</span>
                    )}
                  </>
                )}
                {reads === "columns" && gapCount === 0 && !isTarget && kind !== "ignore" && <span className="leading-7 text-ink3 max-sm:hidden">{say("none")}</span>}
              </td>
              <td className={cx(found.wide, "truncate leading-7 text-ink2 sm:max-w-64")}>{facts.preview.map((row) => row[at] || "–").join(" · ")}</td>
            </FoundRow>
          );
        })}
      </FoundTable>
      {facts.columns.length > SHOWN && <p className="text-ink2">{say("{count} more columns are read as guessed.", { count: formatCount(facts.columns.length - SHOWN) })}</p>}
    </PlanForm>
  );
}

/** Which column holds the texts, and how they are cut. */
function TextColumn({
  columns,
  candidates,
  text,
  onText,
}: {
  columns: TablePlan["columns"];
  candidates: readonly number[];
  text: NonNullable<TablePlan["text"]>;
  onText: (text: NonNullable<TablePlan["text"]>) => void;
}) {
  return (
    <>
      <Field label={say("The text")}>
        {(ids) => (
          <Select {...ids} value={text.column} onChange={(event) => onText({ ...text, column: Number(event.target.value) })}>
            {candidates.map((at) => (
              <option key={at} value={at}>
                {columns[at]?.name}
              </option>
            ))}
          </Select>
        )}
      </Field>
      <TokenizerFields tokenizer={text.tokenizer} onTokenizer={(tokenizer) => onText({ ...text, tokenizer })} />
      <Field label={say("Cut at")} doc={say("Texts end after this many tokens.")}>
        {(ids) => <NumberInput {...ids} whole min={1} max={TEXT_LIMITS.length} value={text.length} onValue={(length) => onText({ ...text, length })} />}
      </Field>
    </>
  );
}

/** What says when a value was measured, and how far a forecast looks back and ahead. */
function SeriesFields({ columns, target, series, onSeries }: { columns: Facts["columns"]; target: number; series: SeriesPlan; onSeries: (series: SeriesPlan) => void }) {
  return (
    <>
      <Field label={say("Time")} doc={say("Rows are put in its order. Where dates are even but for gaps, what is missing is drawn between its neighbours.")}>
        {(ids) => (
          <Select {...ids} value={series.time ?? ""} onChange={(event) => onSeries({ ...series, time: event.target.value === "" ? null : Number(event.target.value) })}>
            <option value="">{say("As the rows stand")}</option>
            {columns.map(
              ({ name, dates, numbers }, at) =>
                at !== target &&
                dates + numbers > 0 && (
                  <option key={name} value={at}>
                    {name}
                  </option>
                ),
            )}
          </Select>
        )}
      </Field>
      <Field label={say("Looks back")} doc={say("How many values the network is shown.")}>
        {(ids) => <NumberInput {...ids} whole min={2} max={SERIES_LIMITS.context} value={series.context} onValue={(context) => onSeries({ ...series, context })} />}
      </Field>
      <Field label={say("Forecasts")} doc={say("How many values, at once.")}>
        {(ids) => <NumberInput {...ids} whole min={1} max={SERIES_LIMITS.horizon} value={series.horizon} onValue={(horizon) => onSeries({ ...series, horizon })} />}
      </Field>
      <Field
        label={say("Season")}
        doc={say("After how many values the pattern comes again: 7 for days, 12 for months, 24 for hours; 1 for none. The forecast is measured against repeating it.")}
      >
        {(ids) => <NumberInput {...ids} whole min={1} max={SERIES_LIMITS.context} value={series.season} onValue={(season) => onSeries({ ...series, season })} />}
      </Field>
    </>
  );
}
