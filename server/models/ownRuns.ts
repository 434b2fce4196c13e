import { z } from "zod";
import { Manifest } from "../../core/data/manifest.ts";
import { say } from "../../core/language/say.ts";
import { OWN_DEPTHS, type OwnRun, planOwnRun } from "../../core/pretrained/ownRun.ts";
import { dataFor, taskNamed } from "../../core/tasks/index.ts";
import { Summary } from "../../core/training/evaluation.ts";
import { StoredRunSettings } from "../../core/training/settings.ts";
import type { Prisma } from "../../prisma/generated/client.ts";
import type { Config } from "../config.ts";
import type { Database } from "../database/client.ts";
import { AppError, notFound } from "../errors.ts";
import { Id } from "../input.ts";
import { takeCheckpoint } from "../runs/openCheckpoint.ts";
import { requireManifest, startRun } from "../runs/start.ts";
import type { FileStore } from "../storage/files.ts";
import { keptGraph } from "./graph.ts";
import { placeModel } from "./place.ts";

/** How many of an organization's newest runs are looked at, and how many are offered. */
const LOOKED_AT = 60;
const OFFERED = 12;

export const StartFromRun = z.strictObject({ datasetId: Id, runId: Id, depth: z.enum(OWN_DEPTHS), idempotencyKey: z.string().min(8).max(100) });

const fields = {
  id: true,
  number: true,
  settings: true,
  summary: true,
  modelId: true,
  model: { select: { name: true, projectId: true } },
  modelVersion: { select: { graph: true } },
  dataset: { select: { name: true, manifest: true } },
  checkpoints: { orderBy: [{ isBest: "desc" }, { step: "desc" }], take: 1, select: { id: true } },
} satisfies Prisma.RunSelect;

/** The runs of one's own that can go on on a data set, the newest first, with what of them would be kept. */
export async function listOwnRuns({ db, orgId }: { db: Database; orgId: string }, datasetId: string) {
  const row = await db.dataset.findUnique({ where: { id: datasetId, orgId }, select: { manifest: true } });
  if (!row) throw notFound("data set");
  const manifest = Manifest.nullable().parse(row.manifest);
  if (!manifest) return [];
  const runs = await db.run.findMany({
    where: { orgId, deletedAt: null, status: { in: ["finished", "cancelled"] }, checkpoints: { some: {} } },
    orderBy: { createdAt: "desc" },
    take: LOOKED_AT,
    select: fields,
  });
  const offered = runs.flatMap((run) => {
    const own = ownRunOf(run);
    const plan = own && planOwnRun(own, manifest, "all");
    if (!own || !plan || plan.why !== null) return [];
    const { judgedBy } = taskNamed(own.data.task);
    const best = judgedBy === null ? undefined : Summary.parse(run.summary)[`validation/${judgedBy}`]?.best;
    return [
      {
        runId: run.id,
        number: run.number,
        model: run.model.name,
        dataset: run.dataset.name,
        judged: judgedBy !== null && typeof best === "number" ? { metric: judgedBy, value: best } : null,
        isNewHead: plan.isNewHead,
        epochs: plan.settings.epochs,
      },
    ];
  });
  return offered.slice(0, OFFERED);
}

/**
 * Makes a model of a run's network, with the weights of its best checkpoint and a new last layer where the classes are others, and starts its training. The same key gives the same run.
 * @throws AppError NOT_FOUND, NO_CHECKPOINT, CHECKPOINT_CHECKSUM, CONFIG_RANGE where the run's network does not fit the data, and as `startRun`
 */
export async function startFromRun(
  { db, files, config, orgId, userId }: { db: Database; files: FileStore; config: Config; orgId: string; userId: string },
  { datasetId, runId, depth, idempotencyKey }: z.infer<typeof StartFromRun>,
): Promise<{ modelId: string; runId: string }> {
  const earlier = await db.run.findUnique({ where: { orgId_idempotencyKey: { orgId, idempotencyKey } }, select: { id: true, modelId: true } });
  if (earlier) return { modelId: earlier.modelId, runId: earlier.id };
  const source = await db.run.findUnique({ where: { id: runId, orgId }, select: fields });
  if (!source) throw notFound("run");
  const manifest = await requireManifest(db, orgId, { datasetId, task: undefined });
  const [checkpoint] = source.checkpoints;
  const own = ownRunOf(source);
  if (!checkpoint || !own) throw new AppError("NO_CHECKPOINT", say("This run has kept no weights to start from."));
  const plan = planOwnRun(own, manifest, depth);
  if (plan.why !== null) throw new AppError("CONFIG_RANGE", plan.why, { details: { field: "runId" } });
  const { startWeights } = await takeCheckpoint({ db, files, orgId }, { runId, checkpointId: checkpoint.id });
  const settings = { ...plan.settings, datasetId };
  const { name } = await db.dataset.findUniqueOrThrow({ where: { id: datasetId, orgId }, select: { name: true } });
  try {
    const modelId = await placeModel(db, orgId, {
      projectId: source.model.projectId,
      name: `${name} from run ${source.number} of ${source.model.name}`.slice(0, 120),
      graph: plan.graph,
      startWeights,
      datasetId,
      settings,
    });
    return { modelId, runId: (await startRun(db, config, { orgId, userId }, { modelId, settings, idempotencyKey })).runId };
  } catch (error) {
    await files.remove(startWeights.storageKey).catch(() => {});
    throw error;
  }
}

function ownRunOf({ settings, modelVersion, dataset }: { settings: unknown; modelVersion: { graph: unknown }; dataset: { manifest: unknown } }): OwnRun | null {
  const read = StoredRunSettings.safeParse(settings);
  const manifest = Manifest.nullable().parse(dataset.manifest);
  const data = read.success && manifest ? dataFor(manifest, read.data.task) : null;
  return read.success && data ? { graph: keptGraph(modelVersion.graph), settings: read.data, data } : null;
}
