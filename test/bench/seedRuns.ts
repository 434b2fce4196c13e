import { randomUUID } from "node:crypto";
import { Client } from "pg";
import { checkGraph } from "../../core/graph/check.ts";
import { findTemplate } from "../../core/templates/index.ts";
import { defaultSettings } from "../../core/training/recipes.ts";
import { Prisma } from "../../prisma/generated/client.ts";
import type { Database } from "../../server/database/client.ts";
import { CHUNK, type Entries, foldEntries, packEntries, TOP_LEVEL, width } from "../../server/metrics/pyramid.ts";

const PIECE = 10_000;

/** Whom the seeded runs belong to. */
export type Seeded = { orgId: string; modelIds: string[] };

/**
 * Ended runs of some models of an organization, as many as asked for, with the settings, summaries and figures that a training leaves. Written past the
 * triggers, which take a run at a time; what they would have written is written with the same functions.
 */
export async function seedRuns(db: Database, { url, orgId, userId, count }: { url: string; orgId: string; userId: string; count: number }): Promise<Seeded> {
  const graph = findTemplate("lenet5")?.graph;
  if (!graph || checkGraph(graph).problems.some(({ severity }) => severity === "error")) throw new Error("The template is not there.");
  const dataset = await db.dataset.findFirstOrThrow({ where: { orgId } });
  const project = await db.project.create({ data: { orgId, name: "Seeded" } });
  const modelIds: string[] = [];
  const versionIds: string[] = [];
  for (let i = 0; i < 8; i++) {
    const model = await db.model.create({ data: { orgId, projectId: project.id, name: `Digits ${String.fromCharCode(65 + i)}`, graph }, select: { id: true } });
    const version = await db.modelVersion.create({ data: { orgId, modelId: model.id, number: 1, graph, graphHash: randomUUID() }, select: { id: true } });
    modelIds.push(model.id);
    versionIds.push(version.id);
  }
  const settings = JSON.stringify({ ...defaultSettings("image-classification", 60_000), epochs: 10, datasetId: dataset.id });
  // On a connection of its own: what the server's may take is not enough for this.
  const client = new Client({ connectionString: url });
  await client.connect();
  const run = (query: Prisma.Sql) => client.query({ text: query.text, values: [...query.values] });
  try {
    await client.query("SET session_replication_role = replica");
    for (let from = 1; from <= count; from += PIECE) {
      const to = Math.min(count, from + PIECE - 1);
      const here = Prisma.sql`r."orgId" = ${orgId}::uuid AND r."createdAt" BETWEEN to_timestamp(${1_750_000_000 + from * 60}) AND to_timestamp(${1_750_000_000 + to * 60})`;
      await run(Prisma.sql`SELECT setseed(${1 / from})`);
      await run(Prisma.sql`
        INSERT INTO "Run" ("id", "orgId", "modelId", "modelVersionId", "datasetId", "number", "status", "settings", "spec", "step", "epoch", "totalSteps", "elapsedMs", "stepsPerSecond",
          "summary", "tags", "createdBy", "createdAt", "startedAt", "endedAt", "failure", "figuresAt", "revision")
        SELECT (lpad(to_hex(1750000000000 + "n" * 60000::bigint), 12, '0') || '7' || substr(md5("n"::text), 1, 3) || '8' || substr(md5("n"::text), 4, 15))::uuid, ${orgId}::uuid,
          (${modelIds}::uuid[])[1 + "n" % 8], (${versionIds}::uuid[])[1 + "n" % 8], ${dataset.id}::uuid, 1 + "n" / 8, "status"::"RunStatus",
          ${settings}::jsonb || jsonb_build_object('lr', "lr", 'batchSize', (ARRAY[32, 64, 128, 256])[1 + ("n" * 7) % 4], 'optimizer', (ARRAY['AdamW', 'SGD', 'Adam', 'Lion'])[1 + ("n" * 5) % 4], 'seed', "n" % 10),
          '{}'::jsonb, 4690, 10, 4690, 20000 + 40000 * "noise", 120,
          CASE WHEN "n" % 50 = 0 THEN '{}'::jsonb ELSE jsonb_build_object(
            'train/loss', jsonb_build_object('last', "loss" * 0.8, 'best', "loss" * 0.6, 'bestStep', 4600, 'min', "loss" * 0.6, 'max', 2.4),
            'validation/loss', jsonb_build_object('last', "loss" * 1.05, 'best', "loss", 'bestStep', 4221, 'min', "loss", 'max', 1.1),
            'validation/accuracy', jsonb_build_object('last', "accuracy" - 0.002, 'best', "accuracy", 'bestStep', 4221, 'min', 0.8, 'max', "accuracy"),
            'lr', jsonb_build_object('last', "lr" / 100, 'best', NULL, 'bestStep', NULL, 'min', 0, 'max', "lr")) END,
          CASE WHEN "n" % 20 = 0 THEN ARRAY['baseline'] WHEN "n" % 33 = 0 THEN ARRAY['good', 'paper'] ELSE '{}' END,
          ${userId}::uuid, to_timestamp(1750000000 + "n" * 60), to_timestamp(1750000001 + "n" * 60), to_timestamp(1750000031 + "n" * 60),
          CASE WHEN "status" = 'failed' THEN jsonb_build_object('code', 'RUN_NONFINITE', 'message', 'The loss is not a number since step 212: a lower learning rate helps most often.', 'step', 212) END, now(), 1
        FROM (
          SELECT "n", "noise", "lr", 0.03 + 0.4 * abs(log("lr") + 2.5) * "noise" + 0.02 * "noise" AS "loss", 0.993 - 0.05 * abs(log("lr") + 2.5) * "noise" AS "accuracy",
            CASE WHEN "n" % 50 = 0 THEN 'failed' WHEN "n" % 41 = 0 THEN 'cancelled' ELSE 'finished' END AS "status"
          FROM (SELECT "n", random() AS "noise", power(10, -4 + 3 * random())::double precision AS "lr" FROM generate_series(${from}::int, ${to}::int) AS "n") AS "drawn"
        ) AS "each"`);
      await run(
        Prisma.sql`INSERT INTO "RunFact" ("orgId", "runId", "key", "number", "text") SELECT r."orgId", r."id", f.* FROM "Run" r CROSS JOIN LATERAL run_settings(r."settings") f WHERE ${here} ON CONFLICT DO NOTHING`,
      );
      await run(Prisma.sql`
        INSERT INTO "RunFact" ("orgId", "runId", "key", "number") SELECT "orgId", "id", 'run.elapsedMs', "elapsedMs" FROM "Run" r WHERE ${here}
        UNION ALL SELECT "orgId", "id", 'run.epoch', "epoch" FROM "Run" r WHERE ${here} UNION ALL SELECT "orgId", "id", 'run.step', "step" FROM "Run" r WHERE ${here} ON CONFLICT DO NOTHING`);
      await run(Prisma.sql`
        INSERT INTO "RunFigure" ("orgId", "runId", "key", "last", "best", "min", "max")
        SELECT r."orgId", r."id", s."key", (s."value" ->> 'last')::float8, (s."value" ->> 'best')::float8, (s."value" ->> 'min')::float8, (s."value" ->> 'max')::float8
        FROM "Run" r CROSS JOIN LATERAL jsonb_each(r."summary") s WHERE ${here} ON CONFLICT DO NOTHING`);
    }
    for (const table of ["Run", "RunFact", "RunFigure"]) await client.query(`VACUUM ANALYZE "${table}"`);
  } finally {
    await client.end();
  }
  return { orgId, modelIds };
}

/** Metrics of a run in the comparison, in the order of its charts. */
export const CURVE_KEYS = [
  "validation/loss",
  "train/loss",
  "validation/accuracy",
  "validation/f1",
  "validation/precision",
  "validation/recall",
  "train/accuracy",
  "grad_norm",
  "lr",
  "samples_per_second",
] as const;

/** What a metric is at a step: falling or rising, and noisy, of each run in its own way. */
export const valueAt = (key: string, nth: number, step: number): number => {
  const fallen = 1 / Math.sqrt(1 + step / (20 + nth));
  const noise = Math.sin(step * (nth + 1.7) * 12.9898);
  return key.endsWith("loss") || key === "grad_norm" || key === "lr" ? 2.3 * fallen + 0.05 * noise + 0.06 : 1 - 0.5 * fallen + 0.02 * noise;
};

/**
 * Curves of some runs as the store keeps them, each with as many points of each of `CURVE_KEYS` as asked for, and summaries that name them. Written past the
 * fence, for no lease holds these runs, and over connections of their own: what the server's may take is not enough for this.
 */
export async function seedCurves(url: string, orgId: string, runIds: readonly string[], steps: number): Promise<void> {
  const clients = await Promise.all(
    [0, 1].map(async () => {
      const client = new Client({ connectionString: url });
      await client.connect();
      // What is measured is reading: that a seed survives a power cut is not asked.
      await client.query("SET synchronous_commit = off");
      return client;
    }),
  );
  try {
    // One draws while the other writes.
    await Promise.all(
      clients.map(async (client, half) => {
        for (let nth = half; nth < runIds.length; nth += clients.length) for (const key of CURVE_KEYS) await writeCurve(client, orgId, runIds[nth] ?? "", key, nth, steps);
      }),
    );
    await clients[0]?.query({
      text: `UPDATE "Run" SET "step" = $1, "totalSteps" = $1, "summary" = (SELECT jsonb_object_agg("key", jsonb_build_object('last', 0.9, 'best', 0.91, 'bestStep', $1::int, 'min', 0.1, 'max', 2.4)) FROM unnest($2::text[]) AS "of"("key"))
        WHERE "orgId" = $3::uuid AND "id" = ANY ($4::uuid[])`,
      values: [steps, CURVE_KEYS, orgId, runIds],
    });
    await clients[0]?.query('VACUUM ANALYZE "MetricChunk"');
  } finally {
    await Promise.all(clients.map((client) => client.end()));
  }
}

/** All levels of one curve in one statement. Their bytes go as two long strings that the database cuts: an array of bytes would go as text. */
async function writeCurve(client: Client, orgId: string, runId: string, key: string, nth: number, count: number): Promise<void> {
  const level0: Entries = { steps: new Int32Array(count), values: new Float64Array(count) };
  for (let at = 0; at < count; at++) {
    level0.steps[at] = at + 1;
    level0.values[at] = valueAt(key, nth, at + 1);
  }
  const rows: { level: number; index: number; from: number; first: number; last: number; count: number }[] = [];
  const parts: { steps: Uint8Array; values: Uint8Array }[] = [];
  let from = 0;
  for (let level = 0, entries = level0; level <= TOP_LEVEL && entries.steps.length > 0; entries = foldEntries(level, entries), level++) {
    const wide = width(level);
    parts.push(packEntries(entries));
    for (let at = 0; at < entries.steps.length; at += CHUNK * wide) {
      const end = Math.min(entries.steps.length, at + CHUNK * wide);
      rows.push({
        level,
        index: at / (CHUNK * wide),
        from: from + at,
        first: entries.steps[at] ?? 0,
        last: entries.steps[level === 0 ? end - 1 : end - 3] ?? 0,
        count: (end - at) / wide,
      });
    }
    from += entries.steps.length;
  }
  const column = (pick: (row: (typeof rows)[number]) => number) => rows.map(pick);
  await client.query({
    name: "curve",
    text: `INSERT INTO "MetricChunk" ("orgId", "runId", "key", "level", "index", "leaseToken", "firstStep", "lastStep", "count", "steps", "values")
      SELECT $1::uuid, $2::uuid, $3, "level", "index", 0, "first", "last", "count",
        substring($4::bytea FROM "from" * 4 + 1 FOR "count" * "wide" * 4), substring($5::bytea FROM "from" * 8 + 1 FOR "count" * "wide" * 8)
      FROM unnest($6::int[], $7::int[], $8::int[], $9::int[], $10::int[], $11::int[]) AS "row"("level", "index", "from", "first", "last", "count"),
        LATERAL (SELECT CASE WHEN "level" = 0 THEN 1 ELSE 4 END AS "wide") AS "of"`,
    values: [
      orgId,
      runId,
      key,
      Buffer.concat(parts.map((part) => part.steps)),
      Buffer.concat(parts.map((part) => part.values)),
      column((row) => row.level),
      column((row) => row.index),
      column((row) => row.from),
      column((row) => row.first),
      column((row) => row.last),
      column((row) => row.count),
    ],
  });
}
