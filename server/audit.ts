import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { config as readConfig } from "./config.ts";
import { type Database, openDatabase } from "./database/client.ts";
import { embeddedUrl } from "./database/embedded.ts";
import { AppError, isDatabaseAway } from "./errors.ts";
import { CHUNK, FACTOR, TOP_LEVEL, unpackEntries } from "./metrics/pyramid.ts";
import type { FileStore } from "./storage/files.ts";
import { openStore } from "./storage/store.ts";
import { readTitle } from "./trainer/title.ts";

/**
 * What must be true of database, files and processes at any quiet moment, whatever was killed before. `npm run audit` prints
 * each breach and how many there are; every fault test ends with none.
 */
export type Violation = { invariant: "I1" | "I2" | "I3" | "I4" | "I5" | "I6" | "I7"; subject: string; message: string };

export async function auditInvariants(db: Database, files: FileStore): Promise<Violation[]> {
  const parts = await Promise.all([leases(db), metrics(db), tokens(db), storedFiles(db, files), processes(db), edges(db), walls(db)]);
  return parts.flat();
}

/** I1: each run has ended, waits in the queue, is paused, or has a live lease. */
async function leases(db: Database): Promise<Violation[]> {
  const rows = await db.$queryRaw<{ id: string; status: string; seconds: number }[]>`
    SELECT "id", "status"::text, extract(epoch FROM clock_timestamp() - "leaseUntil")::float8 AS "seconds" FROM "Run"
    WHERE ("status" = 'running' AND ("leaseUntil" IS NULL OR "leaseUntil" < clock_timestamp())) OR ("status" IN ('queued', 'paused', 'failed') AND "leaseUntil" IS NOT NULL)`;
  return rows.map(({ id, status, seconds }) => ({
    invariant: "I1",
    subject: `run ${id}`,
    message: status === "running" ? `runs on a lease that ended ${seconds.toFixed(1)} s ago` : `is ${status} and has a lease`,
  }));
}

/** I2: a metric's steps grow, none is there twice, a run's loss has every step up to the run's own, and coarser levels say what the points say. */
async function metrics(db: Database): Promise<Violation[]> {
  const found: Violation[] = [];
  const runs = await db.$queryRaw<{ id: string; step: number }[]>`SELECT "id", "step" FROM "Run"`;
  for (const { id, step } of runs) {
    const chunks = await db.$queryRaw<
      Chunk[]
    >`SELECT "key", "level", "index", "count", "firstStep", "lastStep", "steps", "values" FROM "MetricChunk" WHERE "runId" = ${id}::uuid ORDER BY "key", "level", "index"`;
    const report = (message: string) => found.push({ invariant: "I2", subject: `run ${id}`, message });
    let last = 0;
    for (const [key, ofKey] of groupBy(chunks, (chunk) => chunk.key)) {
      const levels = groupBy(ofKey, (chunk) => String(chunk.level));
      for (const [level, ofLevel] of levels) checkChunks(ofLevel, (message) => report(`${key}, level ${level}: ${message}`));
      const points: Raw = { steps: [], values: [] };
      for (const chunk of levels.get("0") ?? []) {
        const { steps, values } = unpackEntries(chunk);
        points.steps.push(...steps);
        points.values.push(...values);
      }
      const wrong = points.steps.findIndex((at, index) => index > 0 && at <= (points.steps[index - 1] ?? 0));
      if (wrong >= 0) report(`${key}: step ${points.steps[wrong]} follows step ${points.steps[wrong - 1]}`);
      if (key === "train/loss") {
        const gap = points.steps.findIndex((at, index) => at !== index + 1);
        if (gap >= 0) report(`${key}: the point after step ${gap} is that of step ${points.steps[gap]}`);
      }
      last = Math.max(last, points.steps.at(-1) ?? 0);
      checkPyramid(points, levels, (message) => report(`${key}: ${message}`));
    }
    if (last !== step) report(`stands at step ${step}, its last point at step ${last}`);
  }
  return found;
}

type Chunk = { key: string; level: number; index: number; count: number; firstStep: number; lastStep: number; steps: Uint8Array; values: Uint8Array };

function checkChunks(chunks: Chunk[], report: (message: string) => void): void {
  chunks.forEach((chunk, at) => {
    if (chunk.index !== at) report(`chunk ${at} is missing`);
    if (at < chunks.length - 1 && chunk.count !== CHUNK) report(`chunk ${chunk.index} holds ${chunk.count} of ${CHUNK} entries and is not the last`);
    const { steps } = unpackEntries(chunk);
    const lastStep = steps.at(chunk.level === 0 ? -1 : -3);
    if (steps[0] !== chunk.firstStep || lastStep !== chunk.lastStep)
      report(`chunk ${chunk.index} says steps ${chunk.firstStep} to ${chunk.lastStep} and holds ${steps[0]} to ${lastStep}`);
  });
}

type Raw = { steps: number[]; values: number[] };

/** Each bucket says what its points say, whatever the way it was made. */
function checkPyramid({ steps, values }: Raw, levels: Map<string, Chunk[]>, report: (message: string) => void): void {
  for (let level = 1, size = FACTOR; level <= TOP_LEVEL; level++, size *= FACTOR) {
    const kept = (levels.get(String(level)) ?? []).map(unpackEntries);
    const keptSteps = kept.flatMap((entries) => [...entries.steps]);
    const keptValues = kept.flatMap((entries) => [...entries.values]);
    const count = Math.floor(steps.length / size);
    if (keptSteps.length !== count * 4) {
      report(`level ${level} has ${keptSteps.length / 4} buckets where its points make ${count}`);
      continue;
    }
    for (let bucket = 0; bucket < count; bucket++) {
      const from = bucket * size;
      const part = values.slice(from, from + size);
      const numbers = part.filter((value) => !Number.isNaN(value));
      const min = numbers.reduce((low, value) => Math.min(low, value), numbers[0] ?? Number.NaN);
      const max = numbers.reduce((high, value) => Math.max(high, value), numbers[0] ?? Number.NaN);
      const stepOf = (value: number) => steps[from + (Number.isNaN(value) ? 0 : part.indexOf(value))];
      const isSame =
        [steps[from], steps[from + size - 1], stepOf(min), stepOf(max)].every((step, at) => step === keptSteps[bucket * 4 + at]) &&
        [part[0], part.at(-1), min, max].every((value, at) => Object.is(value, keptValues[bucket * 4 + at]) || value === keptValues[bucket * 4 + at]);
      if (!isSame) {
        report(`level ${level}: bucket ${bucket} does not say what its points say`);
        break;
      }
    }
  }
}

/** I3: no row was written with a lease older than one that had written before it. */
async function tokens(db: Database): Promise<Violation[]> {
  const found = await db.$queryRaw<{ runId: string; message: string }[]>`
    SELECT "runId", 'log line ' || "id" || ' of lease ' || "leaseToken" || ' follows one of lease ' || "before" AS "message"
      FROM (SELECT "runId", "id", "leaseToken", lag("leaseToken") OVER (PARTITION BY "runId" ORDER BY "id") AS "before" FROM "RunLog") AS "line" WHERE "leaseToken" < "before"
    UNION ALL
    SELECT "runId", 'chunk ' || "index" || ' of ' || "key" || ' is of lease ' || "leaseToken" || ', the one before it of lease ' || "before"
      FROM (SELECT "runId", "key", "index", "leaseToken", lag("leaseToken") OVER (PARTITION BY "runId", "key" ORDER BY "index") AS "before" FROM "MetricChunk" WHERE "level" = 0) AS "chunk" WHERE "leaseToken" < "before"
    UNION ALL
    SELECT "runId", 'checkpoint at step ' || "step" || ' is of lease ' || "leaseToken" || ', an earlier step''s of lease ' || "before"
      FROM (SELECT "runId", "step", "leaseToken", lag("leaseToken") OVER (PARTITION BY "runId" ORDER BY "step") AS "before" FROM "Checkpoint") AS "checkpoint" WHERE "leaseToken" < "before"
    UNION ALL
    SELECT "run"."id", 'a row of lease ' || "row"."leaseToken" || ' exists, the run is at ' || "run"."leaseToken" FROM "Run" AS "run"
      JOIN (SELECT "runId", max("leaseToken") AS "leaseToken" FROM (SELECT "runId", "leaseToken" FROM "RunLog" UNION ALL SELECT "runId", "leaseToken" FROM "MetricChunk" UNION ALL SELECT "runId", "leaseToken" FROM "Checkpoint" UNION ALL SELECT "runId", "leaseToken" FROM "RunLook" UNION ALL SELECT "runId", "leaseToken" FROM "RunHistogram") AS "any" GROUP BY 1) AS "row"
      ON "row"."runId" = "run"."id" AND "row"."leaseToken" > "run"."leaseToken"`;
  return found.map(({ runId, message }) => ({ invariant: "I3", subject: `run ${runId}`, message }));
}

/** I4: each checkpoint and each artifact has its file, and its file is the one that was recorded. */
async function storedFiles(db: Database, files: FileStore): Promise<Violation[]> {
  const rows = await db.$queryRaw<{ runId: string; storageKey: string; sha256: string }[]>`
    SELECT "runId", "storageKey", "sha256" FROM "Checkpoint" UNION ALL SELECT "runId", "storageKey", "sha256" FROM "Artifact" WHERE "refusal" IS NULL`;
  const found: Violation[] = [];
  for (const { runId, storageKey, sha256 } of rows) {
    const stored = await files.inspect(storageKey);
    if (stored?.sha256 !== sha256)
      found.push({ invariant: "I4", subject: `run ${runId}`, message: stored === null ? `${storageKey} is missing` : `${storageKey} has another SHA-256 than was recorded` });
  }
  return found;
}

/** How long a trainer may take to end after its lease has. */
const exitWithinMs = 5_000;

/** I5: each trainer on this machine that works on a run has that run's live lease, or is about to end. */
async function processes(db: Database): Promise<Violation[]> {
  for (const deadline = performance.now() + exitWithinMs; ; await sleep(100)) {
    const found: Violation[] = [];
    for (const { pid, runId, token } of listTrainers()) {
      const [run] = await db.$queryRaw<
        { leaseToken: number; live: boolean }[]
      >`SELECT "leaseToken", "leaseUntil" IS NOT NULL AND "leaseUntil" > clock_timestamp() AS "live" FROM "Run" WHERE "id" = ${runId}::uuid`;
      // A run that is not here belongs to another installation on this machine.
      if (run !== undefined && (run.leaseToken !== token || !run.live))
        found.push({
          invariant: "I5",
          subject: `process ${pid}`,
          message: `works on run ${runId} with lease ${token}; the run is at lease ${run.leaseToken}${run.live ? "" : ", which is over"}`,
        });
    }
    if (found.length === 0 || performance.now() > deadline) return found;
  }
}

function listTrainers(): { pid: number; runId: string; token: number }[] {
  if (process.platform !== "linux") return [];
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const title = readTitle(readFileSync(`/proc/${pid}/cmdline`, "utf8"));
        return title === null ? [] : [{ pid: Number(pid), ...title }];
      } catch {
        return [];
      }
    });
}

const allowedEdges = new Set([
  ">queued",
  "queued>running",
  "queued>cancelled",
  "queued>failed",
  "running>queued",
  "running>finished",
  "running>cancelled",
  "running>failed",
  "cancelled>queued",
  "failed>queued",
  "queued>paused",
  "running>paused",
  "paused>queued",
  "paused>cancelled",
  "paused>finished",
]);

/** I6: each run went from state to state along allowed edges only, without a gap, to where it stands. */
async function edges(db: Database): Promise<Violation[]> {
  const rows = await db.$queryRaw<{ runId: string; status: string; edges: string[] }[]>`
    SELECT "run"."id" AS "runId", "run"."status"::text, coalesce(array_agg("line"."edge" ORDER BY "line"."id") FILTER (WHERE "line"."edge" IS NOT NULL), '{}') AS "edges"
    FROM "Run" AS "run" LEFT JOIN "RunLog" AS "line" ON "line"."runId" = "run"."id" GROUP BY 1`;
  return rows.flatMap(({ runId, status, edges: path }) => {
    const messages = path.filter((edge) => !allowedEdges.has(edge)).map((edge) => `went along ${edge}`);
    let at = "";
    for (const edge of path) {
      const [from = "", to = ""] = edge.split(">");
      if (from !== at) messages.push(`left ${from || "nothing"} while it was ${at || "nothing"}`);
      at = to;
    }
    if (at !== status) messages.push(`is ${status}, its last edge leads to ${at || "nothing"}`);
    return messages.map((message) => ({ invariant: "I6" as const, subject: `run ${runId}`, message }));
  });
}

/** I7: no row belongs to another organization than its parent. */
async function walls(db: Database): Promise<Violation[]> {
  const rows = await db.$queryRaw<{ name: string; id: string }[]>`
    SELECT 'model' AS "name", "child"."id"::text FROM "Model" "child" JOIN "Project" "parent" ON "parent"."id" = "child"."projectId" WHERE "parent"."orgId" <> "child"."orgId"
    UNION ALL SELECT 'model version', "child"."id"::text FROM "ModelVersion" "child" JOIN "Model" "parent" ON "parent"."id" = "child"."modelId" WHERE "parent"."orgId" <> "child"."orgId"
    UNION ALL SELECT 'run of a model', "child"."id"::text FROM "Run" "child" JOIN "Model" "parent" ON "parent"."id" = "child"."modelId" WHERE "parent"."orgId" <> "child"."orgId"
    UNION ALL SELECT 'run on a data set', "child"."id"::text FROM "Run" "child" JOIN "Dataset" "parent" ON "parent"."id" = "child"."datasetId" WHERE "parent"."orgId" <> "child"."orgId"
    UNION ALL SELECT 'run of a version', "child"."id"::text FROM "Run" "child" JOIN "ModelVersion" "parent" ON "parent"."id" = "child"."modelVersionId" WHERE "parent"."orgId" <> "child"."orgId"
    UNION ALL SELECT 'checkpoint', "child"."id"::text FROM "Checkpoint" "child" JOIN "Run" "parent" ON "parent"."id" = "child"."runId" WHERE "parent"."orgId" <> "child"."orgId"
    UNION ALL SELECT 'artifact', "child"."id"::text FROM "Artifact" "child" JOIN "Run" "parent" ON "parent"."id" = "child"."runId" WHERE "parent"."orgId" <> "child"."orgId"
    UNION ALL SELECT 'log line', "child"."id"::text FROM "RunLog" "child" JOIN "Run" "parent" ON "parent"."id" = "child"."runId" WHERE "parent"."orgId" <> "child"."orgId"
    UNION ALL SELECT 'look', "child"."runId"::text FROM "RunLook" "child" JOIN "Run" "parent" ON "parent"."id" = "child"."runId" WHERE "parent"."orgId" <> "child"."orgId"
    UNION ALL SELECT 'histogram', "child"."runId"::text FROM "RunHistogram" "child" JOIN "Run" "parent" ON "parent"."id" = "child"."runId" WHERE "parent"."orgId" <> "child"."orgId"
    UNION ALL SELECT 'metric', "child"."key" FROM "MetricChunk" "child" JOIN "Run" "parent" ON "parent"."id" = "child"."runId" WHERE "parent"."orgId" <> "child"."orgId"`;
  return rows.map(({ name, id }) => ({ invariant: "I7", subject: `${name} ${id}`, message: "belongs to another organization than its parent" }));
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
}

/** Says what is wrong, line by line, and how many lines those are. */
async function auditAloud(): Promise<boolean> {
  const config = readConfig();
  const url = config.DATABASE_URL ?? embeddedUrl(config.DATA_DIR);
  if (url === null) throw new AppError("DATABASE_AWAY", "There is no database: start Tensorloom, or set DATABASE_URL.");
  const db = openDatabase(url, { connections: 4, name: "tensorloom audit" });
  try {
    const violations = await auditInvariants(db, openStore(config));
    for (const { invariant, subject, message } of violations) console.log(`${invariant} ${subject}: ${message}`);
    console.log(`${violations.length} violations`);
    await db.$disconnect();
    return violations.length === 0;
  } catch (error) {
    if (isDatabaseAway(error)) throw new AppError("DATABASE_AWAY", "The database does not answer: start Tensorloom, or see to DATABASE_URL. Nothing was audited.");
    throw error;
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    process.exitCode = (await auditAloud()) ? 0 : 1;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    console.error(error.message);
    // Questions may still wait for the database.
    process.exit(1);
  }
}
