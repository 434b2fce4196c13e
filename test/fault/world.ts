import { type ChildProcess, execFileSync, fork, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { readSafetensors } from "../../core/export/safetensors.ts";
import type { Graph } from "../../core/graph/document.ts";
import { isOfMachine } from "../../core/runs/machine.ts";
import { chain } from "../../core/templates/sketch.ts";
import { defaultSettings } from "../../core/training/recipes.ts";
import type { RunSettings } from "../../core/training/settings.ts";
import { readOwner } from "../../server/agent/lease.ts";
import { identify, isAlive } from "../../server/agent/process.ts";
import { auditInvariants } from "../../server/audit.ts";
import { ensureWorkspace, findLocalOwner } from "../../server/auth/workspace.ts";
import { readConfig } from "../../server/config.ts";
import { type Database, openDatabase } from "../../server/database/client.ts";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "../../server/database/embedded.ts";
import { migrate } from "../../server/database/migrate.ts";
import { penguins } from "../../server/ingest/penguins.ts";
import { hashManifest, writeDataset } from "../../server/ingest/write.ts";
import { unpackEntries } from "../../server/metrics/pyramid.ts";
import { repeatRun, startRun } from "../../server/runs/start.ts";
import type { FileStore } from "../../server/storage/files.ts";
import { openStore } from "../../server/storage/store.ts";

/**
 * A whole installation in a folder of its own: a real PostgreSQL, real agents, real trainers with the real engine. Checkpoints come ten times a second,
 * and what a trainer may keep for a database that is slow is little: so no run gets to its end before the test has seen it begin, however quick its engine.
 * Leases are long enough to be kept on a machine that is busy; a test about leases that run out sets its own.
 */
export type World = Awaited<ReturnType<typeof openWorld>>;

const agentMain = fileURLToPath(new URL("../../server/agent/main.ts", import.meta.url));
const webMain = fileURLToPath(new URL("webProcess.ts", import.meta.url));

/** A web process, and the cookie of somebody who has opened it. */
export type Web = { child: ChildProcess; port: number; cookie: string };

export async function openWorld(settings: { [name: string]: string } = {}) {
  const folder = mkdtempSync(join(tmpdir(), "tensorloom-fault-"));
  // Postgres runs as another user where the tests run as root.
  execFileSync("chmod", ["755", folder]);
  let postgres: EmbeddedPostgres = await startEmbeddedPostgres(folder);
  await migrate(postgres.url);
  const environment = {
    DATA_DIR: folder,
    DATABASE_URL: postgres.url,
    LEASE_MS: "10000",
    SPOOL_BYTES: String(256 << 10),
    CHECKPOINT_EVERY_MS: "100",
    AGENT_NAME: "first",
    MAX_RUNS: "2",
    LOG_LEVEL: "info",
    ...settings,
  };
  const config = readConfig(environment);
  const db: Database = openDatabase(postgres.url, { connections: 6, name: "fault test" });
  const files = openStore(config);
  await ensureWorkspace(db);
  const owner = await findLocalOwner(db);
  if (!owner) throw new Error("The workspace has no owner.");
  const { org, user } = owner;
  const project = await db.project.create({ data: { orgId: org.id, name: "Faults" } });
  const datasetId = await readPenguins(db, files, org.id);
  const agents: ChildProcess[] = [];
  const webs: ChildProcess[] = [];
  const postmaster = () => Number.parseInt(readFileSync(join(folder, "postgres", "postmaster.pid"), "utf8"), 10);

  const world = {
    folder,
    config,
    db,
    files,
    orgId: org.id,
    datasetId,
    get postgres() {
      return postgres;
    },
    /** The agent that was started last. */
    get agent(): ChildProcess {
      const last = agents.at(-1);
      if (last === undefined) throw new Error("No agent was started.");
      return last;
    },
    /** Changes one bit in the middle of a stored file. */
    flipBit(key: string): void {
      const bytes = readFileSync(files.path(key));
      const at = bytes.length >> 1;
      bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
      writeFileSync(files.path(key), bytes);
    },
    /** Starts an agent; a second one with a name of its own stands for another machine. */
    startAgent(more: { [name: string]: string } = {}): ChildProcess {
      const child = spawn(process.execPath, [agentMain], { env: { ...process.env, ...environment, ...more }, stdio: ["ignore", "pipe", "inherit"] });
      let said = "";
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        said += text;
        writeFileSync(join(folder, `${more.AGENT_NAME ?? "first"}.log`), said);
      });
      agents.push(child);
      return child;
    },
    /** Starts a web process, on the port of one before it or on any. */
    async startWeb(port = 0): Promise<Web> {
      const child = fork(webMain, [folder, postgres.url, String(port)], { execArgv: [], stdio: ["ignore", "ignore", "inherit", "ipc"] });
      webs.push(child);
      const taken = await new Promise<number>((resolve, reject) => {
        child.once("message", (found) => resolve(Number(found)));
        child.once("exit", (code, signal) => reject(new Error(`The web process ended with ${code ?? signal}.`)));
      });
      const answer = await fetch(`http://127.0.0.1:${taken}/`, { headers: { accept: "text/html", "sec-fetch-dest": "document", "sec-fetch-site": "none" } });
      return { child, port: taken, cookie: answer.headers.getSetCookie()[0]?.split(";")[0] ?? "" };
    },
    /** Queues a run of a graph on the penguins, small enough for thousands of steps a second. */
    async queueRun(change: Partial<RunSettings> = {}, graph: Graph = smallNetwork): Promise<string> {
      const model = await db.model.create({ data: { orgId: org.id, projectId: project.id, name: "Penguins", graph } });
      const settings: RunSettings = { ...defaultSettings("tabular-classification", 266), datasetId, ...change };
      return (await startRun(db, config, { orgId: org.id, userId: user.id }, { modelId: model.id, settings, idempotencyKey: randomUUID() })).runId;
    },
    /** Orders a run once more: the same version of its model. */
    repeat: async (id: string): Promise<string> => (await repeatRun(db, config, { orgId: org.id, userId: user.id }, id)).runId,
    run: (id: string) => db.run.findUniqueOrThrow({ where: { id } }),
    /** Waits until a run stands as asked, and returns it. */
    untilRun(id: string, what: string, isSo: (run: Awaited<ReturnType<Database["run"]["findUniqueOrThrow"]>>) => boolean, withinMs = 120_000) {
      let last = "not there";
      return until(`run is ${what}`, withinMs, async () => {
        const run = await world.run(id);
        last = `${run.status} at step ${run.step}, held by ${run.owner}, after ${run.attempts} attempts and ${run.crashes} crashes, failure ${JSON.stringify(run.failure)}`;
        return isSo(run) ? run : null;
      }).catch((cause: unknown) => {
        throw new Error(`Run ${id} is not ${what}: it is ${last}.`, { cause });
      });
    },
    /**
     * Queues runs until one stands still under way, its trainer stopped by SIGSTOP before it has ended: what is broken now is broken in the middle,
     * however quick the engine and however slow the test. The caller lets the trainer go on, or kills it.
     */
    async catchRun(change: Partial<RunSettings> = {}): Promise<{ id: string; trainer: number; goOn(): void }> {
      for (;;) {
        const id = await world.queueRun(change);
        const { owner } = await world.untilRun(id, "well under way", ({ epoch, status }) => epoch > 10 || status === "finished");
        const trainer = readOwner(owner ?? "")?.process.pid;
        kill(trainer, "SIGSTOP");
        if ((await world.run(id)).status === "running" && trainer !== undefined) return { id, trainer, goOn: () => kill(trainer, "SIGCONT") };
        kill(trainer, "SIGCONT");
        await world.untilEnded(id);
      }
    },
    untilEnded: (id: string, withinMs = 120_000) =>
      world.untilRun(id, "ended, exports and all", (run) => ["finished", "cancelled", "failed"].includes(run.status) && run.leaseUntil === null, withinMs),
    /** The process that trains a run now. */
    async trainerOf(id: string): Promise<number> {
      return until("the run has a trainer", 20_000, async () => {
        const { owner, status } = await world.run(id);
        return status === "running" ? (readOwner(owner ?? "")?.process.pid ?? null) : null;
      });
    },
    /** Processes of this world that wait for a run. */
    waitingTrainers: () =>
      readdirSync("/proc").filter((pid) => {
        try {
          return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("waits-for-a-run") && readFileSync(`/proc/${pid}/environ`, "utf8").includes(`DATA_DIR=${folder}\0`);
        } catch {
          return false;
        }
      }),
    /** Every point of a run that its order decides: all series but those of the machine. */
    async series(id: string): Promise<{ [key: string]: { steps: number[]; values: number[] } }> {
      const chunks = await db.metricChunk.findMany({ where: { runId: id, level: 0 }, orderBy: [{ key: "asc" }, { index: "asc" }] });
      const series: { [key: string]: { steps: number[]; values: number[] } } = {};
      for (const { key, steps, values } of chunks) {
        if (isOfMachine(key)) continue;
        const points = unpackEntries({ steps, values });
        series[key] ??= { steps: [], values: [] };
        const known = series[key];
        known.steps.push(...points.steps);
        known.values.push(...points.values);
      }
      return series;
    },
    /** Weights, optimizer and random state at a run's end, by name. */
    async finalState(runId: string): Promise<{ [name: string]: unknown }> {
      const { storageKey } = await db.checkpoint.findFirstOrThrow({ where: { runId }, orderBy: { step: "desc" } });
      return Object.fromEntries(readSafetensors(await files.read(storageKey)).tensors);
    },
    audit: () => auditInvariants(db, files),
    /** `pg_ctl -m immediate stop`: as if the power went. */
    async crashPostgres(): Promise<void> {
      const server = identify(postmaster());
      kill(server?.pid, "SIGQUIT");
      await until("the server has ended", 10_000, async () => (server !== null && isAlive(server) ? null : true));
    },
    /** Stops or continues the server and all its sessions: it takes connections and answers nothing. */
    signalPostgres(signal: "SIGSTOP" | "SIGCONT"): void {
      const parent = postmaster();
      const children = execFileSync("ps", ["-o", "pid=", "--ppid", String(parent)], { encoding: "utf8" })
        .split("\n")
        .map(Number)
        .filter((pid) => pid > 0);
      for (const pid of [parent, ...children]) kill(pid, signal);
    },
    async restartPostgres(): Promise<void> {
      postgres = await startEmbeddedPostgres(folder);
    },
    async close(beforeRemoval: () => void = () => {}): Promise<void> {
      for (const web of webs) web.kill("SIGKILL");
      for (const agent of agents) agent.kill("SIGTERM");
      await Promise.all(agents.map((agent) => (agent.exitCode === null && agent.signalCode === null ? new Promise((resolve) => agent.once("exit", resolve)) : null)));
      for (const lease of await db.run.findMany({ where: { leaseUntil: { not: null } } }).catch(() => [])) kill(readOwner(lease.owner ?? "")?.process.pid, "SIGKILL");
      await db.$disconnect();
      await postgres.stop();
      beforeRemoval();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return world;
}

/** Two layers with dropout between: a resumed run is equal to an undisturbed one only if the random state came along too. */
const smallNetwork: Graph = chain([
  ["input", "input", { shape: [9] }],
  ["hidden", "linear", { out_features: 32 }],
  ["relu", "relu"],
  ["dropout", "dropout", { p: 0.2 }],
  ["scores", "linear", { out_features: 3 }],
  ["output", "output"],
]);

/** Reads the one small data set that faults are tried on; the others would only take the machine from the tests. */
async function readPenguins(db: Database, files: FileStore, orgId: string): Promise<string> {
  await db.dataset.deleteMany({ where: { orgId, builtin: { not: "penguins" } } });
  const { id } = await db.dataset.findUniqueOrThrow({ where: { orgId_builtin: { orgId, builtin: "penguins" } } });
  const { manifest, sizeBytes } = await writeDataset(files, id, await penguins.prepare());
  await db.dataset.update({ where: { id }, data: { status: "ready", manifest, manifestHash: hashManifest(manifest), sizeBytes } });
  return id;
}

/** Asks until there is an answer that is not null. */
export async function until<T>(what: string, withinMs: number, ask: () => Promise<T | null>): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const answer = await ask().catch((error: unknown) => {
      if (performance.now() > deadline) throw error;
      return null;
    });
    if (answer !== null) return answer;
    if (performance.now() > deadline) throw new Error(`Waited ${withinMs} ms in vain: ${what}.`);
    await sleep(20);
  }
}

export function kill(pid: number | undefined, signal: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(pid, signal);
  } catch {
    // It has ended.
  }
}
