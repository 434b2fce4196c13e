import { execFileSync, spawnSync } from "node:child_process";
import { constants } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { temporaryFolder } from "../native/specs.ts";

const folder = temporaryFolder();
afterAll(folder.remove);

const shim = join(folder.path, "failingDisk.so");
beforeAll(() => {
  execFileSync("cc", ["-shared", "-fPIC", "-O1", "-o", shim, "test/fault/failingDisk.c", "-ldl"]);
});

type Line = { failing: number; code: string; message: string; checkpoints: number; wrong: string[] };

it.each([
  ["EIO", constants.errno.EIO, "Input/output error"],
  ["ENOSPC", constants.errno.ENOSPC, "No space left on device"],
] as const)(
  "whichever call of a checkpoint's writing fails with %s, what was reported before is whole, and the run goes on from it to the same end",
  (name, number, words) => {
    const { stdout, stderr, status } = spawnSync(process.execPath, ["test/fault/failingDisk.ts", join(folder.path, name), String(number)], {
      env: { ...process.env, LD_PRELOAD: shim, FAULT_PLAN: join(folder.path, `${name}.plan`) },
      encoding: "utf8",
      maxBuffer: 1 << 24,
    });
    expect(stderr).toBe("");
    expect(status).toBe(0);
    const lines = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Line);
    expect(lines.filter(({ wrong }) => wrong.length > 0)).toEqual([]);
    for (const { code, message } of lines) {
      expect(code).toBe("INTERNAL");
      expect(message).toContain(words);
    }
    // Three checkpoints, each of them created, written in pieces, brought to the disk and renamed, and its folder after it.
    expect(new Set(lines.map(({ checkpoints }) => checkpoints))).toEqual(new Set([0, 1, 2]));
    // In this order, which a power cut cannot harm: whole under another name and on the disk, then renamed, then the folder.
    const calls = lines.filter(({ checkpoints }) => checkpoints === 0).map(({ message }) => /Cannot (create|write the folder|write|rename)/.exec(message)?.[1]);
    expect(calls.filter((call, at) => call !== calls[at - 1])).toEqual(["create", "write", "rename", "write the folder"]);
  },
  120_000,
);
