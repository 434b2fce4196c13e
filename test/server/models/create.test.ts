import { beforeAll, expect, test } from "vitest";
import { checkGraph } from "../../../core/graph/check.ts";
import { templates } from "../../../core/templates/index.ts";
import { openTestDatabase } from "../postgres.ts";
import { callerOf, makeContext, makeTenant } from "../world.ts";

const { db } = await openTestDatabase();
const context = makeContext(db);
let caller: ReturnType<typeof callerOf>;

beforeAll(async () => {
  caller = callerOf(context((await makeTenant(db)).session));
});

test("a published architecture becomes a model with the chosen classes and channels, and waits for data of its size", async () => {
  const { id } = await caller.models.create({ architecture: { id: "resnet18", classes: 10, channels: 1 } });
  const model = await caller.models.get({ modelId: id });
  expect(model).toMatchObject({ name: "ResNet-18", datasetId: null });
  const { problems, totals, types } = checkGraph(model.graph);
  expect(problems).toEqual([]);
  // Less 990 classes of 512 weights and a bias, and two channels of 64 filters of 7×7.
  expect(totals.parameters).toBe(11_689_512 - 990 * 513 - 2 * 64 * 49);
  expect(types.get("out_y")?.inputs.x).toEqual({ dtype: "float32", shape: ["B", 10] });
});

test("an architecture that nobody knows, or of no classes, is refused", async () => {
  const create = (architecture: { id: string; classes?: number }) => caller.models.create({ architecture });
  await expect(create({ id: "resnet19" })).rejects.toMatchObject({ cause: { code: "NOT_FOUND", message: "There is no such architecture here." } });
  await expect(create({ id: "resnet18", classes: 0 })).rejects.toThrow();
});

test("a template brings the settings that it was made with, another task than its data set's among them", async () => {
  const { id } = await caller.models.create({ templateId: "vae" });
  const { settings, datasetId } = await caller.models.get({ modelId: id });
  expect(settings).toMatchObject({ datasetId, task: "autoencoder", loss: "BCELoss", extraLosses: [{ output: "kl", loss: "Value" }] });
  const plain = await caller.models.create({ templateId: templates.find(({ settings }) => settings === undefined)?.id ?? "" });
  expect((await caller.models.get({ modelId: plain.id })).settings).toBeNull();
});
