import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { readOwner } from "../../server/agent/lease.ts";
import { auditInvariants } from "../../server/audit.ts";
import { openDatabase } from "../../server/database/client.ts";
import { startEmbeddedPostgres } from "../../server/database/embedded.ts";
import { openFileStore } from "../../server/storage/files.ts";
import { openWorld, until, type World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await openWorld({ MAX_RUNS: "1", MAX_RUNNING_RUNS: "2" });
});
afterAll(() => world?.close());

/** Longer than the test takes. */
const endless = { epochs: 10_000, batchSize: 2, schedule: "constant" as const };

/** Ports that a process listens on, by what the kernel says of its sockets. */
function listening(pid: number): string[] {
  const sockets = new Set(
    readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
      } catch {
        return [];
      }
    }),
  );
  return ["tcp", "tcp6"].flatMap((kind) =>
    readFileSync(`/proc/${pid}/net/${kind}`, "utf8")
      .split("\n")
      .map((line) => line.trim().split(/\s+/))
      .flatMap(([, local = "", , state, , , , , , inode = ""]) => (state === "0A" && sockets.has(inode) ? [local] : [])),
  );
}

const agentOf = async (runId: string) => readOwner((await world.run(runId)).owner ?? "")?.agent;

it("two agents share one queue; one that is drained takes nothing new; an organization trains as many as it may", { timeout: 180_000 }, async () => {
  const agents = [world.startAgent({ AGENT_NAME: "one" }), world.startAgent({ AGENT_NAME: "two" })];
  const long = [await world.queueRun(endless), await world.queueRun(endless)];
  for (const id of long) await world.untilRun(id, "under way", (run) => run.status === "running" && run.step > 0);
  expect((await Promise.all(long.map(agentOf))).sort()).toEqual(["one", "two"]);
  const machines = await until("both have told of their machines", 60_000, async () => {
    const rows = await world.db.agent.findMany({ where: { machine: { not: {} } } });
    return rows.length === 2 ? rows : null;
  });
  expect(machines[0]?.machine).toMatchObject({ cores: expect.any(Number), memoryBytes: expect.any(Number) });

  // S-12: neither who hands out work nor who does it can be reached over a network.
  const workers = [...agents.map(({ pid }) => pid ?? 0), ...(await Promise.all(long.map((id) => world.trainerOf(id))))];
  expect(workers.map(listening)).toEqual([[], [], [], []]);
  expect(listening(Number.parseInt(readFileSync(join(world.folder, "postgres/postmaster.pid"), "utf8"), 10)).length).toBe(1);

  await world.db.agent.update({ where: { name: "two" }, data: { draining: true } });
  const third = await world.queueRun(endless);
  const ofOne = (await agentOf(long[0] as string)) === "one" ? 0 : 1;
  // What the drained one trains goes on; once it has ended nothing takes its place.
  await world.db.run.update({ where: { id: long[1 - ofOne] as string }, data: { cancelRequestedAt: new Date() } });
  await world.untilEnded(long[1 - ofOne] as string);
  await world.db.organization.update({ where: { id: world.orgId }, data: { maxRunning: 1 } });
  await world.db.agent.update({ where: { name: "two" }, data: { draining: false } });
  // Two is free again, and the organization may train one run only: the third waits.
  await new Promise((wake) => setTimeout(wake, 1_500));
  expect((await world.run(third)).status).toBe("queued");
  await world.db.organization.update({ where: { id: world.orgId }, data: { maxRunning: null } });
  await world.untilRun(third, "under way", (run) => run.status === "running" && run.step > 0);
  expect(await agentOf(third)).toBe("two");
  for (const id of [third, long[ofOne] as string]) {
    await world.db.run.update({ where: { id }, data: { cancelRequestedAt: new Date() } });
    await world.untilEnded(id);
  }
});
afterEach(async () => expect(await world.audit()).toEqual([]));

/** The long form of what docs/hosting.md says under Backup: what was copied is all there is. */
it("a copy of the data folder, restored elsewhere, has the same runs and files, and the auditor finds nothing", { timeout: 120_000 }, async () => {
  const state = async (db: World["db"]) => ({
    runs: await db.run.findMany({ orderBy: { id: "asc" }, select: { id: true, status: true, step: true } }),
    files: await db.checkpoint.findMany({ orderBy: { id: "asc" }, select: { storageKey: true, sha256: true } }),
  });
  const before = await state(world.db);
  expect(before.runs.length).toBeGreaterThan(0);
  expect(before.files.length).toBeGreaterThan(0);
  await world.postgres.stop();
  const restored = mkdtempSync(join(tmpdir(), "tensorloom-restored-"));
  // With owners and rights, as a backup has them.
  execFileSync("cp", ["-a", `${world.folder}/.`, restored]);
  const postgres = await startEmbeddedPostgres(restored);
  const db = openDatabase(postgres.url);
  try {
    expect(await state(db)).toEqual(before);
    expect(await auditInvariants(db, openFileStore(join(restored, "files")))).toEqual([]);
  } finally {
    await db.$disconnect();
    await postgres.stop();
    await world.restartPostgres();
    rmSync(restored, { recursive: true, force: true });
  }
});
