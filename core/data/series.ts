import { z } from "zod";

/** What a person asks of windows over a series at most. */
export const SERIES_LIMITS = { context: 2_048, horizon: 512, values: 2_000_000 };

/** How far off a forecast is on average, in the unit of the series; `smape` as a share, 2 at most. */
const Errors = z.strictObject({ mae: z.number(), rmse: z.number(), smape: z.number() });

/** What is known of a series whose windows are the rows of a data set. */
export const Series = z.strictObject({
  /** What is measured: `births`. */
  name: z.string(),
  /** How many values there are in all; the last `held` of them are validation's to predict. */
  length: z.int(),
  held: z.int(),
  /** When each value was measured, in days since 1970, where they are evenly spaced: `start + n · stepDays`. Null: not known. */
  start: z.number().nullable(),
  stepDays: z.number().nullable(),
  /** After how many values the pattern comes again: 7 for days of a week. */
  season: z.int().min(1),
  /** How far off it is on average to say of a training value what stood one season before: the unit of MASE. */
  scale: z.number(),
  /** What repeating the last season gets on the validation windows. */
  naive: Errors,
  /** How many values were missing and are drawn as a straight line between their neighbours. */
  filled: z.int(),
});
export type Series = z.infer<typeof Series>;

/** How a column becomes windows: what a person has seen and corrected. */
export const SeriesPlan = z.strictObject({
  /** Place of the column that says when; null: rows stand in order of time. */
  time: z.int().min(0).nullable(),
  /** How many values are shown to the network, and how many it forecasts behind them. */
  context: z.int().min(2).max(SERIES_LIMITS.context),
  horizon: z.int().min(1).max(SERIES_LIMITS.horizon),
  season: z.int().min(1).max(SERIES_LIMITS.context),
});
export type SeriesPlan = z.infer<typeof SeriesPlan>;

/** The forecast that repeats the last season of the context, value by value. */
export function repeatSeason(context: ArrayLike<number>, horizon: number, season: number): number[] {
  const period = Math.min(season, context.length);
  return Array.from({ length: horizon }, (_, at) => context[context.length - period + (at % period)] ?? Number.NaN);
}

/** When a value was measured: a day as `1988-12-31`, with the time of day where values are closer than a day. Null: not known. */
export function timeOf({ start, stepDays }: Pick<Series, "start" | "stepDays">, index: number): string | null {
  if (start === null || stepDays === null) return null;
  const first = new Date(start * 86_400_000);
  // Months and years are not equally long.
  const months = stepDays > 27 && stepDays < 32 ? 1 : stepDays > 88 && stepDays < 93 ? 3 : stepDays > 364 && stepDays < 367 ? 12 : 0;
  if (months > 0) return new Date(Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + index * months, first.getUTCDate())).toISOString().slice(0, 10);
  // Hours are no whole part of a day in binary.
  const text = new Date(Math.round((start + index * stepDays) * 86_400) * 1_000).toISOString();
  return stepDays < 1 ? text.slice(0, 16).replace("T", " ") : text.slice(0, 10);
}

/** The pattern that values this far apart most often have, as a number of them: hours of a day, days of a week, months of a year. */
export function usualSeason(stepDays: number | null): number {
  if (stepDays === null) return 1;
  if (stepDays <= 0.5) return Math.round(1 / stepDays);
  if (stepDays < 1.5) return 7;
  if (stepDays < 8) return 52;
  if (stepDays > 27 && stepDays < 32) return 12;
  return stepDays > 88 && stepDays < 93 ? 4 : 1;
}
