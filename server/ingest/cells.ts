import { isMissing, type MissingRule, readNumber, type TablePlan } from "../../core/data/table.ts";
import { printCount } from "../../core/language/numbers.ts";
import { say } from "../../core/language/say.ts";
import { IngestError } from "./source.ts";

/** More different texts than this in a column that is to be categories are a mistake. */
const MOST_VALUES = 100_000;

/** Cells of one column as numbers, NaN where there is none. */
export class NumberCells {
  private readonly read: (cell: string) => number | null;
  private values = new Float64Array(1024);
  private count = 0;
  missing = 0;
  firstMissing = 0;

  constructor(read: (cell: string) => number | null) {
    this.read = read;
  }

  /** False where the cell holds none. */
  add(cell: string | undefined, line: number): boolean {
    if (this.count === this.values.length) {
      const wider = new Float64Array(this.count * 2);
      wider.set(this.values);
      this.values = wider;
    }
    const value = cell === undefined || isMissing(cell) ? null : this.read(cell);
    this.values[this.count++] = value ?? Number.NaN;
    if (value !== null) return true;
    if (this.missing++ === 0) this.firstMissing = line;
    return false;
  }

  at(row: number): number {
    return this.values[row] ?? Number.NaN;
  }

  /** What stands for a missing cell, from these rows alone. */
  fillValue(rows: readonly number[], rule: MissingRule | null, name: string): number {
    const known = Float64Array.from(rows, (row) => this.at(row))
      .filter((value) => !Number.isNaN(value))
      .sort();
    if (known.length === 0) throw new IngestError("MISSING_RULE", say('Column "{name}" has no value in any training row: leave it out.', { name }));
    if (rule === "own-category")
      throw new IngestError("TABLE_PLAN", say('Column "{name}" is read as numbers, which have no category of their own. Choose the median or the most frequent value.', { name }));
    const middle = known.length >> 1;
    if (rule !== "most-frequent") return known.length % 2 === 1 ? (known[middle] as number) : ((known[middle - 1] as number) + (known[middle] as number)) / 2;
    let [best, longest, run] = [known[0] as number, 0, 0];
    for (let at = 0; at < known.length; at++) {
      run = at > 0 && known[at] === known[at - 1] ? run + 1 : 1;
      if (run > longest) [best, longest] = [known[at] as number, run];
    }
    return best;
  }
}

/** Cells of one column as texts, each different one kept once. */
export class TextCells {
  private readonly name: string;
  private readonly mostClasses: number | null;
  private readonly numbers = new Map<string, number>();
  private codes = new Int32Array(1024);
  private count = 0;
  readonly texts: string[] = [];
  missing = 0;
  firstMissing = 0;

  /** `mostClasses` where the texts are the classes to tell apart. */
  constructor(name: string, mostClasses: number | null = null) {
    this.name = name;
    this.mostClasses = mostClasses;
  }

  add(cell: string | undefined, line: number): boolean {
    if (this.count === this.codes.length) {
      const wider = new Int32Array(this.count * 2);
      wider.set(this.codes);
      this.codes = wider;
    }
    if (cell === undefined || isMissing(cell)) {
      this.codes[this.count++] = -1;
      if (this.missing++ === 0) this.firstMissing = line;
      return false;
    }
    const text = cell.trim().slice(0, 120);
    let code = this.numbers.get(text);
    if (code === undefined) {
      code = this.texts.length;
      if (code >= (this.mostClasses ?? MOST_VALUES)) this.tooMany(line);
      this.numbers.set(text, code);
      this.texts.push(text);
    }
    this.codes[this.count++] = code;
    return true;
  }

  /** Place in `texts`; -1 where the cell is missing. */
  at(row: number): number {
    return this.codes[row] ?? -1;
  }

  /** The texts that these rows have, in order, and the number of each row's. */
  inOrder(rows: readonly number[]): { names: string[]; numberOf: (row: number) => number } {
    const present = new Set(rows.map((row) => this.at(row)));
    const names = this.texts.filter((_, code) => present.has(code)).sort(inReadingOrder);
    const places = new Map(names.map((name, place) => [name, place]));
    const numbers = this.texts.map((text) => places.get(text) ?? -1);
    return { names, numberOf: (row) => numbers[this.at(row)] ?? -1 };
  }

  private tooMany(line: number): never {
    if (this.mostClasses !== null)
      throw new IngestError(
        "DATASET_TOO_MANY_CLASSES",
        say('Column "{name}" has more than {mostClasses} classes, the limit, by line {line}. Predict another column, or this one as a number.', {
          name: this.name,
          mostClasses: printCount(this.mostClasses),
          line,
        }),
      );
    throw new IngestError(
      "TABLE_TOO_MANY_VALUES",
      say('Column "{name}" has more than {MOST_VALUES} different texts by line {line}. Leave it out.', { name: this.name, MOST_VALUES: printCount(MOST_VALUES), line }),
    );
  }
}

/** Numbers by their size, other texts by their code points: 2 stands before 10. */
export function inReadingOrder(a: string, b: string): number {
  const [first, second] = [readNumber(a), readNumber(b)];
  if (first !== null && second !== null && first !== second) return first - second;
  if ((first === null) !== (second === null)) return first === null ? 1 : -1;
  return a < b ? -1 : a > b ? 1 : 0;
}

/** @throws IngestError TABLE_PLAN where the file is not the one that the plan was made for */
export function checkNames(names: readonly string[], { columns }: TablePlan): void {
  if (names.length !== columns.length || names.some((name, at) => name !== columns[at]?.name))
    throw new IngestError("TABLE_PLAN", say("The columns of the file are not those of the plan. Add the file again."));
}
