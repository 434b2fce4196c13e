import { z } from "zod";
import { Manifest } from "../../core/data/manifest.ts";
import { type Remark, readFacts } from "../../core/runs/reading.ts";
import { tasks } from "../../core/tasks/index.ts";
import type { Database } from "../database/client.ts";
import { notFound } from "../errors.ts";
import { Id } from "../input.ts";
import { keptGraph } from "../models/graph.ts";
import { type RunLine, readLines } from "./list.ts";

/** As many runs are compared at once. */
const MOST_COMPARED = 200;
export const RunIds = z.array(Id).min(1).max(MOST_COMPARED);

/** A run beside others: its line, which graph it froze, and how it went in words. */
type ComparedRun = RunLine & { modelVersion: number; graphHash: string; remarks: Remark[] };

const LEADS = [...tasks.map(({ knownBy }) => knownBy), ...tasks.map(({ judgedBy }) => judgedBy)].flatMap((name) => (name ? [`validation/${name}`] : []));
const Confusion = z.array(z.array(z.number())).nullable().catch(null);

/** Runs side by side, in the order asked for. @throws AppError NOT_FOUND where one is not there */
export async function compareRuns(db: Database, orgId: string, runIds: readonly string[]): Promise<ComparedRun[]> {
  const ids = [...new Set(runIds)];
  const lines = await readLines(db, orgId, ids);
  if (lines.length !== ids.length) throw notFound("run");
  // Of an evaluation only the counts: its samples would be megabytes.
  const rows = await db.$queryRaw<{ id: string; modelVersion: number; graphHash: string; confusion: unknown; datasetId: string }[]>`
    SELECT r."id", v."number" AS "modelVersion", v."graphHash", r."evaluation" -> 'confusion' AS "confusion", r."datasetId"
    FROM "Run" r JOIN "ModelVersion" v ON v."orgId" = r."orgId" AND v."id" = r."modelVersionId" WHERE r."orgId" = ${orgId}::uuid AND r."id" = ANY (${ids}::uuid[])`;
  const datasets = await db.dataset.findMany({ where: { orgId, id: { in: [...new Set(rows.map(({ datasetId }) => datasetId))] } }, select: { id: true, manifest: true } });
  const classes = new Map(datasets.map(({ id, manifest }) => [id, Manifest.nullable().safeParse(manifest).data?.classes ?? []]));
  const more = new Map(rows.map((row) => [row.id, row]));
  return lines.map((line) => {
    const row = more.get(line.id);
    const lr = line.settings["settings.lr"];
    const mainMetric = LEADS.find((key) => key in line.summary) ?? null;
    return {
      ...line,
      modelVersion: row?.modelVersion ?? 0,
      graphHash: row?.graphHash ?? "",
      remarks: readFacts({
        status: line.status,
        summary: line.summary,
        mainMetric,
        epochs: line.epochs,
        epoch: line.epoch,
        stepsPerEpoch: line.epochs > 0 ? line.totalSteps / line.epochs : 0,
        lr: typeof lr === "number" ? lr : null,
        failure: line.failure,
        confusion: Confusion.parse(row?.confusion ?? null),
        classes: classes.get(row?.datasetId ?? "") ?? [],
      }),
    };
  });
}

/** The graph that a run froze. */
export async function frozenGraph(db: Database, orgId: string, id: string) {
  const row = await db.run.findUnique({ where: { id, orgId }, select: { modelVersion: { select: { graph: true } } } });
  if (!row) throw notFound("run");
  return keptGraph(row.modelVersion.graph);
}
