import { execFile, execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { hasNamespaces, limited, runChild } from "../../../server/ingest/child.ts";
import { allowed } from "../../allowed.ts";

/** What the process that reads people's files may do, asked by code that tries. Each try is one that a hole in a parser would make. */
const server = createServer((socket) => socket.end("reached"));
let port = 0;
beforeAll(async () => {
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  port = (server.address() as { port: number }).port;
});
afterAll(() => server.close());

function run(code: string, more?: { fileBytes?: number; cpuSeconds?: number }): Promise<{ said: string; code: number | string | null; signal: string | null }> {
  const [command = "", ...args] = limited(["--max-old-space-size=512", "--input-type=module", "--eval", code], more);
  return new Promise((resolve) => {
    const child = execFile(command, args, { env: { PATH: process.env.PATH, NODE_ENV: "test" }, timeout: 60_000 }, (error, stdout) =>
      resolve({ said: stdout.trim(), code: error?.code ?? 0, signal: child.signalCode }),
    );
  });
}

describe("the process that reads people's files", () => {
  test.skipIf(!hasNamespaces())("reaches no network, not even this machine's own (needs user namespaces)", async () => {
    const tried = `import { connect } from "node:net"; const s = connect(${port}, "127.0.0.1"); s.on("data", (d) => console.log(String(d))); s.on("error", (e) => console.log(e.code));`;
    const { said } = await run(tried);
    expect(said).toMatch(/^E(NETUNREACH|CONNREFUSED|ADDRNOTAVAIL)$/);
    const interfaces = await run(`import { networkInterfaces } from "node:os"; console.log(JSON.stringify(networkInterfaces()));`);
    expect(interfaces.said).toBe("{}");
  });

  test("starts no other process and no worker", async () => {
    for (const code of [
      `import { spawnSync } from "node:child_process"; try { console.log(spawnSync("id").status) } catch (e) { console.log(e.code) }`,
      `import { Worker } from "node:worker_threads"; try { new Worker("1", { eval: true }); console.log("started") } catch (e) { console.log(e.code) }`,
    ])
      expect((await run(code)).said).toBe("ERR_ACCESS_DENIED");
  });

  test("knows nothing of the installation's settings", async () => {
    process.env.TENSORLOOM_CANARY = "a secret";
    expect((await run(`console.log(Object.keys(process.env).filter((name) => !/^(PATH|NODE_ENV|PWD|SHLVL|_)$/.test(name)).join())`)).said).toBe("");
    delete process.env.TENSORLOOM_CANARY;
  });

  test.skipIf(process.platform !== "linux")("is ended where it takes more memory, files or time than it may", async () => {
    expect((await run(`const all = []; for (let i = 0; i < 4096; i++) all.push(Buffer.alloc(1 << 20, 1)); console.log("took it all")`)).said).not.toContain("took");
    expect((await run(`import { openSync } from "node:fs"; let n = 0; try { for (; n < 5000; n++) openSync("/dev/null") } catch (e) { console.log(e.code, n < 64) }`)).said).toBe(
      "EMFILE true",
    );
    // What the kernel holds it to; the times of processor and clock are too long to be tried out to their ends.
    const { said } = await run(`import { readFileSync } from "node:fs"; console.log(readFileSync("/proc/self/limits", "utf8"))`);
    const limit = (name: string) => new RegExp(`^${name} +(\\S+) +(\\S+)`, "m").exec(said)?.slice(1);
    expect(limit("Max cpu time")).toEqual(["30", "30"]);
    expect(limit("Max open files")).toEqual(["64", "64"]);
    expect(limit("Max data size")).toEqual([String(1 << 30), String(1 << 30)]);
    expect(limit("Max core file size")).toEqual(["0", "0"]);
    expect(
      /^Max cpu time +(\S+)/m.exec(
        (await run(`import { readFileSync } from "node:fs"; console.log(readFileSync("/proc/self/limits", "utf8"))`, { fileBytes: 64 << 20 })).said,
      )?.[1],
    ).toBe("38");
    const long = await run("for (;;);", { cpuSeconds: 1 });
    expect(["SIGKILL", "SIGXCPU"]).toContain(long.signal);
  });

  test.skipIf(process.platform === "win32")("that does not come to an end costs an answer, and nothing else of the process that waits for it", async () => {
    const folder = mkdtempSync(join(tmpdir(), "tensorloom-endless-"));
    mkdirSync(join(folder, "uploads", "o"), { recursive: true });
    // Nobody writes into it, so whoever reads it waits.
    execFileSync("mkfifo", [join(folder, "uploads", "o", "file")]);
    const began = performance.now();
    const answer = await runChild(["table-facts", folder, "uploads/o/file", "table.csv"], z.object({ ok: z.boolean() }), { input: "{}", wallMs: 2_000 });
    expect(answer).toMatchObject({ ok: false, failure: { code: "INGEST_STOPPED", message: expect.stringContaining("SIGKILL") } });
    expect(performance.now() - began).toBeLessThan(allowed(4_000));
    rmSync(folder, { recursive: true });
  });
});
