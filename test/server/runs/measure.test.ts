import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chain } from "../../../core/templates/sketch.ts";
import { defaultSettings } from "../../../core/training/recipes.ts";
import { readConfig } from "../../../server/config.ts";
import { AppError } from "../../../server/errors.ts";
import { findBatch, measure } from "../../../server/runs/measure.ts";
import { startRun } from "../../../server/runs/start.ts";
import { allowed } from "../../allowed.ts";
import { openWorld, type World } from "../../fault/world.ts";

let world: World;
let small: string;
let wide: string;
let projectId: string;
const config = (more: { [name: string]: string } = {}) => readConfig({ DATA_DIR: world.folder, DATABASE_URL: world.postgres.url, ...more });

const network = (width: number) =>
  chain([
    ["input", "input", { shape: [9] }],
    ["hidden", "linear", { out_features: width }],
    ["relu", "relu"],
    ["scores", "linear", { out_features: 3 }],
    ["output", "output"],
  ]);

beforeAll(async () => {
  world = await openWorld();
  projectId = (await world.db.project.findFirstOrThrow({ where: { orgId: world.orgId } })).id;
  const make = async (width: number) => (await world.db.model.create({ data: { orgId: world.orgId, projectId, name: `${width}`, graph: network(width) } })).id;
  small = await make(32);
  // Its weights fit in 16 MiB with all that goes with them; what it makes of many rows does not.
  wide = await make(30_000);
});
afterAll(() => world?.close());

const settings = () => ({ ...defaultSettings("tabular-classification", 266), datasetId: world.datasetId });

describe("measuring before a run", () => {
  it("takes real steps, says what they took, remembers it, and leaves nothing behind", async () => {
    const files = () => readdirSync(join(world.folder, "files"), { recursive: true }).map(String).sort();
    const before = files();
    const order = { orgId: world.orgId, modelId: small, settings: settings() };
    const first = await measure(world.db, config(), order);
    expect(first.steps).toBeGreaterThan(10);
    expect(first.stepMs).toBeGreaterThan(0);
    expect(first.stepMs).toBeLessThan(allowed(100));
    expect(first.evaluationMs).toBeGreaterThan(0);
    expect(first.peakBytes).toBeGreaterThan(4 * (9 * 32 + 32 * 3) * 3);
    // The learning rate and the number of epochs change nothing about a step.
    const started = performance.now();
    expect(await measure(world.db, config(), { ...order, settings: { ...settings(), lr: 1e-4, epochs: 7, seed: 5 } })).toEqual(first);
    expect(performance.now() - started).toBeLessThan(allowed(500));
    expect(files()).toEqual(before);
    expect(await world.db.run.count()).toBe(0);
    // What was measured is foretold of the run.
    const user = await world.db.user.findFirstOrThrow();
    const { runId } = await startRun(
      world.db,
      config(),
      { orgId: world.orgId, userId: user.id },
      { modelId: small, settings: { ...settings(), schedule: "constant" }, idempotencyKey: "measured-run" },
    );
    expect((await world.run(runId)).forecast).toMatchObject({ measured: true, peakBytes: first.peakBytes });
  });

  it("finds the batch from which on it is no quicker", async () => {
    const { measured, suggested, why } = await findBatch(world.db, config(), { orgId: world.orgId, modelId: small, settings: settings() });
    expect(measured.map(({ batchSize }) => batchSize).slice(0, 3)).toEqual([8, 16, 32]);
    const best = measured.find(({ batchSize }) => batchSize === suggested);
    const most = Math.max(...measured.map(({ samplesPerSecond }) => samplesPerSecond));
    expect(best?.samplesPerSecond).toBeGreaterThan(most / 1.06);
    expect(why).toMatch(/rows/);
  });

  it("goes no further than memory, and refuses in words what does not fit at all", async () => {
    const tight = config({ MEMORY_LIMIT_MB: "24" });
    const order = { orgId: world.orgId, modelId: wide, settings: settings() };
    const middle = await world.db.model.create({ data: { orgId: world.orgId, projectId, name: "middle", graph: network(48_000) } });
    const { measured, why } = await findBatch(world.db, config({ MEMORY_LIMIT_MB: "16" }), { ...order, modelId: middle.id });
    expect(measured.length).toBeGreaterThan(0);
    expect(why).toMatch(/^A batch of \d+ does not fit in memory\. Out of memory: needed ~\d+ MiB, limit 16 MiB/);
    for (const { peakBytes } of measured) expect(peakBytes).toBeLessThanOrEqual(16 * 2 ** 20);
    const huge = await world.db.model.create({ data: { orgId: world.orgId, projectId, name: "huge", graph: network(80_000) } });
    const none = await findBatch(world.db, config({ MEMORY_LIMIT_MB: "16" }), { ...order, modelId: huge.id }).catch((error: unknown) => error);
    expect(none).toMatchObject({ code: "CONFIG_RANGE", message: expect.stringMatching(/^No batch size could be found: with 8 rows already, Out of memory/) });
    const refused = await measure(world.db, tight, { ...order, settings: { ...settings(), batchSize: 256 } }).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(AppError);
    expect(refused).toMatchObject({
      code: "GRAPH_MEMORY",
      details: { field: "batchSize" },
      message: expect.stringMatching(/A batch of 256 does not fit\..* A batch of \d+ ought to\.$/),
    });
  });

  it("51: a run that would not fit is refused with the largest batch that does", async () => {
    const user = await world.db.user.findFirstOrThrow();
    const start = (batchSize: number, key: string) =>
      startRun(
        world.db,
        config({ MEMORY_LIMIT_MB: "24" }),
        { orgId: world.orgId, userId: user.id },
        { modelId: wide, settings: { ...settings(), batchSize }, idempotencyKey: key },
      );
    const refused = (await start(256, "too-large-a-batch").catch((error: unknown) => error)) as AppError;
    expect(refused).toMatchObject({ code: "GRAPH_MEMORY" });
    expect(refused.message).toMatch(/^With a batch of 256 training would take about \d+ MiB, and the limit is 24 MiB\. The largest batch that fits is \d+\.$/);
    const { fits } = refused.details as { fits: number };
    await expect(start(fits, "the-batch-that-fits")).resolves.toMatchObject({ runId: expect.any(String) });
  });
});
