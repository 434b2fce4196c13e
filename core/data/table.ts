import { z } from "zod";
import { say } from "../language/say.ts";
import { SeriesPlan, usualSeason } from "./series.ts";
import { splitIn } from "./split.ts";
import { TEXT_LIMITS, TokenizerPlan } from "./text.ts";

/** What a table of a person's own may be at most. */
export const TABLE_LIMITS = { columns: 4_096, rows: 5_000_000, cellChars: 1 << 20, classes: 1_000, categories: 256, arrayBytes: 256 * 2 ** 20 };

/** What a column is read as. `date` becomes the number of days since 1970. */
export const ColumnKind = z.enum(["number", "category", "date", "ignore"]);
export type ColumnKind = z.infer<typeof ColumnKind>;

/**
 * What stands for a cell without a value: the middle value or the most frequent one of the training rows, a category of its own,
 * or nothing, and the row is left out.
 */
export const MissingRule = z.enum(["median", "most-frequent", "own-category", "leave-out"]);
export type MissingRule = z.infer<typeof MissingRule>;

/** The rules that a kind of column can have. */
export const missingRules: { [kind in ColumnKind]: readonly MissingRule[] } = {
  number: ["median", "most-frequent", "leave-out"],
  date: ["median", "most-frequent", "leave-out"],
  category: ["own-category", "most-frequent", "leave-out"],
  ignore: [],
};

/** How the text of a table is cut into cells. */
export const TableForm = z.strictObject({
  format: z.enum(["delimited", "json-lines"]),
  /** Between the cells of a line; of no meaning where each line is a JSON object. */
  delimiter: z.enum([",", ";", "\t", "|"]),
  /** Whether the first line holds the names of the columns. */
  header: z.boolean(),
});
export type TableForm = z.infer<typeof TableForm>;

/** How a table becomes a data set: what a person has seen and corrected. */
export const TablePlan = z.strictObject({
  form: TableForm,
  /** Every column of the file, in its order. Those without a missing cell need no rule. */
  columns: z
    .array(z.strictObject({ name: z.string(), kind: ColumnKind, missing: MissingRule.nullable() }))
    .min(1)
    .max(TABLE_LIMITS.columns),
  /** Place of the column that is to be predicted; its kind and rule are not looked at. */
  target: z.int().min(0),
  /** Tasks of texts read one column, and a forecast the target alone; of the other columns nothing is taken. */
  task: z.enum(["tabular-classification", "tabular-regression", "text-classification", "text-regression", "forecasting"]),
  /** How many categories a column keeps, the most frequent ones; the rest are joined. */
  categories: z.int().min(2).max(TABLE_LIMITS.categories),
  /** Of texts: the place of their column, how they are cut into tokens, and after how many of them a row ends. */
  text: z
    .strictObject({ column: z.int().min(0), tokenizer: TokenizerPlan, length: z.int().min(1).max(TEXT_LIMITS.length) })
    .nullable()
    .default(null),
  series: SeriesPlan.nullable().default(null),
  /** `column`: a column says `train` or `validation` of each row; `time`: the latest rows are held back. A series is cut by its own time, whatever is said here. */
  split: splitIn(["random", "stratified", "column", "time"]).extend({
    /** The place of the column that says so, or when. */
    column: z.int().min(0).nullable().default(null),
  }),
});
export type TablePlan = z.infer<typeof TablePlan>;

/** What is in a column, as counted over the whole file. */
export const ColumnFacts = z.strictObject({
  name: z.string(),
  /** Cells with something in them. */
  filled: z.int(),
  /** Empty cells, and those that say so: NA, NaN, null, ?. */
  missing: z.int(),
  numbers: z.int(),
  dates: z.int(),
  /** The first cell that is neither missing nor a number, with its line. */
  odd: z.strictObject({ line: z.int(), text: z.string() }).nullable(),
  integers: z.boolean(),
  /** Whether the numbers count up by one from row to row. */
  counting: z.boolean(),
  /** How many different values there are; null where there are more than were counted. */
  distinct: z.int().nullable(),
  /** How many words a cell has on average that is neither a number nor a date. */
  words: z.number(),
  /** Of a column of dates that rise from row to row without a gap in its cells: the least and the most days between two of them. */
  rising: z.strictObject({ least: z.number(), most: z.number() }).nullable(),
});
export type ColumnFacts = z.infer<typeof ColumnFacts>;

const missingWords = new Set(["", "na", "n/a", "nan", "null", "none", "?"]);

/** Whether a cell says that it has no value. */
export function isMissing(cell: string): boolean {
  return cell.length <= 6 && missingWords.has(cell.trim().toLowerCase());
}

const validationWords = /^(validation|valid|val|dev|eval|holdout|test)$/i;

/** Whether a cell says that its row is for validation. */
export function isForValidation(cell: string): boolean {
  return validationWords.test(cell.trim());
}

const numberForm = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** A finite number as people write one in a table, or null: `1,5`, `inf` and `1e999` are none. */
export function readNumber(cell: string): number | null {
  const text = cell.trim();
  if (text.length > 64 || !numberForm.test(text)) return null;
  const value = Number(text);
  // Arrays hold float32: what is infinite there would be no number after all.
  return Number.isFinite(Math.fround(value)) ? value : null;
}

const dateForm = /^(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?$/;

/** Days since 1970 of a date as ISO 8601 writes it, or null. A zone is passed over: all rows count as one. */
export function readDate(cell: string): number | null {
  const text = cell.trim();
  const parts = text.length <= 40 ? dateForm.exec(text) : null;
  if (parts === null) return null;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts.slice(1).map((part) => Number(part ?? 0));
  const at = new Date(Date.UTC(year, month - 1, day, hour, minute, second));
  // 31 February would become a day in March.
  if (at.getUTCMonth() !== month - 1 || at.getUTCDate() !== day) return null;
  return at.getTime() / 86_400_000;
}

/** How sure a kind must be: the rest counts as cells without a value. */
const ENOUGH = 0.95;
/** More different texts than this are no categories. */
const MOST_CATEGORIES = 1_000;

/** What a column most likely is, and why, in a few words. */
export function guessKind(facts: ColumnFacts): { kind: ColumnKind; why: string } {
  const { name, filled, numbers, dates, distinct, integers, counting } = facts;
  if (filled === 0) return { kind: "ignore", why: "empty" };
  if (distinct === 1) return { kind: "ignore", why: say("always the same") };
  if (numbers >= filled * ENOUGH) {
    const namesRows = /(^|[^a-z])(id|index|row)$/i.test(name) && distinct === filled;
    if (integers && (namesRows || (counting && filled > 2))) return { kind: "ignore", why: say("counts the rows") };
    return { kind: "number", why: "numbers" };
  }
  if (dates >= filled * ENOUGH) return { kind: "ignore", why: "dates" };
  if (distinct === null || distinct > MOST_CATEGORIES || (distinct > 20 && distinct > filled / 2)) return { kind: "ignore", why: say("text, nearly every cell its own") };
  return { kind: "category", why: say("{distinct} different texts", { distinct }) };
}

/** A plan to begin with. Rules for missing values are left open: they are a person's to choose. */
export function guessPlan(form: TableForm, facts: readonly ColumnFacts[]): TablePlan {
  const kinds = facts.map((column) => guessKind(column).kind);
  const used = kinds.filter((kind) => kind !== "ignore").length;
  const even = facts.findIndex(isEven);
  // Beside one column of numbers, times with gaps can only be what it was measured at.
  const time = even >= 0 || used !== 1 ? even : facts.findIndex(({ rising, dates }) => dates > 0 && rising !== null && rising.least > 0);
  const measured = facts.findIndex((_, at) => kinds[at] === "number");
  const isSeries = time >= 0 && measured >= 0 && (facts[time]?.filled ?? 0) >= LEAST_SERIES;
  const text = facts.findIndex(isText);
  const target = isSeries ? measured : guessTarget(facts, kinds, text);
  const found = facts[target];
  const isClass = kinds[target] !== "number" || (found?.integers === true && (found.distinct ?? Number.POSITIVE_INFINITY) <= 20);
  // One column beside a text is mostly where it comes from.
  const reads = text >= 0 && text !== target && kinds.filter((kind, at) => kind !== "ignore" && at !== target).length <= 1 ? "text" : "tabular";
  return {
    form,
    columns: facts.map(({ name }, at) => ({ name, kind: kinds[at] ?? "ignore", missing: null })),
    target,
    task: isSeries ? "forecasting" : `${reads}-${isClass ? "classification" : "regression"}`,
    categories: 32,
    text: text < 0 ? null : { column: text, tokenizer: { unit: "words", lowercase: true, vocabulary: 8_192 }, length: 256 },
    series: measured < 0 ? null : guessSeries(facts, time),
    split: { how: isClass && !isSeries ? "stratified" : "random", validationShare: isSeries ? 0.1 : 0.2, seed: 1, column: null },
  };
}

/** Fewer rows than this are rarely meant as a series. */
const LEAST_SERIES = 40;

/** Whether a column says when each row was measured, evenly enough: months are not equally long. */
function isEven({ rising }: ColumnFacts): boolean {
  return rising !== null && rising.least > 0 && rising.most <= 1.2 * rising.least;
}

/** Whether a column holds texts, of which nearly every one is its own. */
function isText({ filled, numbers, dates, words, distinct }: ColumnFacts): boolean {
  return filled > 0 && numbers + dates < filled / 2 && words >= 3 && (distinct === null || distinct > filled / 2);
}

/** Windows to begin with: two short seasons or a long one ahead, and four times as much behind. */
function guessSeries(facts: readonly ColumnFacts[], time: number): SeriesPlan {
  const rows = Math.max(1, ...facts.map(({ filled }) => filled));
  const season = Math.min(usualSeason(facts[time]?.rising?.least ?? null), Math.max(1, Math.floor(rows / 10)));
  const wanted = season === 1 ? 8 : season <= 7 ? 2 * season : season;
  const horizon = Math.max(1, Math.min(wanted, Math.floor(rows / 20)));
  return { time: time < 0 ? null : time, season, horizon, context: Math.max(season, 2, Math.min(4 * wanted, Math.floor(rows / 5))) };
}

function guessTarget(facts: readonly ColumnFacts[], kinds: readonly ColumnKind[], text: number): number {
  const usable = facts.map((_, at) => at).filter((at) => kinds[at] !== "ignore");
  // What is said of a text often stands before it.
  if (text >= 0 && usable.length === 1 && usable[0] !== undefined) return usable[0];
  const named = usable.find((at) => /^(target|label|class|y|outcome|species|category|sentiment|rating|score|stars)$/i.test(facts[at]?.name ?? ""));
  const isFew = (at: number) => (facts[at]?.distinct ?? Number.POSITIVE_INFINITY) <= 50;
  return named ?? usable.findLast((at) => at === facts.length - 1 || (kinds[at] === "category" && isFew(at))) ?? usable.at(-1) ?? facts.length - 1;
}

/** Cells of a column that a kind cannot use. */
export function unusable(facts: ColumnFacts, kind: ColumnKind): number {
  if (kind === "ignore") return 0;
  return facts.missing + (kind === "number" ? facts.filled - facts.numbers : kind === "date" ? facts.filled - facts.dates : 0);
}

/** Whether a text without further word is a table: its first lines have cells between the same signs, as often in each. */
export function looksDelimited(head: string): boolean {
  const lines = head
    .split(/\r\n|\r|\n/)
    .slice(0, 21)
    .filter((line) => line.trim() !== "");
  // The last one may be cut off.
  const whole = lines.length > 20 ? lines.slice(0, 20) : lines;
  return (
    whole.length >= 2 &&
    (whole[0]?.startsWith("{") ||
      ["\t", ";", ",", "|"].some((sign) => whole.every((line) => line.split(sign).length === whole[0]?.split(sign).length) && whole[0]?.includes(sign))) === true
  );
}
