"use client";

import type { Task } from "../../../core/data/manifest.ts";
import { say } from "../../../core/language/say.ts";
import { taskNamed } from "../../../core/tasks/index.ts";
import type { EarlyStopping as Value } from "../../../core/training/settings.ts";
import { Field, NumberInput, Select } from "../../ui/Field.tsx";
import { changeSettings, complain, useTraining } from "./useTraining.ts";

/** Whether and when a run ends before its last epoch. */
export function EarlyStopping({ value, task }: { value: Value | null; task: Task }) {
  const complaints = useTraining((s) => s.complaints);
  const { judgedBy, metrics } = taskNamed(task);
  // The engine can watch what is a mean over the rows.
  const judge = metrics.find(({ name, reduce }) => name === judgedBy && reduce === "mean");
  const metric = judge ? `validation ${judge.title.toLowerCase()}` : null;
  return (
    <>
      <Field
        label={say("Early stopping")}
        doc={say("Ends the run when the validation rows no longer get better.")}
        hint={value ? say("The best checkpoint is kept and exported, wherever the run ends.") : undefined}
      >
        {(ids) => (
          <Select
            {...ids}
            value={value ? (metric ? value.watch : "loss") : "off"}
            onChange={(event) => {
              const watch = event.target.value;
              for (const name of [PATIENCE, MIN_DELTA]) complain(name, null);
              changeSettings({ earlyStopping: watch === "loss" || watch === "metric" ? { patience: 5, minDelta: 0, ...value, watch } : null });
            }}
          >
            <option value="off">{say("off")}</option>
            <option value="loss">{say("on validation loss")}</option>
            {metric && <option value="metric">{say("on {metric}", { metric })}</option>}
          </Select>
        )}
      </Field>
      {value && (
        <>
          <Field label={PATIENCE} doc={say("Epochs in a row without a better value before the run ends.")} problem={complaints[PATIENCE]}>
            {(ids) => (
              <NumberInput
                {...ids}
                className="figures text-sm!"
                min={1}
                max={10_000}
                whole
                value={value.patience}
                onValue={(patience) => changeSettings({ earlyStopping: { ...value, patience } })}
                onProblem={(problem) => complain(PATIENCE, problem)}
              />
            )}
          </Field>
          <Field label={MIN_DELTA} doc={say("A value counts as better only if it is better by more than this.")} problem={complaints[MIN_DELTA]}>
            {(ids) => (
              <NumberInput
                {...ids}
                className="figures text-sm!"
                min={0}
                max={1e6}
                value={value.minDelta}
                onValue={(minDelta) => changeSettings({ earlyStopping: { ...value, minDelta } })}
                onProblem={(problem) => complain(MIN_DELTA, problem)}
              />
            )}
          </Field>
        </>
      )}
    </>
  );
}

const PATIENCE = say("Patience, epochs");
const MIN_DELTA = say("Least gain");
