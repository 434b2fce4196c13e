import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type FileStore, openFileStore } from "../../../server/storage/files.ts";

let root: string;
let files: FileStore;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "tensorloom-files-"));
  files = openFileStore(root);
});
afterEach(() => rm(root, { recursive: true, force: true }));

describe("file store", () => {
  it("an object that was put is there, with its size and SHA-256", async () => {
    const stored = await files.put("runs/a1/step-1.safetensors", new TextEncoder().encode("abc"));
    expect(stored).toEqual({ key: "runs/a1/step-1.safetensors", sizeBytes: 3, sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" });
    expect(await files.inspect(stored.key)).toEqual(stored);
  });

  it("a put that fails leaves the older object and no other file", async () => {
    await files.put("runs/a1/x", Uint8Array.of(1));
    async function* broken() {
      yield Uint8Array.of(2, 2);
      throw new Error("the source broke");
    }
    await expect(files.put("runs/a1/x", broken())).rejects.toThrow("the source broke");
    expect(Array.from(await files.read("runs/a1/x"))).toEqual([1]);
    expect(await readdir(join(root, "runs/a1"))).toEqual(["x"]);
  });

  it.each(["../x/y", "runs/../../etc/passwd", "/etc/passwd", "runs//x", "runs", "runs/a\0b", "runs/.hidden", "C:\\x/y", "runs/a b"])("refuses the key %j", (key) => {
    expect(() => files.path(key)).toThrow(TypeError);
  });

  it("removing a folder removes its objects and nothing beside it", async () => {
    await files.put("runs/a1/x", Uint8Array.of(1));
    await files.put("runs/a2/x", Uint8Array.of(1));
    await writeFile(join(root, "runs/a1/half.tmp"), "");
    await files.removeFolder("runs/a1");
    expect(await files.inspect("runs/a1/x")).toBeNull();
    expect(await files.inspect("runs/a2/x")).not.toBeNull();
  });
});
