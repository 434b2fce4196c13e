import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { PrismaPg } from "@prisma/adapter-pg";
import { bindMigrationAwareSqlAdapterFactory, ColumnTypeEnum } from "@prisma/driver-adapter-utils";
import type { MigrationList, SchemaEngine } from "@prisma/schema-engine-wasm";
import type { Pool, QueryArrayResult } from "pg";

const here = resolve(fileURLToPath(import.meta.url), "..");
export const migrationsFolder = join(here, "migrations");

type Glue = typeof import("@prisma/schema-engine-wasm") & { __wbg_set_wasm(exports: WebAssembly.Exports): void };

let loading: Promise<Glue> | undefined;

/** Loads the WebAssembly once: its glue holds one instance for the whole process, and a second would pull the memory from under the first. */
function loadEngine(): Promise<Glue> {
  loading ??= (async () => {
    const glue = (await import("@prisma/schema-engine-wasm/schema_engine_bg")) as Glue;
    // Where the engine leaves its last words when it panics; without it the panic itself is lost in a TypeError.
    Object.assign(globalThis, {
      PRISMA_WASM_PANIC_REGISTRY: { set_message: (message: string) => console.error(`Prisma's schema engine panicked: ${message}`) },
    });
    const wasm = join(createRequire(import.meta.url).resolve("@prisma/schema-engine-wasm"), "../schema_engine_bg.wasm");
    const { instance } = await WebAssembly.instantiate(readFileSync(wasm), {
      "./schema_engine_bg.js": glue as unknown as WebAssembly.ModuleImports,
    });
    glue.__wbg_set_wasm(instance.exports);
    (instance.exports.__wbindgen_start as () => void)();
    return glue;
  })();
  return loading;
}

/** Prisma's own schema engine, in its WebAssembly build: the native one cannot be downloaded everywhere. `close` ends its connections. */
export async function openSchemaEngine(databaseUrl: string): Promise<{ engine: SchemaEngine; close(): Promise<void> }> {
  const glue = await loadEngine();
  const factory = new PrismaPg({ connectionString: databaseUrl, max: 2 });
  const pools: Pool[] = [];
  const connect = factory.connect.bind(factory);
  factory.connect = async () => {
    const adapter = await connect();
    const pool = adapter.underlyingDriver();
    pools.push(pool);
    // The adapter's own way splits at every semicolon, also inside a function's body. PostgreSQL takes a script whole.
    adapter.executeScript = async (script) => {
      await pool.query(script);
    };
    // Reading the catalogue meets PostgreSQL's internal type "char" (18), which the adapter does not know: it goes through as char(1) (1042)
    // and is named a Character afterwards, as the engine expects.
    const charColumns = new WeakMap<object, number[]>();
    const query = pool.query.bind(pool) as (statement: unknown) => Promise<QueryArrayResult>;
    pool.query = (async (statement: unknown) => {
      const result = await query(statement);
      const found = (result.fields ?? []).flatMap((field, index) => (field.dataTypeID === 18 ? [index] : []));
      for (const index of found) (result.fields[index] as { dataTypeID: number }).dataTypeID = 1042;
      charColumns.set(result.rows ?? [], found);
      return result;
    }) as typeof pool.query;
    const queryRaw = adapter.queryRaw.bind(adapter);
    adapter.queryRaw = async (statement) => {
      const result = await queryRaw(statement);
      for (const index of charColumns.get(result.rows) ?? []) result.columnTypes[index] = ColumnTypeEnum.Character;
      return result;
    };
    return adapter;
  };
  const engine = await glue.SchemaEngine.new({ datamodels: undefined }, () => {}, bindMigrationAwareSqlAdapterFactory(factory));
  return {
    engine,
    async close() {
      engine.free();
      await Promise.all(pools.map((pool) => pool.end()));
    },
  };
}

/** `schema.prisma` as the engine takes it. */
export function readSchema(): { files: { path: string; content: string }[] } {
  const path = join(here, "schema.prisma");
  return { files: [{ path, content: readFileSync(path, "utf8") }] };
}

/** The migrations on disk, oldest first. */
export function readMigrations(): MigrationList {
  const names = readdirSync(migrationsFolder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
  return {
    baseDir: migrationsFolder,
    lockfile: { path: "migration_lock.toml", content: readFileSync(join(migrationsFolder, "migration_lock.toml"), "utf8") },
    shadowDbInitScript: "",
    migrationDirectories: names.map((path) => ({
      path,
      migrationFile: {
        path: "migration.sql",
        content: { tag: "ok", value: readFileSync(join(migrationsFolder, path, "migration.sql"), "utf8") },
      },
    })),
  };
}

/** Nothing in the database is anybody else's. */
export const everything = { externalTables: [], externalEnums: [] };
