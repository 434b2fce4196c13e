import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";

/** `npm run audit` where there is nothing to audit. */
const folder = mkdtempSync(join(tmpdir(), "tensorloom-audit-"));
const mute = createServer();
afterAll(() => {
  mute.close();
  rmSync(folder, { recursive: true });
});

function audit(more: { [name: string]: string }): Promise<{ code: number; said: string }> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, ["server/audit.ts"], { env: { NODE_ENV: "test", PATH: process.env.PATH, DATA_DIR: folder, ...more } }, (_, out, words) =>
      resolve({ code: child.exitCode ?? -1, said: out + words }),
    );
  });
}

test("says in one sentence that there is no database, that it is away, or that it does not answer, and ends with 1", async () => {
  expect(await audit({})).toEqual({ code: 1, said: "There is no database: start Tensorloom, or set DATABASE_URL.\n" });
  const away = { code: 1, said: "The database does not answer: start Tensorloom, or see to DATABASE_URL. Nothing was audited.\n" };
  expect(await audit({ DATABASE_URL: "postgres://loom:secret@127.0.0.1:1/loom" })).toEqual(away);
  await new Promise<void>((ready) => mute.listen(0, "127.0.0.1", ready));
  expect(await audit({ DATABASE_URL: `postgres://loom:secret@127.0.0.1:${(mute.address() as { port: number }).port}/loom` })).toEqual(away);
});
