import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { allowed } from "../allowed.ts";

const built = existsSync(".next/BUILD_ID");

/** `npm start` without the set-up before it, on a data folder of its own. */
class Product {
  readonly process: ChildProcess;
  said = "";
  constructor(dataDir: string, settings: Record<string, string> = {}, flags: string[] = []) {
    this.process = spawn(process.execPath, ["server/start.ts", ...flags], {
      env: { ...process.env, PORT: "0", DATA_DIR: dataDir, LEASE_MS: "1500", ...settings },
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [this.process.stdout, this.process.stderr]) stream?.setEncoding("utf8").on("data", (text: string) => (this.said += text));
  }
  /** Waits for a line that it prints. */
  async line(pattern: RegExp, patienceMs = allowed(40_000)): Promise<string> {
    const deadline = Date.now() + patienceMs;
    for (;;) {
      const found = pattern.exec(this.said);
      if (found) return found[1] ?? found[0];
      if (Date.now() > deadline || this.process.exitCode !== null) throw new Error(`It did not say ${pattern}, but:\n${this.said}`);
      await sleep(20);
    }
  }
  page = () => this.line(/Ready after .*(http:\/\/localhost:\d+)/);
  async ended(patienceMs = allowed(20_000)): Promise<number | null> {
    const deadline = Date.now() + patienceMs;
    while (this.process.exitCode === null && this.process.signalCode === null && Date.now() < deadline) await sleep(20);
    return this.process.exitCode;
  }
}

const folders: string[] = [];
function dataFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "tensorloom-start-"));
  folders.push(folder);
  return folder;
}

/** Every process that belongs to a data folder, by its command or its environment. */
function processesOf(folder: string): { pid: number; command: string }[] {
  return execFileSync("ps", ["-eo", "pid=,args="], { encoding: "utf8" })
    .split("\n")
    .map((line) => ({ pid: Number.parseInt(line, 10), command: line.trim() }))
    .filter(({ pid, command }) => pid !== process.pid && (command.includes(folder) || environmentOf(pid).includes(`DATA_DIR=${folder}`)));
}

function environmentOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8");
  } catch {
    return "";
  }
}

/** What `npm run audit` prints. */
const audit = (folder: string) => execFileSync(process.execPath, ["server/audit.ts"], { env: { ...process.env, DATA_DIR: folder }, encoding: "utf8" });

const pidOf = (folder: string, name: string) => (JSON.parse(readFileSync(join(folder, `run/${name}.json`), "utf8")) as { pid: number }).pid;
const postmaster = (folder: string) => Number.parseInt(readFileSync(join(folder, "postgres/postmaster.pid"), "utf8"), 10);

async function until(what: string, patienceMs: number, holds: () => boolean | Promise<boolean>): Promise<number> {
  const started = Date.now();
  while (!(await (async () => holds())().catch(() => false))) {
    if (Date.now() - started > patienceMs) throw new Error(`Not within ${patienceMs} ms: ${what}`);
    await sleep(50);
  }
  return Date.now() - started;
}
const isReady = async (page: string) => (await fetch(`${page}/readyz`)).status === 200;

const running: Product[] = [];
function start(...args: ConstructorParameters<typeof Product>): Product {
  const product = new Product(...args);
  running.push(product);
  return product;
}
afterEach(async () => {
  for (const product of running.splice(0)) {
    product.process.kill("SIGTERM");
    await product.ended();
    product.process.kill("SIGKILL");
  }
});
afterAll(() => {
  for (const folder of folders) {
    for (const { pid } of processesOf(folder)) process.kill(pid, "SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
});

describe.skipIf(!built)("the product (needs the built pages: npm test builds them first)", () => {
  test("starts to a served page, refuses a second start, heals its parts, and ends on Ctrl-C without leaving a process", {
    timeout: 180_000,
  }, async () => {
    const folder = dataFolder();
    const first = start(folder);
    const page = await first.page();
    const answer = await fetch(page, { headers: { accept: "text/html" } });
    expect(answer.status).toBe(200);
    expect(await answer.text()).toContain("Tensorloom");

    const second = start(folder);
    expect(await second.ended()).toBe(1);
    expect(second.said).toMatch(/already runs .*process \d+/);

    for (const name of ["web", "agent"] as const) {
      const before = pidOf(folder, name);
      process.kill(before, "SIGKILL");
      await until(`${name} is started again`, allowed(30_000), () => pidOf(folder, name) !== before);
    }
    const again = (await first.line(/Ready after[\s\S]*Ready after .*(http:\/\/localhost:\d+)/)) as string;
    await until("the web process serves", allowed(20_000), () => isReady(again));
    const before = postmaster(folder);
    process.kill(before, "SIGKILL");
    await until("PostgreSQL is started again", allowed(20_000), async () => postmaster(folder) !== before && (await isReady(again)));

    expect(audit(folder)).toBe("0 violations\n");
    const asked = Date.now();
    first.process.kill("SIGINT");
    expect(await first.ended()).toBe(0);
    expect(Date.now() - asked).toBeLessThan(allowed(10_000));
    expect(processesOf(folder)).toEqual([]);
  });

  test("after kill -9 of the supervisor its children end, the database goes on, and the next start takes it over", {
    timeout: 180_000,
  }, async () => {
    const folder = dataFolder();
    const first = start(folder);
    await first.page();
    const database = postmaster(folder);
    const children = [pidOf(folder, "web"), pidOf(folder, "agent")];
    first.process.kill("SIGKILL");
    await until("web and agent have ended", allowed(10_000), () => !processesOf(folder).some(({ pid }) => children.includes(pid)));
    expect(postmaster(folder)).toBe(database);

    const second = start(folder);
    const page = await second.page();
    expect(second.said).toContain("still running from before");
    expect(postmaster(folder)).toBe(database);
    await until("it serves", allowed(10_000), () => isReady(page));

    // Everything dies at once, as in a power cut.
    for (const { pid } of processesOf(folder)) process.kill(pid, "SIGKILL");
    await second.ended();
    const died = Date.now();
    const third = start(folder);
    const last = await third.page();
    await until("it serves", allowed(30_000), () => isReady(last));
    expect(Date.now() - died).toBeLessThan(allowed(30_000));
    expect(audit(folder)).toBe("0 violations\n");
    third.process.kill("SIGTERM");
    expect(await third.ended()).toBe(0);
    expect(processesOf(folder)).toEqual([]);
  });

  test("says who has its port, and ends", { timeout: 300_000 }, async () => {
    const taken = createServer();
    await new Promise<void>((ready) => taken.listen(0, "127.0.0.1", ready));
    const { port } = taken.address() as AddressInfo;
    const folder = dataFolder();
    const product = start(folder, { PORT: String(port) });
    expect(await product.ended(allowed(40_000))).toBe(1);
    expect(product.said).toContain(`Port ${port} is taken`);
    expect(processesOf(folder)).toEqual([]);
    taken.close();
  });

  test("with AUTH=required prints a link that signs the owner in, and after that no more", { timeout: 300_000 }, async () => {
    const folder = dataFolder();
    const product = start(folder, { AUTH: "required" });
    const link = await product.line(/(http:\/\/localhost:\d+\/sign-in\/[\w-]{43})/);
    expect((await fetch(link, { method: "POST", redirect: "manual" })).status).toBe(303);
    product.process.kill("SIGTERM");
    await product.ended();
    const again = start(folder, { AUTH: "required" });
    await again.page();
    await sleep(200);
    expect(again.said).not.toContain("/sign-in/");
    for (const name of ["web", "agent"]) expect(readFileSync(join(folder, `logs/${name}.log`), "utf8")).not.toContain(link.split("/").at(-1));
  });
});

test("does not start where anybody could walk in", { timeout: 300_000 }, async () => {
  const product = start(dataFolder(), { HOST: "0.0.0.0" });
  expect(await product.ended()).toBe(1);
  expect(product.said).toMatch(/^AUTH=local .* set AUTH=required.*\n$/);
});
