import { z } from "zod";
import { say } from "../../core/language/say.ts";
import { type Column, Filter, type Operator, readColumn, type Stat, settingFacts, View } from "../../core/runs/view.ts";
import { Prisma } from "../../prisma/generated/client.ts";
import type { Database } from "../database/client.ts";
import { AppError } from "../errors.ts";
import { Id } from "../input.ts";
import { summaryFields, toSummary } from "./read.ts";

/** Which runs, wherever they are listed, counted, grouped or taken along. */
export const RunQuestion = z.strictObject({
  modelId: Id.optional(),
  projectId: Id.optional(),
  filters: z.array(Filter).max(20).default([]),
  search: View.shape.search,
  trash: View.shape.trash,
});
export type RunQuestion = z.infer<typeof RunQuestion>;

export const ListRuns = RunQuestion.extend({
  sort: View.shape.sort,
  limit: z.int().min(1).max(200).default(50),
  /** `next` of the page before. */
  cursor: z.string().max(1000).nullish(),
});
export type ListRuns = z.infer<typeof ListRuns>;

const sql = Prisma.sql;
/** Of `Run` as `r`, joined with its model and data set. */
const conditions = (orgId: string, { modelId, projectId, filters, search, trash }: RunQuestion): Prisma.Sql => {
  const all = [sql`r."orgId" = ${orgId}::uuid`, trash ? sql`r."deletedAt" IS NOT NULL` : sql`r."deletedAt" IS NULL`];
  if (modelId) all.push(sql`r."modelId" = ${modelId}::uuid`);
  if (projectId) all.push(sql`r."modelId" IN (SELECT "id" FROM "Model" WHERE "orgId" = ${orgId}::uuid AND "projectId" = ${projectId}::uuid)`);
  for (const filter of filters) all.push(conditionOf(orgId, filter));
  for (const word of search.trim().split(/\s+/).filter(Boolean)) {
    const like = `%${word.replace(/[\\%_]/g, "\\$&")}%`;
    all.push(
      sql`(r."number"::text = ${word.replace(/^#/, "")} OR r."notes" ILIKE ${like} OR array_to_string(r."tags", ' ') ILIKE ${like} OR r."modelId" IN (SELECT "id" FROM "Model" WHERE "orgId" = ${orgId}::uuid AND "name" ILIKE ${like}))`,
    );
  }
  return Prisma.join(all, " AND ");
};

const comparisons: { [operator in Operator]: Prisma.Sql } = { "<=": sql`<=`, ">=": sql`>=`, "!=": sql`<>`, "=": sql`=`, "<": sql`<`, ">": sql`>`, "~": sql`ILIKE` };
const statColumns: { [stat in Stat]: Prisma.Sql } = { last: sql`"last"`, best: sql`"best"`, min: sql`"min"`, max: sql`"max"` };
/** Columns that are kept as facts, by their key there. */
const ownFacts: { [name: string]: string } = { took: "run.elapsedMs", epochs: "run.epoch", steps: "run.step" };
const DAY_MS = 86_400_000;
const STATES = ["queued", "running", "paused", "finished", "cancelled", "failed"];

function conditionOf(orgId: string, { column: id, operator, value }: Filter): Prisma.Sql {
  const column = readColumn(id);
  if (column === null) throw new AppError("INPUT_SHAPE", say("There is no column “{id}”.", { id }));
  const number = value.trim() === "" ? Number.NaN : Number(value);
  const isNumber = Number.isFinite(number);
  const never = sql`false`;
  const compare = (left: Prisma.Sql) => (operator === "~" ? sql`${left}::text ILIKE ${`%${value.replace(/[\\%_]/g, "\\$&")}%`}` : sql`${left} ${comparisons[operator]} ${value}`);
  const compareNumber = (left: Prisma.Sql) => (isNumber && operator !== "~" ? sql`${left} ${comparisons[operator]} ${number}::double precision` : never);
  const isNone = value.trim() === "" && (operator === "=" || operator === "!=");
  // What has no such value differs from every value.
  if (column.kind === "metric" || column.kind === "setting" || ownFacts[column.name] !== undefined) {
    if (isNone) {
      const known =
        column.kind === "metric"
          ? sql`SELECT 1 FROM "RunFigure" f WHERE f."runId" = r."id" AND f."orgId" = ${orgId}::uuid AND f."key" = ${column.key} AND f.${statColumns[column.stat]} IS NOT NULL`
          : factCondition(orgId, column.kind === "setting" ? column.key : (ownFacts[column.name] ?? ""), "~", "", null);
      return operator === "=" ? sql`NOT EXISTS (${known})` : sql`EXISTS (${known})`;
    }
    const negated = operator === "!=";
    const same: Filter["operator"] = negated ? "=" : operator;
    const inner =
      column.kind === "metric"
        ? isNumber && operator !== "~"
          ? sql`SELECT 1 FROM "RunFigure" f WHERE f."runId" = r."id" AND f."orgId" = ${orgId}::uuid AND f."key" = ${column.key} AND f.${statColumns[column.stat]} ${comparisons[same]} ${number}::double precision`
          : null
        : factCondition(orgId, column.kind === "setting" ? column.key : (ownFacts[column.name] ?? ""), same, value, isNumber ? number : null);
    if (inner === null) return negated ? sql`true` : never;
    return negated ? sql`NOT EXISTS (${inner})` : sql`EXISTS (${inner})`;
  }
  const byName = (table: Prisma.Sql, key: Prisma.Sql) => sql`${key} IN (SELECT t."id" FROM ${table} t WHERE t."orgId" = ${orgId}::uuid AND ${compare(sql`t."name"`)})`;
  switch (column.name) {
    case "state":
      if (operator === "~") return sql`r."status"::text ILIKE ${`%${value}%`}`;
      return STATES.includes(value) && (operator === "=" || operator === "!=") ? sql`r."status" ${comparisons[operator]} ${value}::"RunStatus"` : never;
    case "number":
      return compareNumber(sql`r."number"`);
    case "model":
      return byName(sql`"Model"`, sql`r."modelId"`);
    case "data":
      return byName(sql`"Dataset"`, sql`r."datasetId"`);
    case "creator":
      return sql`r."createdBy" IN (SELECT t."id" FROM "User" t WHERE ${compare(sql`t."name"`)})`;
    case "created": {
      const at = new Date(value);
      if (Number.isNaN(at.getTime()) || operator === "~") return never;
      // A day is all of its hours.
      const until = new Date(at.getTime() + (/^\s*\d{4}-\d\d-\d\d\s*$/.test(value) ? DAY_MS : 0));
      if (until > at && (operator === "=" || operator === "!=")) {
        const within = sql`(r."createdAt" >= ${at.toISOString()}::timestamptz AND r."createdAt" < ${until.toISOString()}::timestamptz)`;
        return operator === "=" ? within : sql`NOT ${within}`;
      }
      if (until > at && (operator === ">" || operator === "<="))
        return operator === ">" ? sql`r."createdAt" >= ${until.toISOString()}::timestamptz` : sql`r."createdAt" < ${until.toISOString()}::timestamptz`;
      return sql`r."createdAt" ${comparisons[operator]} ${at.toISOString()}::timestamptz`;
    }
    case "tags":
      if (isNone) return sql`r."tags" ${comparisons[operator]} '{}'`;
      if (operator === "=") return sql`(r."tags" <> '{}' AND r."tags" @> ARRAY[${value}]::text[])`;
      if (operator === "!=") return sql`NOT (r."tags" @> ARRAY[${value}]::text[])`;
      return operator === "~" ? compare(sql`array_to_string(r."tags", ' ')`) : never;
    case "notes":
      return compare(sql`r."notes"`);
    case "locked":
      return operator === "=" || operator === "!=" ? sql`r."locked" ${comparisons[operator]} ${value === "true"}` : never;
    default:
      return never;
  }
}

function factCondition(orgId: string, key: string, operator: Operator, value: string, number: number | null): Prisma.Sql {
  const fact = sql`SELECT 1 FROM "RunFact" f WHERE f."runId" = r."id" AND f."orgId" = ${orgId}::uuid AND f."key" = ${key} AND`;
  if (operator === "~") return sql`${fact} coalesce(f."text", f."number"::text) ILIKE ${`%${value.replace(/[\\%_]/g, "\\$&")}%`}`;
  if (number === null) return sql`${fact} f."text" ${comparisons[operator]} ${value}`;
  return sql`${fact} f."number" ${comparisons[operator]} ${number}::double precision`;
}

/**
 * A stretch of the order: runs whose column has a number, then those that have a text, then those that have none, newest first. Each is read along
 * an index from where the page before ended, so that page 1,000 costs what page 1 does.
 */
type Phase = { join: Prisma.Sql; where: Prisma.Sql; order: Prisma.Sql; value: Prisma.Sql; after(value: unknown, id: string): Prisma.Sql };

function phasesOf(orgId: string, column: Column, descending: boolean): Phase[] {
  const direction = descending ? sql`DESC` : sql`ASC`;
  const beyond = descending ? sql`<` : sql`>`;
  const none: Prisma.Sql = sql``;
  const byId = (where: Prisma.Sql, newestFirst: boolean): Phase => ({
    join: none,
    where,
    order: sql`r."id" ${newestFirst ? sql`DESC` : sql`ASC`}`,
    value: sql`NULL::text`,
    after: (_, id) => sql`r."id" ${newestFirst ? sql`<` : sql`>`} ${id}::uuid`,
  });
  /** By a value of type `type` and the id. */
  const by = (join: Prisma.Sql, where: Prisma.Sql, value: Prisma.Sql, id: Prisma.Sql, order: Prisma.Sql, type: Prisma.Sql): Phase => ({
    join,
    where,
    order,
    value,
    // The bound on the value alone lets the index begin there.
    after: (last, lastId) => sql`${value} ${descending ? sql`<=` : sql`>=`} ${last}::${type} AND (${value} ${beyond} ${last}::${type} OR ${id} ${beyond} ${lastId}::uuid)`,
  });
  const plain = (value: Prisma.Sql, type: Prisma.Sql, join = none): Phase => by(join, sql`true`, value, sql`r."id"`, sql`${value} ${direction}, r."id" ${direction}`, type);
  const facts = (key: string): Phase[] => {
    const join = sql`JOIN "RunFact" s ON s."runId" = r."id" AND s."orgId" = ${orgId}::uuid AND s."key" = ${key}`;
    const order = sql`s."number" ${direction}, s."text" ${direction}, s."runId" ${direction}`;
    return [
      by(join, sql`s."number" IS NOT NULL`, sql`s."number"`, sql`s."runId"`, order, sql`double precision`),
      by(join, sql`s."number" IS NULL AND s."text" IS NOT NULL`, sql`s."text"`, sql`s."runId"`, order, sql`text`),
      byId(sql`NOT EXISTS (SELECT 1 FROM "RunFact" s WHERE s."runId" = r."id" AND s."key" = ${key})`, true),
    ];
  };
  if (column.kind === "setting") return facts(column.key);
  if (column.kind === "metric") {
    const stat = sql`s.${statColumns[column.stat]}`;
    const join = sql`JOIN "RunFigure" s ON s."runId" = r."id" AND s."orgId" = ${orgId}::uuid AND s."key" = ${column.key}`;
    return [
      by(join, sql`${stat} IS NOT NULL`, stat, sql`s."runId"`, sql`${stat} ${direction}, s."runId" ${direction}`, sql`double precision`),
      byId(sql`NOT EXISTS (SELECT 1 FROM "RunFigure" s WHERE s."runId" = r."id" AND s."key" = ${column.key} AND ${stat} IS NOT NULL)`, true),
    ];
  }
  const fact = ownFacts[column.name];
  if (fact !== undefined) return facts(fact);
  switch (column.name) {
    case "state":
      return [plain(sql`r."status"`, sql`"RunStatus"`)];
    case "model":
      return [plain(sql`t."name"`, sql`text`, sql`JOIN "Model" t ON t."id" = r."modelId"`)];
    case "data":
      return [plain(sql`t."name"`, sql`text`, sql`JOIN "Dataset" t ON t."id" = r."datasetId"`)];
    case "creator":
      return [plain(sql`t."name"`, sql`text`, sql`JOIN "User" t ON t."id" = r."createdBy"`)];
    case "tags":
      return [plain(sql`array_to_string(r."tags", ' ')`, sql`text`)];
    case "notes":
      return [plain(sql`r."notes"`, sql`text`)];
    case "locked":
      return [plain(sql`r."locked"`, sql`boolean`)];
    default:
      // Run ids carry their time (UUID v7), and numbers count with it.
      return [byId(sql`true`, descending)];
  }
}

const Cursor = z.tuple([z.int().min(0).max(2), z.union([z.string(), z.number(), z.boolean(), z.null()]), Id]);

/** Ids of one page in order, and where the next one goes on. */
export async function findPage(db: Pick<Database, "$queryRaw">, orgId: string, { sort, limit, cursor, ...question }: ListRuns): Promise<{ ids: string[]; next: string | null }> {
  const column = readColumn(sort.column);
  if (column === null) throw new AppError("INPUT_SHAPE", say("There is no column “{column}”.", { column: sort.column }));
  const at = cursor ? readCursor(cursor) : null;
  const phases = phasesOf(orgId, column, sort.descending);
  const where = conditions(orgId, question);
  const rows: { id: string; value: string | number | boolean | null; phase: number }[] = [];
  for (const [number, phase] of phases.entries()) {
    if (at && number < at[0]) continue;
    const after = at && number === at[0] ? sql`AND ${phase.after(at[1], at[2])}` : Prisma.empty;
    const found = await db.$queryRaw<{ id: string; value: string | number | boolean | null }[]>`
      SELECT r."id", ${phase.value} AS "value" FROM "Run" r ${phase.join} WHERE ${where} AND ${phase.where} ${after} ORDER BY ${phase.order} LIMIT ${limit + 1 - rows.length}::int`;
    rows.push(...found.map((row) => ({ ...row, phase: number })));
    if (rows.length > limit) break;
  }
  const last = rows.length > limit ? rows[limit - 1] : undefined;
  return { ids: rows.slice(0, limit).map(({ id }) => id), next: last ? JSON.stringify([last.phase, last.value, last.id]) : null };
}

function readCursor(text: string): z.infer<typeof Cursor> {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    given = null;
  }
  const read = Cursor.safeParse(given);
  if (!read.success) throw new AppError("INPUT_SHAPE", say("This is no page of the list: begin with the first one."));
  return read.data;
}

/** What a line of the table shows. */
export const lineFields = { ...summaryFields, tags: true, notes: true, locked: true, deletedAt: true } satisfies Prisma.RunSelect;

export function toLine(row: Prisma.RunGetPayload<{ select: typeof lineFields }>) {
  return {
    ...toSummary(row),
    tags: row.tags,
    notes: row.notes,
    locked: row.locked,
    /** Since when it lies in the trash; null where it does not. */
    deletedAt: row.deletedAt?.toISOString() ?? null,
    settings: settingFacts(row.settings),
  };
}
export type RunLine = ReturnType<typeof toLine>;

/** One page of runs. */
export async function listRuns(db: Database, orgId: string, question: ListRuns): Promise<{ runs: RunLine[]; next: string | null }> {
  const { ids, next } = await findPage(db, orgId, question);
  return { runs: await readLines(db, orgId, ids), next };
}

/** Runs by their ids, in that order; those that are not there are left out. */
export async function readLines(db: Database, orgId: string, ids: readonly string[]): Promise<RunLine[]> {
  if (ids.length === 0) return [];
  const rows = new Map((await db.run.findMany({ where: { orgId, id: { in: [...ids] } }, select: lineFields })).map((row) => [row.id, toLine(row)]));
  return ids.flatMap((id) => rows.get(id) ?? []);
}

/** How many runs there are, and how many of them go on. */
export async function countRuns(db: Database, orgId: string, question: RunQuestion): Promise<{ total: number; active: number }> {
  const [row] = await db.$queryRaw<{ total: number; active: number }[]>`
    SELECT count(*)::int AS "total", count(*) FILTER (WHERE r."status" IN ('queued', 'running'))::int AS "active" FROM "Run" r WHERE ${conditions(orgId, question)}`;
  return row ?? { total: 0, active: 0 };
}

/** Columns that runs have: every setting and every metric that any of them knows. Goes from key to key through an index. */
export async function listColumns(db: Database, orgId: string): Promise<{ settings: string[]; metrics: string[] }> {
  const keysOf = async (table: Prisma.Sql) => {
    const rows = await db.$queryRaw<{ key: string }[]>`
      WITH RECURSIVE "every"("key") AS (
        (SELECT "key" FROM ${table} WHERE "orgId" = ${orgId}::uuid ORDER BY "key" LIMIT 1)
        UNION ALL
        SELECT (SELECT "key" FROM ${table} WHERE "orgId" = ${orgId}::uuid AND "key" > "every"."key" ORDER BY "key" LIMIT 1) FROM "every" WHERE "every"."key" IS NOT NULL
      )
      SELECT "key" FROM "every" WHERE "key" IS NOT NULL LIMIT 2000`;
    return rows.map(({ key }) => key);
  };
  const facts = await keysOf(sql`"RunFact"`);
  return { settings: facts.filter((key) => key.startsWith("settings.")), metrics: await keysOf(sql`"RunFigure"`) };
}

export const GroupRuns = RunQuestion.extend({ by: Filter.shape.column, metric: Filter.shape.column.nullable().default(null) });
const MOST_GROUPS = 200;

/** Runs put together by a column's values, the largest group first: how many, and the range and mean of a metric over them. */
export async function groupRuns(db: Database, orgId: string, { by, metric, ...question }: z.infer<typeof GroupRuns>) {
  const column = readColumn(by);
  const figure = metric === null ? null : readColumn(metric);
  if (column === null || column.kind === "metric") throw new AppError("INPUT_SHAPE", say("Runs are put together by a setting or by what they are, not by a metric."));
  const key = column.kind === "setting" ? column.key : (ownFacts[column.name] ?? null);
  const join =
    key !== null
      ? sql`LEFT JOIN "RunFact" g ON g."runId" = r."id" AND g."key" = ${key}`
      : column.kind === "own" && column.name === "tags"
        ? sql`LEFT JOIN LATERAL unnest(r."tags") AS g("value") ON true`
        : Prisma.empty;
  const own: { [name: string]: Prisma.Sql } = {
    state: sql`r."status"::text`,
    model: sql`(SELECT "name" FROM "Model" t WHERE t."id" = r."modelId")`,
    data: sql`(SELECT "name" FROM "Dataset" t WHERE t."id" = r."datasetId")`,
    creator: sql`(SELECT "name" FROM "User" t WHERE t."id" = r."createdBy")`,
    created: sql`to_char(r."createdAt" AT TIME ZONE 'UTC', 'YYYY-MM-DD')`,
    number: sql`r."number"::text`,
    locked: sql`r."locked"::text`,
    notes: sql`r."notes"`,
    tags: sql`g."value"`,
  };
  const value = key !== null ? sql`coalesce(g."text", g."number"::text)` : (own[column.kind === "own" ? column.name : ""] ?? sql`NULL`);
  const figures =
    figure?.kind === "metric"
      ? { join: sql`LEFT JOIN "RunFigure" m ON m."runId" = r."id" AND m."key" = ${figure.key}`, value: sql`m.${statColumns[figure.stat]}` }
      : { join: Prisma.empty, value: sql`NULL::double precision` };
  return db.$queryRaw<{ value: string | null; count: number; low: number | null; mean: number | null; high: number | null }[]>`
    SELECT ${value} AS "value", count(DISTINCT r."id")::int AS "count", min(${figures.value}) AS "low", avg(${figures.value}) AS "mean", max(${figures.value}) AS "high"
    FROM "Run" r ${join} ${figures.join} WHERE ${conditions(orgId, question)} GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT ${MOST_GROUPS}`;
}
