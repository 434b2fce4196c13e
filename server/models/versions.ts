import { createHash } from "node:crypto";
import { z } from "zod";
import type { Graph, Json } from "../../core/graph/document.ts";
import { say } from "../../core/language/say.ts";
import type { Database, Tx } from "../database/client.ts";
import { AppError, notFound } from "../errors.ts";
import { Id, Name } from "../input.ts";
import { keptGraph } from "./graph.ts";

/** So many names one model may have; beyond it, older ones are to be let go first. */
const NAMED_LIMIT = 200;

export const NameVersion = z.strictObject({ modelId: Id, name: Name });
export const VersionRef = z.strictObject({ modelId: Id, namedId: Id });

/** The version that holds this graph: an earlier one where the graph is the same, else a new one. */
export async function freezeGraph(tx: Tx, orgId: string, modelId: string, graph: Graph): Promise<string> {
  const graphHash = createHash("sha256").update(canonical(graph)).digest("hex");
  const same = await tx.modelVersion.findUnique({ where: { modelId_graphHash: { modelId, graphHash }, orgId }, select: { id: true } });
  if (same) return same.id;
  const { _max } = await tx.modelVersion.aggregate({ where: { orgId, modelId }, _max: { number: true } });
  return (await tx.modelVersion.create({ data: { orgId, modelId, number: (_max.number ?? 0) + 1, graph, graphHash }, select: { id: true } })).id;
}

/** JSON with sorted keys: the database gives objects back in an order of its own. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) =>
    typeof item === "object" && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item as { [key: string]: Json }).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  );
}

/** Gives the model's graph as it is now a name, to come back to. @throws AppError NOT_FOUND, QUEUE_FULL */
export async function nameVersion(db: Database, orgId: string, byName: string, { modelId, name }: z.infer<typeof NameVersion>): Promise<{ id: string }> {
  return db.$transaction(async (tx) => {
    const model = await tx.model.findUnique({ where: { id: modelId, orgId, deletedAt: null }, select: { graph: true } });
    if (!model) throw notFound("model");
    if ((await tx.namedVersion.count({ where: { orgId, modelId } })) >= NAMED_LIMIT)
      throw new AppError("IN_USE", say("A model keeps {NAMED_LIMIT} named versions: let one go first.", { NAMED_LIMIT }));
    const versionId = await freezeGraph(tx, orgId, modelId, keptGraph(model.graph));
    return tx.namedVersion.create({ data: { orgId, modelId, versionId, name, byName }, select: { id: true } });
  });
}

/** What a model can go back to: its named versions and those that runs froze, the newest first. */
export async function listVersions(db: Database, orgId: string, modelId: string) {
  const model = await db.model.findUnique({ where: { id: modelId, orgId, deletedAt: null }, select: { id: true } });
  if (!model) throw notFound("model");
  const [named, frozen] = await Promise.all([
    db.namedVersion.findMany({
      where: { orgId, modelId },
      orderBy: { id: "desc" },
      select: { id: true, name: true, byName: true, createdAt: true, version: { select: { id: true, number: true } } },
    }),
    db.modelVersion.findMany({
      where: { orgId, modelId, runs: { some: {} } },
      orderBy: { number: "desc" },
      take: 50,
      select: { id: true, number: true, createdAt: true, runs: { select: { id: true, number: true }, orderBy: { number: "desc" }, take: 3 } },
    }),
  ]);
  return {
    named: named.map(({ createdAt, version, ...row }) => ({ ...row, versionId: version.id, number: version.number, createdAt: createdAt.toISOString() })),
    frozen: frozen.map(({ createdAt, ...row }) => ({ ...row, createdAt: createdAt.toISOString() })),
  };
}

/** The graph of one version. @throws AppError NOT_FOUND */
export async function readVersion(db: Database, orgId: string, { modelId, versionId }: { modelId: string; versionId: string }): Promise<{ graph: Graph }> {
  const row = await db.modelVersion.findUnique({ where: { id: versionId, orgId, modelId, model: { deletedAt: null } }, select: { graph: true } });
  if (!row) throw notFound("model");
  return { graph: keptGraph(row.graph) };
}

/** Takes a name away; the frozen graph stays where runs have it. @throws AppError NOT_FOUND */
export async function forgetVersion(db: Database, orgId: string, { modelId, namedId }: z.infer<typeof VersionRef>): Promise<void> {
  const { count } = await db.namedVersion.deleteMany({ where: { id: namedId, orgId, modelId } });
  if (count === 0) throw notFound("model");
}
