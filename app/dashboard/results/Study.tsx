"use client";

import { memo, type ReactNode, useState } from "react";
import { printFixed } from "../../../core/language/numbers.ts";
import { say } from "../../../core/language/say.ts";
import type { Study } from "../../../core/training/study.ts";
import { Button } from "../../ui/Button.tsx";
import { cx } from "../../ui/cx.ts";
import { formatCount, formatMetric, formatPercent } from "../../ui/format.ts";
import { Say } from "../../ui/Say.tsx";
import { Segments } from "../../ui/Segments.tsx";
import { Failing, Loading } from "../../ui/States.tsx";
import type { Run } from "../run.ts";
import { useSize } from "../useSize.ts";
import type { Cell } from "./Confusion.tsx";
import { SampleRows } from "./Samples.tsx";
import { UnitPlot } from "./UnitPlot.tsx";
import type { StudyQuery } from "./useStudy.ts";

/** What stands in a study's place until it is there. */
function Waiting({ study, label }: { study: StudyQuery; label: string }): ReactNode {
  if (study.waits)
    return (
      <div className="flex items-center justify-between gap-3 rounded-md border border-dashed border-line2 px-3 py-2.5">
        <p className="text-ink2">{say("The run still trains: this takes some of its time.")}</p>
        <Button size="sm" onClick={study.ask}>
          {say("Work it out")}
        </Button>
      </div>
    );
  if (study.error) return <Failing what={label} error={study.error} onRetry={() => void study.refetch()} />;
  return <Loading label={say("Loading {label}", { label: label.toLowerCase() })} className="h-52" />;
}

const rowsSeen = ({ study, total }: { study: Study; total: number }) =>
  study.rows.length < total
    ? say("{count} of {total} rows", { count: formatCount(study.rows.length), total: formatCount(total) })
    : say("all {total} rows", { total: formatCount(total) });

/** A study's name, and what it rests on; `detail` where that is not the epoch. */
function Heading({ study: { data }, detail, children }: { study: StudyQuery; detail?: string; children: string }) {
  return (
    <header className="flex items-baseline justify-between gap-3 pb-1.5">
      <h3 className="section-name text-ink2">{children}</h3>
      {data && <span className="text-xs text-ink2">{`${rowsSeen(data)}, ${detail ?? say("epoch {epoch}", { epoch: data.epoch })}`}</span>}
    </header>
  );
}

const WAYS = [
  { id: "roc", title: say("ROC") },
  { id: "pr", title: say("Precision–recall") },
  { id: "calibration", title: say("Calibration") },
] as const;

/** How well each class is told from the others at every threshold, and how far the network's certainty can be trusted. */
export const ClassCurves = memo(function ClassCurves({ study, classes }: { study: StudyQuery; classes: readonly string[] }) {
  const [way, setWay] = useState<(typeof WAYS)[number]["id"]>("roc");
  const [alone, setAlone] = useState<number | null>(null);
  if (!study.there) return null;
  const data = study.data?.study.kind === "classes" ? study.data.study : null;
  const name = (index: number) => classes[index] ?? say("class {index}", { index });
  const shown = data?.curves.filter(({ index }) => alone === null || index === alone || !data.curves.some((curve) => curve.index === alone)) ?? [];
  return (
    <section aria-label={say("Curves of the classes")}>
      <Heading study={study}>{say("At every threshold")}</Heading>
      {!data ? (
        <Waiting study={study} label={say("The curves")} />
      ) : data.rows.length === 0 ? (
        <p className="text-ink2">{say("Its answers are no numbers that could be compared.")}</p>
      ) : (
        <>
          <Segments label={say("Which curve")} options={WAYS} value={way} onValue={setWay} />
          <div className="pt-2">
            {way === "calibration" ? (
              <>
                <UnitPlot
                  label={say("Calibration: expected error {ece}", { ece: formatPercent(data.calibration.ece) })}
                  x={say("How sure it was")}
                  y={say("How often right")}
                  bars={data.calibration.bins.map(({ from, to, count }) => ({ from, to, height: count / Math.max(1, data.rows.length) }))}
                  lines={[
                    {
                      name: say("as it should be"),
                      colour: "var(--ink3)",
                      dashed: true,
                      points: [
                        [0, 0],
                        [1, 1],
                      ],
                    },
                    { name: say("the network"), colour: "var(--series-2)", points: data.calibration.bins.map(({ confidence, accuracy }) => [confidence, accuracy] as const) },
                  ]}
                />
                <p className="text-sm text-ink2">
                  <Say
                    text="Expected calibration error {ece}. Bars: the share of rows."
                    with={{ ece: <span className="figures text-ink">{formatPercent(data.calibration.ece)}</span> }}
                  />
                </p>
              </>
            ) : (
              <>
                <UnitPlot
                  label={way === "roc" ? say("ROC curves of the classes") : say("Precision–recall curves of the classes")}
                  x={way === "roc" ? say("False positives") : say("Recall")}
                  y={way === "roc" ? say("True positives") : say("Precision")}
                  lines={[
                    ...(way === "roc"
                      ? [
                          {
                            name: "guessing",
                            colour: "var(--ink3)",
                            dashed: true,
                            points: [
                              [0, 0],
                              [1, 1],
                            ] as const,
                          },
                        ]
                      : []),
                    ...shown.map(({ index, roc, pr }) => ({
                      name: name(index),
                      colour: lookOfClass(data.curves.findIndex((one) => one.index === index)),
                      points: way === "roc" ? roc : pr,
                    })),
                  ]}
                />
                <ul aria-label={say("Classes")} className="flex flex-wrap gap-x-1 gap-y-0.5">
                  {data.curves.map(({ index, auc, ap }, at) => (
                    <li key={index}>
                      <button
                        type="button"
                        aria-pressed={alone === index}
                        onClick={() => setAlone(alone === index ? null : index)}
                        className={cx("flex items-center gap-1.5 rounded-md px-1.5 py-0.5 text-sm", alone === index ? "bg-accent-soft" : "hover:bg-hover")}
                      >
                        <span aria-hidden className="size-2 rounded-[2px]" style={{ background: lookOfClass(at) }} />
                        {name(index)}
                        <span className="figures text-ink2">{printFixed(way === "roc" ? auc : ap, 3)}</span>
                      </button>
                    </li>
                  ))}
                </ul>
                <p className="pt-0.5 text-xs text-ink2">{way === "roc" ? say("Beside each class: the area under its curve.") : say("Beside each class: its average precision.")}</p>
              </>
            )}
          </div>
        </>
      )}
    </section>
  );
});

/** Beyond eight, colours come again. */
const lookOfClass = (at: number) => `var(--series-${(at % 8) + 1})`;

/** Rows of one cell that are shown at once. */
const SHOWN = 16;

/** The validation rows of one class that were taken for another (or for itself). */
export function CellRows({ study, cell, dataset }: { study: StudyQuery; cell: Cell; dataset: Run["dataset"] }) {
  const [most, setMost] = useState(SHOWN);
  const data = study.data?.study.kind === "classes" ? study.data.study : null;
  if (!data || !study.data) return <Waiting study={study} label={say("These rows")} />;
  const found = data.rows.flatMap((row, at) => (data.truth[at] === cell.truth && data.predicted[at] === cell.predicted ? [{ row, confidence: data.confidence[at] ?? 0 }] : []));
  if (found.length === 0) return <p className="text-ink2">{say("None of them is among the {data} that were looked at.", { data: rowsSeen(study.data) })}</p>;
  const name = (index: number) => dataset.classes[index] ?? String(index);
  // Of mistakes, those that it was surest of come first.
  const sorted = found.sort((a, b) => b.confidence - a.confidence || a.row - b.row);
  return (
    <>
      <SampleRows
        dataset={dataset}
        answers={sorted.slice(0, most).map(({ row, confidence }) => ({
          row,
          predicted: name(cell.predicted),
          truth: name(cell.truth),
          detail: `${Math.round(confidence * 100)}%`,
          wrong: cell.truth !== cell.predicted,
        }))}
      />
      <p className="flex items-center justify-between gap-3 pt-2 text-xs text-ink2">
        {say("{most} of {count}, the surest first", { most: formatCount(Math.min(most, sorted.length)), count: formatCount(sorted.length) })}
        {sorted.length > most && (
          <Button size="sm" onClick={() => setMost(most + SHOWN)}>
            {say("More")}
          </Button>
        )}
      </p>
    </>
  );
}

const FRAME = { top: 6, right: 8, bottom: 30, left: 46 };

/** What was predicted against what is true, and how the errors lie. */
export const Residuals = memo(function Residuals({ study }: { study: StudyQuery }) {
  if (!study.there) return null;
  const data = study.data?.study.kind === "values" ? study.data.study : null;
  const off = data ? data.predicted.map((value, at) => value - (data.truth[at] ?? 0)) : [];
  const mean = off.reduce((sum, value) => sum + value, 0) / Math.max(1, off.length);
  const spread = Math.sqrt(off.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, off.length));
  return (
    <section aria-label={say("Residuals")}>
      <Heading study={study}>{say("Predicted against true")}</Heading>
      {!data ? (
        <Waiting study={study} label={say("The residuals")} />
      ) : data.rows.length === 0 ? (
        <p className="text-ink2">{say("Its answers are no numbers that could be compared.")}</p>
      ) : (
        <>
          <TruthPlot truth={data.truth} predicted={data.predicted} />
          <Errors off={off} mean={mean} spread={spread} />
        </>
      )}
    </section>
  );
});

/** A dot for each row: on the line the network is right, above it says too much. */
function TruthPlot({ truth, predicted }: { truth: readonly number[]; predicted: readonly number[] }) {
  const [ref, size] = useSize<HTMLDivElement>();
  const [low, high] = [Math.min(...truth, ...predicted), Math.max(...truth, ...predicted)];
  const reach = high > low ? high - low : 1;
  const [width, height] = [Math.max(1, (size?.width ?? 0) - FRAME.left - FRAME.right), Math.max(1, (size?.height ?? 0) - FRAME.top - FRAME.bottom)];
  const toX = (value: number) => FRAME.left + ((value - low) / reach) * width;
  const toY = (value: number) => FRAME.top + (1 - (value - low) / reach) * height;
  return (
    <div ref={ref} role="img" aria-label={say("Predicted against true values of {count} rows", { count: truth.length })} className="h-56">
      {size && (
        <svg aria-hidden width={size.width} height={size.height} fontSize={10} fontFamily="var(--font-mono)" fill="var(--ink2)">
          {[low, (low + high) / 2, high].map((tick, at) => (
            <g key={at}>
              <line x1={FRAME.left} x2={FRAME.left + width} y1={toY(tick)} y2={toY(tick)} stroke="var(--line)" />
              <text x={FRAME.left - 6} y={toY(tick) + 3.5} textAnchor="end">
                {formatMetric(tick)}
              </text>
              <text x={toX(tick)} y={FRAME.top + height + 13} textAnchor={at === 0 ? "start" : at === 2 ? "end" : "middle"}>
                {formatMetric(tick)}
              </text>
            </g>
          ))}
          <text x={FRAME.left + width / 2} y={FRAME.top + height + 26} textAnchor="middle" fontFamily="var(--font-sans)" fontSize={11}>
            {say("true")}
          </text>
          <line x1={toX(low)} y1={toY(low)} x2={toX(high)} y2={toY(high)} stroke="var(--ink3)" strokeDasharray="3 3" />
          {truth.map((value, at) => (
            <circle key={at} cx={toX(value)} cy={toY(predicted[at] ?? 0)} r={2} fill="var(--series-2)" fillOpacity={truth.length > 400 ? 0.35 : 0.7} />
          ))}
        </svg>
      )}
    </div>
  );
}

const BINS = 31;

/** How many rows are how far off: within three spreads of the mean, and what lies beyond at the ends. */
function Errors({ off, mean, spread }: { off: readonly number[]; mean: number; spread: number }) {
  const reach = 3 * spread || 1;
  const bins = Array<number>(BINS).fill(0);
  for (const value of off) {
    const bin = Math.min(BINS - 1, Math.max(0, Math.floor(((value - mean + reach) / (2 * reach)) * BINS)));
    bins[bin] = (bins[bin] ?? 0) + 1;
  }
  const most = Math.max(1, ...bins);
  return (
    <figure className="pt-1">
      <svg role="img" aria-label={say("How the errors are spread")} viewBox={`0 0 ${BINS * 10} 60`} preserveAspectRatio="none" className="block h-14 w-full">
        {bins.map((count, at) => (
          <rect key={at} x={at * 10 + 1} width={8} y={60 - (58 * count) / most} height={(58 * count) / most} fill="var(--series-1)" />
        ))}
      </svg>
      <figcaption className="flex justify-between text-xs text-ink2 tabular-nums">
        <span>{formatMetric(mean - reach)}</span>
        <span>{say("off by {mean} on average, spread {spread}", { mean: formatMetric(mean), spread: formatMetric(spread) })}</span>
        <span>{formatMetric(mean + reach)}</span>
      </figcaption>
    </figure>
  );
}

/** How far off each step of a forecast is on average: what lies further ahead is harder. */
export const Horizon = memo(function Horizon({ study }: { study: StudyQuery }) {
  if (!study.there) return null;
  const data = study.data?.study.kind === "values" ? study.data.study : null;
  const most = Math.max(1e-12, ...(data?.errors ?? []));
  return (
    <section aria-label={say("Error over the horizon")}>
      <Heading study={study} detail={say("mean absolute")}>
        {say("Error over the horizon")}
      </Heading>
      {!data ? (
        <Waiting study={study} label={say("The errors")} />
      ) : (
        <ol className="flex h-24 items-end gap-px" aria-label={say("Mean absolute error of each step ahead")}>
          {data.errors.map((error, at) => (
            <li
              key={at}
              title={say("{at} ahead: {error}", { at: at + 1, error: formatMetric(error) })}
              aria-label={say("{at} ahead: {error}", { at: at + 1, error: formatMetric(error) })}
              className="min-w-0 flex-1 rounded-t-[2px] bg-series-1"
              style={{ height: `${(100 * error) / most}%`, background: "var(--series-1)" }}
            />
          ))}
        </ol>
      )}
      {data && (
        <p className="flex justify-between pt-0.5 text-xs text-ink2 tabular-nums">
          <span>{say("1 ahead: {errors}", { errors: formatMetric(data.errors[0]) })}</span>
          {data.errors.length > 1 && <span>{say("{count} ahead: {metric}", { count: data.errors.length, metric: formatMetric(data.errors.at(-1)) })}</span>}
        </p>
      )}
    </section>
  );
});
