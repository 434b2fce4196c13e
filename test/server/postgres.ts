import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { afterAll, inject } from "vitest";
import type { TestProject } from "vitest/node";
import { type Database, openDatabase } from "../../server/database/client.ts";
import { startEmbeddedPostgres } from "../../server/database/embedded.ts";
import { migrate } from "../../server/database/migrate.ts";

declare module "vitest" {
  interface ProvidedContext {
    postgresUrl: string;
  }
}

/** Before all test files: a real PostgreSQL in a temporary folder, its first database migrated, from which each file's own is copied. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), "tensorloom-test-"));
  const postgres = await startEmbeddedPostgres(folder);
  await migrate(postgres.url);
  project.provide("postgresUrl", postgres.url);
  return async () => {
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  };
}

/** A migrated, empty database for this test file alone. It is dropped after the file's last test. */
export async function openTestDatabase({ connections = 10 } = {}): Promise<{ db: Database; url: string }> {
  const url = inject("postgresUrl");
  const name = `test_${randomUUID().replaceAll("-", "")}`;
  await administer(url, `CREATE DATABASE ${name} TEMPLATE tensorloom`);
  const own = url.replace(/\/[^/]*$/, `/${name}`);
  const db = openDatabase(own, { connections });
  afterAll(async () => {
    await db.$disconnect();
    await administer(url, `DROP DATABASE ${name} WITH (FORCE)`);
  });
  return { db, url: own };
}

async function administer(url: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: url.replace(/\/[^/]*$/, "/postgres") });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
