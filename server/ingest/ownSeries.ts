import { SERIES_LIMITS, type Series } from "../../core/data/series.ts";
import { readDate, readNumber, type TablePlan } from "../../core/data/table.ts";
import { printCount } from "../../core/language/numbers.ts";
import { say } from "../../core/language/say.ts";
import { checkNames, NumberCells } from "./cells.ts";
import { prepareSeries } from "./series.ts";
import { IngestError, type Prepared } from "./source.ts";
import { readTable } from "./tableFile.ts";

/** More of the values than this cannot be drawn between their neighbours. */
const MOST_FILLED = 0.2;
/** How far two steps may differ and still count as even: months do by a tenth. */
const UNEVEN = 0.2;

/** One column of numbers in order of time. Where a value is missing, or a row for it, it is drawn as a straight line between its neighbours. */
export async function prepareOwnSeries(file: string, fileName: string, plan: TablePlan): Promise<Prepared> {
  const { series: how, target: at } = plan;
  const name = plan.columns[at]?.name;
  if (!how || name === undefined) throw new IngestError("SERIES_PLAN", say("Choose the column that is forecast, and how far it looks back and ahead."));
  const numbers = new NumberCells(readNumber);
  const times: number[] = [];
  const lines: number[] = [];
  let areDates: boolean | null = null;
  const names = await readTable(file, plan.form, (cells, line) => {
    if (lines.length === SERIES_LIMITS.values)
      throw new IngestError("TABLE_TOO_LARGE", say("The series has more than {values} values, the limit.", { values: printCount(SERIES_LIMITS.values) }));
    numbers.add(cells[at], line);
    lines.push(line);
    if (how.time === null) return;
    const cell = cells[how.time] ?? "";
    areDates ??= readDate(cell) !== null;
    const time = areDates ? readDate(cell) : readNumber(cell);
    if (time === null)
      throw new IngestError(
        "SERIES_TIME",
        say('Line {line}: "{cell}" in column "{name}" is no {date}. Mend it, or take rows in their order.', {
          line,
          cell: cell.slice(0, 40),
          name: String(plan.columns[how.time]?.name),
          date: areDates ? say("date, such as 2024-06-30") : say("number"),
        }),
      );
    times.push(time);
  });
  checkNames(names, plan);
  const order = lines.map((_, row) => row);
  if (how.time !== null) order.sort((a, b) => (times[a] ?? 0) - (times[b] ?? 0));
  for (const [place, row] of order.entries()) {
    const before = order[place - 1];
    if (how.time !== null && before !== undefined && times[before] === times[row])
      throw new IngestError(
        "SERIES_TIME",
        say("Lines {before} and {row} are of the same time. A series has one value for each: keep one of several series, or their sum.", {
          before: String(lines[before]),
          row: String(lines[row]),
        }),
      );
  }
  const grid = areDates === true ? layOut(order.map((row) => times[row] ?? 0)) : null;
  const sparse = new Float64Array((grid?.places.at(-1) ?? order.length - 1) + 1).fill(Number.NaN);
  for (const [place, row] of order.entries()) sparse[grid?.places[place] ?? place] = numbers.at(row);
  const { values, skipped, filled } = fill(sparse, name);
  return {
    ...prepareSeries({ name, values, filled, start: grid && grid.start + skipped * grid.stepDays, stepDays: grid?.stepDays ?? null }, how, plan.split.validationShare),
    source: `${fileName}, column ${name}, ${printCount(lines.length)} rows`,
    licence: "Your own",
  };
}

/** Where each time stands in an even row of times, with gaps between; null where times are not even enough for that. */
function layOut(times: readonly number[]): (Required<{ start: number; stepDays: number }> & { places: number[] }) | null {
  const steps = times.slice(1).map((time, at) => time - (times[at] ?? 0));
  const step = [...steps].sort((a, b) => a - b)[steps.length >> 1];
  if (step === undefined) return null;
  const places = [0];
  for (const days of steps) {
    const count = Math.round(days / step);
    if (count < 1 || Math.abs(days - count * step) > UNEVEN * step) return null;
    places.push((places.at(-1) ?? 0) + count);
  }
  const last = places.at(-1) ?? 0;
  // Days of business are not evenly spaced, and still a series.
  if (1 - times.length / (last + 1) > MOST_FILLED) return null;
  return { places, start: times[0] ?? 0, stepDays: ((times.at(-1) ?? 0) - (times[0] ?? 0)) / last };
}

/** A series without gaps, from its first value to its last. */
function fill(sparse: Float64Array, name: string): Pick<Series, "filled"> & { values: Float32Array; skipped: number } {
  const first = sparse.findIndex((value) => !Number.isNaN(value));
  if (first < 0) throw new IngestError("DATASET_EMPTY", say('Column "{name}" holds no numbers: choose another to forecast.', { name }));
  let last = sparse.length - 1;
  while (Number.isNaN(sparse[last])) last--;
  const values = Float32Array.from(sparse.subarray(first, last + 1));
  let filled = 0;
  for (let at = 0; at < values.length; at++) {
    if (!Number.isNaN(values[at])) continue;
    let end = at;
    while (Number.isNaN(values[end])) end++;
    const [left = 0, right = 0] = [values[at - 1], values[end]];
    for (let place = at; place < end; place++) values[place] = left + ((right - left) * (place - at + 1)) / (end - at + 1);
    filled += end - at;
    at = end;
  }
  if (filled > MOST_FILLED * values.length)
    throw new IngestError(
      "SERIES_GAPS",
      say('Of {count} values of "{name}", {filled} are missing, more than a fifth: too many to be drawn between their neighbours.', {
        count: printCount(values.length),
        name,
        filled: printCount(filled),
      }),
    );
  return { values, skipped: first, filled };
}
