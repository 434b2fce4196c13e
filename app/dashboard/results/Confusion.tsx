"use client";

import { type KeyboardEvent, memo, type ReactNode, useState } from "react";
import { say } from "../../../core/language/say.ts";
import { cx } from "../../ui/cx.ts";
import { formatCount, formatPercent, formatShort } from "../../ui/format.ts";

export type Cell = { truth: number; predicted: number };

/**
 * Counts of true classes (down) against predicted ones (across). Right answers are green by their share of the class, errors
 * red by their share of the largest error. Arrow keys walk the cells; the line below says what a cell means, and a click opens what lies in it.
 */
export const Confusion = memo(function Confusion({
  counts,
  classes,
  inside,
}: {
  counts: readonly (readonly number[])[];
  classes: readonly string[];
  /** What an opened cell shows; absent: cells cannot be opened. */
  inside?: (cell: Cell) => ReactNode;
}) {
  const [opened, setOpened] = useState<Cell | null>(null);
  const [hover, setHover] = useState<Cell | null>(null);
  const [place, setPlace] = useState<Cell>({ truth: 0, predicted: 0 });
  const size = counts.length;
  const totals = counts.map((row) => row.reduce((sum, count) => sum + count, 0));
  const worst = Math.max(1, ...counts.flatMap((row, truth) => row.filter((_, predicted) => predicted !== truth)));
  const name = (index: number) => classes[index] ?? String(index);
  const count = ({ truth, predicted }: Cell) => counts[truth]?.[predicted] ?? 0;
  const words = ({ truth, predicted }: Cell) =>
    truth === predicted
      ? say("{truth}: {count} of {truth2} right ({count2})", {
          truth: name(truth),
          count: formatCount(count({ truth, predicted })),
          truth2: formatCount(totals[truth] ?? 0),
          count2: formatPercent(count({ truth, predicted }) / Math.max(1, totals[truth] ?? 0)),
        })
      : say("{truth} taken for {predicted}: {count} of {truth2}", {
          truth: name(truth),
          predicted: name(predicted),
          count: formatCount(count({ truth, predicted })),
          truth2: formatCount(totals[truth] ?? 0),
        });
  const long = classes.some((label) => label.length > 3);
  const showNames = size <= 24;

  function walk(event: KeyboardEvent<HTMLElement>): void {
    const by = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (!by) return;
    event.preventDefault();
    const clamp = (index: number) => Math.min(size - 1, Math.max(0, index));
    const next = { truth: clamp(place.truth + (by[0] ?? 0)), predicted: clamp(place.predicted + (by[1] ?? 0)) };
    setPlace(next);
    setHover(next);
    event.currentTarget.querySelector<HTMLElement>(`[data-cell="${next.truth}-${next.predicted}"]`)?.focus();
  }

  return (
    <section aria-label={say("Confusion matrix")}>
      <header className="flex items-baseline justify-between gap-3 pb-1.5">
        <h3 className="section-name text-ink2">{say("Confusion")}</h3>
        <span className="text-xs text-ink2">{say("true down, predicted across")}</span>
      </header>
      <table
        aria-label={say("Confusion matrix, true classes down, predicted classes across")}
        onKeyDown={walk}
        onPointerLeave={() => setHover(null)}
        className="w-full table-fixed border-separate border-spacing-px"
      >
        {showNames && (
          <>
            <colgroup>
              <col style={{ width: long ? "24%" : 16 }} />
              <col span={size} />
            </colgroup>
            <thead>
              <tr>
                <td />
                {counts.map((_, predicted) => (
                  <th
                    key={predicted}
                    scope="col"
                    title={name(predicted)}
                    className={cx("figures truncate pb-0.5 font-normal", hover?.predicted === predicted ? "text-ink" : "text-ink2")}
                  >
                    {name(predicted)}
                  </th>
                ))}
              </tr>
            </thead>
          </>
        )}
        <tbody>
          {counts.map((row, truth) => (
            <tr key={truth}>
              {showNames && (
                <th
                  scope="row"
                  title={name(truth)}
                  className={cx("figures truncate font-normal", long ? "pr-1.5 text-right" : "text-left", hover?.truth === truth ? "text-ink" : "text-ink2")}
                >
                  {name(truth)}
                </th>
              )}
              {row.map((value, predicted) => {
                const right = truth === predicted;
                const strength = right ? (totals[truth] ? value / totals[truth] : 0) : Math.sqrt(value / worst);
                const tellsMuch = size <= 5 || (!right && size <= 12 && value >= worst * 0.6 && value > 1);
                const share = Math.round(right ? 18 + strength * 82 : 8 + strength * 44);
                const cell = { truth, predicted };
                return (
                  <td key={predicted} className="p-0">
                    <button
                      type="button"
                      aria-label={words(cell)}
                      data-cell={`${truth}-${predicted}`}
                      tabIndex={place.truth === truth && place.predicted === predicted ? 0 : -1}
                      onPointerEnter={() => setHover(cell)}
                      onFocus={() => {
                        setPlace(cell);
                        setHover(cell);
                      }}
                      onBlur={() => setHover(null)}
                      aria-pressed={inside ? isSame(opened, cell) : undefined}
                      onClick={() => inside && setOpened(isSame(opened, cell) || value === 0 ? null : cell)}
                      className={cx(
                        "figures grid w-full place-items-center rounded-[2px] bg-sunk",
                        (!inside || value === 0) && "cursor-default!",
                        size <= 5 ? "h-11" : "aspect-square",
                        isSame(hover, cell) && "outline-1 outline-ink",
                        isSame(opened, cell) && "outline-2 outline-accent",
                      )}
                      style={value > 0 ? { background: `color-mix(in oklab, var(${right ? "--accent" : "--bad"}) ${share}%, var(--sunk))` } : undefined}
                    >
                      {tellsMuch && value > 0 && (
                        <span className={right && strength > 0.45 ? "text-on-accent" : "text-ink"}>{size > 5 ? formatShort(value) : formatCount(value)}</span>
                      )}
                    </button>
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
      <p className="min-h-[19px] pt-1 text-sm text-ink2 tabular-nums">
        {hover
          ? words(hover)
          : inside
            ? say("{count} validation rows; press a cell to see them", { count: formatCount(totals.reduce((sum, total) => sum + total, 0)) })
            : say("{count} validation rows", { count: formatCount(totals.reduce((sum, total) => sum + total, 0)) })}
      </p>
      {inside && opened && (
        <div className="mt-1 rounded-lg border border-line2 bg-raise p-2.5">
          <p className="flex items-baseline justify-between gap-3 pb-2 font-semibold">
            {words(opened)}
            <button type="button" onClick={() => setOpened(null)} className="shrink-0 text-sm font-normal text-ink2 hover:text-ink">
              {say("Close")}
            </button>
          </p>
          {inside(opened)}
        </div>
      )}
    </section>
  );
});

const isSame = (a: Cell | null, b: Cell) => a?.truth === b.truth && a.predicted === b.predicted;
