import { z } from "zod";
import type { Database } from "../database/client.ts";
import { notFound } from "../errors.ts";

/** Weights that a run started from: how they are called, and the run that they came out of where they came out of one. */
export const StartedFrom = z.strictObject({ name: z.string(), runId: z.uuid().nullable() });
export type StartedFrom = z.infer<typeof StartedFrom>;

/** As far back as is drawn. */
const MOST_ANCESTORS = 12;
const MOST_DESCENDANTS = 50;

const fields = {
  id: true,
  number: true,
  status: true,
  startedFrom: true,
  model: { select: { name: true } },
  dataset: { select: { name: true } },
  startCheckpoint: { select: { runId: true, step: true } },
} as const;

type Row = NonNullable<Awaited<ReturnType<typeof findRun>>>;

const findRun = (db: Database, orgId: string, id: string) => db.run.findUnique({ where: { id, orgId }, select: fields });

/**
 * Which weights a run's own came from, the first of all in front, and which runs started from its own. A run that was deleted is still
 * known by the name that its weights had; what was in front of it is not.
 * @throws AppError NOT_FOUND
 */
export async function readLineage(db: Database, orgId: string, runId: string) {
  const run = await findRun(db, orgId, runId);
  if (!run) throw notFound("run");
  const ancestors: Row[] = [];
  let origin = originOf(run);
  const seen = new Set([run.id]);
  while (origin?.runId && ancestors.length < MOST_ANCESTORS && !seen.has(origin.runId)) {
    const parent = await findRun(db, orgId, origin.runId);
    if (!parent) break;
    seen.add(parent.id);
    ancestors.unshift(parent);
    origin = originOf(parent);
  }
  const descendants = await db.run.findMany({
    where: { orgId, deletedAt: null, OR: [{ startCheckpoint: { runId, orgId } }, { startedFrom: { path: ["runId"], equals: runId } }] },
    select: fields,
    orderBy: { createdAt: "asc" },
    take: MOST_DESCENDANTS,
  });
  return {
    /** What the first of them started from, where that was no run that is still here; null where it was drawn at random. */
    weights: origin?.name ?? null,
    ancestors: ancestors.map(describe),
    run: describe(run),
    descendants: descendants.map(describe),
  };
}

function originOf({ startCheckpoint, startedFrom }: Row): StartedFrom | null {
  if (startCheckpoint) return { runId: startCheckpoint.runId, name: `Step ${startCheckpoint.step}` };
  return StartedFrom.nullable().parse(startedFrom);
}

function describe({ id, number, status, model, dataset }: Row) {
  return { id, number, status, model: model.name, dataset: dataset.name };
}
