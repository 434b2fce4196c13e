import { execFileSync } from "node:child_process";
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { expect, test } from "vitest";
import { pauseLease } from "../../../server/agent/lease.ts";
import { auditInvariants } from "../../../server/audit.ts";
import { readConfig } from "../../../server/config.ts";
import { openDatabase, walled } from "../../../server/database/client.ts";
import { migrate } from "../../../server/database/migrate.ts";
import { TENANT_ROLE } from "../../../server/database/walls.ts";
import { appendMetrics } from "../../../server/metrics/store.ts";
import { startRun } from "../../../server/runs/start.ts";
import { claim, makeTenant, temporaryFiles } from "../world.ts";

/** The newest PostgreSQL that this system has installed, with its tools; the embedded one has none. */
function installed(): string | null {
  const all = "/usr/lib/postgresql";
  if (!existsSync(all)) return null;
  const version = Math.max(
    0,
    ...readdirSync(all)
      .filter((name) => existsSync(join(all, name, "bin/initdb")))
      .map(Number),
  );
  return version >= 15 ? join(all, String(version), "bin") : null;
}
const bin = installed();

/** PostgreSQL's programs refuse to run as root. */
function nobody(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const [, , uid, gid] = (
    readFileSync("/etc/passwd", "utf8")
      .split("\n")
      .find((line) => line.startsWith("postgres:")) ?? ""
  ).split(":");
  return { uid: Number(uid), gid: Number(gid) };
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((ready) => probe.listen(0, "127.0.0.1", ready));
  const address = probe.address();
  await new Promise((closed) => probe.close(closed));
  return typeof address === "object" && address ? address.port : 0;
}

/** A server of the system's own PostgreSQL, set up as docs/hosting.md says: two owners who are no superusers, and the tenants' role. */
async function openOwnServer(bin: string) {
  const as = nobody();
  const folder = mkdtempSync(join(tmpdir(), "tensorloom-own-"));
  if (as.uid !== undefined && as.gid !== undefined) chownSync(folder, as.uid, as.gid);
  const port = await freePort();
  const run = (name: string, args: string[]) => execFileSync(join(bin, name), args, { ...as, cwd: "/", env: { ...process.env, LC_ALL: "C" }, stdio: "ignore" });
  const data = join(folder, "data");
  run("initdb", [`--pgdata=${data}`, "--username=admin", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]);
  run("pg_ctl", [
    "start",
    "--wait",
    "--silent",
    "--pgdata",
    data,
    "--log",
    join(folder, "log"),
    "-o",
    `-p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off`,
  ]);
  const url = (role: string, database: string) => `postgresql://${role}@127.0.0.1:${port}/${database}`;
  const server = {
    folder,
    url,
    tool: (name: string, args: string[]) => execFileSync(join(bin, name), args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }),
    async administer(...statements: string[]) {
      const client = new Client({ connectionString: url("admin", "postgres") });
      await client.connect();
      for (const sql of statements) await client.query(sql);
      await client.end();
    },
    close() {
      run("pg_ctl", ["stop", "--wait", "--silent", "--mode=immediate", "--pgdata", data]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await server.administer(
    `CREATE ROLE ${TENANT_ROLE} NOLOGIN`,
    "CREATE ROLE loom LOGIN",
    `GRANT ${TENANT_ROLE} TO loom`,
    "CREATE ROLE other LOGIN",
    `GRANT ${TENANT_ROLE} TO other`,
    "CREATE DATABASE loom OWNER loom",
    "CREATE DATABASE restored OWNER loom",
    "CREATE DATABASE moved OWNER other",
  );
  return server;
}

/** Every row of every table, table by table, as one sum. */
async function sums(url: string): Promise<{ [table: string]: string }> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string }>("SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1");
    const found: { [table: string]: string } = {};
    for (const { name } of rows) {
      const { rows: sum } = await client.query<{ sum: string }>(`SELECT count(*) || ' ' || coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '') AS sum FROM "${name}" t`);
      found[name] = sum[0]?.sum ?? "";
    }
    return found;
  } finally {
    await client.end();
  }
}

test.skipIf(bin === null)(
  "a server of one's own, whose role is no superuser, holds the walls; pg_dump and pg_restore bring every row back, also under another role",
  { timeout: 120_000 },
  async () => {
    const server = await openOwnServer(bin as string);
    const files = temporaryFiles();
    const [source, restored, moved] = [server.url("loom", "loom"), server.url("loom", "restored"), server.url("other", "moved")];
    const opened: ReturnType<typeof openDatabase>[] = [];
    const open = (url: string) => {
      const db = openDatabase(url, { connections: 2 });
      opened.push(db);
      return db;
    };
    try {
      expect((await migrate(source)).length).toBeGreaterThan(0);
      const db = open(source);
      const [home, next] = [await makeTenant(db, { name: "Home" }), await makeTenant(db, { name: "Next" })];
      const { runId } = await startRun(db, readConfig({}), home, { modelId: home.modelId, settings: home.settings, idempotencyKey: "backup" });
      const token = await claim(db, runId);
      await db.$transaction((tx) => appendMetrics(tx, { id: runId, orgId: home.orgId }, token, [{ key: "train/loss", steps: [1, 2, 3], values: [3, 2, 1] }]));
      const key = `runs/${runId}/lease-${token}/step-3.safetensors`;
      const { sizeBytes, sha256 } = await files.put(key, Buffer.from("what the network knew"));
      await db.checkpoint.create({ data: { orgId: home.orgId, runId, leaseToken: token, step: 3, epoch: 0, storageKey: key, sizeBytes, sha256 } });
      await db.$executeRaw`UPDATE "Run" SET "step" = 3 WHERE "id" = ${runId}::uuid`;
      await pauseLease(db, { runId, orgId: home.orgId, token }, { byHand: true });
      expect(await auditInvariants(db, files)).toEqual([]);

      const dump = join(server.folder, "loom.dump");
      server.tool("pg_dump", ["--format=custom", "--enable-row-security", `--file=${dump}`, source]);
      server.tool("pg_restore", ["--no-owner", "--exit-on-error", `--dbname=${restored}`, dump]);
      const before = await sums(source);
      expect(Object.keys(before).length).toBeGreaterThan(20);
      expect(before.Checkpoint).toMatch(/^1 /);
      expect(await sums(restored)).toEqual(before);
      // Under another role the policies for the first one mean nobody: they are raised anew at the start.
      server.tool("pg_restore", ["--no-owner", "--exit-on-error", `--dbname=${moved}`, dump]);

      for (const url of [source, restored, moved]) {
        expect(await migrate(url)).toEqual([]);
        const there = open(url);
        expect(await there.model.count()).toBe(2);
        expect((await walled(there, next.orgId).model.findMany()).map(({ id }) => id)).toEqual([next.modelId]);
        expect(await walled(there, next.orgId).run.count()).toBe(0);
        expect(await auditInvariants(there, files)).toEqual([]);
      }
      expect(await sums(moved)).toEqual(before);
    } finally {
      for (const db of opened) await db.$disconnect();
      server.close();
    }
  },
);
