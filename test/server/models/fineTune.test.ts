import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { writeSafetensors } from "../../../core/export/safetensors.ts";
import { countElements } from "../../../core/export/tensor.ts";
import { dinov2Weights } from "../../../core/pretrained/dinov2.ts";
import type { HubWeights, PretrainedPictures } from "../../../core/pretrained/pretrained.ts";
import { resnet18Weights } from "../../../core/pretrained/resnet.ts";
import { TrainSpec } from "../../../core/training/spec.ts";
import { hubKey } from "../../../server/ingest/pretrained.ts";
import type { Examples, Prepared } from "../../../server/ingest/source.ts";
import { hashManifest, writeDataset } from "../../../server/ingest/write.ts";
import { fineTune, listFineTunes } from "../../../server/models/fineTune.ts";
import { listOwnRuns, startFromRun } from "../../../server/models/ownRuns.ts";
import { measurePace } from "../../../server/models/pace.ts";
import { PreviewHost } from "../../../server/preview/host.ts";
import { readLineage } from "../../../server/runs/lineage.ts";
import { publishedTensors } from "../../core/pretrained/layouts.ts";
import { openWorld, type World } from "../../fault/world.ts";
import { randomNumbers } from "../../native/specs.ts";

/** A person's few pictures and a network of a hub, whose file has the published names and shapes and drawn numbers. */
let world: World;
let userId: string;
let datasetId: string;

beforeAll(async () => {
  world = await openWorld({ CHECKPOINT_EVERY_MS: "600000" });
  const { orgId, db, files } = world;
  ({ userId } = await db.membership.findFirstOrThrow({ where: { orgId } }));
  ({ id: datasetId } = await db.dataset.create({ data: { orgId, name: "Day and night" } }));
  const { manifest, sizeBytes } = await writeDataset(files, datasetId, dayAndNight());
  await db.dataset.update({ where: { id: datasetId }, data: { status: "ready", manifest, manifestHash: hashManifest(manifest), sizeBytes } });
  world.startAgent();
}, 120_000);
afterAll(() => world?.close());

it.each([
  ["ResNet-18", resnet18Weights, "last"],
  ["DINOv2-S", dinov2Weights, "head"],
] as const)("%s gets a head, learns stage by stage and leaves as an ONNX file that says the same", { timeout: 300_000 }, async (_, network, depth) => {
  const { orgId, db, files, config } = world;
  const stateOf = async () => (await listFineTunes({ db, files, config, orgId }, datasetId)).networks.find(({ id }) => id === network.id)?.weights.at;
  expect(await stateOf()).toBe("the hub");
  await expect(fineTune({ ...world, userId }, { datasetId, networkId: network.id, depth, compare: false, idempotencyKey: `early-${network.id}` })).rejects.toMatchObject({
    code: "WEIGHTS_ABSENT",
  });
  placeFile(network);
  expect(await stateOf()).toBe("here");

  const { runId } = await fineTune({ ...world, userId }, { datasetId, networkId: network.id, depth, compare: false, idempotencyKey: `tune-${network.id}` });
  const { weights } = TrainSpec.parse((await world.run(runId)).spec).program;
  const learning = weights.filter(({ trainable }) => trainable).map(({ name }) => name);
  expect(learning.filter((name) => !name.startsWith("features."))).toEqual(["head.weight", "head.bias"]);
  expect(learning.some((name) => name.startsWith("features.layer4."))).toBe(depth === "last");
  expect(learning.some((name) => name.startsWith("features."))).toBe(depth !== "head");
  expect(learning.some((name) => name.startsWith("features.layer1."))).toBe(false);

  await world.untilEnded(runId, 250_000);
  const run = await db.run.findUniqueOrThrow({ where: { id: runId }, include: { artifacts: true } });
  expect(run).toMatchObject({ status: "finished", startedFrom: { name: `${network.title}, pretrained` } });
  expect(run.artifacts.find(({ kind }) => kind === "onnx")).toMatchObject({ refusal: null, report: { passed: true } });
});

it("a run of one's own is a starting point on a table, with its lineage", { timeout: 200_000 }, async () => {
  const { orgId, db, datasetId: penguins } = world;
  const first = await world.queueRun({ epochs: 2 });
  await world.untilEnded(first, 150_000);
  const [offered] = await listOwnRuns({ db, orgId }, penguins);
  expect(offered).toMatchObject({ runId: first, isNewHead: false, judged: { metric: "accuracy" } });
  // What learned from penguins knows nothing of pictures.
  expect((await listOwnRuns({ db, orgId }, datasetId)).map(({ runId }) => runId)).not.toContain(first);
  const { runId } = await startFromRun({ ...world, userId }, { datasetId: penguins, runId: first, depth: "head", idempotencyKey: "go-on-penguins" });
  const { weights } = TrainSpec.parse((await world.run(runId)).spec).program;
  expect(weights.filter(({ trainable }) => trainable).map(({ name }) => name)).toEqual(["scores.weight", "scores.bias"]);
  expect((await world.untilEnded(runId, 150_000)).status).toBe("finished");
  expect((await readLineage(db, orgId, runId)).ancestors.map(({ id }) => id)).toEqual([first]);
  await expect(startFromRun({ ...world, userId }, { datasetId, runId: first, depth: "all", idempotencyKey: "penguins-on-pictures" })).rejects.toMatchObject({
    code: "CONFIG_RANGE",
  });
});

it("how fast a network is here is measured once, in the process of the previews", { timeout: 120_000 }, async () => {
  const { orgId, db, files, config } = world;
  const host = new PreviewHost();
  const rowOf = async () => (await listFineTunes({ db, files, config, orgId }, datasetId)).networks.find(({ id }) => id === "mobilenet_v2")?.row;
  expect(await rowOf()).toMatchObject({ isMeasured: false });
  const perSecond = await measurePace({ files, host, orgId }, { id: "mobilenet_v2" }).finally(() => host.close());
  const row = await rowOf();
  expect(row?.isMeasured).toBe(true);
  // A MobileNetV2 makes some 60 million multiply-adds of a picture of 96 × 96.
  expect((row?.ms ?? 0) * perSecond).toBeGreaterThan(1e10);
  expect(await measurePace({ files, host, orgId }, { id: "mobilenet_v2" })).toBe(perSecond);
  expect(host.pid).toBeNull();
});

/** The network's file, as it would lie in the store once it was fetched. */
function placeFile({ id, weights }: PretrainedPictures): void {
  const random = randomNumbers(7);
  const file = world.files.path(hubKey(weights as HubWeights));
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(
    file,
    writeSafetensors(
      publishedTensors(id, (name, shape) => {
        const count = countElements(shape);
        if (shape.length < 2) return new Float32Array(count).fill(/(weight|var|lambda1)$/.test(name) ? 1 : 0);
        // As large as lets numbers through a layer at about their size.
        const reach = Math.sqrt(6 / Math.max(1, count / (shape[0] ?? 1)));
        return Float32Array.from({ length: count }, () => reach * (2 * random() - 1));
      }),
    ),
  );
}

/** Dark and bright pictures of 32 × 32. */
function dayAndNight(): Prepared {
  const random = randomNumbers(3);
  const draw = (rows: number): Examples => {
    const pixels = 3 * 32 * 32;
    const data = new Uint8Array(rows * pixels).map((_, at) => (Math.floor(at / pixels) % 2 === 0 ? 150 : 20) + Math.floor(80 * random()));
    return {
      input: { dtype: "uint8", shape: [rows, 3, 32, 32], data },
      target: { dtype: "int64", shape: [rows], data: BigInt64Array.from({ length: rows }, (_, row) => BigInt(row % 2)) },
    };
  };
  return {
    task: "image-classification",
    preprocess: { dtype: "uint8", scale: 1 / 255, mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] },
    classes: ["day", "night"],
    columns: [],
    targetName: "time",
    source: "Drawn here",
    licence: "CC0 1.0",
    splits: { train: draw(16), validation: draw(32) },
  };
}
