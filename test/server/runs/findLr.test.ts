import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chain } from "../../../core/templates/sketch.ts";
import { defaultSettings } from "../../../core/training/recipes.ts";
import { readConfig } from "../../../server/config.ts";
import { findLr } from "../../../server/runs/findLr.ts";
import { openWorld, type World } from "../../fault/world.ts";

let world: World;
let modelId: string;
const config = () => readConfig({ DATA_DIR: world.folder, DATABASE_URL: world.postgres.url });

const network = (width: number) =>
  chain([
    ["input", "input", { shape: [9] }],
    ["hidden", "linear", { out_features: 32 }],
    ["relu", "relu"],
    ["scores", "linear", { out_features: width }],
    ["output", "output"],
  ]);

beforeAll(async () => {
  world = await openWorld();
  const project = await world.db.project.findFirstOrThrow({ where: { orgId: world.orgId } });
  modelId = (await world.db.model.create({ data: { orgId: world.orgId, projectId: project.id, name: "Penguins", graph: network(3) } })).id;
});
afterAll(() => world?.close());

const settings = () => ({ ...defaultSettings("tabular-classification", 266), datasetId: world.datasetId });
const filesNow = () => readdirSync(join(world.folder, "files"), { recursive: true }).map(String).sort();

describe("finding a learning rate", () => {
  it("gives a curve that falls and diverges and a rate between, the same each time, and leaves neither row nor file", async () => {
    const before = filesNow();
    const { points, suggestion } = await findLr(world.db, config(), { orgId: world.orgId, modelId, settings: { ...settings(), optimizer: "SGD" } });
    expect(points.length).toBeGreaterThan(60);
    const losses = points.map(({ loss }) => loss);
    expect(Math.min(...losses)).toBeLessThan(0.6 * (losses[0] ?? 0));
    expect(suggestion?.lr).toBeGreaterThan(1e-4);
    expect(suggestion?.lr).toBeLessThan(1);
    const again = await findLr(world.db, config(), { orgId: world.orgId, modelId, settings: { ...settings(), optimizer: "SGD" } });
    expect(again.points).toEqual(points);
    expect(await world.db.run.count()).toBe(0);
    expect(await world.db.metricChunk.count()).toBe(0);
    expect(await world.db.modelVersion.count()).toBe(0);
    expect(filesNow()).toEqual(before);
  });

  it("says in words why it cannot, and leaves room for the next", async () => {
    const refused = findLr(world.db, config(), { orgId: world.orgId, modelId, settings: { ...settings(), loss: "NLLLoss", lossParams: { weight: "1, 2" } } });
    await expect(refused).rejects.toMatchObject({ code: "GRAPH_INVALID" });
    const abort = new AbortController();
    const left = findLr(world.db, config(), { orgId: world.orgId, modelId, settings: settings(), signal: abort.signal });
    setTimeout(() => abort.abort(), 100);
    await expect(left).rejects.toMatchObject({ code: "CONFIG_RANGE" });
    expect((await findLr(world.db, config(), { orgId: world.orgId, modelId, settings: settings() })).points.length).toBeGreaterThan(10);
  });
});
