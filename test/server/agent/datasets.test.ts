import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Manifest } from "../../../core/data/manifest.ts";
import { ingestNext } from "../../../server/agent/datasets.ts";
import { openWorld, type World } from "../../fault/world.ts";

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world?.close());

const ingest = () => ingestNext({ db: world.db, files: world.files, leaseMs: 60_000, log: pino({ level: "silent" }), signal: new AbortController().signal });
const queue = (builtin: string, more: object = {}) => world.db.dataset.create({ data: { orgId: world.orgId, builtin, name: builtin, ...more } });
const found = (id: string) => world.db.dataset.findUniqueOrThrow({ where: { id } });

describe("a data set that waits", () => {
  it("is read once and is ready, with a manifest", async () => {
    const { id } = await queue("cars");
    expect(await ingest()).toBe(true);
    const row = await found(id);
    expect(row).toMatchObject({ status: "ready", failure: null, leaseUntil: null, attempts: 1 });
    expect(Manifest.parse(row.manifest).splits.train.rows).toBe(314);
    expect(Number(row.sizeBytes)).toBeGreaterThan(10_000);
    expect(await ingest()).toBe(false);
  });

  it("that cannot be read fails with the reason", async () => {
    const { id } = await queue("nonsense");
    await ingest();
    expect(await found(id)).toMatchObject({ status: "failed", failure: { code: "DATASET_UNKNOWN" } });
  });

  it("is read again where its reader is gone, but not for ever", async () => {
    const past = new Date(Date.now() - 60_000);
    const { id } = await queue("mnist", { status: "ingesting", leaseToken: 3, attempts: 3, leaseUntil: past });
    expect(await ingest()).toBe(false);
    expect(await found(id)).toMatchObject({ status: "failed", failure: { code: "INGEST_STOPPED" } });
  });

  it("comes first where a model waits for it, and then where it is made up in a moment", async () => {
    const [first, quick, wanted] = [await queue("births"), await queue("moons"), await queue("blobs")];
    await world.queueRun();
    await world.db.model.updateMany({ where: { orgId: world.orgId }, data: { datasetId: wanted.id } });
    expect(await world.db.model.count({ where: { datasetId: wanted.id } })).toBeGreaterThan(0);
    const ready: string[] = [];
    for (let i = 0; i < 3; i++) {
      await ingest();
      const done = await world.db.dataset.findMany({ where: { id: { in: [first.id, quick.id, wanted.id], notIn: ready }, status: "ready" } });
      ready.push(...done.map(({ id }) => id));
    }
    expect(ready).toEqual([wanted.id, quick.id, first.id]);
  });
});
