import { execFile } from "node:child_process";
import { createServer } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasNamespaces, limited } from "../../../server/ingest/child.ts";

/** What the process that reads people's files may do, asked by code that tries. Each try is one that a hole in a parser would make. */
const server = createServer((socket) => socket.end("reached"));
let port = 0;
beforeAll(async () => {
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  port = (server.address() as { port: number }).port;
});
afterAll(() => server.close());

function run(code: string, more?: { fileBytes?: number; wallMs?: number }): Promise<{ said: string; code: number | string | null; signal: string | null }> {
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
    expect((await run(`import { openSync } from "node:fs"; let n = 0; try { for (; n < 5000; n++) openSync("/dev/null") } catch (e) { console.log(e.code, n < 128) }`)).said).toBe(
      "EMFILE true",
    );
  });
});
