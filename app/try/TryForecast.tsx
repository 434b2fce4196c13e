"use client";

import { useMemo, useState } from "react";
import { repeatSeason, timeOf } from "../../core/data/series.ts";
import { readNumber } from "../../core/data/table.ts";
import { say } from "../../core/language/say.ts";
import type { Run } from "../dashboard/run.ts";
import { SeriesChart, SeriesLegend } from "../data/SeriesChart.tsx";
import { Field, TextArea } from "../ui/Field.tsx";
import { formatMetric } from "../ui/format.ts";
import { Failing, Loading } from "../ui/States.tsx";
import { decodeTensor } from "../ui/tensorBytes.ts";
import { ModelState } from "./ModelState.tsx";
import { StartFrom } from "./StartFrom.tsx";
import { useOnnx, usePrediction } from "./usePrediction.ts";
import { type TryRun, useValidationSamples } from "./useValidationSamples.ts";

/** What comes after a window of the held-back part, or after values of a person's own. */
export function TryForecast({ run, series, artifactId }: { run: TryRun; series: NonNullable<Run["dataset"]["series"]>; artifactId: string }) {
  const { inputShape } = run.dataset;
  const context = inputShape[0] ?? 1;
  const loaded = useOnnx(artifactId, inputShape);
  const samples = useValidationSamples(run);
  const [picked, setPicked] = useState(0);
  const [written, setWritten] = useState<string | null>(null);
  const sample = samples.data?.samples[picked];
  const window = useMemo(() => (sample && samples.data ? Array.from(decodeTensor(sample.input, samples.data.dtype)) : null), [sample, samples.data]);
  const own = useMemo(() => (written === null ? null : readValues(written, context)), [written, context]);
  const past = own ? own.values : window;
  const { output, problem } = usePrediction(loaded.state === "ready" ? loaded.model : null, past);
  if (samples.error) return <Failing what={say("The windows")} error={samples.error} onRetry={() => void samples.refetch()} />;
  if (!samples.data || !window) return <Loading label={say("Loading windows")} className="h-60" />;
  const first = series.length - series.held - context + (sample?.row ?? 0);
  const timeAt = (index: number) => (own ? null : timeOf(series, first + index));
  return (
    <div className="space-y-3">
      <ModelState loaded={loaded} problem={problem} />
      <div>
        <StartFrom
          samples={samples.data.samples}
          picked={own ? null : picked}
          nameOf={({ row }) => timeOf(series, series.length - series.held + row) ?? say("validation window {row}", { row })}
          onPick={(index) => {
            setWritten(null);
            setPicked(index);
          }}
        />
        <Field label={say("What was")} hint={own?.problem ?? say("The last {context} values, oldest first; they can be changed.", { context })} problem={own?.problem ?? undefined}>
          {(ids) => (
            <TextArea
              {...ids}
              rows={4}
              maxLength={60_000}
              className="figures"
              value={written ?? window.map((value) => Number(value.toPrecision(7))).join(" ")}
              onChange={(event) => setWritten(event.target.value)}
            />
          )}
        </Field>
      </div>
      {past && (
        <>
          <SeriesLegend curves={own ? ["forecast", "naive"] : ["truth", "forecast", "naive"]} />
          <SeriesChart
            past={past}
            ahead={{ truth: own ? null : (sample?.target ?? null), forecast: output, naive: output && repeatSeason(past, output.length, series.season) }}
            label={say("Forecast of {name}", { name: series.name })}
            timeAt={timeAt}
            className="h-44"
          />
          {output && (
            <table aria-label={say("Forecast")} className="w-full">
              <tbody>
                {output.map((value, at) => (
                  <tr key={at} className="border-t border-line first:border-t-0">
                    <th scope="row" className="figures py-0.5 text-left font-normal text-ink2">
                      {timeAt(context + at) ?? `+${at + 1}`}
                    </th>
                    <td className="figures text-right font-semibold">{formatMetric(value)}</td>
                    {!own && <td className="figures w-24 text-right text-ink2">{formatMetric(sample?.target[at])}</td>}
                  </tr>
                ))}
              </tbody>
            </table>
          )}
        </>
      )}
    </div>
  );
}

/** The last `count` numbers of a text, or why there are none. */
function readValues(text: string, count: number): { values: number[] | null; problem: string | null } {
  const cells = text.split(/[\s,;]+/).filter((cell) => cell !== "");
  const values = cells.map(readNumber);
  const wrong = cells.find((_, at) => values[at] === null);
  if (wrong !== undefined) return { values: null, problem: say("“{wrong}” is no number. Write 1234.5, with spaces between.", { wrong: wrong.slice(0, 40) }) };
  if (cells.length < count) return { values: null, problem: say("It looks back {count} values, and these are {count2}.", { count, count2: cells.length }) };
  return { values: values.flatMap((value) => (value === null ? [] : [value])).slice(-count), problem: null };
}
