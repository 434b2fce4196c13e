"use client";

import { useQuery } from "@tanstack/react-query";
import { memo, useMemo } from "react";
import { decodeText } from "../../../core/data/text.ts";
import { taskNamed } from "../../../core/tasks/index.ts";
import { cx } from "../../ui/cx.ts";
import { formatMetric } from "../../ui/format.ts";
import { SampleImage } from "../../ui/SampleImage.tsx";
import { Failing, Loading } from "../../ui/States.tsx";
import { decodeTensor } from "../../ui/tensorBytes.ts";
import { useTRPC } from "../../ui/trpc.ts";
import { chosenOption, featuresOf, featureTitle } from "../features.ts";
import { argmax, toProbabilities } from "../probability.ts";
import type { Run } from "../run.ts";

/** The same validation rows at every evaluation, with what the network makes of them; wrong answers are outlined. */
export const Samples = memo(function Samples({ run: { evaluation, dataset }, title }: { run: Pick<Run, "evaluation" | "dataset">; title?: string }) {
  const trpc = useTRPC();
  const rows = useMemo(() => evaluation?.samples.slice(0, 8).map(({ row }) => row) ?? [], [evaluation?.samples.map(({ row }) => row).join()]);
  const samples = useQuery(
    trpc.datasets.samples.queryOptions({ datasetId: dataset.id, split: "validation", rows }, { enabled: rows.length > 0, staleTime: Number.POSITIVE_INFINITY }),
  );
  const inputs = useMemo(() => new Map(samples.data?.samples.map(({ row, input }) => [row, input])), [samples.data]);
  if (!evaluation || rows.length === 0) return null;
  const { classes, columns, task, text } = dataset;
  const record = task && taskNamed(task);
  const pictures = record?.input === "image";

  return (
    <section aria-label="Samples">
      <header className="flex items-baseline justify-between gap-3 pb-1.5">
        <h3 className="section-name text-ink2">{title ?? (rows.length === 1 ? "The same sample" : `The same ${rows.length} samples`)}</h3>
        <span className="text-xs text-ink2">after epoch {evaluation.epoch}</span>
      </header>
      {samples.error ? (
        <Failing what="The samples" error={samples.error} onRetry={() => void samples.refetch()} />
      ) : samples.isPending ? (
        <Loading label="Loading samples" className="h-40" />
      ) : (
        <ul className={pictures ? "grid grid-cols-4 gap-1.5" : "space-y-1.5"}>
          {evaluation.samples.slice(0, rows.length).map(({ row, target, output }) => {
            const input = inputs.get(row);
            const answer = readAnswer(output, target[0] ?? 0, classes);
            const words = `Row ${row}: ${answer.predicted}${answer.detail ? `, ${answer.detail}` : ""}; true is ${answer.truth}`;
            return (
              <li key={row} title={words} className={cx("min-w-0 overflow-hidden rounded-md border bg-raise", answer.wrong ? "border-bad ring-1 ring-bad" : "border-line2")}>
                {pictures && input !== undefined && <SampleImage bytes={input} dtype={samples.data.dtype} shape={samples.data.shape} label={words} />}
                <p className={cx("flex items-baseline justify-between gap-1.5 px-1.5 py-0.5", !pictures && "px-2.5 pt-1.5")}>
                  <span className="truncate">
                    {answer.predicted}
                    {answer.wrong && !pictures && <span className="text-bad"> instead of {answer.truth}</span>}
                    {record?.learns === "values" && <span className="text-ink2"> true {answer.truth}</span>}
                  </span>
                  <span className="figures shrink-0 text-ink2">{answer.detail}</span>
                </p>
                {text && input !== undefined && <p className="truncate px-2.5 pb-1.5">{decodeText(decodeTensor(input, samples.data.dtype), text)}</p>}
                {!pictures && !text && input !== undefined && <Features columns={columns} row={decodeTensor(input, samples.data.dtype)} />}
              </li>
            );
          })}
        </ul>
      )}
    </section>
  );
});

/** What an output says, in words. `detail` is the confidence, or how far off a number is. */
function readAnswer(output: readonly (number | null)[], target: number, classes: readonly string[]): { predicted: string; truth: string; detail: string; wrong: boolean } {
  if (classes.length === 0) {
    const [value] = output;
    const off = value === null || value === undefined ? null : value - target;
    return { predicted: formatMetric(value), truth: formatMetric(target), detail: off === null ? "" : `${off < 0 ? "−" : "+"}${formatMetric(Math.abs(off))}`, wrong: false };
  }
  const name = (index: number) => classes[index] ?? String(index);
  const chances = toProbabilities(output, classes.length);
  if (!chances) return { predicted: "not finite", truth: name(target), detail: "", wrong: true };
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
