import type { IncomingMessage, ServerResponse } from "node:http";
import { readMigrations } from "../../prisma/engine.ts";
import type { Context } from "../auth/procedure.ts";
import type { Database } from "../database/client.ts";

/** Whether the process is alive: it answers, so it is. What starts a process anew asks this; a database that is away is no reason to. */
export async function isAlive(_: Context, __: IncomingMessage, res: ServerResponse): Promise<void> {
  send(res, 200, "ok");
}

/** Whether the installation can serve: the database answers and has every table that this version needs. What sends visitors here asks this. */
export async function isReady({ system }: Context, _: IncomingMessage, res: ServerResponse): Promise<void> {
  try {
    const missing = await missingMigrations(system);
    if (missing.length > 0) send(res, 503, "the database waits for migrations");
    else send(res, 200, "ok");
  } catch {
    send(res, 503, "database away");
  }
}

let needed: readonly string[] | undefined;

/** Names of the migrations of this version that the database does not have. */
async function missingMigrations(db: Database): Promise<string[]> {
  needed ??= readMigrations().migrationDirectories.map(({ path }) => path);
  const rows = await db.$queryRaw<{ name: string }[]>`SELECT migration_name AS name FROM _prisma_migrations WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL`;
  const applied = new Set(rows.map(({ name }) => name));
  return needed.filter((name) => !applied.has(name));
}

function send(res: ServerResponse, status: number, text: string): void {
  res.writeHead(status, { "Content-Type": "application/json; charset=utf-8", "Cache-Control": "private, no-store" });
  res.end(JSON.stringify({ status: text }));
}
