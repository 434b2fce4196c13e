import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { Child } from "../../server/supervise.ts";
import { until } from "../fault/world.ts";

const folder = mkdtempSync(join(tmpdir(), "tensorloom-supervise-"));
const program = join(folder, "child.mjs");
// Says where it stands and ends by itself after its first start.
writeFileSync(
  program,
  `process.on("SIGTERM", () => process.exit()); process.send("up"); if (process.env.ENDS) setTimeout(() => process.exit(3), 50); setInterval(() => {}, 1000);`,
);
let child: Child | undefined;
afterEach(async () => {
  await child?.stop(2_000);
});
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));

it("a part is started again also where neither its log nor the file that remembers it can be written", async () => {
  // As a full or read-only disk: whatever is to be written there is refused.
  mkdirSync(join(folder, "logs", "part.log"), { recursive: true });
  mkdirSync(join(folder, "run", "part.json"), { recursive: true });
  let ups = 0;
  const said: string[] = [];
  child = new Child({
    name: "part",
    file: program,
    dataDir: folder,
    env: () => ({ ...process.env, ...(ups < 2 ? { ENDS: "1" } : {}) }),
    onMessage: () => ups++,
    onCrash: (sentence) => said.push(sentence),
  });
  await child.start();
  await until("it was started three times", 60_000, async () => (ups === 3 ? true : null));
  expect(said).toEqual([expect.stringMatching(/^part ended with 3; it is started again in 0\.25 s/), expect.stringMatching(/^part ended with 3; it is started again in 0\.5 s/)]);
  expect(readdirSync(join(folder, "logs", "part.log"))).toEqual([]);
});

it("a part that the system cannot start is tried again", async () => {
  const node = process.execPath;
  let tries = 0;
  let isUp = false;
  child = new Child({
    name: "other",
    file: program,
    dataDir: folder,
    // The program is there again at the third try.
    env: () => {
      process.execPath = ++tries < 3 ? join(folder, "missing") : node;
      return process.env;
    },
    onMessage: () => (isUp = true),
    onCrash: (sentence) => expect(sentence).toMatch(/^other could not be started \(.*ENOENT/),
  });
  try {
    await child.start();
    await until("it is up", 60_000, async () => (isUp ? true : null));
    expect(tries).toBe(3);
  } finally {
    process.execPath = node;
  }
});
