import { z } from "zod";
import { findArchitecture } from "../../core/architectures/index.ts";
import { Manifest } from "../../core/data/manifest.ts";
import { emptyGraph } from "../../core/graph/document.ts";
import { say } from "../../core/language/say.ts";
import { taskNamed } from "../../core/tasks/index.ts";
import { endsOnly } from "../../core/tasks/starters.ts";
import { findTemplate, type Template } from "../../core/templates/index.ts";
import { defaultSettings } from "../../core/training/recipes.ts";
import { RunSettings, StoredRunSettings } from "../../core/training/settings.ts";
import type { Prisma } from "../../prisma/generated/client.ts";
import { org, router } from "../auth/procedure.ts";
import { isSessionAlive, type Session } from "../auth/session.ts";
import type { Database } from "../database/client.ts";
import { AppError, notFound } from "../errors.ts";
import { GraphInput, Id, Name } from "../input.ts";
import { keptGraph } from "../models/graph.ts";
import { ImportOnnx, ImportPyTorch, ImportWeights, importModelWeights, importOnnxModel, importPyTorchModel } from "../models/import.ts";
import { PointAt, PushEdits, WatchModel } from "../models/live.ts";
import { findProject } from "../models/place.ts";
import { describeStartWeights, setStartWeights } from "../models/startWeights.ts";
import { forgetVersion, listVersions, NameVersion, nameVersion, readVersion, VersionRef } from "../models/versions.ts";

const CreateModel = z.strictObject({
  projectId: Id.optional(),
  name: Name.optional(),
  templateId: z.string().max(64).optional(),
  architecture: z.strictObject({ id: z.string().max(64), classes: z.int().min(1).max(1_000_000).optional(), channels: z.int().min(1).max(1024).optional() }).optional(),
  datasetId: Id.optional(),
});
const SaveGraph = z.strictObject({ modelId: Id, revision: z.int().min(1), graph: GraphInput });

export const models = router({
  create: org("member")
    .input(CreateModel)
    .mutation(({ ctx, input }) => createModel(ctx.db, ctx.orgId, input)),

  get: org("viewer")
    .input(z.strictObject({ modelId: Id }))
    .query(({ ctx, input }) => getModel(ctx.db, ctx.orgId, input.modelId)),

  /** The model without its graph: pages that draw it read the document. */
  record: org("viewer")
    .input(z.strictObject({ modelId: Id }))
    .query(({ ctx, input }) => getRecord(ctx.db, ctx.orgId, input.modelId)),

  save: org("member")
    .input(SaveGraph)
    .mutation(({ ctx, input }) => saveGraph(ctx.db, ctx.who, input)),

  /** The model as a document that several people edit, from its present state on. */
  watch: org("viewer")
    .input(WatchModel)
    .subscription(({ ctx: { system, orgId, live, who }, input: { modelId, clientId }, signal = new AbortController().signal }) =>
      live.watch(orgId, { modelId, clientId, name: who.user.name }, signal, () => isSessionAlive(system, who)),
    ),

  /** Brings an edit into the document. The same one twice is one. */
  push: org("member")
    .input(PushEdits)
    .mutation(({ ctx, input }) => ctx.live.push(ctx.orgId, input)),

  /** Where somebody who watches is pointing, and what they have selected. */
  point: org("viewer")
    .input(PointAt)
    .mutation(async ({ ctx: { db, orgId, live }, input }) => {
      if ((await db.model.count({ where: { id: input.modelId, orgId, deletedAt: null } })) === 0) throw notFound("model");
      live.point(orgId, input);
    }),

  versions: org("viewer")
    .input(z.strictObject({ modelId: Id }))
    .query(({ ctx, input }) => listVersions(ctx.db, ctx.orgId, input.modelId)),

  version: org("viewer")
    .input(z.strictObject({ modelId: Id, versionId: Id }))
    .query(({ ctx, input }) => readVersion(ctx.db, ctx.orgId, input)),

  /** Keeps the graph as it is now under a name. */
  nameVersion: org("member")
    .input(NameVersion)
    .mutation(({ ctx, input }) => nameVersion(ctx.db, ctx.orgId, ctx.who.user.name, input)),

  forgetVersion: org("member")
    .input(VersionRef)
    .mutation(({ ctx, input }) => forgetVersion(ctx.db, ctx.orgId, input)),

  /** The Train panel as it was left; the data set it names becomes the model's. */
  saveSettings: org("member")
    .input(z.strictObject({ modelId: Id, settings: RunSettings }))
    .mutation(async ({ ctx: { db, orgId }, input: { modelId, settings } }) => {
      const datasetId = await requireDataset(db, orgId, settings.datasetId);
      await changeModel(db, orgId, modelId, { settings, datasetId });
    }),

  rename: org("member")
    .input(z.strictObject({ modelId: Id, name: Name }))
    .mutation(({ ctx, input }) => changeModel(ctx.db, ctx.orgId, input.modelId, { name: input.name })),

  duplicate: org("member")
    .input(z.strictObject({ modelId: Id }))
    .mutation(({ ctx, input }) => duplicateModel(ctx.db, ctx.orgId, input.modelId)),

  /** A new model from an uploaded ONNX file; where it cannot be read, everything that stands in the way. */
  importOnnx: org("member")
    .input(ImportOnnx)
    .mutation(({ ctx, input }) => importOnnxModel(ctx, input)),

  /** A new model, or a graph for the canvas, from pasted PyTorch code; where it cannot be read, the lines that stand in the way. */
  importPyTorch: org("member")
    .input(ImportPyTorch)
    .mutation(({ ctx, input }) => importPyTorchModel(ctx, input)),

  /** Weights from an uploaded safetensors or .npz file, for the model's next runs to start from. */
  importWeights: org("member")
    .input(ImportWeights)
    .mutation(({ ctx, input }) => importModelWeights(ctx, input)),

  /** The model's next runs draw their first weights again. */
  clearStartWeights: org("member")
    .input(z.strictObject({ modelId: Id }))
    .mutation(async ({ ctx: { db, files, orgId }, input: { modelId } }) => {
      if (!(await setStartWeights(db, files, { orgId, modelId }, null))) throw notFound("model");
    }),

  delete: org("member")
    .input(z.strictObject({ modelId: Id }))
    .mutation(({ ctx, input }) => deleteModel(ctx.db, ctx.orgId, input.modelId)),
});

async function createModel(db: Database, orgId: string, input: z.infer<typeof CreateModel>): Promise<{ id: string }> {
  const template = input.templateId === undefined ? undefined : findTemplate(input.templateId);
  if (input.templateId !== undefined && !template) throw notFound("template");
  const architecture = input.architecture && findArchitecture(input.architecture.id);
  if (input.architecture && !architecture) throw notFound("architecture");
  // Built outside the transaction: it takes a moment and needs nothing of it.
  const built = architecture?.build(input.architecture);
  return db.$transaction(async (tx) => {
    const dataset = input.datasetId
      ? await tx.dataset.findUnique({ where: { id: input.datasetId, orgId }, select: { id: true, manifest: true } })
      : // No built-in data set has images of the size that a published network takes.
        built
        ? null
        : await tx.dataset.findUnique({
            where: { orgId_builtin: { orgId, builtin: template?.datasetBuiltin ?? "mnist" } },
            select: { id: true, manifest: true },
          });
    if (!dataset && input.datasetId) throw notFound("data set");
    const projectId = await findProject(tx, orgId, input.projectId);
    const manifest = Manifest.nullable().parse(dataset?.manifest ?? null);
    // Who names a data set wants a model for it; who names nothing wants to draw.
    const drawn = manifest === null ? emptyGraph : input.datasetId ? taskNamed(manifest.task).starter(manifest) : endsOnly(manifest);
    const graph = built ?? template?.graph ?? drawn;
    const name = input.name ?? architecture?.title ?? template?.title ?? "Untitled model";
    const settings = template && dataset ? settingsOf(template, dataset.id, manifest) : undefined;
    return tx.model.create({ data: { orgId, projectId, name, graph, datasetId: dataset?.id ?? null, ...(settings ? { settings } : {}) }, select: { id: true } });
  });
}

/** What a template trains with where that is not what its task's recipe says; undefined where it is. */
function settingsOf({ task, settings }: Template, datasetId: string, manifest: Manifest | null): RunSettings | undefined {
  if (!settings) return undefined;
  // Recipes ask no more of a number of rows than whether it is small.
  const rows = manifest?.splits.train.rows ?? 10_000;
  return { ...defaultSettings(task, rows), datasetId, ...settings };
}

async function requireDataset(db: Database, orgId: string, datasetId: string): Promise<string> {
  const found = Id.safeParse(datasetId).success && (await db.dataset.findUnique({ where: { id: datasetId, orgId }, select: { id: true } }));
  if (!found) throw notFound("data set");
  return found.id;
}

async function getModel(db: Database, orgId: string, id: string) {
  const row = await db.model.findUnique({ where: { id, orgId, deletedAt: null }, select: { ...RECORD, graph: true } });
  if (!row) throw notFound("model");
  return { ...recordOf(row), graph: keptGraph(row.graph) };
}

async function getRecord(db: Database, orgId: string, id: string) {
  const row = await db.model.findUnique({ where: { id, orgId, deletedAt: null }, select: RECORD });
  if (!row) throw notFound("model");
  return recordOf(row);
}

const RECORD = {
  id: true,
  name: true,
  revision: true,
  settings: true,
  startWeights: true,
  datasetId: true,
  updatedAt: true,
  project: { select: { id: true, name: true } },
} as const;

function recordOf(row: Prisma.ModelGetPayload<{ select: typeof RECORD }>) {
  return {
    ...row,
    // Settings of an older release that no longer read are as good as none: the panel offers its defaults.
    settings: StoredRunSettings.nullable().catch(null).parse(row.settings),
    startWeights: describeStartWeights(row.startWeights),
    updatedAt: row.updatedAt.toISOString(),
  };
}

/** Takes the place of the revision that the editor began with, and only of that one. */
async function saveGraph(db: Database, who: Session, { modelId, revision, graph }: z.infer<typeof SaveGraph>): Promise<{ revision: number }> {
  const orgId = who.org.id;
  const { count } = await db.model.updateMany({
    where: { id: modelId, orgId, deletedAt: null, revision },
    data: { graph, revision: { increment: 1 } },
  });
  if (count === 1) return { revision: revision + 1 };
  const now = await db.model.findUnique({ where: { id: modelId, orgId, deletedAt: null }, select: { revision: true, updatedAt: true } });
  if (!now) throw notFound("model");
  // Whoever edits on the canvas saves as they go and is in no trail; a graph that was saved in one piece has its author there.
  const saved = await db.trailEvent.findFirst({
    where: { orgId, subjectId: modelId, action: "models.save", at: { gte: new Date(now.updatedAt.getTime() - 5_000) } },
    orderBy: { id: "desc" },
    select: { userName: true },
  });
  throw new AppError(
    "GRAPH_CONFLICT",
    saved
      ? say("{name} saved this graph since you opened it: reload to go on from there. Your changes here are kept until you do.", { name: saved.userName })
      : say("This graph was changed in another tab since you opened it: reload to go on from there. Your changes here are kept until you do."),
    { details: { revision: now.revision, yours: revision, updatedAt: now.updatedAt.toISOString(), savedBy: saved?.userName ?? null, you: who.user.name } },
  );
}

async function changeModel(db: Database, orgId: string, id: string, data: { name?: string; settings?: RunSettings; datasetId?: string }): Promise<void> {
  const { count } = await db.model.updateMany({ where: { id, orgId, deletedAt: null }, data });
  if (count === 0) throw notFound("model");
}

async function duplicateModel(db: Database, orgId: string, modelId: string): Promise<{ id: string }> {
  const row = await db.model.findUnique({
    where: { id: modelId, orgId, deletedAt: null },
    select: { projectId: true, name: true, graph: true, settings: true, startWeights: true, datasetId: true },
  });
  if (!row) throw notFound("model");
  const { settings, startWeights, graph, ...rest } = row;
  return db.model.create({
    data: {
      orgId,
      ...rest,
      name: `${row.name.slice(0, 110)} (copy)`,
      graph: keptGraph(graph),
      ...(settings === null ? {} : { settings }),
      ...(startWeights === null ? {} : { startWeights }),
    },
    select: { id: true },
  });
}

async function deleteModel(db: Database, orgId: string, modelId: string): Promise<void> {
  const active = await db.run.count({ where: { orgId, modelId, status: { in: ["queued", "running", "paused"] } } });
  if (active > 0) throw new AppError("RUN_ACTIVE", say("{active} of this model's runs have not ended: cancel them first.", { active }));
  const { count } = await db.model.updateMany({ where: { id: modelId, orgId, deletedAt: null }, data: { deletedAt: new Date() } });
  if (count === 0) throw notFound("model");
}
