/**
 * `node prisma/migrate.ts` applies what is new; `node prisma/migrate.ts add-run-note` writes the SQL that leads from
 * there to `schema.prisma` into a new migration. Both use the product's database.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { config } from "../server/config.ts";
import { startEmbeddedPostgres } from "../server/database/embedded.ts";
import { migrate } from "../server/database/migrate.ts";
import { everything, migrationsFolder, openSchemaEngine, readSchema } from "./engine.ts";

/** The SQL that leads from this database, as it is, to `schema.prisma`; null where they agree. */
export async function diffSchema(databaseUrl: string): Promise<string | null> {
  const { engine, close } = await openSchemaEngine(databaseUrl);
  try {
    const { exitCode, stdout } = await engine.diff({
      from: { tag: "schemaDatasource", ...readSchema(), configDir: migrationsFolder },
      to: { tag: "schemaDatamodel", ...readSchema() },
      script: true,
      exitCode: true,
      filters: everything,
    });
    return exitCode === 0 ? null : stdout;
  } finally {
    await close();
  }
}

if (import.meta.main) {
  const name = process.argv[2];
  const { DATABASE_URL, DATA_DIR } = config();
  const embedded = DATABASE_URL ? null : await startEmbeddedPostgres(DATA_DIR);
  const url = DATABASE_URL ?? (embedded?.url as string);
  try {
    const applied = await migrate(url);
    console.log(applied.length > 0 ? `Applied ${applied.join(", ")}.` : "Nothing to apply.");
    if (name) {
      const sql = await diffSchema(url);
      if (sql === null) console.log("The migrations already lead to the schema.");
      else {
        const folder = join(migrationsFolder, `${new Date().toISOString().replace(/\D/g, "").slice(0, 14)}_${name}`);
        mkdirSync(folder, { recursive: true });
        writeFileSync(join(folder, "migration.sql"), sql);
        console.log(`Wrote ${folder}/migration.sql: read it, then run this again without a name.`);
      }
    }
  } finally {
    if (embedded?.started) await embedded.stop();
  }
}
