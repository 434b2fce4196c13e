"use client";

import { useMemo, useState } from "react";
import { printFixed } from "../../../core/language/numbers.ts";
import { say } from "../../../core/language/say.ts";
import { importanceOf, LEAST_TRIALS } from "../../../core/runs/importance.ts";
import { type Column, readColumn, STATS } from "../../../core/runs/view.ts";
import { Select } from "../../ui/Field.tsx";
import { formatFigure, formatTick } from "../figures.ts";
import { mainMetric, unitOf } from "../run.ts";
import { columnTitle, settingTitle } from "../table/columns.ts";
import { niceRange, niceTicks } from "../ticks.ts";
import type { Compared } from "./ComparePage.tsx";
import type { ShownRun } from "./OverlayChart.tsx";

/** Settings that vary among the runs; what has as many values as there are runs still counts. */
const MOST_AXES = 8;

/** How settings and results go together: which setting matters, all settings as lines, and any two columns as a cloud. */
export function Relations({
  runs,
  shown,
  chosen,
  onChosen,
}: {
  runs: readonly Compared[];
  shown: ReadonlyMap<string, ShownRun>;
  chosen: string | null;
  onChosen: (id: string | null) => void;
}) {
  const metrics = useMemo(() => [...new Set(runs.flatMap(({ summary }) => Object.keys(summary)))].sort(), [runs]);
  const usual = runs.map(mainMetric).find((key) => key !== null) ?? metrics[0] ?? "";
  const [target, setTarget] = useState(`${usual}:best`);
  const result = readColumn(target);
  const seen = runs.filter(({ id }) => shown.has(id));
  const importance = useMemo(() => (result ? importanceOf(seen.map((run) => ({ settings: run.settings, result: numberOf(run, result) }))) : []), [runs, shown, target]);
  const [xAxis, setX] = useState<string | null>(null);
  const [yAxis, setY] = useState<string | null>(null);
  const columns = [
    "took",
    "epochs",
    "steps",
    ...[...new Set(runs.flatMap(({ settings }) => Object.keys(settings)))].sort(),
    ...metrics.flatMap((key) => STATS.map((stat) => `${key}:${stat}`)),
  ];
  const axes = [...importance.slice(0, MOST_AXES).map(({ key }) => key), target];
  const select = (label: string, value: string, onValue: (id: string) => void, ids: readonly string[]) => (
    <div className="flex items-center gap-2 text-sm text-ink2">
      <span aria-hidden>{label}</span>
      <Select aria-label={label} className="w-56" value={value} onChange={(event) => onValue(event.target.value)}>
        {ids.map((id) => (
          <option key={id} value={id}>
            {columnTitle(id)}
          </option>
        ))}
      </Select>
    </div>
  );
  if (metrics.length === 0) return <p className="text-ink2">{say("None of these runs has come to a result yet.")}</p>;
  const [x, y] = [xAxis ?? importance[0]?.key ?? "took", yAxis ?? target];
  return (
    <section aria-label={say("Relations")} className="space-y-4">
      {select(
        say("Result"),
        target,
        setTarget,
        metrics.flatMap((key) => STATS.map((stat) => `${key}:${stat}`)),
      )}
      <div className="grid gap-4 lg:grid-cols-2">
        <section aria-label={say("Importance of each setting")} className="rounded-xl border border-line bg-raise p-3.5">
          <h3 className="font-semibold">{say("Which setting goes with it")}</h3>
          {importance.length === 0 ? (
            <p className="pt-1 text-ink2">{say("This takes at least {LEAST_TRIALS} runs with a result, of which some setting differs.", { LEAST_TRIALS })}</p>
          ) : (
            <ol className="space-y-1.5 pt-2">
              {importance.slice(0, 12).map(({ key, share, direction, runs: count }) => (
                <li key={key} className="grid grid-cols-[minmax(0,9fr)_minmax(0,11fr)_88px] items-center gap-2" title={say("{count} runs", { count })}>
                  <span className="truncate">{settingTitle(key)}</span>
                  <span aria-hidden className="h-2 overflow-hidden rounded-full bg-sunk">
                    <span className="block h-full rounded-full bg-accent" style={{ width: `${share * 100}%` }} />
                  </span>
                  <span className="figures text-right">
                    {printFixed(share * 100, 0)}%{direction !== 0 && <span className="text-ink2">{direction > 0 ? say(" more ↑") : say(" more ↓")}</span>}
                  </span>
                </li>
              ))}
            </ol>
          )}
          <p className="pt-2.5 text-sm text-ink2">
            {say(
              "The share of the result’s order that goes with one setting alone: Spearman’s rank correlation squared for numbers, ε² of the ranks for words. It shows what went together, not what caused it; settings that were changed together share their effect.",
            )}
          </p>
        </section>
        <section aria-label={say("Scatter")} className="space-y-2 rounded-xl border border-line bg-raise p-3.5">
          <div className="flex flex-wrap gap-2">
            {select(say("Across"), x, setX, columns)}
            {select(say("Up"), y, setY, columns)}
          </div>
          <Scatter runs={seen} shown={shown} x={x} y={y} chosen={chosen} onChosen={onChosen} />
        </section>
      </div>
      <section aria-label={say("Parallel coordinates")} className="rounded-xl border border-line bg-raise p-3.5">
        <h3 className="font-semibold">{say("All at once")}</h3>
        <p className="pb-1 text-sm text-ink2">{say("A line is a run; it crosses each axis at its value. The darker, the higher its result. Pointing at a line shows it alone.")}</p>
        {axes.length < 2 ? (
          <p className="text-ink2">{say("No setting differs among these runs.")}</p>
        ) : (
          <Parallel runs={seen} shown={shown} axes={axes} chosen={chosen} onChosen={onChosen} />
        )}
      </section>
    </section>
  );
}

function valueAt(run: Compared, id: string): number | string | null {
  const column = readColumn(id);
  if (!column) return null;
  if (column.kind === "setting") return run.settings[column.key] ?? null;
  return numberOf(run, column);
}

function numberOf(run: Compared, column: Column): number | null {
  if (column.kind === "metric") return run.summary[column.key]?.[column.stat] ?? null;
  if (column.kind === "setting") {
    const value = run.settings[column.key];
    return typeof value === "number" ? value : null;
  }
  return column.name === "took" ? run.elapsedMs / 1000 : column.name === "epochs" ? run.epoch : column.name === "steps" ? run.step : null;
}

/** Where values lie along an axis, from 0 to 1: numbers by size (by powers where they span a hundredfold), words evenly. */
function scaleOf(values: readonly (number | string | null)[], id: string) {
  const numbers = values.filter((value) => typeof value === "number" && Number.isFinite(value)) as number[];
  const words = [...new Set(values.filter((value) => typeof value === "string"))].sort();
  if (words.length > 0 || numbers.length === 0) {
    const all = [...words, ...new Set(numbers.map(String))];
    const at = (value: number | string | null) => (value === null ? null : (all.indexOf(String(value)) + 0.5) / Math.max(1, all.length));
    return { at, ticks: all.slice(0, 12).map((word) => ({ share: at(word) ?? 0, text: word.length > 14 ? `${word.slice(0, 13)}…` : word })) };
  }
  const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
  const column = readColumn(id);
  const unit = column?.kind === "metric" ? unitOf(column.key) : "value";
  const log = low > 0 && high / low >= 100;
  const [from, nice] = log ? [low, high] : niceRange(low, high, 4);
  // No share is more than all.
  const to = unit === "share" && high <= 1 ? Math.min(1, nice) : nice;
  const at = (value: number | string | null) =>
    typeof value !== "number" || !Number.isFinite(value) ? null : to === from ? 0.5 : log ? Math.log(value / from) / Math.log(to / from) : (value - from) / (to - from);
  const ticks = log ? [low, Math.sqrt(low * high), high] : niceTicks(from, to, 4);
  return { at, ticks: ticks.map((tick) => ({ share: at(tick) ?? 0, text: log ? formatFigure(Number(tick.toPrecision(2)), "value") : formatTick(tick, unit) })) };
}

type Drawn = { runs: readonly Compared[]; shown: ReadonlyMap<string, ShownRun>; chosen: string | null; onChosen: (id: string | null) => void };

function Scatter({ runs, shown, x, y, chosen, onChosen }: Drawn & { x: string; y: string }) {
  const [xs, ys] = [
    scaleOf(
      runs.map((run) => valueAt(run, x)),
      x,
    ),
    scaleOf(
      runs.map((run) => valueAt(run, y)),
      y,
    ),
  ];
  const [width, height, left, bottom] = [520, 260, 64, 26];
  const dots = runs.flatMap((run) => {
    const [a, b] = [xs.at(valueAt(run, x)), ys.at(valueAt(run, y))];
    return a === null || b === null ? [] : [{ run, x: left + a * (width - left - 12), y: 8 + (1 - b) * (height - bottom - 16) }];
  });
  const meant = dots.find(({ run }) => run.id === chosen);
  return (
    <svg
      viewBox={`0 0 ${width} ${height}`}
      role="img"
      aria-label={say("{y} over {x} of {count} runs", { y: columnTitle(y), x: columnTitle(x), count: dots.length })}
      className="block w-full"
    >
      {ys.ticks.map(({ share, text }, at) => (
        <g key={at}>
          <line x1={left} x2={width - 8} y1={8 + (1 - share) * (height - bottom - 16)} y2={8 + (1 - share) * (height - bottom - 16)} stroke="var(--line)" />
          <text x={left - 6} y={11.5 + (1 - share) * (height - bottom - 16)} textAnchor="end" fontSize={10} fontFamily="var(--font-mono)" fill="var(--ink2)">
            {text}
          </text>
        </g>
      ))}
      {xs.ticks.map(({ share, text }, at) => (
        <text
          key={at}
          x={left + share * (width - left - 12)}
          y={height - 8}
          textAnchor={share > 0.95 ? "end" : "middle"}
          fontSize={10}
          fontFamily="var(--font-mono)"
          fill="var(--ink2)"
        >
          {text}
        </text>
      ))}
      {dots.map(({ run, x: cx, y: cy }) => (
        <circle
          key={run.id}
          cx={cx}
          cy={cy}
          r={run.id === chosen ? 6 : 4}
          fill={shown.get(run.id)?.colour}
          fillOpacity={chosen !== null && chosen !== run.id ? 0.25 : 0.8}
          stroke="var(--raise)"
          onPointerEnter={() => onChosen(run.id)}
          onPointerLeave={() => onChosen(null)}
        />
      ))}
      {meant && (
        <text
          x={Math.min(meant.x + 9, width - 130)}
          y={Math.max(16, meant.y - 8)}
          fontSize={11}
          fontWeight={600}
          fill="var(--ink)"
          stroke="var(--raise)"
          strokeWidth={3}
          paintOrder="stroke"
        >
          {shown.get(meant.run.id)?.name}
        </text>
      )}
      {dots.length === 0 && (
        <text x={width / 2} y={height / 2} textAnchor="middle" fontSize={12} fill="var(--ink2)">
          {say("No run has both")}
        </text>
      )}
    </svg>
  );
}

function Parallel({ runs, shown, axes, chosen, onChosen }: Drawn & { axes: readonly string[] }) {
  const scales = axes.map((id) =>
    scaleOf(
      runs.map((run) => valueAt(run, id)),
      id,
    ),
  );
  const [width, height, top] = [Math.max(720, axes.length * 130), 280, 26];
  const xOf = (at: number) => 70 + (at / Math.max(1, axes.length - 1)) * (width - 140);
  const yOf = (share: number) => top + 8 + (1 - share) * (height - top - 30);
  const target = axes.length - 1;
  const lines = runs
    .map((run) => ({ run, shares: axes.map((id, at) => scales[at]?.at(valueAt(run, id)) ?? null) }))
    .sort((a, b) => Number(a.run.id === chosen) - Number(b.run.id === chosen) || (a.shares[target] ?? 0) - (b.shares[target] ?? 0));
  return (
    <div className="overflow-x-auto">
      <svg
        viewBox={`0 0 ${width} ${height}`}
        role="img"
        aria-label={say("{count} runs across {axes}", { count: runs.length, axes: axes.map(columnTitle).join(", ") })}
        className="block w-full"
        style={{ minWidth: 560 }}
      >
        {lines.map(({ run, shares }) => {
          let path = "";
          shares.forEach((share, at) => {
            if (share !== null) path += `${path === "" ? "M" : "L"}${xOf(at)} ${yOf(share)}`;
          });
          const isChosen = run.id === chosen;
          return (
            <path
              key={run.id}
              d={path}
              fill="none"
              stroke={isChosen ? shown.get(run.id)?.colour : `color-mix(in oklab, var(--accent) ${Math.round(20 + 80 * (shares[target] ?? 0))}%, var(--line2))`}
              strokeWidth={isChosen ? 3 : 1.5}
              strokeOpacity={chosen !== null && !isChosen ? 0.15 : 0.85}
              onPointerEnter={() => onChosen(run.id)}
              onPointerLeave={() => onChosen(null)}
            />
          );
        })}
        {axes.map((id, at) => (
          <g key={id}>
            <line x1={xOf(at)} x2={xOf(at)} y1={yOf(0)} y2={yOf(1)} stroke="var(--ink3)" />
            <text x={xOf(at)} y={14} textAnchor="middle" fontSize={11} fontWeight={at === target ? 600 : 400} fill="var(--ink)">
              {columnTitle(id).slice(0, 24)}
            </text>
            {scales[at]?.ticks.map(({ share, text }, tick) => (
              <text
                key={tick}
                x={xOf(at) + 5}
                y={yOf(share) + 3.5}
                fontSize={10}
                fontFamily="var(--font-mono)"
                fill="var(--ink2)"
                stroke="var(--raise)"
                strokeWidth={3}
                paintOrder="stroke"
              >
                {text}
              </text>
            ))}
          </g>
        ))}
      </svg>
    </div>
  );
}
