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

/** Curves of some runs as the store keeps them: falling and noisy, as many points of each key as asked for. Written past the fence, for no lease holds these runs. */
export async function seedCurves(db: Database, orgId: string, runIds: readonly string[], { keys, steps: count }: { keys: readonly string[]; steps: number }): Promise<void> {
  const steps = Int32Array.from({ length: count }, (_, at) => at + 1);
  for (const [nth, runId] of runIds.entries()) {
    for (const key of keys) {
      const level0 = {
        steps,
        values: Float64Array.from(
          steps,
          (step) =>
            (key === "validation/accuracy" ? 1 - 0.5 / Math.sqrt(1 + step / (20 + nth)) : 2.3 / Math.sqrt(1 + step / (20 + nth))) + 0.05 * Math.sin(step * (nth + 1.7) * 12.9898),
        ),
      };
      const rows: { level: number; index: number; entries: Entries }[] = [];
      for (let level = 0, entries: Entries = level0; level <= TOP_LEVEL && entries.steps.length > 0; entries = foldEntries(level, entries), level++) {
        const wide = width(level);
        for (let index = 0; index * CHUNK * wide < entries.steps.length; index++) {
          const cut = [index * CHUNK * wide, (index + 1) * CHUNK * wide] as const;
          rows.push({ level, index, entries: { steps: entries.steps.subarray(...cut), values: entries.values.subarray(...cut) } });
        }
      }
      const packed = rows.map(({ entries }) => packEntries(entries));
      await db.$executeRaw`
        INSERT INTO "MetricChunk" ("orgId", "runId", "key", "level", "index", "leaseToken", "firstStep", "lastStep", "count", "steps", "values")
        SELECT ${orgId}::uuid, ${runId}::uuid, ${key}, * FROM unnest(${rows.map(({ level }) => level)}::int[], ${rows.map(({ index }) => index)}::int[], ${rows.map(() => 0)}::int[],
          ${rows.map(({ entries }) => entries.steps[0] ?? 0)}::int[], ${rows.map(({ level, entries }) => entries.steps.at(level === 0 ? -1 : -3) ?? 0)}::int[],
          ${rows.map(({ level, entries }) => entries.steps.length / width(level))}::int[], ${packed.map(({ steps }) => Buffer.from(steps))}::bytea[], ${packed.map(({ values }) => Buffer.from(values))}::bytea[])`;
    }
  }
}
