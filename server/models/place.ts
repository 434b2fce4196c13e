import type { Graph } from "../../core/graph/document.ts";
import type { RunSettings } from "../../core/training/settings.ts";
import type { Database, Tx } from "../database/client.ts";
import { notFound } from "../errors.ts";
import type { StartWeights } from "./startWeights.ts";

/** A new model with this graph, in the project that is named or else in the first. @throws AppError NOT_FOUND */
export async function placeModel(
  db: Database,
  orgId: string,
  {
    projectId,
    name,
    graph,
    startWeights,
    datasetId,
    settings,
  }: { projectId?: string | undefined; name: string; graph: Graph; startWeights: StartWeights | null; datasetId?: string; settings?: RunSettings },
): Promise<string> {
  return db.$transaction(async (tx) => {
    const project = await findProject(tx, orgId, projectId);
    const { id } = await tx.model.create({
      data: { orgId, projectId: project, name, graph, ...(startWeights ? { startWeights } : {}), ...(datasetId ? { datasetId } : {}), ...(settings ? { settings } : {}) },
      select: { id: true },
    });
    return id;
  });
}

/** The project with this id, or the first one: somebody who only wants to draw need not make a project first. */
export async function findProject(tx: Tx, orgId: string, id: string | undefined): Promise<string> {
  if (id !== undefined) {
    const found = await tx.project.findUnique({ where: { id, orgId, deletedAt: null }, select: { id: true } });
    if (!found) throw notFound("project");
    return found.id;
  }
  const first = await tx.project.findFirst({ where: { orgId, deletedAt: null }, orderBy: { createdAt: "asc" }, select: { id: true } });
  return (first ?? (await tx.project.create({ data: { orgId, name: "My project" }, select: { id: true } }))).id;
}
