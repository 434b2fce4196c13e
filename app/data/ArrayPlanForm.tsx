"use client";

import { useState } from "react";
import { type ArrayFacts, type ArrayLayout, type ArrayPlan, type ArraysFound, type ArrayTarget, layoutsOf, targetsOf, taskOf } from "../../core/data/arrays.ts";
import { say } from "../../core/language/say.ts";
import { taskNamed } from "../../core/tasks/index.ts";
import { cx } from "../ui/cx.ts";
import { Field, NumberInput, Select } from "../ui/Field.tsx";
import { formatCount, formatMetric } from "../ui/format.ts";
import { Segments } from "../ui/Segments.tsx";
import { FoundRow, FoundTable, found } from "./FoundTable.tsx";
import { PlanForm, SplitFields } from "./PlanForm.tsx";

const layoutTitles: Record<ArrayLayout, string> = {
  table: say("Table, a number a column"),
  grey: say("Grey pictures [height, width]"),
  "channels-last": say("Pictures [height, width, channels]"),
  "channels-first": say("Pictures [channels, height, width]"),
  sequence: say("Sequences, time first"),
};
const targetTitles: Record<ArrayTarget, string> = { classes: say("A class"), "one-hot": say("A class, one-hot"), values: say("Values") };

type Role = { part: "train" | "validation"; what: "input" | "target" | "lengths" } | { part: null; what: "columnNames" | "classNames" };
const roles: { id: string; title: string; role: Role }[] = [
  { id: "train.input", title: say("Input"), role: { part: "train", what: "input" } },
  { id: "train.target", title: say("Target"), role: { part: "train", what: "target" } },
  { id: "train.lengths", title: say("Lengths"), role: { part: "train", what: "lengths" } },
  { id: "validation.input", title: say("Validation input"), role: { part: "validation", what: "input" } },
  { id: "validation.target", title: say("Validation target"), role: { part: "validation", what: "target" } },
  { id: "validation.lengths", title: say("Validation lengths"), role: { part: "validation", what: "lengths" } },
  { id: "columnNames", title: say("Column names"), role: { part: null, what: "columnNames" } },
  { id: "classNames", title: say("Class names"), role: { part: null, what: "classNames" } },
];

function holderOf(plan: ArrayPlan, { part, what }: Role): string | null {
  return part === null ? plan[what] : (plan[part]?.[what] ?? null);
}

/** The plan with this array in this role, taken out of any other it had; null: in none. An input always stays. */
function assign(plan: ArrayPlan, name: string, role: Role | null): ArrayPlan {
  const without = (parts: ArrayPlan["train"]) => ({ ...parts, target: parts.target === name ? null : parts.target, lengths: parts.lengths === name ? null : parts.lengths });
  const next: ArrayPlan = {
    ...plan,
    train: without(plan.train),
    validation: plan.validation && plan.validation.input !== name ? without(plan.validation) : null,
    columnNames: plan.columnNames === name ? null : plan.columnNames,
    classNames: plan.classNames === name ? null : plan.classNames,
  };
  if (role === null) return next;
  if (role.part === null) return { ...next, [role.what]: name };
  if (role.part === "train") return { ...next, train: { ...next.train, [role.what]: name } };
  if (role.what === "input") return { ...next, validation: { target: null, lengths: null, ...next.validation, input: name } };
  return next.validation ? { ...next, validation: { ...next.validation, [role.what]: name } } : next;
}

/** A plan whose answers fit each other after one of them was changed. */
function settle(plan: ArrayPlan, arrays: readonly ArrayFacts[]): ArrayPlan {
  const find = (name: string | null) => arrays.find((array) => array.name === name);
  const [input, target] = [find(plan.train.input), find(plan.train.target)];
  const layouts = input ? layoutsOf(input) : [];
  const learnable: ArrayTarget[] = target ? targetsOf(target) : ["classes", "values"];
  const layout = layouts.includes(plan.layout) ? plan.layout : (layouts[0] ?? plan.layout);
  const learns = learnable.includes(plan.learns) ? plan.learns : (learnable[0] ?? plan.learns);
  const how = plan.split.how === "given" && !plan.validation ? "random" : plan.split.how === "stratified" && learns === "values" ? "random" : plan.split.how;
  return {
    ...plan,
    layout,
    learns,
    targetColumn: plan.train.target === null && layout === "table" ? (plan.targetColumn ?? (input?.shape[1] ?? 1) - 1) : null,
    split: { ...plan.split, how },
  };
}

/** What was found in a NumPy file, and how it is to be read: every guess can be corrected. */
export function ArrayPlanForm({
  fileName,
  found: { arrays, plan: guessed },
  problem,
  onOther,
  onCreate,
}: {
  fileName: string;
  found: ArraysFound;
  problem: string | null;
  onOther: () => void;
  onCreate: (name: string, plan: ArrayPlan) => Promise<void>;
}) {
  const [plan, setPlan] = useState(guessed);
  const change = (next: ArrayPlan) => setPlan(settle(next, arrays));
  const input = arrays.find((array) => array.name === plan.train.input);
  const target = arrays.find((array) => array.name === plan.train.target);
  const gaps = [plan.train.input, plan.validation?.input].reduce((sum, one) => sum + (arrays.find((array) => array.name === one)?.notFinite ?? 0), 0);
  const task = taskOf(plan);
  const why =
    task === null
      ? say("Values cannot be predicted from pictures or sequences yet: predict classes, or read the input as a table.")
      : plan.train.target === null && plan.layout !== "table"
        ? say("Choose an array of targets.")
        : gaps > 0 && plan.notFinite === null
          ? say("Choose what is done with rows that hold NaN.")
          : null;

  return (
    <PlanForm
      fileName={fileName}
      about={
        <>
          {formatCount(arrays.length)} {arrays.length === 1 ? say("array") : say("arrays")}
          {task && say(", read as {title}", { title: taskNamed(task).title.toLowerCase() })}
        </>
      }
      problem={problem}
      isReady={why === null}
      onOther={onOther}
      onCreate={(name) => onCreate(name, plan)}
      note={why !== null && <span className="text-ink2">{why}</span>}
      fields={
        <>
          <Field label={say("Input is")}>
            {(ids) => (
              <Select {...ids} value={plan.layout} onChange={(event) => change({ ...plan, layout: event.target.value as ArrayLayout })}>
                {(input ? layoutsOf(input) : []).map((layout) => (
                  <option key={layout} value={layout}>
                    {layoutTitles[layout]}
                  </option>
                ))}
              </Select>
            )}
          </Field>
          <Field label={say("Predict")}>
            {() => (
              <Segments
                label={say("Target")}
                options={(target ? targetsOf(target) : (["classes", "values"] as const)).map((id) => ({ id, title: targetTitles[id] }))}
                value={plan.learns}
                onValue={(learns: ArrayTarget) =>
                  change({ ...plan, learns, split: { ...plan.split, how: plan.split.how === "given" ? "given" : learns === "values" ? "random" : "stratified" } })
                }
              />
            )}
          </Field>
          {plan.targetColumn !== null && (
            <Field label={say("Target column")} doc={say("Counted from 0; the others are learned from.")}>
              {(ids) => (
                <NumberInput {...ids} whole min={0} max={(input?.shape[1] ?? 1) - 1} value={plan.targetColumn ?? 0} onValue={(targetColumn) => change({ ...plan, targetColumn })} />
              )}
            </Field>
          )}
        </>
      }
      moreFields={
        <>
          <SplitFields
            split={plan.split}
            ways={[{ how: "given", title: say("As in the file"), isDisabled: !plan.validation }, { how: "stratified", isDisabled: plan.learns === "values" }, { how: "random" }]}
            onSplit={(split) => change({ ...plan, split })}
          />
          {gaps > 0 && (
            <Field label={say("NaN and infinity")}>
              {(ids) => (
                <Select
                  {...ids}
                  aria-invalid={plan.notFinite === null ? true : undefined}
                  value={plan.notFinite ?? ""}
                  onChange={(event) => change({ ...plan, notFinite: (event.target.value || null) as ArrayPlan["notFinite"] })}
                >
                  <option value="">{say("{gaps}: choose a rule", { gaps: formatCount(gaps) })}</option>
                  <option value="leave-out">{say("Rows left out")}</option>
                  <option value="mean">{say("Mean of the training rows")}</option>
                </Select>
              )}
            </Field>
          )}
        </>
      }
    >
      <FoundTable label={say("Arrays")} titles={[say("Array"), say("Is"), say("Range"), say("First numbers")]}>
        {arrays.map((array) => {
          const held = roles.find(({ role }) => holderOf(plan, role) === array.name);
          const isText = array.kind === "text" || array.kind === "bytes";
          return (
            <FoundRow key={array.name} chosen={held !== undefined}>
              <th scope="row" className={found.name}>
                <span className="block truncate" title={array.name}>
                  {array.name}
                </span>
                <span className="figures block truncate font-normal text-ink2">
                  {array.descr} [{array.shape.join(", ")}]
                </span>
              </th>
              <td className={cx(found.choice, "sm:min-w-44")}>
                <Select
                  aria-label={say("{name} is", { name: array.name })}
                  value={held?.id ?? ""}
                  disabled={held?.id === "train.input" && arrays.length === 1}
                  onChange={(event) => change(assign(plan, array.name, roles.find(({ id }) => id === event.target.value)?.role ?? null))}
                >
                  <option value="" disabled={held?.id === "train.input"}>
                    {say("Not used")}
                  </option>
                  {roles.map(({ id, title, role }) => (
                    <option
                      key={id}
                      value={id}
                      disabled={(role.part === null ? !isText : isText && role.what !== "target") || (role.part === "validation" && role.what !== "input" && !plan.validation)}
                    >
                      {title}
                    </option>
                  ))}
                </Select>
              </td>
              <td className={cx(found.wide, "figures leading-7 whitespace-nowrap text-ink2")}>
                {array.least !== null && `${formatEnd(array.least)} … ${formatEnd(array.most)}`}
                {array.distinct !== null && <span className="block leading-5">{say("{distinct} different", { distinct: formatCount(array.distinct) })}</span>}
                {array.notFinite > 0 && <span className="block leading-5 text-bad">{say("{notFinite} not finite", { notFinite: formatCount(array.notFinite) })}</span>}
              </td>
              <td className={cx(found.wide, "truncate leading-7 text-ink2 sm:max-w-64")}>{array.preview.join(" · ")}</td>
            </FoundRow>
          );
        })}
      </FoundTable>
    </PlanForm>
  );
}

/** Whole numbers as they are, others in a few digits. */
function formatEnd(value: number | null): string {
  return value !== null && Number.isInteger(value) ? formatCount(value) : formatMetric(value);
}
