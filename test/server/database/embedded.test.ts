import { chmodSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import { afterAll, expect, test } from "vitest";
import { startEmbeddedPostgres } from "../../../server/database/embedded.ts";
import { allowed } from "../../allowed.ts";

const folder = mkdtempSync(join(tmpdir(), "tensorloom-embedded-"));
// Postgres runs as another user where the tests run as root.
chmodSync(folder, 0o755);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function connect(url: string): Promise<Client> {
  const client = new Client({ connectionString: url });
  client.on("error", () => {});
  await client.connect();
  return client;
}

test("a start while the server before is still ending waits for its end, then starts; a start beside a live one takes it over", async () => {
  const first = await startEmbeddedPostgres(folder);
  expect(first.started).toBe(true);
  const guest = await connect(first.url);
  await guest.query("CREATE TABLE note (text text)");
  await guest.query("INSERT INTO note VALUES ('kept')");
  // A smart shutdown: no new sessions, and it ends with its last one.
  process.kill(Number.parseInt(readFileSync(join(folder, "postgres", "postmaster.pid"), "utf8"), 10), "SIGTERM");
  const again = startEmbeddedPostgres(folder);
  await sleep(1_000);
  await guest.end();
  const leftAt = performance.now();
  const second = await again;
  try {
    expect(performance.now() - leftAt).toBeLessThan(allowed(10_000));
    expect(second.started).toBe(true);
    const client = await connect(second.url);
    expect((await client.query("SELECT text FROM note")).rows).toEqual([{ text: "kept" }]);
    await client.end();
    expect(await startEmbeddedPostgres(folder)).toMatchObject({ started: false, url: second.url });
  } finally {
    await second.stop();
  }
});
