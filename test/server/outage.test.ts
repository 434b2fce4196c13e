import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterAll, afterEach, expect, test } from "vitest";
import { auditInvariants } from "../../server/audit.ts";
import { ensureWorkspace } from "../../server/auth/workspace.ts";
import { readConfig } from "../../server/config.ts";
import { openDatabase } from "../../server/database/client.ts";
import { startEmbeddedPostgres } from "../../server/database/embedded.ts";
import { migrate } from "../../server/database/migrate.ts";
import { openFileStore } from "../../server/storage/files.ts";
import { createWeb } from "../../server/web.ts";
import { allowed } from "../allowed.ts";

const folder = mkdtempSync(join(tmpdir(), "tensorloom-outage-"));
const postgres = await startEmbeddedPostgres(folder);
await migrate(postgres.url);
const db = openDatabase(postgres.url);
await ensureWorkspace(db);
const files = openFileStore(join(folder, "files"));
const web = createWeb({
  config: readConfig({}),
  db,
  files,
  log: pino({ level: "silent" }),
  pages: async (_, res) => void res.end("page"),
});
await new Promise<void>((ready) => web.server.listen(0, "127.0.0.1", ready));
const base = `http://localhost:${(web.server.address() as AddressInfo).port}`;
const cookie = (await fetch(`${base}/api/trpc/workspace.me`)).headers.getSetCookie()[0]?.split(";")[0] ?? "";
afterAll(async () => {
  await web.close();
  await db.$disconnect();
  await postgres.stop();
  rmSync(folder, { recursive: true, force: true });
});
afterEach(async () => expect(await auditInvariants(db, files)).toEqual([]));

const postmaster = () => Number.parseInt(readFileSync(join(folder, "postgres/postmaster.pid"), "utf8"), 10);

/** Every process of the server: its children hang with it. */
function signalServer(signal: NodeJS.Signals): void {
  const parent = postmaster();
  const children = execFileSync("ps", ["-o", "pid=", "--ppid", String(parent)], { encoding: "utf8" })
    .split(/\s+/)
    .filter(Boolean)
    .map(Number);
  for (const pid of [parent, ...children]) process.kill(pid, signal);
}

async function ask(path = "/api/trpc/projects.list"): Promise<{ status: number; ms: number; text: string }> {
  const started = performance.now();
  const answer = await fetch(`${base}${path}`, { headers: { cookie, accept: path === "/" ? "text/html" : "*/*" } });
  return { status: answer.status, text: await answer.text(), ms: performance.now() - started };
}

async function untilWell(): Promise<number> {
  const started = performance.now();
  while ((await ask()).status !== 200) await new Promise((wake) => setTimeout(wake, 100));
  return performance.now() - started;
}

test("while PostgreSQL hangs, every answer is a 503 within five seconds; afterwards all is well within five", {
  timeout: 300_000,
}, async () => {
  expect((await ask()).status).toBe(200);
  signalServer("SIGSTOP");
  const [page, alive, ...answers] = await Promise.all([ask("/"), ask("/healthz"), ask("/readyz"), ...Array.from({ length: 15 }, () => ask())]);
  const later = await ask();
  signalServer("SIGCONT");
  const well = await untilWell();
  for (const { status, ms, text } of [...answers, later]) {
    expect(status).toBe(503);
    expect(ms).toBeLessThan(allowed(5_000));
    expect(text).not.toMatch(/ECONN|timeout exceeded|prisma|127\.0\.0\.1/i);
  }
  // A page holds no data: it opens, and tells by itself what it cannot reach.
  expect(page).toMatchObject({ status: 200, text: "page" });
  expect(page.ms).toBeLessThan(allowed(5_000));
  // Nobody starts this process anew because another one hangs.
  expect(alive.status).toBe(200);
  expect(well).toBeLessThan(allowed(5_000));
});

test("while PostgreSQL is down, answers are 503 at once; when it is back, so are we", { timeout: 300_000 }, async () => {
  process.kill(postmaster(), "SIGKILL");
  await new Promise((wake) => setTimeout(wake, 300));
  const answers = await Promise.all(Array.from({ length: 10 }, () => ask()));
  expect(answers.map(({ status }) => status)).toEqual(new Array<number>(10).fill(503));
  expect(Math.max(...answers.map(({ ms }) => ms))).toBeLessThan(allowed(5_000));
  const again = await startEmbeddedPostgres(folder);
  expect([again.started, again.url]).toEqual([true, postgres.url]);
  expect(await untilWell()).toBeLessThan(allowed(5_000));
});
