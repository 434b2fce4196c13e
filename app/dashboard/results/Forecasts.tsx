"use client";

import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { repeatSeason, timeOf } from "../../../core/data/series.ts";
import { say } from "../../../core/language/say.ts";
import { SeriesChart, SeriesLegend } from "../../data/SeriesChart.tsx";
import { formatMetric, formatPercent } from "../../ui/format.ts";
import { Failing, Loading } from "../../ui/States.tsx";
import { decodeTensor } from "../../ui/tensorBytes.ts";
import { useTRPC } from "../../ui/trpc.ts";
import type { Run } from "../run.ts";
import { Horizon } from "./Study.tsx";
import { useStudy } from "./useStudy.ts";

/** How many windows are drawn, of those that every evaluation has. */
const SHOWN = 4;

/** The same windows of the held-back part at every evaluation, and how much better than the last season the forecast is on all of them. */
export function Forecasts({ run }: { run: Run }) {
  const { evaluation, dataset } = run;
  const study = useStudy(run);
  const trpc = useTRPC();
  const { series, inputShape } = dataset;
  const key = evaluation?.samples
    .filter((_, at, all) => at % Math.ceil(all.length / SHOWN) === 0)
    .map(({ row }) => row)
    .join();
  const rows = useMemo(() => (key ? key.split(",").map(Number) : []), [key]);
  const samples = useQuery(
    trpc.datasets.samples.queryOptions({ datasetId: dataset.id, split: "validation", rows }, { enabled: rows.length > 0, staleTime: Number.POSITIVE_INFINITY }),
  );
  if (!evaluation || !series || rows.length === 0) return null;
  const context = inputShape[0] ?? 1;
  const { mae, rmse, smape } = evaluation.values;
  const figures = [
    { name: "MAE", own: formatMetric(mae), naive: formatMetric(series.naive.mae) },
    { name: "RMSE", own: formatMetric(rmse), naive: formatMetric(series.naive.rmse) },
    { name: "sMAPE", own: formatPercent(smape), naive: formatPercent(series.naive.smape) },
    { name: "MASE", own: formatMetric(evaluation.values.mase), naive: formatMetric(series.naive.mae / series.scale) },
  ];
  const better = typeof mae === "number" ? 1 - mae / series.naive.mae : null;
  return (
    <section aria-label={say("Forecasts")} className="space-y-2">
      <header className="flex items-baseline justify-between gap-3">
        <h3 className="section-name text-ink2">{say("Forecasts of {name}", { name: series.name })}</h3>
        <span className="text-xs text-ink2">{say("after epoch {epoch}", { epoch: evaluation.epoch })}</span>
      </header>
      {better !== null && (
        <p>
          {say("{better} than repeating the last {value}.", {
            better:
              better > 0
                ? say("{better} less off", { better: formatPercent(better) })
                : better < 0
                  ? say("{percent} further off", { percent: formatPercent(-better) })
                  : say("As far off"),
            value: series.season === 1 ? say("value") : say("{season} values", { season: series.season }),
          })}
        </p>
      )}
      <table aria-label={say("Against the last season")} className="w-full">
        <thead>
          <tr className="text-left text-sm text-ink2">
            <th scope="col" className="font-normal" />
            <th scope="col" className="text-right font-normal">
              {say("this run")}
            </th>
            <th scope="col" className="text-right font-normal">
              {say("last season")}
            </th>
          </tr>
        </thead>
        <tbody>
          {figures.map(({ name, own, naive }) => (
            <tr key={name}>
              <th scope="row" className="text-left font-normal text-ink2">
                {name}
              </th>
              <td className="figures text-right font-semibold">{own}</td>
              <td className="figures text-right text-ink2">{naive}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {samples.error ? (
        <Failing what={say("The windows")} error={samples.error} onRetry={() => void samples.refetch()} />
      ) : samples.isPending ? (
        <Loading label={say("Loading windows")} className="h-60" />
      ) : (
        <>
          <SeriesLegend curves={["truth", "forecast", "naive"]} />
          <ul className="space-y-2">
            {samples.data.samples.map(({ row, input, target }) => {
              const all = decodeTensor(input, samples.data.dtype);
              // As much of what was as lets what comes be seen.
              const past = all.slice(-Math.max(3 * target.length, 2 * series.season));
              const output = evaluation.samples.find((sample) => sample.row === row)?.output ?? [];
              const first = series.length - series.held - context + row;
              const from = timeOf(series, first + context) ?? say("value {index}", { index: first + context + 1 });
              return (
                <li key={row} className="rounded-md border border-line2 bg-raise">
                  <SeriesChart
                    past={past}
                    ahead={{ truth: target, forecast: output.map((value) => value ?? Number.NaN), naive: repeatSeason(all, target.length, series.season) }}
                    label={say("Forecast of {name} from {from} on", { name: series.name, from })}
                    timeAt={(index) => timeOf(series, first + all.length - past.length + index)}
                  />
                </li>
              );
            })}
          </ul>
        </>
      )}
      <Horizon study={study} />
    </section>
  );
}
