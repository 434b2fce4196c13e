import { z } from "zod";
import { ColumnFacts, isMissing, readDate, readNumber, TableForm } from "../../core/data/table.ts";
import { guessForm, readTable } from "./tableFile.ts";

/** What a person is shown of a table before it is read in. */
export const TableFacts = z.strictObject({
  ok: z.literal(true),
  form: TableForm,
  rows: z.int(),
  columns: z.array(ColumnFacts),
  /** The first rows, a cell for each column. */
  preview: z.array(z.array(z.string())),
});
export type TableFacts = z.infer<typeof TableFacts>;

const PREVIEW_ROWS = 8;
const PREVIEW_CHARS = 80;
/** Different values that are counted of a column, and of all columns together. */
const MOST_DISTINCT = 50_000;
const MOST_REMEMBERED_CHARS = 50_000_000;

/** Reads the whole file once and counts what is in each column. */
export async function inspectTable(file: string, fileName: string, asked: Partial<TableForm>): Promise<TableFacts> {
  const form = { ...(await guessForm(file, fileName)), ...asked };
  const counters: Counter[] = [];
  const preview: (readonly (string | undefined)[])[] = [];
  const memory = { chars: 0 };
  let rows = 0;
  const names = await readTable(file, form, (cells, line) => {
    for (let at = counters.length; at < cells.length; at++) counters.push(new Counter(rows, memory));
    for (const [at, counter] of counters.entries()) counter.add(cells[at], line);
    if (rows < PREVIEW_ROWS) preview.push([...cells]);
    rows++;
  });
  return {
    ok: true,
    form,
    rows,
    columns: names.map((name, at) => (counters[at] as Counter).facts(name)),
    preview: preview.map((cells) => names.map((_, at) => (cells[at] ?? "").slice(0, PREVIEW_CHARS))),
  };
}

class Counter {
  private readonly memory: { chars: number };
  private filled = 0;
  private missing: number;
  private numbers = 0;
  private dates = 0;
  private odd: { line: number; text: string } | null = null;
  private integers = true;
  private counting = true;
  private last: number | null = null;
  private words = 0;
  private lastDate: number | null = null;
  private isRising = true;
  private readonly step = { least: Number.POSITIVE_INFINITY, most: 0 };
  private readonly values = new Set<string>();
  private isFull = false;

  constructor(missing: number, memory: { chars: number }) {
    this.missing = missing;
    this.memory = memory;
  }

  add(cell: string | undefined, line: number): void {
    if (cell === undefined || isMissing(cell)) {
      this.missing++;
      return;
    }
    this.filled++;
    const number = readNumber(cell);
    if (number === null) {
      const date = readDate(cell);
      if (date !== null) this.addDate(date);
      else this.words += countWords(cell);
      this.odd ??= { line, text: cell.slice(0, 40) };
    } else {
      this.numbers++;
      if (!Number.isInteger(number)) this.integers = false;
      if (this.last !== null && number !== this.last + 1) this.counting = false;
      this.last = number;
    }
    if (this.isFull || this.values.has(cell)) return;
    this.memory.chars += cell.length + 16;
    this.values.add(cell);
    if (this.values.size <= MOST_DISTINCT && this.memory.chars <= MOST_REMEMBERED_CHARS) return;
    this.isFull = true;
    for (const value of this.values) this.memory.chars -= value.length + 16;
    this.values.clear();
  }

  private addDate(date: number): void {
    this.dates++;
    if (this.lastDate !== null) {
      const days = date - this.lastDate;
      if (days <= 0) this.isRising = false;
      this.step.least = Math.min(this.step.least, days);
      this.step.most = Math.max(this.step.most, days);
    }
    this.lastDate = date;
  }

  facts(name: string): ColumnFacts {
    const { filled, missing, numbers, dates, odd, integers, counting } = this;
    const texts = filled - numbers - dates;
    const isTime = this.isRising && dates === filled && missing === 0 && dates > 2;
    const more = { words: texts > 0 ? this.words / texts : 0, rising: isTime ? this.step : null };
    return {
      name,
      ...more,
      filled,
      missing,
      numbers,
      dates,
      odd,
      integers: integers && numbers > 0,
      counting: counting && numbers > 0,
      distinct: this.isFull ? null : this.values.size,
    };
  }
}

/** A cell of a megabyte is a text long before its last word. */
const COUNTED_CHARS = 2_000;

function countWords(cell: string): number {
  return cell.slice(0, COUNTED_CHARS).match(/\S+/g)?.length ?? 0;
}
