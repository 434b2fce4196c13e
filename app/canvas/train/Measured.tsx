"use client";

import type { Task } from "../../../core/data/manifest.ts";
import { mainOutput } from "../../../core/graph/predicting.ts";
import { say } from "../../../core/language/say.ts";
import { taskNamed } from "../../../core/tasks/index.ts";
import { figuresOf, measuredBy } from "../../../core/training/measured.ts";
import { AVERAGE_WORDS, AVERAGES } from "../../../core/training/metrics/average.ts";
import { confusion } from "../../../core/training/metrics/confusion.ts";
import { top5 } from "../../../core/training/metrics/topK.ts";
import type { RunSettings } from "../../../core/training/settings.ts";
import { Field, NumberInput, Select } from "../../ui/Field.tsx";
import { useChecked } from "../checked.ts";
import { useGraph } from "../useGraph.ts";
import { changeSettings, complain, useTraining } from "./useTraining.ts";

/** What a run measures by itself, each figure with its definition, and how those of classes are taken. */
export function Measured({ settings, task }: { settings: Pick<RunSettings, "average" | "topK">; task: Task }) {
  const checked = useChecked();
  const main = useGraph((s) => mainOutput(s.graph)?.node.id);
  const arrived = main === undefined ? undefined : checked.types.get(main)?.inputs.x;
  const types = arrived && !Array.isArray(arrived) && checked.target ? { y: arrived, target: checked.target } : null;
  const complaints = useTraining((s) => s.complaints);
  const record = taskNamed(task);
  const figures = figuresOf(measuredBy(record, settings, null), settings.average, types);
  const isLeftOut = settings.topK !== null && types !== null && !figures.some(({ name }) => name === `top${settings.topK}`);
  return (
    <section aria-label={say("Measured by itself")} className="pb-1">
      <ul className="divide-y divide-line rounded-md border border-line text-sm">
        {[{ name: "loss", title: say("Loss"), doc: say("What training makes small, of the rows that it learns from and of the validation rows.") }, ...figures].map((figure) => (
          <li key={figure.name}>
            <details>
              <summary className="cursor-pointer px-2 py-1 hover:bg-sunk">{figure.title}</summary>
              <div className="space-y-1 px-2 pb-1.5 text-ink2">
                <p>{figure.doc}</p>
                {"formula" in figure && figure.formula && <pre className="font-mono whitespace-pre-wrap">{figure.formula}</pre>}
                {"use" in figure && figure.use && <p>{figure.use}</p>}
              </div>
            </details>
          </li>
        ))}
      </ul>
      {record.metrics.includes(confusion) && (
        <Field
          label={AVERAGE}
          doc={say("How precision, recall and F1 of the classes become one figure, as scikit-learn has it.")}
          hint={`${capital(AVERAGE_WORDS[settings.average])}.`}
        >
          {(ids) => (
            <Select {...ids} value={settings.average} onChange={(event) => changeSettings({ average: AVERAGES.find((one) => one === event.target.value) ?? "macro" })}>
              {AVERAGES.map((average) => (
                <option key={average} value={average}>
                  {average}
                </option>
              ))}
            </Select>
          )}
        </Field>
      )}
      {record.metrics.includes(top5) && (
        <Field
          label={TOP_K}
          doc={say("The share of rows whose right class is among the k highest scores.")}
          problem={complaints[TOP_K]}
          hint={
            isLeftOut
              ? say("Not measured: with {topK} classes or fewer, the right one is always among them.", { topK: String(settings.topK) })
              : settings.topK === null
                ? say("By itself with 20 classes or more.")
                : undefined
          }
        >
          {(ids) => (
            <NumberInput
              {...ids}
              whole
              min={1}
              max={1_000}
              value={settings.topK ?? 5}
              onValue={(topK) => changeSettings({ topK })}
              onProblem={(problem) => complain(TOP_K, problem)}
            />
          )}
        </Field>
      )}
    </section>
  );
}

const AVERAGE = say("Average over classes");
const TOP_K = say("Top-k accuracy, k");
const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
