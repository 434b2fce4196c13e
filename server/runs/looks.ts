import { Look, lookAt } from "../../core/training/look.ts";
import type { Database, Tx } from "../database/client.ts";
import { notFound } from "../errors.ts";
import type { RunRef } from "../metrics/store.ts";

/** The last step of a run that was looked at node by node; null while none was. */
export async function readLook(tx: Tx, run: RunRef): Promise<Look | null> {
  const row = await tx.runLook.findFirst({ where: { runId: run.id, orgId: run.orgId }, orderBy: { step: "desc" }, select: { look: true } });
  return row && Look.parse(row.look);
}

/** Which step that is, without reading what was seen. */
export async function readLookStep(tx: Tx, run: RunRef): Promise<number | null> {
  return (await tx.runLook.findFirst({ where: { runId: run.id, orgId: run.orgId }, orderBy: { step: "desc" }, select: { step: true } }))?.step ?? null;
}

/** What one node did at each step that was looked at, oldest first. */
export async function listLooks(db: Database, { runId, orgId, node }: { runId: string; orgId: string; node: string }) {
  const rows = await db.runLook.findMany({ where: { runId, orgId }, orderBy: { step: "asc" }, select: { look: true } });
  return rows.flatMap(({ look }) => {
    const { nodes, ...rest } = Look.parse(look);
    const own = lookAt({ ...rest, nodes }, node);
    return own ? [{ step: rest.step, stepMs: rest.stepMs, ...own }] : [];
  });
}

/** The newest run of a model that trains, with its last look; null where none does. */
export async function readPulse(db: Database, orgId: string, modelId: string) {
  if ((await db.model.count({ where: { id: modelId, orgId } })) === 0) throw notFound("model");
  const run = await db.run.findFirst({ where: { modelId, orgId, status: "running", deletedAt: null }, orderBy: { number: "desc" }, select: { id: true, number: true } });
  return run && { runId: run.id, number: run.number, look: await readLook(db, { id: run.id, orgId }) };
}
