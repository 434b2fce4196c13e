import { createHash } from "node:crypto";
import type { Client } from "pg";

/** The role that a request's queries run as. It owns nothing, logs in nowhere, and sees the rows of one organization at a time. */
export const TENANT_ROLE = "tensorloom_tenant";

/** Tables without an `orgId` that a request may read: nothing in them belongs to anybody. */
const shared = ["Agent"];
/** Tables of an organization that only the account code touches, as the system: the tenant role has no right to them at all. */
const kept = ["SignInLink", "Invitation", "ApiToken"];

/**
 * Raises row-level security in front of every table that has an `orgId`, enforced upon the owner too, and gives the tenant role what it needs.
 * It is read off the catalogue, so that a new table stands behind the wall without anybody thinking of it. Safe at every start.
 * Needs the right to create a role, or a role `tensorloom_tenant` that was granted to this user (docs/hosting.md).
 */
export async function raiseWalls(client: Client): Promise<void> {
  await client.query(`DO $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = '${TENANT_ROLE}') THEN CREATE ROLE ${TENANT_ROLE} NOLOGIN NOSUPERUSER NOBYPASSRLS; END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$`);
  const { rows: member } = await client.query<{ is: boolean }>(`SELECT pg_has_role(current_user, '${TENANT_ROLE}', 'MEMBER') AS "is"`);
  if (!member[0]?.is) await client.query(`GRANT ${TENANT_ROLE} TO CURRENT_USER`);
  const { rows: tables } = await client.query<{ name: string; column: string }>(`
    SELECT c.relname AS name, CASE WHEN c.relname = 'Organization' THEN 'id' ELSE 'orgId' END AS column FROM pg_class c
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r'
      AND (c.relname = 'Organization' OR EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'orgId' AND NOT a.attisdropped))
    ORDER BY c.relname`);
  const mine = `nullif(current_setting('tensorloom.org', true), '')::uuid`;
  const statements = tables.flatMap(({ name, column }) => [
    `ALTER TABLE "${name}" ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY`,
    ...policies(name, `"${column}" = ${mine}`),
    ...(kept.includes(name)
      ? []
      : name === "Organization" || name === "Membership"
        ? [`GRANT SELECT ON "${name}" TO ${TENANT_ROLE}`]
        : name === "TrailEvent"
          ? [`GRANT SELECT, INSERT ON "${name}" TO ${TENANT_ROLE}`]
          : [`GRANT SELECT, INSERT, UPDATE, DELETE ON "${name}" TO ${TENANT_ROLE}`]),
  ]);
  const sql = [
    `GRANT USAGE ON SCHEMA public TO ${TENANT_ROLE}`,
    ...statements,
    // Of people, a request sees the names of those who are in the organization or have left runs there.
    `ALTER TABLE "User" ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY`,
    ...policies(
      "User",
      `EXISTS (SELECT 1 FROM "Membership" WHERE "userId" = "User"."id" AND "orgId" = ${mine}) OR EXISTS (SELECT 1 FROM "Run" WHERE "createdBy" = "User"."id" AND "orgId" = ${mine})`,
    ),
    `GRANT SELECT ("id", "name") ON "User" TO ${TENANT_ROLE}`,
    ...shared.map((name) => `GRANT SELECT ON "${name}" TO ${TENANT_ROLE}`),
    `GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO ${TENANT_ROLE}`,
  ].join(";\n");
  // Raising them locks each table for a moment, so it is done once for each form they have.
  const mark = createHash("sha256").update(sql).digest("hex");
  // A backup that was restored under another role brings the policies of the first one, by which this one would see nothing.
  const { rows: raised } = await client.query<{ mark: string | null }>(
    `SELECT obj_description(oid, 'pg_policy') AS mark FROM pg_policy WHERE polname = 'tenant' AND polrelid = to_regclass('"Organization"')
      AND EXISTS (SELECT 1 FROM pg_policy WHERE polname = 'system' AND polrelid = to_regclass('"Organization"') AND polroles @> ARRAY[(SELECT oid FROM pg_roles WHERE rolname = current_user)])`,
  );
  if (raised[0]?.mark === mark) return;
  await client.query(`BEGIN;\n${sql};\nCOMMENT ON POLICY tenant ON "Organization" IS '${mark}';\nCOMMIT`);
}

function policies(table: string, condition: string): string[] {
  return [
    `DROP POLICY IF EXISTS tenant ON "${table}"`,
    `CREATE POLICY tenant ON "${table}" TO ${TENANT_ROLE} USING (${condition})`,
    `DROP POLICY IF EXISTS system ON "${table}"`,
    // Agents, migrations and the account code work across organizations, as the user that the tables belong to.
    `CREATE POLICY system ON "${table}" TO CURRENT_USER USING (true)`,
  ];
}
