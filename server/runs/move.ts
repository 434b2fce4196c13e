import { Prisma } from "../../prisma/generated/client.ts";
import type { Database, Tx } from "../database/client.ts";
import { notFound } from "../errors.ts";
import { lockQueue } from "./start.ts";

/**
 * Brings ended runs to another project. A run belongs to a model: there it goes to the model of the same name, or to a copy of its own that is made, with the
 * version that it froze, and gets the next number. Runs that are in that project already stay as they are.
 * @returns how many were moved
 * @throws AppError NOT_FOUND where there is no such project
 */
export async function moveRuns(db: Database, orgId: string, ids: readonly string[], projectId: string): Promise<number> {
  return db.$transaction(async (tx) => {
    await lockQueue(tx, orgId);
    if ((await tx.project.count({ where: { id: projectId, orgId, deletedAt: null } })) === 0) throw notFound("project");
    const runs = await tx.run.findMany({
      where: { orgId, id: { in: [...ids] }, locked: false, status: { in: ["finished", "cancelled", "failed"] }, model: { projectId: { not: projectId } } },
      orderBy: [{ createdAt: "asc" }, { id: "asc" }],
      select: { id: true, modelId: true, modelVersionId: true },
    });
    const places = new Map<string, string>();
    for (const versionId of new Set(runs.map((run) => run.modelVersionId))) {
      const own = runs.filter((run) => run.modelVersionId === versionId);
      const from = own[0]?.modelId ?? "";
      const modelId = places.get(from) ?? (await modelThere(tx, orgId, from, versionId, projectId));
      places.set(from, modelId);
      const version = await versionThere(tx, orgId, versionId, modelId);
      await tx.$executeRaw`
        UPDATE "Run" r SET "modelId" = ${modelId}::uuid, "modelVersionId" = ${version}::uuid,
          "number" = "nth" + (SELECT coalesce(max("number"), 0) FROM "Run" WHERE "orgId" = ${orgId}::uuid AND "modelId" = ${modelId}::uuid)
        FROM unnest(${own.map(({ id }) => id)}::uuid[]) WITH ORDINALITY AS "moved"("id", "nth") WHERE r."orgId" = ${orgId}::uuid AND r."id" = "moved"."id"`;
    }
    return runs.length;
  });
}

async function modelThere(tx: Tx, orgId: string, modelId: string, versionId: string, projectId: string): Promise<string> {
  const model = await tx.model.findUniqueOrThrow({ where: { id: modelId, orgId }, select: { name: true, settings: true, datasetId: true } });
  const known = await tx.model.findFirst({ where: { orgId, projectId, name: model.name, deletedAt: null }, orderBy: { createdAt: "asc" }, select: { id: true } });
  if (known) return known.id;
  const { graph } = await tx.modelVersion.findUniqueOrThrow({ where: { id: versionId, orgId }, select: { graph: true } });
  const { settings, ...rest } = model;
  const made = await tx.model.create({ data: { orgId, projectId, ...rest, graph: graph as Prisma.InputJsonObject, settings: settings ?? Prisma.DbNull }, select: { id: true } });
  return made.id;
}

async function versionThere(tx: Tx, orgId: string, versionId: string, modelId: string): Promise<string> {
  const { graph, graphHash } = await tx.modelVersion.findUniqueOrThrow({ where: { id: versionId, orgId }, select: { graph: true, graphHash: true } });
  const known = await tx.modelVersion.findFirst({ where: { orgId, modelId, graphHash }, select: { id: true } });
  if (known) return known.id;
  const { _max } = await tx.modelVersion.aggregate({ where: { orgId, modelId }, _max: { number: true } });
  const made = await tx.modelVersion.create({ data: { orgId, modelId, number: (_max.number ?? 0) + 1, graph: graph as Prisma.InputJsonObject, graphHash }, select: { id: true } });
  return made.id;
}
