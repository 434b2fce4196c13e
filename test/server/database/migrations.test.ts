import { Client } from "pg";
import { expect, inject, test } from "vitest";
import { diffSchema } from "../../../prisma/migrate.ts";
import { migrate } from "../../../server/database/migrate.ts";
import { openTestDatabase } from "../postgres.ts";

const { url } = await openTestDatabase();

test("the migrations lead to schema.prisma and nowhere else", async () => {
  expect(await diffSchema(url)).toBeNull();
});

test("applying them again does nothing, and starting several at once applies each once", async () => {
  expect(await migrate(url)).toEqual([]);
  const fresh = inject("postgresUrl").replace(/\/[^/]*$/, "/twice");
  const client = new Client({ connectionString: inject("postgresUrl").replace(/\/[^/]*$/, "/postgres") });
  await client.connect();
  try {
    await client.query("CREATE DATABASE twice");
    const applied = await Promise.all([migrate(fresh), migrate(fresh), migrate(fresh)]);
    expect(applied.filter((names) => names.length > 0).length).toBe(1);
    await client.query("DROP DATABASE twice");
  } finally {
    await client.end();
  }
});

test("every table that belongs to an organization names its parent together with it", async () => {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ table: string; definition: string }>(`
      SELECT c.conrelid::regclass::text AS "table", pg_get_constraintdef(c.oid) AS "definition" FROM pg_constraint c
      WHERE c.contype = 'f' AND EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = c.conrelid AND a.attname = 'orgId')
        AND EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = c.confrelid AND a.attname = 'orgId')`);
    expect(rows.length).toBeGreaterThan(10);
    for (const { table, definition } of rows) expect(definition, table).toMatch(/FOREIGN KEY \("orgId", .*REFERENCES .*\("orgId", /);
  } finally {
    await client.end();
  }
});
