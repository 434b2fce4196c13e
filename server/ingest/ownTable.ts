import { type MissingRule, readDate, readNumber, TABLE_LIMITS, type TablePlan } from "../../core/data/table.ts";
import { printCount } from "../../core/language/numbers.ts";
import { say } from "../../core/language/say.ts";
import { checkNames, inReadingOrder, NumberCells, TextCells } from "./cells.ts";
import { prepareOwnSeries } from "./ownSeries.ts";
import { prepareOwnTexts } from "./ownTexts.ts";
import { Parts } from "./parts.ts";
import { type Column, type Examples, IngestError, type Prepared } from "./source.ts";
import { momentsOf } from "./table.ts";
import { readTable } from "./tableFile.ts";

const OTHER = "(other)";
const MISSING = "(missing)";

/**
 * A table of a person's own as their plan says. What is taken from the data (values that stand for missing cells, which categories are
 * frequent, mean and standard deviation) is taken from the training rows alone. Numbers come first, then categories as one-hot columns;
 * the categories come once more as numbers, for an Input named `categories`.
 */
export async function prepareOwnTable(file: string, fileName: string, plan: TablePlan): Promise<Prepared> {
  if (plan.task === "forecasting") return prepareOwnSeries(file, fileName, plan);
  if (plan.task === "text-classification" || plan.task === "text-regression") return prepareOwnTexts(file, fileName, plan);
  const used = plan.columns
    .map((column, at) => ({ ...column, at }))
    .filter(({ kind, at }) => kind !== "ignore" && at !== plan.target && !(plan.split.how === "column" && at === plan.split.column));
  const targetName = plan.columns[plan.target]?.name;
  if (targetName === undefined) throw new IngestError("TABLE_PLAN", say("There is no column {target} to predict.", { target: plan.target + 1 }));
  if (used.length === 0) throw new IngestError("DATASET_EMPTY", say("Every column is left out: keep at least one to learn from."));
  const isClass = plan.task === "tabular-classification";
  if (!isClass && plan.split.how === "stratified") throw new IngestError("TABLE_PLAN", say("Only classes can be kept in proportion: split a measured value at random."));

  const numbers = used.filter(({ kind }) => kind !== "category").map((column) => ({ ...column, cells: new NumberCells(column.kind === "date" ? readDate : readNumber) }));
  const categories = used.filter(({ kind }) => kind === "category").map((column) => ({ ...column, cells: new TextCells(column.name) }));
  const target = isClass ? new TextCells(targetName, TABLE_LIMITS.classes) : new NumberCells(readNumber);
  const inputs = [...numbers, ...categories];
  const kept: number[] = [];
  let rows = 0;
  const parts = new Parts(plan);
  const names = await readTable(file, plan.form, (cells, line) => {
    parts.add(cells, line);
    let complete = target.add(cells[plan.target], line);
    for (const { at, missing, cells: into } of inputs) if (!into.add(cells[at], line) && missing === "leave-out") complete = false;
    if (complete) kept.push(rows);
    rows++;
  });
  checkNames(names, plan);
  for (const { name, missing, cells } of inputs)
    if (cells.missing > 0 && missing === null)
      throw new IngestError(
        "MISSING_RULE",
        say('Column "{name}" has {missing} {missing, plural, one {cell} other {cells}} without a usable value, the first on line {firstMissing}. Choose what stands for them.', {
          name,
          missing: cells.missing,
          firstMissing: cells.firstMissing,
        }),
      );

  const classes = target instanceof TextCells ? target.inOrder(kept) : null;
  if (classes && classes.names.length === 1)
    throw new IngestError(
      "DATASET_ONE_CLASS",
      say('Every row has the same {targetName}, "{names}". There is nothing to tell apart: choose another column to predict.', { targetName, names: String(classes.names[0]) }),
    );
  const { train, validation } = parts.divide(kept, classes);
  if (train.length === 0 || validation.length === 0)
    throw new IngestError("DATASET_EMPTY", say("Of {rows} rows, {count} can be used: too few for both a training and a validation part.", { rows, count: kept.length }));

  const filled = numbers.map(({ name, missing, cells }) => ({ name, cells, missing, fill: cells.missing === 0 ? 0 : cells.fillValue(train, missing, name) }));
  const vocabularies = categories.map(({ name, missing, cells }) => new Vocabulary(name, cells, kept, train, missing, plan.categories));
  const width = numbers.length + vocabularies.reduce((sum, { names }) => sum + names.length, 0);
  if (width * kept.length * 4 > TABLE_LIMITS.arrayBytes)
    throw new IngestError(
      "TABLE_TOO_LARGE",
      say("{length} rows of {width} numbers take {value} MiB; the limit is {value2} MiB. Leave columns out, or keep fewer categories.", {
        length: printCount(kept.length),
        width,
        value: Math.ceil((width * kept.length * 4) / 2 ** 20),
        value2: TABLE_LIMITS.arrayBytes / 2 ** 20,
      }),
    );

  const examplesOf = (part: readonly number[]): Examples => {
    const data = new Float32Array(part.length * width);
    const codes = new BigInt64Array(part.length * vocabularies.length);
    for (const [index, row] of part.entries()) {
      for (const [at, { cells, fill }] of filled.entries()) {
        const value = cells.at(row);
        data[index * width + at] = Number.isNaN(value) ? fill : value;
      }
      let before = 0;
      for (const [at, vocabulary] of vocabularies.entries()) {
        const code = before + vocabulary.numberOf(row);
        data[index * width + filled.length + code] = 1;
        codes[index * vocabularies.length + at] = BigInt(code);
        before += vocabulary.names.length;
      }
    }
    const more = vocabularies.length > 0 ? { more: { categories: { dtype: "int64" as const, shape: [part.length, vocabularies.length], data: codes } } } : {};
    return { input: { dtype: "float32", shape: [part.length, width], data }, ...more, target: targetsOf(part) };
  };
  const targetsOf = (part: readonly number[]): Column =>
    classes
      ? { dtype: "int64", shape: [part.length], data: BigInt64Array.from(part, (row) => BigInt(classes.numberOf(row))) }
      : { dtype: "float32", shape: [part.length, 1], data: Float32Array.from(part, (row) => (target instanceof NumberCells ? target.at(row) : 0)) };

  const splits = { train: examplesOf(train), validation: examplesOf(validation) };
  const moments = Array.from({ length: width }, (_, at) => (at < numbers.length ? momentsOf(columnOf(splits.train.input, at)) : { mean: 0, std: 1 }));
  return {
    task: plan.task,
    preprocess: { dtype: "float32", scale: 1, mean: moments.map(({ mean }) => mean), std: moments.map(({ std }) => std) },
    classes: classes?.names ?? [],
    columns: [...numbers.map(({ name }) => name), ...vocabularies.flatMap(({ column, names }) => names.map((name) => `${column}=${name}`))],
    targetName,
    table: {
      missing: inputs.filter(({ cells }) => cells.missing > 0).map(({ name, missing, cells }) => ({ column: name, cells: cells.missing, rule: missing ?? "leave-out" })),
      rowsLeftOut: rows - kept.length,
      split: plan.split,
    },
    source: `${fileName}, ${printCount(rows)} rows${rows > kept.length ? `, of which ${printCount(rows - kept.length)} without a value that is needed are left out` : ""}`,
    licence: "Your own",
    splits,
  };
}

function columnOf({ data, shape: [rows = 0, width = 0] }: Column, at: number): number[] {
  return Array.from({ length: rows }, (_, row) => Number(data[row * width + at]));
}

/** The categories that a column keeps: the most frequent of the training rows; whatever else there is becomes one more. */
class Vocabulary {
  readonly column: string;
  readonly names: string[];
  private readonly numbers: number[];
  private readonly missingNumber: number;
  private readonly cells: TextCells;

  constructor(column: string, cells: TextCells, kept: readonly number[], train: readonly number[], rule: MissingRule | null, most: number) {
    if (rule === "median") throw new IngestError("TABLE_PLAN", say('Column "{column}" is read as categories, which have no median.', { column }));
    this.column = column;
    this.cells = cells;
    const counts = new Array<number>(cells.texts.length).fill(0);
    for (const row of train) if (cells.at(row) >= 0) counts[cells.at(row)] = (counts[cells.at(row)] ?? 0) + 1;
    const frequent = counts
      .map((count, code) => ({ count, code }))
      .filter(({ count }) => count > 0)
      .sort((a, b) => b.count - a.count || inReadingOrder(cells.texts[a.code] as string, cells.texts[b.code] as string));
    const chosen = new Set(frequent.slice(0, most).map(({ code }) => code));
    const names = cells.texts.filter((_, code) => chosen.has(code)).sort(inReadingOrder);
    const add = (name: string) => {
      if (!names.includes(name)) names.push(name);
      return names.indexOf(name);
    };
    const needsOther = kept.some((row) => cells.at(row) >= 0 && !chosen.has(cells.at(row)));
    const other = needsOther ? add(OTHER) : -1;
    const hasMissing = kept.some((row) => cells.at(row) < 0);
    const mostFrequent = frequent[0];
    if (hasMissing && rule === "most-frequent" && !mostFrequent)
      throw new IngestError("MISSING_RULE", say('Column "{column}" has no value in any training row: leave it out.', { column }));
    this.missingNumber = !hasMissing ? -1 : rule === "most-frequent" ? names.indexOf(cells.texts[mostFrequent?.code ?? -1] ?? "") : add(MISSING);
    const places = new Map(names.map((name, place) => [name, place]));
    this.numbers = cells.texts.map((text, code) => (chosen.has(code) ? (places.get(text) ?? other) : other));
    this.names = names;
  }

  numberOf(row: number): number {
    const code = this.cells.at(row);
    return code < 0 ? this.missingNumber : (this.numbers[code] as number);
  }
}
