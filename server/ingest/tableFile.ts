import { TABLE_LIMITS, type TableForm } from "../../core/data/table.ts";
import { printCount } from "../../core/language/numbers.ts";
import { say } from "../../core/language/say.ts";
import { IngestError } from "./source.ts";
import { readTextFile } from "./textFile.ts";

/** One row: a cell for each name so far, undefined where a JSON line says nothing of it. `line` counts from 1. */
type OnRow = (cells: readonly (string | undefined)[], line: number) => void;

const delimiters = [",", ";", "\t", "|"] as const;

/** How a file is most likely cut into cells, by its first line. */
export async function guessForm(file: string, fileName: string): Promise<TableForm> {
  let head = "";
  for await (const text of readTextFile(file)) {
    head += text;
    if (head.length >= 1 << 16) break;
  }
  if (/^\s*\{/.test(head)) return { format: "json-lines", delimiter: ",", header: true };
  const line = firstLine(head);
  const counts = delimiters.map((delimiter) => line.replaceAll(/"[^"]*"/g, "").split(delimiter).length);
  const most = counts.indexOf(Math.max(...counts));
  const delimiter = /\.tsv$/i.test(fileName) && line.includes("\t") ? "\t" : (delimiters[most] ?? ",");
  // Names of columns are words; where every cell is a number, the data has begun.
  const header = !line.split(delimiter).every((cell) => /^\s*"?[+-]?[\d.]+(e[+-]?\d+)?"?\s*$/i.test(cell));
  return { format: "delimited", delimiter, header };
}

function firstLine(text: string): string {
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '"') quoted = !quoted;
    else if (!quoted && (text[at] === "\n" || text[at] === "\r")) {
      if (at > 0) return text.slice(0, at);
    }
  }
  return text;
}

/**
 * Reads a table row by row, never more than one row at a time. `names` is whole once it has returned; of JSON lines it grows.
 * @throws IngestError CSV_* | JSONL_* | DATASET_EMPTY | TABLE_TOO_LARGE
 */
export async function readTable(file: string, form: TableForm, onRow: OnRow): Promise<string[]> {
  const names: string[] = [];
  let rows = 0;
  const take: OnRow = (cells, line) => {
    if (++rows > TABLE_LIMITS.rows)
      throw new IngestError("TABLE_TOO_LARGE", say("The table has more than {rows} rows, the limit. Split it.", { rows: printCount(TABLE_LIMITS.rows) }));
    onRow(cells, line);
  };
  const reader = form.format === "json-lines" ? new JsonLines(names, take) : new Delimited(names, form, take);
  for await (const text of readTextFile(file)) reader.push(text);
  reader.end();
  if (rows === 0) throw new IngestError("DATASET_EMPTY", say("The file holds no rows."));
  return names;
}

function checkColumns(count: number, line: number, code: "CSV_COLUMNS" | "JSONL_COLUMNS"): void {
  if (count > TABLE_LIMITS.columns)
    throw new IngestError(code, say("Line {line}: the table has more than {columns} columns, the limit.", { line, columns: printCount(TABLE_LIMITS.columns) }));
}

/** RFC 4180, with any of four delimiters and any of the three line ends. */
class Delimited {
  private readonly names: string[];
  private readonly form: TableForm;
  private readonly onRow: OnRow;
  private cells: string[] = [];
  private cell = "";
  private state: "start" | "plain" | "quoted" | "closed" = "start";
  private line = 1;
  private rowLine = 1;
  private quoteLine = 1;
  private width = 0;
  private afterReturn = false;

  constructor(names: string[], form: TableForm, onRow: OnRow) {
    this.names = names;
    this.form = form;
    this.onRow = onRow;
  }

  push(text: string): void {
    const { delimiter } = this.form;
    let from = 0;
    const keep = (to: number) => {
      if (to > from) this.cell += text.slice(from, to);
      if (this.cell.length > TABLE_LIMITS.cellChars) this.tooLong();
    };
    for (let at = 0; at < text.length; at++) {
      const sign = text[at] as string;
      if (this.afterReturn) {
        this.afterReturn = false;
        // The second half of a line end; within quotes it belongs to the cell.
        if (sign === "\n" && this.state !== "quoted") {
          from = at + 1;
          continue;
        }
        if (sign !== "\n") this.line += this.state === "quoted" ? 1 : 0;
      }
      if (this.state === "quoted") {
        if (sign === '"') {
          keep(at);
          this.state = "closed";
          from = at + 1;
        } else if (sign === "\n") this.line++;
        else if (sign === "\r") this.afterReturn = true;
      } else if (sign === delimiter) {
        keep(at);
        from = at + 1;
        this.endCell();
      } else if (sign === "\n" || sign === "\r") {
        keep(at);
        from = at + 1;
        this.endRow();
        this.line++;
        this.rowLine = this.line;
        this.afterReturn = sign === "\r";
      } else if (sign === '"' && this.state === "start") {
        this.state = "quoted";
        this.quoteLine = this.line;
        from = at + 1;
      } else if (sign === '"' && this.state === "closed") {
        // Two quotes within quotes are one.
        this.state = "quoted";
        from = at;
      } else if (this.state === "closed") {
        if (sign !== " " && sign !== "\t")
          throw new IngestError(
            "CSV_QUOTE",
            say("Line {line}, column {count}: there is text after the closing quote. Write a quote within a cell twice.", { line: this.line, count: this.cells.length + 1 }),
          );
        from = at + 1;
      } else this.state = "plain";
    }
    keep(text.length);
  }

  end(): void {
    if (this.state === "quoted")
      throw new IngestError(
        "CSV_QUOTE",
        say("Line {quoteLine}, column {count}: the quote that opens here is never closed.", { quoteLine: this.quoteLine, count: this.cells.length + 1 }),
      );
    if (this.state !== "start" || this.cells.length > 0) this.endRow();
  }

  private tooLong(): never {
    const why = this.state === "quoted" ? ` Its quote opens on line ${this.quoteLine}; perhaps it is never closed.` : "";
    throw new IngestError(
      "CSV_FIELD_TOO_LONG",
      say("Line {quoteLine}, column {value}: the cell is longer than 1 MiB, the limit.{why}", {
        quoteLine: Math.max(this.quoteLine, this.rowLine),
        value: this.cells.length + 1,
        why,
      }),
    );
  }

  private endCell(): void {
    this.cells.push(this.cell);
    this.cell = "";
    this.state = "start";
    if (this.width === 0) checkColumns(this.cells.length, this.rowLine, "CSV_COLUMNS");
    else if (this.cells.length > this.width + TABLE_LIMITS.columns) this.ragged();
  }

  private ragged(): never {
    const [line, count] = [this.rowLine, this.cells.length];
    throw new IngestError(
      "CSV_RAGGED",
      say('Line {line} has {count} cells, {header, select, true {the header} other {the first line}} {width}. Each line needs the same; a cell with "{sign}" in it needs quotes.', {
        line,
        count,
        header: String(this.form.header),
        width: this.width,
        sign: this.form.delimiter === "\t" ? say("tab") : this.form.delimiter,
      }),
    );
  }

  private endRow(): void {
    // An empty line is no row, unless there is but one column: then it is a missing cell. Before the header and at the end it is neither.
    if (this.cells.length === 0 && this.cell === "" && this.state === "start" && this.width !== 1) return;
    this.endCell();
    const { cells } = this;
    this.cells = [];
    if (this.width === 0) {
      this.width = cells.length;
      this.names.push(...nameColumns(this.form.header ? cells : cells.map(() => "")));
      if (this.form.header) return;
    }
    if (cells.length !== this.width) {
      this.cells = cells;
      this.ragged();
    }
    this.onRow(cells, this.rowLine);
  }
}

/** Names that can be told apart: an empty one gets the column's number, one that was there before a number behind it. */
function nameColumns(cells: readonly string[]): string[] {
  const taken = new Set<string>();
  return cells.map((cell, at) => {
    const own = cell.trim().slice(0, 200) || `column ${at + 1}`;
    let name = own;
    for (let copy = 2; taken.has(name); copy++) name = `${own} (${copy})`;
    taken.add(name);
    return name;
  });
}

/** One flat JSON object a line. */
class JsonLines {
  private readonly names: string[];
  private readonly onRow: OnRow;
  private readonly places = new Map<string, number>();
  private rest = "";
  private line = 0;

  constructor(names: string[], onRow: OnRow) {
    this.names = names;
    this.onRow = onRow;
  }

  push(text: string): void {
    const lines = text.split("\n");
    for (const [index, part] of lines.entries()) {
      this.rest += part;
      if (this.rest.length > TABLE_LIMITS.cellChars) throw new IngestError("JSONL_LINE_TOO_LONG", say("Line {line} is longer than 1 MiB, the limit.", { line: this.line + 1 }));
      if (index < lines.length - 1) this.endLine();
    }
  }

  end(): void {
    this.endLine();
  }

  private endLine(): void {
    this.line++;
    const text = this.rest.trim();
    this.rest = "";
    if (text === "") return;
    const cells = new Array<string | undefined>(this.names.length).fill(undefined);
    for (const [name, value] of Object.entries(this.read(text))) {
      let place = this.places.get(name);
      if (place === undefined) {
        place = this.names.length;
        this.places.set(name, place);
        this.names.push(name.slice(0, 200) || `column ${place + 1}`);
        checkColumns(this.names.length, this.line, "JSONL_COLUMNS");
      }
      if (typeof value === "object" && value !== null)
        throw new IngestError(
          "JSONL_NESTED",
          Array.isArray(value)
            ? say('Line {line}: "{name}" holds a list. Each line must be a flat object of numbers and texts.', { line: this.line, name: name.slice(0, 80) })
            : say('Line {line}: "{name}" holds an object. Each line must be a flat object of numbers and texts.', { line: this.line, name: name.slice(0, 80) }),
        );
      cells[place] = value === null ? undefined : String(value);
    }
    this.onRow(cells, this.line);
  }

  private read(text: string): object {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (cause) {
      throw new IngestError("JSONL_LINE", say("Line {line} is not JSON. Each line must be one object.", { line: this.line }), { cause });
    }
    if (typeof value !== "object" || value === null || Array.isArray(value))
      throw new IngestError("JSONL_LINE", say("Line {line} is not an object. Each line must be one object.", { line: this.line }));
    return value;
  }
}
