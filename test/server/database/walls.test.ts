import { expect, test } from "vitest";
import { Prisma } from "../../../prisma/generated/client.ts";
import { readSnapshot, walled } from "../../../server/database/client.ts";
import { TENANT_ROLE } from "../../../server/database/walls.ts";
import { openTestDatabase } from "../postgres.ts";
import { makeTenant } from "../world.ts";

const { db } = await openTestDatabase();

test("every table of an organization stands behind row-level security that its owner cannot pass either, under a role that owns nothing", async () => {
  const tables = await db.$queryRaw<{ name: string; on: boolean; forced: boolean; policies: bigint }[]>`
    SELECT c.relname AS name, relrowsecurity AS on, relforcerowsecurity AS forced, (SELECT count(*) FROM pg_policy WHERE polrelid = c.oid) AS policies
    FROM pg_class c WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
      AND (relname IN ('Organization', 'User') OR EXISTS (SELECT 1 FROM pg_attribute WHERE attrelid = c.oid AND attname = 'orgId' AND NOT attisdropped))`;
  expect(tables.length).toBeGreaterThan(14);
  for (const { name, on, forced, policies } of tables) expect([name, on, forced, Number(policies)]).toEqual([name, true, true, 2]);
  const [role] = await db.$queryRaw<object[]>`
    SELECT rolsuper, rolbypassrls, rolcanlogin, rolcreaterole, (SELECT count(*)::int FROM pg_class WHERE relowner = pg_roles.oid) AS owns FROM pg_roles WHERE rolname = ${TENANT_ROLE}`;
  expect(role).toEqual({ rolsuper: false, rolbypassrls: false, rolcanlogin: false, rolcreaterole: false, owns: 0 });
});

test("a query without any filter shows one organization's rows, and writes none into another's", async () => {
  const [a, b] = [await makeTenant(db, { name: "A" }), await makeTenant(db, { name: "B" })];
  const wall = walled(db, a.orgId);
  expect((await wall.model.findMany()).map(({ id }) => id)).toEqual([a.modelId]);
  expect((await wall.organization.findMany()).map(({ id }) => id)).toEqual([a.orgId]);
  expect((await wall.user.findMany({ select: { id: true } })).map(({ id }) => id)).toEqual([a.userId]);
  expect(await wall.model.updateMany({ data: { name: "Mine now" } })).toEqual({ count: 1 });
  expect((await wall.$queryRaw<unknown[]>`SELECT * FROM "Project"`).length).toBe(1);
  await expect(wall.project.create({ data: { orgId: b.orgId, name: "Planted" } })).rejects.toThrow(/row-level security/);
  await expect(wall.project.updateMany({ data: { orgId: b.orgId } })).rejects.toThrow();
  // What signs people in is out of reach altogether, and so is leaving the role inside a query of Prisma's.
  for (const secret of ["session", "apiToken", "invitation", "mailToken", "signInLink"] as const)
    await expect((wall[secret] as typeof wall.session).findMany()).rejects.toThrow(/permission denied/);
  await expect(wall.user.findMany({ select: { passwordHash: true } })).rejects.toThrow(/permission denied/);
  // The same connections serve the system and the other organization, each as itself.
  expect(await db.model.count()).toBe(2);
  expect((await walled(db, b.orgId).model.findMany()).map(({ name }) => name)).toEqual(["B model"]);
  // What reads by the driver itself stands behind the same wall.
  const ids = await readSnapshot(wall, (ask) => ask(Prisma.sql`SELECT "id" FROM "Model"`));
  expect(ids).toEqual([{ id: a.modelId }]);
  // S-13: the role that requests work under changes no table, and makes none.
  for (const change of [
    wall.$executeRaw`CREATE TABLE "Mine" ("id" int)`,
    wall.$executeRaw`ALTER TABLE "Model" ADD COLUMN "mine" int`,
    wall.$executeRaw`ALTER TABLE "Model" DISABLE ROW LEVEL SECURITY`,
    wall.$executeRaw`DROP TABLE "Model"`,
    wall.$executeRaw`TRUNCATE "Model"`,
    wall.$executeRaw`CREATE ROLE mine`,
  ])
    await expect(change).rejects.toThrow(/permission denied|must be owner/);
  await wall.$transaction(async (tx) => {
    expect(await tx.model.count()).toBe(1);
    await tx.project.create({ data: { orgId: a.orgId, name: "Own" } });
  });
});

test("two hundred queries of two organizations at once never see each other's rows", async () => {
  const tenants = [await makeTenant(db, { name: "C" }), await makeTenant(db, { name: "D" })];
  await Promise.all(
    Array.from({ length: 200 }, async (_, index) => {
      const { orgId, modelId } = tenants[index % 2] as (typeof tenants)[0];
      expect((await walled(db, orgId).model.findMany()).map(({ id }) => id)).toEqual([modelId]);
    }),
  );
});
