import { z } from "zod";
import { Manifest } from "../../core/data/manifest.ts";
import { Summary } from "../../core/training/evaluation.ts";
import type { Database } from "../database/client.ts";
import { notFound } from "../errors.ts";
import { scratchKey } from "./fineTune.ts";

const Accuracy = z.number().nullable();

/** What came of a fine-tuning, in the terms of somebody who has to decide: how often it is right, how sure that is, and what it is measured against. */
export async function readTuned(db: Database, orgId: string, runId: string) {
  const run = await db.run.findUnique({
    where: { id: runId, orgId },
    select: {
      id: true,
      modelId: true,
      status: true,
      summary: true,
      idempotencyKey: true,
      dataset: { select: { id: true, name: true, manifest: true } },
      model: { select: { name: true } },
    },
  });
  if (!run) throw notFound("run");
  const manifest = Manifest.nullable().parse(run.dataset.manifest);
  const validation = manifest?.splits.validation;
  const scratch =
    run.idempotencyKey === null
      ? null
      : await db.run.findUnique({ where: { orgId_idempotencyKey: { orgId, idempotencyKey: scratchKey(run.idempotencyKey) } }, select: { id: true, status: true, summary: true } });
  const most = Math.max(0, ...(validation?.classCounts ?? []));
  const total = validation?.classCounts.reduce((sum, count) => sum + count, 0) ?? 0;
  return {
    runId: run.id,
    modelId: run.modelId,
    model: run.model.name,
    status: run.status,
    dataset: { id: run.dataset.id, name: run.dataset.name },
    accuracy: accuracyOf(run.summary),
    checkedOn: validation?.rows ?? 0,
    /** What always saying the most frequent class would come to. */
    baseline: total > 0 ? { accuracy: most / total, className: manifest?.classes[validation?.classCounts.indexOf(most) ?? 0] ?? "" } : null,
    scratch: scratch && { runId: scratch.id, status: scratch.status, accuracy: accuracyOf(scratch.summary) },
  };
}

/** The best that an evaluation of the validation rows found; null before the first. */
function accuracyOf(summary: unknown): number | null {
  return Accuracy.parse(Summary.parse(summary)["validation/accuracy"]?.best ?? null);
}
