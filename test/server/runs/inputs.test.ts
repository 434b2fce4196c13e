import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { nameLstm } from "../../../core/templates/nameLstm.ts";
import { tabularEmbedding } from "../../../core/templates/tabularEmbedding.ts";
import { Evaluation, Summary } from "../../../core/training/evaluation.ts";
import { defaultSettings } from "../../../core/training/recipes.ts";
import { firstNames } from "../../../server/ingest/firstNames.ts";
import { hashManifest, writeDataset } from "../../../server/ingest/write.ts";
import { openWorld, type World } from "../../fault/world.ts";

let world: World;
beforeAll(async () => {
  world = await openWorld();
  world.startAgent();
});
afterAll(() => world?.close());

describe("a run on text of any length, with two losses", () => {
  it("trains, measures everything, and leaves exports that compute the same for sequences", async () => {
    const { db, files, orgId } = world;
    const datasetId = randomUUID();
    const { manifest, sizeBytes } = await writeDataset(files, datasetId, await firstNames.prepare());
    await db.dataset.create({ data: { id: datasetId, orgId, name: firstNames.name, status: "ready", manifest, manifestHash: hashManifest(manifest), sizeBytes } });
    const settings = defaultSettings(manifest.task, manifest.splits.train.rows);
    const id = await world.queueRun(
      { ...settings, datasetId, epochs: 2, extraLosses: [{ output: "y", loss: "FocalLoss", lossParams: { gamma: 1 }, weight: 0.5 }] },
      nameLstm.graph,
    );
    const run = await world.untilEnded(id);
    expect({ status: run.status, failure: run.failure }).toEqual({ status: "finished", failure: null });

    const summary = Summary.parse(run.summary);
    expect(
      Object.keys(summary)
        .filter((key) => key.startsWith("validation/"))
        .sort(),
    ).toEqual(["accuracy", "f1", "loss", "loss/y", "loss/y_2", "pr_auc", "precision", "recall", "roc_auc"].map((name) => `validation/${name}`));
    expect(summary["validation/roc_auc"]?.best).toBeGreaterThan(0.8);
    expect(summary["validation/loss/y_2"]?.best).toBeLessThan(summary["validation/loss/y"]?.best ?? 0);
    const evaluation = Evaluation.parse(run.evaluation);
    expect(evaluation.confusion?.flat().reduce((a, b) => a + b, 0)).toBe(manifest.splits.validation.rows);
    expect(evaluation.samples).toHaveLength(24);

    const artifacts = await db.artifact.findMany({ where: { runId: id }, orderBy: { kind: "asc" } });
    expect(artifacts.map(({ kind, refusal }) => ({ kind, refusal }))).toEqual(["onnx", "pytorch", "safetensors"].map((kind) => ({ kind, refusal: null })));
    expect(artifacts[0]?.report).toMatchObject({ passed: true, samples: 64, outputs: [{ name: "y", shape: [64, 2] }] });
    expect(await world.audit()).toEqual([]);
  });
});

describe("a run of a model with two inputs", () => {
  it("feeds each by its name, and leaves an ONNX file that takes both", async () => {
    const id = await world.queueRun({ epochs: 30 }, tabularEmbedding.graph);
    const run = await world.untilEnded(id);
    expect({ status: run.status, failure: run.failure }).toEqual({ status: "finished", failure: null });
    expect(Summary.parse(run.summary)["validation/accuracy"]?.best).toBeGreaterThan(0.95);
    const onnx = await world.db.artifact.findUniqueOrThrow({ where: { runId_kind: { runId: id, kind: "onnx" } } });
    expect(onnx.refusal).toBeNull();
    expect(onnx.report).toMatchObject({ passed: true, samples: 64 });
  });
});
