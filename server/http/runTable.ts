import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type ColumnSource, parquetWriteBuffer } from "hyparquet-writer";
import { printCount } from "../../core/language/numbers.ts";
import { say } from "../../core/language/say.ts";
import { type Column, columnId, readColumn, readView, type View } from "../../core/runs/view.ts";
import type { Context } from "../auth/procedure.ts";
import type { Session } from "../auth/session.ts";
import { walled } from "../database/client.ts";
import { AppError, notFound } from "../errors.ts";
import { Id } from "../input.ts";
import { findPage, listColumns, type RunLine, readLines } from "../runs/list.ts";

/** Rows that are read at once. */
const PAGE = 1000;
/** A Parquet file is put together in memory. */
const MOST_PARQUET_ROWS = 200_000;

const formats = {
  csv: { type: "text/csv; charset=utf-8", write: writeCsv },
  json: { type: "application/json; charset=utf-8", write: writeJson },
  parquet: { type: "application/vnd.apache.parquet", write: writeParquet },
} as const;

/** The format of a table that a path asks for, or null where it asks for none. */
export function matchRunTable(path: string): keyof typeof formats | null {
  const format = /^\/api\/run-table\/(\w+)$/.exec(path)?.[1];
  return format === "csv" || format === "json" || format === "parquet" ? format : null;
}

/** A value as it goes into a file: whole and in full precision, not as a page writes it. */
type Cell = number | string | boolean | null;
type TableRow = readonly Cell[];

/**
 * Sends all runs of a view with its columns, as an attachment. The address says the view, as that of the page does, and `model` the model.
 * Without columns: all there are.
 */
export async function sendRunTable(asked: Context, session: Session, req: IncomingMessage, res: ServerResponse, path: string): Promise<void> {
  const format = matchRunTable(path);
  if (format === null) throw notFound("file");
  const context = { ...asked, db: walled(asked.db, session.org.id) };
  const params = new URL(req.url ?? "", "http://x").searchParams;
  const view = readView(params);
  const model = params.get("model");
  const modelId = model === null ? undefined : Id.safeParse(model).data;
  if (model !== null && modelId === undefined) throw new AppError("INPUT_SHAPE", say("There is no such model here."));
  const columns = await columnsOf(context, session.org.id, view);
  const rows = readRows(context, session.org.id, { ...view, ...(modelId ? { modelId } : {}) }, columns);
  res.writeHead(200, {
    "Content-Type": formats[format].type,
    "Content-Disposition": `attachment; filename="runs.${format}"`,
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cache-Control": "private, no-store",
  });
  if (req.method === "HEAD") {
    res.end();
    return;
  }
  await pipeline(Readable.from(formats[format].write(["run", ...columns.map(columnId)], rows)), res).catch((error: unknown) => {
    // A reader who leaves halfway is no error of ours; anything else must not look like a whole file.
    if ((error as NodeJS.ErrnoException).code !== "ERR_STREAM_PREMATURE_CLOSE") res.destroy();
  });
}

async function columnsOf({ db }: Context, orgId: string, view: View): Promise<Column[]> {
  if (view.columns) return view.columns.flatMap((id) => readColumn(id) ?? []);
  const { settings, metrics } = await listColumns(db, orgId);
  const all = [
    "number",
    "model",
    "data",
    "creator",
    "state",
    "created",
    "took",
    "epochs",
    "steps",
    "tags",
    "notes",
    ...settings,
    ...metrics.flatMap((key) => [`${key}:last`, `${key}:best`]),
  ];
  return all.flatMap((id) => readColumn(id) ?? []);
}

async function* readRows(
  { db }: Context,
  orgId: string,
  { filters, search, trash, sort, modelId }: View & { modelId?: string },
  columns: readonly Column[],
): AsyncGenerator<TableRow> {
  let cursor: string | null = null;
  do {
    const page: { ids: string[]; next: string | null } = await findPage(db, orgId, { filters, search, trash, sort, limit: PAGE, cursor, ...(modelId ? { modelId } : {}) });
    for (const run of await readLines(db, orgId, page.ids)) yield [run.id, ...columns.map((column) => cellOf(run, column))];
    cursor = page.next;
  } while (cursor !== null);
}

function cellOf(run: RunLine, column: Column): Cell {
  if (column.kind === "setting") return run.settings[column.key] ?? null;
  if (column.kind === "metric") return run.summary[column.key]?.[column.stat] ?? null;
  switch (column.name) {
    case "created":
      return run.createdAt;
    case "number":
      return run.number;
    case "state":
      return run.status;
    case "model":
      return run.modelName;
    case "data":
      return run.datasetName;
    case "creator":
      return run.createdByName;
    case "took":
      return run.elapsedMs / 1000;
    case "epochs":
      return run.epoch;
    case "steps":
      return run.step;
    case "tags":
      return run.tags.join(" ");
    case "notes":
      return run.notes;
    case "locked":
      return run.locked;
  }
}

/** A text that a spreadsheet would take for a formula gets an apostrophe in front; numbers stay numbers. */
export function csvCell(cell: Cell): string {
  if (cell === null) return "";
  if (typeof cell !== "string") return String(cell);
  const safe = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]|^\s|\s$/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

async function* writeCsv(names: readonly string[], rows: AsyncIterable<TableRow>): AsyncGenerator<string> {
  // Spreadsheets know by this mark that the text is UTF-8.
  yield `\uFEFF${names.map(csvCell).join()}\r\n`;
  for await (const row of rows) yield `${row.map(csvCell).join()}\r\n`;
}

async function* writeJson(names: readonly string[], rows: AsyncIterable<TableRow>): AsyncGenerator<string> {
  let before = "[\n";
  for await (const row of rows) {
    yield before + JSON.stringify(Object.fromEntries(names.map((name, at) => [name, row[at]])));
    before = ",\n";
  }
  yield before === "[\n" ? "[]\n" : "\n]\n";
}

async function* writeParquet(names: readonly string[], rows: AsyncIterable<TableRow>): AsyncGenerator<Buffer> {
  const columns: Cell[][] = names.map(() => []);
  let count = 0;
  for await (const row of rows) {
    if (++count > MOST_PARQUET_ROWS)
      throw new AppError(
        "FILE_TOO_LARGE",
        say("A Parquet file holds up to {MOST_PARQUET_ROWS} runs: narrow the view, or take CSV.", { MOST_PARQUET_ROWS: printCount(MOST_PARQUET_ROWS) }),
      );
    for (const [at, cell] of row.entries()) columns[at]?.push(cell);
  }
  const columnData = names.map((name, at): ColumnSource => {
    const cells = columns[at] ?? [];
    const kinds = new Set(cells.flatMap((cell) => (cell === null ? [] : [typeof cell])));
    const [kind] = kinds;
    // A setting may be a number in one run and a word in another.
    if (kinds.size > 1) return { name, data: cells.map((cell) => (cell === null ? null : String(cell))), type: "STRING", nullable: true };
    return { name, data: cells, type: kind === "number" ? "DOUBLE" : kind === "boolean" ? "BOOLEAN" : "STRING", nullable: true };
  });
  yield Buffer.from(parquetWriteBuffer({ columnData }));
}
