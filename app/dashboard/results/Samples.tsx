"use client";

import { useQuery } from "@tanstack/react-query";
import { memo, useMemo } from "react";
import { decodeText } from "../../../core/data/text.ts";
import { say } from "../../../core/language/say.ts";
import { taskNamed } from "../../../core/tasks/index.ts";
import { argmax, toProbabilities } from "../../../core/training/probability.ts";
import { cx } from "../../ui/cx.ts";
import { formatMetric } from "../../ui/format.ts";
import { SampleImage } from "../../ui/SampleImage.tsx";
import { Failing, Loading } from "../../ui/States.tsx";
import { decodeTensor } from "../../ui/tensorBytes.ts";
import { useTRPC } from "../../ui/trpc.ts";
import { chosenOption, featuresOf, featureTitle } from "../features.ts";
import type { Run } from "../run.ts";

/** As many stand together on the page. */
const SHOWN = 16;

/** The same validation rows at every evaluation, with what the network makes of them; wrong answers are outlined. */
export const Samples = memo(function Samples({ run: { evaluation, dataset } }: { run: Pick<Run, "evaluation" | "dataset"> }) {
  const shown = useMemo(() => spreadOver(evaluation?.samples ?? [], SHOWN), [evaluation]);
  if (!evaluation || shown.length === 0) return null;
  return (
    <section aria-label={say("Samples")}>
      <header className="flex items-baseline justify-between gap-3 pb-1.5">
        <h3 className="section-name text-ink2">{shown.length === 1 ? say("The same sample") : say("The same {count} samples", { count: shown.length })}</h3>
        <span className="text-xs text-ink2">{say("after epoch {epoch}", { epoch: evaluation.epoch })}</span>
      </header>
      <SampleRows dataset={dataset} answers={shown.map(({ row, target, output }) => ({ row, ...readAnswer(output, target[0] ?? 0, dataset.classes) }))} />
    </section>
  );
});

/** Some of a list, evenly: always the same ones. */
function spreadOver<T>(all: readonly T[], count: number): T[] {
  return all.filter((_, at) => all.length <= count || Math.floor((at * count) / all.length) !== Math.floor(((at - 1) * count) / all.length));
}

/** What the network makes of a row, in words. */
type Answered = { row: number; predicted: string; truth: string; detail: string; wrong: boolean };

/** Validation rows as pictures or lines, each with an answer. */
export function SampleRows({ dataset, answers }: { dataset: Run["dataset"]; answers: readonly Answered[] }) {
  const trpc = useTRPC();
  const { classes, columns, task, text } = dataset;
  const key = answers.map(({ row }) => row).join();
  const rows = useMemo(() => (key === "" ? [] : key.split(",").map(Number)), [key]);
  const samples = useQuery(
    trpc.datasets.samples.queryOptions({ datasetId: dataset.id, split: "validation", rows }, { enabled: rows.length > 0, staleTime: Number.POSITIVE_INFINITY }),
  );
  const inputs = useMemo(() => new Map(samples.data?.samples.map(({ row, input }) => [row, input])), [samples.data]);
  const record = task && taskNamed(task);
  const pictures = record?.input === "image";
  if (samples.error) return <Failing what={say("The samples")} error={samples.error} onRetry={() => void samples.refetch()} />;
  if (samples.isPending) return <Loading label={say("Loading samples")} className="h-40" />;
  return (
    <ul className={pictures ? "grid grid-cols-4 gap-1.5" : "space-y-1.5"}>
      {answers.map(({ row, predicted, truth, detail, wrong }) => {
        const input = inputs.get(row);
        const words = detail
          ? say("Row {row}: {predicted}, {detail}; true is {truth}", { row, predicted, detail, truth })
          : say("Row {row}: {predicted}; true is {truth}", { row, predicted, truth });
        return (
          <li key={row} title={words} className={cx("min-w-0 overflow-hidden rounded-md border bg-raise", wrong ? "border-bad ring-1 ring-bad" : "border-line2")}>
            {pictures && input !== undefined && <SampleImage bytes={input} dtype={samples.data.dtype} shape={samples.data.shape} label={words} />}
            <p className={cx("flex items-baseline justify-between gap-1.5 px-1.5 py-0.5", !pictures && "px-2.5 pt-1.5")}>
              <span className="truncate">
                {predicted}
                {wrong && !pictures && <span className="text-bad"> {say("instead of {truth}", { truth })}</span>}
                {record?.learns === "values" && classes.length === 0 && <span className="text-ink2"> {say("true {truth}", { truth })}</span>}
              </span>
              <span className="figures shrink-0 text-ink2">{detail}</span>
            </p>
            {text && input !== undefined && <p className="truncate px-2.5 pb-1.5">{decodeText(decodeTensor(input, samples.data.dtype), text)}</p>}
            {!pictures && !text && input !== undefined && <Features columns={columns} row={decodeTensor(input, samples.data.dtype)} />}
          </li>
        );
      })}
    </ul>
  );
}

/** What an output says, in words. `detail` is the confidence, or how far off a number is. */
function readAnswer(output: readonly (number | null)[], target: number, classes: readonly string[]): { predicted: string; truth: string; detail: string; wrong: boolean } {
  if (classes.length === 0) {
    const [value] = output;
    const off = value === null || value === undefined ? null : value - target;
    return { predicted: formatMetric(value), truth: formatMetric(target), detail: off === null ? "" : `${off < 0 ? "−" : "+"}${formatMetric(Math.abs(off))}`, wrong: false };
  }
  const name = (index: number) => classes[index] ?? String(index);
  const chances = toProbabilities(output, classes.length);
  if (!chances) return { predicted: say("not finite"), truth: name(target), detail: "", wrong: true };
  const predicted = argmax(chances);
  return { predicted: name(predicted), truth: name(target), detail: `${Math.round((chances[predicted] ?? 0) * 100)}%`, wrong: predicted !== target };
}

/** The features of a row, in the data set's own units. */
function Features({ columns, row }: { columns: readonly string[]; row: ArrayLike<number> }) {
  return (
    <dl className="flex flex-wrap gap-x-3 px-2.5 pb-1.5 text-xs text-ink2">
      {featuresOf(columns).map((feature) => (
        <div key={feature.name} className="flex items-baseline gap-1">
          <dt>{featureTitle(feature.name)}</dt>
          <dd className="figures text-ink">{feature.kind === "number" ? Number((row[feature.index] ?? 0).toPrecision(4)) : (chosenOption(feature, row) ?? "–")}</dd>
        </div>
      ))}
    </dl>
  );
}
