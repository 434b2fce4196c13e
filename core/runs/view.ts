import { z } from "zod";
import { escapeSign, unescapeSign } from "./escape.ts";

/** Which value of a metric a column shows. */
export const STATS = ["last", "best", "min", "max"] as const;
export type Stat = (typeof STATS)[number];

/** What every run has, beside its settings and metrics. */
export const OWN_COLUMNS = ["created", "number", "state", "model", "data", "creator", "took", "epochs", "steps", "tags", "notes", "locked"] as const;
export type OwnColumn = (typeof OWN_COLUMNS)[number];

/** A column of the table of runs: one of its own (`took`), a setting (`settings.lr`), or a value of a metric (`validation/accuracy:best`). */
export type Column = { kind: "own"; name: OwnColumn } | { kind: "setting"; key: string } | { kind: "metric"; key: string; stat: Stat };

/** The column that an id names, or null where it names none. */
export function readColumn(id: string): Column | null {
  const own = OWN_COLUMNS.find((name) => name === id);
  if (own) return { kind: "own", name: own };
  if (/^settings\.\w+(\.\w+)?$/.test(id)) return { kind: "setting", key: id };
  const cut = id.lastIndexOf(":");
  const stat = STATS.find((name) => name === id.slice(cut + 1));
  return cut > 0 && stat ? { kind: "metric", key: id.slice(0, cut), stat } : null;
}

export function columnId(column: Column): string {
  return column.kind === "own" ? column.name : column.kind === "setting" ? column.key : `${column.key}:${column.stat}`;
}

const ColumnId = z
  .string()
  .max(220)
  .refine((id) => readColumn(id) !== null, "There is no such column.");

/** `~`: contains. A column without a value meets `!=` and nothing else; an empty value stands for none: `tags=` has no tags, `tags!=` has some. */
export const OPERATORS = ["<=", ">=", "!=", "=", "<", ">", "~"] as const;
export type Operator = (typeof OPERATORS)[number];
export const Filter = z.strictObject({ column: ColumnId, operator: z.enum(OPERATORS), value: z.string().max(200) });
export type Filter = z.infer<typeof Filter>;

/** How a table of runs is looked at: what stands in a link, and what is kept under a name. */
export const View = z.strictObject({
  /** Columns behind the run's name, in order; null: those that the table chooses. */
  columns: z.array(ColumnId).max(60).nullable().default(null),
  sort: z.strictObject({ column: ColumnId, descending: z.boolean() }).default({ column: "created", descending: true }),
  filters: z.array(Filter).max(20).default([]),
  /** The column by whose values the runs are put together. */
  group: ColumnId.nullable().default(null),
  /** Words to be found in number, tags, notes or the model's name. */
  search: z.string().max(200).default(""),
  /** Shows what lies in the trash instead. */
  trash: z.boolean().default(false),
});
export type View = z.infer<typeof View>;

export const plainView: View = View.parse({});

/** `validation/accuracy:best>=0.9`; signs that could be taken for the operator are escaped in the column, and in front of the value. */
export function writeFilter({ column, operator, value }: Filter): string {
  return column.replace(/[%<>=!~]/g, escapeSign) + operator + (endsEarly(operator) ? value.replace(/^[%=]/, escapeSign) : value);
}

/** Behind these an equals sign would make another operator. */
const endsEarly = (operator: string | undefined) => operator === "<" || operator === ">";

export function readFilter(text: string): Filter | null {
  const found = /^([^<>=!~]+)(<=|>=|!=|=|<|>|~)(.*)$/s.exec(text);
  if (!found) return null;
  const [, escaped = "", operator, written = ""] = found;
  const value = endsEarly(operator) ? written.replace(/^%(25|3d)/, unescapeSign) : written;
  const read = Filter.safeParse({ column: escaped.replace(/%([0-9a-f]{2})/g, unescapeSign), operator, value });
  return read.success ? read.data : null;
}

/** A view as the search part of an address; what is as usual is left out. */
export function writeView(view: View): URLSearchParams {
  const params = new URLSearchParams();
  if (view.search) params.set("q", view.search);
  for (const filter of view.filters) params.append("where", writeFilter(filter));
  if (view.sort.column !== plainView.sort.column || !view.sort.descending) params.set("sort", (view.sort.descending ? "-" : "") + view.sort.column);
  if (view.group) params.set("group", view.group);
  if (view.columns) params.set("columns", view.columns.map((id) => id.replace(/[%,]/g, escapeSign)).join());
  if (view.trash) params.set("trash", "1");
  return params;
}

/** A view out of an address. What is not understood is passed over: an old or mistyped link still opens. */
export function readView(params: URLSearchParams): View {
  const known = (id: string | null): id is string => id !== null && id.length <= 220 && readColumn(id) !== null;
  const sort = params.get("sort");
  const sortColumn = sort?.replace(/^-/, "") ?? null;
  const group = params.get("group");
  const columns = params.get("columns");
  return {
    columns:
      columns === null
        ? null
        : columns
            .split(",")
            .map((id) => id.replace(/%(25|2c)/g, unescapeSign))
            .filter(known)
            .slice(0, 60),
    sort: known(sortColumn) ? { column: sortColumn, descending: sort?.startsWith("-") ?? false } : plainView.sort,
    filters: params
      .getAll("where")
      .flatMap((text) => readFilter(text) ?? [])
      .slice(0, 20),
    group: known(group) ? group : null,
    search: (params.get("q") ?? "").slice(0, 200),
    trash: params.get("trash") === "1",
  };
}

/** The scalar settings of a run as columns show them: `settings.lr`, `settings.optimizerParams.momentum`. The database keeps the same (`run_settings`). */
export function settingFacts(settings: unknown): { [key: string]: number | string } {
  const facts: { [key: string]: number | string } = {};
  const take = (key: string, value: unknown) => {
    if (typeof value === "number") facts[key] = value;
    else if (typeof value === "string") facts[key] = value.slice(0, 200);
    else if (typeof value === "boolean") facts[key] = String(value);
  };
  if (typeof settings !== "object" || settings === null) return facts;
  for (const [name, value] of Object.entries(settings)) {
    if (name === "datasetId") continue;
    if (typeof value === "object" && value !== null && !Array.isArray(value)) for (const [inner, deep] of Object.entries(value)) take(`settings.${name}.${inner}`, deep);
    else take(`settings.${name}`, value);
  }
  return facts;
}
