import { randomUUID } from "node:crypto";
import { beforeAll, describe, expect, test, vi } from "vitest";
import type { Database } from "../../../server/database/client.ts";
import { openTestDatabase } from "../postgres.ts";
import { callerOf, claim, makeContext, makeTenant, type Tenant } from "../world.ts";

/** The wall once more with the application's own filters off: `orgId` is taken out of every `where` before the query is made, so that only the database stands. */
vi.mock(import("../../../server/database/client.ts"), async (original) => {
  const real = await original();
  const strip = (where: unknown): unknown => {
    if (typeof where !== "object" || where === null || where instanceof Date) return where;
    if (Array.isArray(where)) return where.map(strip);
    return Object.fromEntries(Object.entries(where).flatMap(([name, value]) => (name === "orgId" ? [] : [[name, name.startsWith("orgId_") ? value : strip(value)]])));
  };
  const stripSelects = (args: unknown): unknown => {
    if (typeof args !== "object" || args === null || Array.isArray(args)) return args;
    return Object.fromEntries(
      Object.entries(args).map(([name, value]) => [
        name,
        name === "where" ? strip(value) : name === "select" || name === "include" || typeof value === "object" ? (name === "data" ? value : stripSelects(value)) : value,
      ]),
    );
  };
  return {
    ...real,
    walled: (db, orgId) => {
      const wall = real.walled(db, orgId);
      const open = wall.$extends({
        query: {
          $allModels: {
            $allOperations({ args, query }) {
              stripped++;
              return query(stripSelects(args) as typeof args);
            },
          },
        },
      });
      // What reads by the driver itself looks the pool up by the client.
      return new Proxy(wall, { get: (target, name) => Reflect.get(name in open ? open : target, name) }) as Database;
    },
  };
});
let stripped = 0;

const { db } = await openTestDatabase();
const context = makeContext(db);
const CANARY = "canary-of-the-others";

describe("with the application's filters off, the database alone", () => {
  let own: Tenant;
  let other: Tenant;
  let runId: string;
  beforeAll(async () => {
    own = await makeTenant(db, { name: "Own" });
    other = await makeTenant(db, { name: CANARY });
    ({ runId } = await callerOf(context(other.session)).runs.start({ modelId: other.modelId, settings: other.settings, idempotencyKey: randomUUID() }));
    await claim(db, runId);
  });

  test("still serves an organization its own", async () => {
    const caller = callerOf(context(own.session));
    expect((await caller.models.get({ modelId: own.modelId })).name).toBe("Own model");
    expect((await caller.projects.list()).map(({ name }) => name)).toEqual(["Own project"]);
    expect(stripped).toBeGreaterThan(0);
  });

  test("hides another's rows from every read, and keeps them from every change", async () => {
    const caller = callerOf(context(own.session));
    const asked: [string, () => Promise<unknown>][] = [
      ["models.get", () => caller.models.get({ modelId: other.modelId })],
      ["models.rename", () => caller.models.rename({ modelId: other.modelId, name: "Mine" })],
      ["models.duplicate", () => caller.models.duplicate({ modelId: other.modelId })],
      ["models.delete", () => caller.models.delete({ modelId: other.modelId })],
      ["projects.rename", () => caller.projects.rename({ projectId: other.projectId, name: "Mine" })],
      ["projects.delete", () => caller.projects.delete({ projectId: other.projectId })],
      ["datasets.get", () => caller.datasets.get({ datasetId: other.datasetId })],
      ["datasets.delete", () => caller.datasets.delete({ datasetId: other.datasetId })],
      ["runs.get", () => caller.runs.get({ runId })],
      ["runs.metrics", () => caller.runs.metrics({ runId })],
      ["runs.log", () => caller.runs.log({ runId })],
      ["runs.cancel", () => caller.runs.cancel({ runId })],
      ["runs.pause", () => caller.runs.pause({ runId })],
      ["runs.repeat", () => caller.runs.repeat({ runId })],
      ["runs.delete", () => caller.runs.delete({ runId })],
      ["runs.start", () => caller.runs.start({ modelId: other.modelId, settings: own.settings, idempotencyKey: randomUUID() })],
      ["shares.create", () => caller.shares.create({ what: { kind: "run", runId }, mayFork: false, days: null })],
    ];
    for (const [name, ask] of asked) {
      const refusal = await ask().then(
        () => "answered",
        (error: { cause?: { code?: string } }) => error.cause?.code,
      );
      expect([name, refusal]).toEqual([name, "NOT_FOUND"]);
    }
    for (const list of [caller.projects.list(), caller.datasets.list(), caller.runs.list({}), caller.organization.activity({})])
      expect(JSON.stringify(await list)).not.toContain(CANARY);
    expect((await db.model.findUniqueOrThrow({ where: { id: other.modelId } })).name).toBe(`${CANARY} model`);
    expect((await db.run.findUniqueOrThrow({ where: { id: runId } })).status).toBe("running");
  });
});
