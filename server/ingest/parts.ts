import { isForValidation, isMissing, readDate, readNumber, type TablePlan } from "../../core/data/table.ts";
import { say } from "../../core/language/say.ts";
import { splitRows } from "./shuffle.ts";
import { IngestError } from "./source.ts";

type Rows = { train: number[]; validation: number[] };

/** Which rows of a table are for training and which for validation, as its plan says: by chance, by what a column says of each row, or by time. */
export class Parts {
  private readonly plan: TablePlan;
  private readonly name: string;
  /** Of each row: when it was, or 1 where it is for validation. */
  private readonly said: number[] = [];
  private areDates: boolean | null = null;

  constructor(plan: TablePlan) {
    this.plan = plan;
    const { how, column } = plan.split;
    this.name = plan.columns[column ?? -1]?.name ?? "";
    if ((how === "column" || how === "time") && (column === null || this.name === "")) throw new IngestError("TABLE_PLAN", say("Choose the column by which rows are split."));
    if (how === "column" && column === plan.target) throw new IngestError("TABLE_PLAN", say('"{name}" is what is predicted, and cannot split the rows too.', { name: this.name }));
  }

  /** Takes note of a row. */
  add(cells: readonly (string | undefined)[], line: number): void {
    const { how, column } = this.plan.split;
    if (column === null || (how !== "column" && how !== "time")) return;
    const cell = cells[column] ?? "";
    if (how === "column") {
      if (isMissing(cell))
        throw new IngestError("SPLIT_COLUMN", say('Line {line}: column "{name}" says nothing of which part the row is for. Write train or validation.', { line, name: this.name }));
      this.said.push(isForValidation(cell) ? 1 : 0);
      return;
    }
    this.areDates ??= readDate(cell) !== null;
    const time = this.areDates ? readDate(cell) : readNumber(cell);
    if (time === null)
      throw new IngestError(
        "SPLIT_COLUMN",
        this.areDates
          ? say('Line {line}: "{cell}" in column "{name}" is no date, such as 2024-06-30. Mend it, or split by chance.', { line, cell: cell.slice(0, 40), name: this.name })
          : say('Line {line}: "{cell}" in column "{name}" is no number. Mend it, or split by chance.', { line, cell: cell.slice(0, 40), name: this.name }),
      );
    this.said.push(time);
  }

  /** These rows in two parts. */
  divide(rows: readonly number[], classes: { names: readonly string[]; numberOf: (row: number) => number } | null): Rows {
    const { how, seed, validationShare } = this.plan.split;
    const groups = classes && how === "stratified" ? classes.names.map((_, index) => rows.filter((row) => classes.numberOf(row) === index)) : [rows];
    return this.given(rows) ?? splitRows(groups, seed, validationShare);
  }

  /** The same where it is not left to chance, in the order of the file; null where it is. Rows of one time stand in one part. */
  given(rows: readonly number[]): Rows | null {
    const { how, validationShare } = this.plan.split;
    if (how === "random" || how === "stratified") return null;
    const of = (row: number) => this.said[row] ?? 0;
    const times = rows.map(of).sort((a, b) => a - b);
    const from = how === "column" ? 1 : (times[Math.floor(times.length * (1 - validationShare))] ?? Number.POSITIVE_INFINITY);
    const parts = { train: rows.filter((row) => of(row) < from), validation: rows.filter((row) => of(row) >= from) };
    if (parts.train.length === 0 || parts.validation.length === 0)
      throw new IngestError(
        "SPLIT_COLUMN",
        how === "column"
          ? say('Column "{name}" puts every row into the {validation} part: it has to say train of some rows and validation (or val, dev, test) of others.', {
              name: this.name,
              validation: parts.train.length === 0 ? say("validation") : say("training"),
            })
          : say('Column "{name}" has too few different times to hold the latest back. Split by chance.', { name: this.name }),
      );
    return parts;
  }
}
