import { describe, expect, test, vi } from "vitest";
import type { Database } from "../../../server/database/client.ts";
import { openTestDatabase } from "../postgres.ts";
import { callerOf, makeContext, makeTenant } from "../world.ts";
import { describeWall } from "./wall.ts";

/** The wall once more with the application's own filters off: `orgId` is taken out of every `where` before the query is made, so that only the database stands. */
vi.mock(import("../../../server/database/client.ts"), async (original) => {
  const real = await original();
  const strip = (where: unknown): unknown => {
    if (typeof where !== "object" || where === null || where instanceof Date) return where;
    if (Array.isArray(where)) return where.map(strip);
    return Object.fromEntries(
      Object.entries(where).flatMap(([name, value]) => (name === "orgId" && ++stripped > 0 ? [] : [[name, name.startsWith("orgId_") ? value : strip(value)]])),
    );
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

describe("with the application's filters off, the database alone keeps organizations apart", () => {
  describeWall(db);

  test("and still serves each its own", async () => {
    const own = await makeTenant(db, { name: "Own" });
    const caller = callerOf(makeContext(db)(own.session));
    expect((await caller.models.get({ modelId: own.modelId })).name).toBe("Own model");
    expect((await caller.projects.list()).map(({ name }) => name)).toEqual(["Own project"]);
    expect(stripped).toBeGreaterThan(150);
  });
});
