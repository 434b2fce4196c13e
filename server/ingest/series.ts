import { repeatSeason, type Series, type SeriesPlan } from "../../core/data/series.ts";
import { printCount } from "../../core/language/numbers.ts";
import { say } from "../../core/language/say.ts";
import { type Examples, IngestError, type Prepared } from "./source.ts";
import { momentsOf } from "./table.ts";

/** Values in order of time, evenly spaced. */
type Measured = Pick<Series, "name" | "start" | "stepDays" | "filled"> & { values: Float32Array };

/**
 * A series as windows: so many values, and the ones behind them that are to be forecast. The last share of the values is validation's. A
 * validation window may look back into training, as a forecast does, but no training window reaches a held value; mean, deviation
 * and the unit of MASE are those of the training values.
 */
export function prepareSeries(measured: Measured, { context, horizon, season }: Omit<SeriesPlan, "time">, validationShare: number): Omit<Prepared, "source" | "licence"> {
  const { values, name } = measured;
  const held = Math.max(horizon, Math.round(values.length * validationShare));
  const known = values.length - held;
  if (known < context + horizon)
    throw new IngestError(
      "DATASET_EMPTY",
      say("Of {count} values, {value} are for training, but a window takes {context}. Look back less far, forecast less, or hold fewer back.", {
        count: printCount(values.length),
        value: printCount(Math.max(0, known)),
        context: context + horizon,
      }),
    );
  if (season > context)
    throw new IngestError("SERIES_PLAN", say("A season of {season} does not fit into the {context} values that the network is shown. Look back further.", { season, context }));
  const train = values.subarray(0, known);
  const { mean, std } = momentsOf(Array.from(train));
  // A network that is told nothing has nothing to learn.
  if (train.every((value) => value === train[0]))
    throw new IngestError("DATASET_CONSTANT", say('Every training value of "{name}" is {train}: there is nothing to forecast.', { name, train: String(train[0]) }));
  const target = Float32Array.from(values);
  const windowsFrom = (first: number, rows: number): Examples => ({
    input: { dtype: "float32", shape: [values.length, 1], data: values, window: { rows, length: context, first, stride: 1 } },
    target: { dtype: "float32", shape: [values.length], data: target, window: { rows, length: horizon, first: first + context, stride: 1 } },
  });
  const series: Series = {
    name,
    length: values.length,
    held,
    start: measured.start,
    stepDays: measured.stepDays,
    season,
    scale: seasonalScale(train, season),
    naive: naiveErrors(values, { first: known - context, rows: held - horizon + 1, context, horizon, season }),
    filled: measured.filled,
  };
  return {
    task: "forecasting",
    preprocess: { dtype: "float32", scale: 1, mean: [mean], std: [std] },
    classes: [],
    columns: [],
    targetName: name,
    series,
    splits: { train: windowsFrom(0, known - context - horizon + 1), validation: windowsFrom(known - context, held - horizon + 1) },
  };
}

/** @see Hyndman, Koehler, Another look at measures of forecast accuracy, 2006 */
function seasonalScale(train: Float32Array, season: number): number {
  let sum = 0;
  for (let at = season; at < train.length; at++) sum += Math.abs((train[at] ?? 0) - (train[at - season] ?? 0));
  const scale = sum / Math.max(1, train.length - season);
  // Where the pattern is perfect nothing can be measured by it.
  return scale > 0 ? scale : 1;
}

function naiveErrors(
  values: Float32Array,
  { first, rows, context, horizon, season }: { first: number; rows: number; context: number; horizon: number; season: number },
): Series["naive"] {
  const sums = { absolute: 0, squared: 0, relative: 0 };
  for (let row = first; row < first + rows; row++) {
    const said = repeatSeason(values.subarray(row, row + context), horizon, season);
    for (const [at, value] of said.entries()) {
      const truth = values[row + context + at] ?? 0;
      const off = Math.abs(value - truth);
      sums.absolute += off;
      sums.squared += off ** 2;
      sums.relative += off === 0 ? 0 : (2 * off) / (Math.abs(value) + Math.abs(truth));
    }
  }
  const count = rows * horizon;
  return { mae: sums.absolute / count, rmse: Math.sqrt(sums.squared / count), smape: sums.relative / count };
}
