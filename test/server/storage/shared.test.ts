import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Damaged, type FileStore, Gone } from "../../../server/storage/files.ts";
import { openBucket } from "../../../server/storage/s3.ts";
import { openSharedStore } from "../../../server/storage/shared.ts";
import { openTestBucket, type TestBucket } from "../../bucket.ts";

let bucket: TestBucket;
const folders: string[] = [];
beforeAll(async () => {
  bucket = await openTestBucket();
});
afterAll(async () => {
  await bucket.close();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A machine of its own: a folder that no other one sees. */
function machine(place = bucket.place): FileStore {
  const folder = mkdtempSync(join(tmpdir(), "tensorloom-machine-"));
  folders.push(folder);
  return openSharedStore(folder, openBucket(place));
}

const bytes = (text: string) => new TextEncoder().encode(text);

test("what one machine put, another has when it asks, byte for byte; many parts too", { timeout: 60_000 }, async () => {
  const [one, two] = [machine(), machine()];
  // More than two parts of 32 MiB, the last of them short.
  const large = randomBytes((64 << 20) + 12_345);
  for (const [key, content] of [
    ["runs/a/step-1.safetensors", bytes("weights")],
    ["runs/a/empty", new Uint8Array()],
    ["datasets/b/train-input.npy", large],
  ] as const) {
    const stored = await one.put(key, content);
    expect(await two.inspect(key)).toEqual(stored);
    const path = await two.bring(key, stored.sha256);
    expect(readFileSync(path).equals(content)).toBe(true);
  }
  expect((await two.list("runs/a")).map(({ key }) => key).sort()).toEqual(["runs/a/empty", "runs/a/step-1.safetensors"]);
});

test("a file that the engine wrote is nobody's until it is published, and cannot be had where it never was", async () => {
  const [one, two] = [machine(), machine()];
  await one.put("runs/c/first", bytes("first"));
  writeFileSync(one.path("runs/c/step-2"), "from the engine");
  await expect(two.bring("runs/c/step-2")).rejects.toThrow(Gone);
  expect(await two.inspect("runs/c/step-2")).toBeNull();
  await one.publish("runs/c/step-2");
  await two.bring("runs/c/step-2");
  expect(Buffer.from(await two.read("runs/c/step-2")).toString()).toBe("from the engine");
});

test("a copy with a changed bit is brought anew; an object with one is refused and leaves nothing", async () => {
  const [one, two] = [machine(), machine()];
  const { sha256 } = await one.put("runs/d/x", bytes("as it was"));
  await two.bring("runs/d/x", sha256);
  writeFileSync(two.path("runs/d/x"), "as it wes");
  expect(readFileSync(await two.bring("runs/d/x", sha256), "utf8")).toBe("as it was");
  writeFileSync(bucket.fileOf("runs/d/x"), "as it wes");
  await expect(machine().bring("runs/d/x", sha256)).rejects.toThrow(Damaged);
  const third = machine();
  // The hash that it was sent with holds where no row tells one.
  await expect(third.bring("runs/d/x")).rejects.toThrow(Damaged);
  expect(readdirSync(join(third.path("runs/d/x"), ".."))).toEqual([]);
});

test("a newer object under the same key takes the place of a copy", async () => {
  const [one, two] = [machine(), machine()];
  const before = await one.put("datasets/e/train-input.npy", bytes("before"));
  await two.bring(before.key, before.sha256);
  const after = await one.put("datasets/e/train-input.npy", bytes("after!"));
  expect(readFileSync(await two.bring(after.key, after.sha256), "utf8")).toBe("after!");
});

test("removing an object or a folder removes it for everybody, and nothing beside it", async () => {
  const [one, two] = [machine(), machine()];
  for (const key of ["runs/f/x", "runs/f/lease-1/y", "runs/ff/x"]) await one.put(key, bytes(key));
  await two.removeFolder("runs/f");
  expect(await Promise.all(["runs/f/x", "runs/f/lease-1/y", "runs/ff/x"].map(async (key) => (await one.inspect(key)) !== null))).toEqual([false, false, true]);
  await two.remove("runs/ff/x");
  expect(await one.list("runs/ff")).toEqual([]);
});

test("while the store is away it says so, keeps what is here, and goes on when it is back", { timeout: 30_000 }, async () => {
  const [one, two] = [machine(), machine()];
  await one.put("runs/g/before", bytes("before"));
  await bucket.stop();
  await expect(one.put("runs/g/during", bytes("during"))).rejects.toMatchObject({ code: "STORE_AWAY" });
  await expect(two.bring("runs/g/before")).rejects.toMatchObject({ code: "STORE_AWAY" });
  // A copy that is here can be worked with.
  expect(readFileSync(await one.bring("runs/g/before"), "utf8")).toBe("before");
  await bucket.start();
  await one.publish("runs/g/during");
  expect(readFileSync(await two.bring("runs/g/during"), "utf8")).toBe("during");
});

test("a key that is not the bucket's, or no such bucket, reads as away, never as an empty store", { timeout: 30_000 }, async () => {
  for (const place of [
    { ...bucket.place, secretAccessKey: "guessed" },
    { ...bucket.place, bucket: "nobodys" },
  ]) {
    await expect(machine(place).put("runs/h/x", bytes("x"))).rejects.toMatchObject({ code: "STORE_AWAY" });
    await expect(machine(place).list("runs")).rejects.toMatchObject({ code: "STORE_AWAY" });
  }
});

test("a download whose connection breaks goes on where it broke", { timeout: 30_000 }, async () => {
  const content = randomBytes(3 << 20);
  const { key, sha256 } = await machine().put("runs/i/x", content);
  const { port } = new URL(bucket.place.endpoint);
  // Cuts the first connection that has carried two megabytes.
  let cut = 0;
  let carried = 0;
  const proxy = createServer((socket) => {
    const through = connect(Number(port), "127.0.0.1");
    for (const end of [socket, through]) end.on("error", () => {});
    socket.pipe(through);
    let seen = 0;
    through.on("data", (part) => {
      seen += part.length;
      carried += part.length;
      if (cut === 0 && seen > 2 << 20) {
        cut++;
        socket.destroy();
        through.destroy();
      } else socket.write(part);
    });
    through.on("end", () => socket.end());
    socket.on("close", () => through.destroy());
  });
  await new Promise<void>((ready) => proxy.listen(0, "127.0.0.1", ready));
  const address = proxy.address();
  if (address === null || typeof address === "string") throw new Error("The proxy has a port.");
  try {
    const far = machine({ ...bucket.place, endpoint: `http://127.0.0.1:${address.port}` });
    expect(readFileSync(await far.bring(key, sha256)).equals(content)).toBe(true);
    expect(cut).toBe(1);
    expect(carried).toBeLessThan(1.6 * content.length);
  } finally {
    proxy.close();
  }
});

test("copies that nobody wanted for a week go; what the bucket does not have stays", async () => {
  const one = machine();
  for (const key of ["runs/j/old", "runs/j/new"]) await one.put(key, bytes(key));
  writeFileSync(one.path("runs/j/unpublished"), "only here");
  for (const key of ["runs/j/old", "runs/j/unpublished"]) utimesSync(one.path(key), 0, 0);
  expect(await one.tidy()).toBe(1);
  expect(readdirSync(join(one.path("runs/j/x"), "..")).sort()).toEqual(["new", "unpublished"]);
  expect(readFileSync(await one.bring("runs/j/old"), "utf8")).toBe("runs/j/old");
});
