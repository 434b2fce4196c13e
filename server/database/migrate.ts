import { Client } from "pg";
import { everything, openSchemaEngine, readMigrations } from "../../prisma/engine.ts";
import { raiseWalls } from "./walls.ts";

/** Any number that only we use: whoever holds this lock is migrating. */
const LOCK = 7_316_551;

/**
 * Brings the database to the newest migration and tells which were applied. Safe to call at every start and from several
 * machines at once; costs one query where nothing is new.
 * @throws Error that names the migration and says what PostgreSQL refused.
 */
export async function migrate(databaseUrl: string): Promise<string[]> {
  const client = new Client({ connectionString: databaseUrl, connectionTimeoutMillis: 10_000 });
  client.on("error", () => {});
  await client.connect();
  try {
    await client.query("SELECT pg_advisory_lock($1)", [LOCK]);
    const migrationsList = readMigrations();
    if (
      await isCurrent(
        client,
        migrationsList.migrationDirectories.map(({ path }) => path),
      )
    ) {
      await raiseWalls(client);
      return [];
    }
    const { engine, close } = await openSchemaEngine(databaseUrl);
    try {
      const { appliedMigrationNames } = await engine.applyMigrations({ migrationsList, filters: everything });
      await raiseWalls(client);
      return appliedMigrationNames;
    } finally {
      await close();
    }
  } finally {
    await client.end();
  }
}

/** Loading the engine costs a third of a second; Prisma's own table tells whether there is anything for it to do. */
async function isCurrent(client: Client, names: string[]): Promise<boolean> {
  const { rows } = await client.query<{ table: string | null }>("SELECT to_regclass('_prisma_migrations') AS table");
  if (rows[0]?.table == null) return false;
  const applied = await client.query<{ name: string }>("SELECT migration_name AS name FROM _prisma_migrations WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL");
  const done = new Set(applied.rows.map(({ name }) => name));
  return names.every((name) => done.has(name));
}
