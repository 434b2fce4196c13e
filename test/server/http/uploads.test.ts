import { createHash, randomBytes, randomUUID } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { ensureWorkspace } from "../../../server/auth/workspace.ts";
import { uploadKey } from "../../../server/http/uploads.ts";
import { openFileStore } from "../../../server/storage/files.ts";
import { openTestDatabase } from "../postgres.ts";
import { browserAt, serveWeb } from "../visitor.ts";

const { db } = await openTestDatabase();
await ensureWorkspace(db);
const folder = mkdtempSync(join(tmpdir(), "tensorloom-uploads-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const files = openFileStore(folder);
const { base, port } = await serveWeb(db, files);
const browser = browserAt(base);
await browser.fetch("/", { headers: { accept: "text/html", "sec-fetch-dest": "document", "sec-fetch-site": "none" } });
const { id: orgId } = await db.organization.findFirstOrThrow();

const content = randomBytes(300_000);
const sha256 = (bytes: Uint8Array) => `sha256 ${createHash("sha256").update(bytes).digest("base64")}`;

async function begin(sizeBytes = content.length): Promise<string> {
  const answer = await browser.fetch("/api/uploads", { method: "POST", headers: { "content-type": "application/octet-stream", "upload-length": String(sizeBytes) } });
  expect(answer.status).toBe(201);
  return ((await answer.json()) as { uploadId: string }).uploadId;
}

const send = (id: string, from: number, bytes: Uint8Array, headers: Record<string, string> = {}) =>
  browser.fetch(`/api/uploads/${id}`, {
    method: "PATCH",
    headers: { "content-type": "application/offset+octet-stream", "upload-offset": String(from), ...headers },
    body: new Blob([new Uint8Array(bytes)]),
  });

const offsetOf = async (id: string) => {
  const answer = await browser.fetch(`/api/uploads/${id}`, { method: "HEAD" });
  return answer.status === 200 ? Number(answer.headers.get("upload-offset")) : answer.status;
};

/** Sends the head of a part and some of its bytes, and then breaks the connection. */
async function breakOff(id: string, from: number, bytes: Uint8Array, headers = ""): Promise<void> {
  await new Promise<void>((done) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.write(
        `PATCH /api/uploads/${id} HTTP/1.1\r\nHost: localhost\r\nCookie: ${browser.cookie}\r\nContent-Type: application/offset+octet-stream\r\nUpload-Offset: ${from}\r\nContent-Length: ${content.length - from}\r\n${headers}\r\n`,
      );
      socket.write(bytes, () => setTimeout(() => socket.destroy(), 150));
    });
    socket.on("close", () => done());
    socket.on("error", () => {});
  });
  // The server is done with it once another part is let in.
  await expect.poll(async () => ((await (await send(id, 999_999_999, new Uint8Array())).json()) as { message: string }).message).toMatch(/begins at byte/);
}

describe("an upload in parts", () => {
  test("is whole after its last part, and only then can be read", async () => {
    const id = await begin();
    const place = files.path(uploadKey(orgId, id));
    expect((await send(id, 0, content.subarray(0, 100_000), { "upload-checksum": sha256(content.subarray(0, 100_000)) })).status).toBe(204);
    expect(await offsetOf(id)).toBe(100_000);
    expect(() => readFileSync(place)).toThrow("ENOENT");
    expect((await send(id, 100_000, content.subarray(100_000))).headers.get("upload-offset")).toBe("300000");
    expect(readFileSync(place).equals(content)).toBe(true);
    expect(await offsetOf(id)).toBe(404);
  });

  test("goes on from where a connection broke", async () => {
    const id = await begin();
    await breakOff(id, 0, content.subarray(0, 70_000));
    const kept = await offsetOf(id);
    expect(kept).toBe(70_000);
    await send(id, kept, content.subarray(kept));
    expect(readFileSync(files.path(uploadKey(orgId, id))).equals(content)).toBe(true);
  });

  test("keeps nothing of a part that was to be proven and broke, or was changed on its way", async () => {
    const id = await begin();
    await send(id, 0, content.subarray(0, 50_000));
    await breakOff(id, 50_000, content.subarray(50_000, 90_000), `Upload-Checksum: ${sha256(content.subarray(50_000))}\r\n`);
    expect(await offsetOf(id)).toBe(50_000);
    const changed = await send(id, 50_000, content.subarray(50_000, 60_000), { "upload-checksum": sha256(content.subarray(50_000, 60_001)) });
    expect([changed.status, ((await changed.json()) as { code: string }).code]).toEqual([422, "UPLOAD_CHECKSUM"]);
    expect(await offsetOf(id)).toBe(50_000);
  });

  test("says where to go on to a part that is out of place, and takes no more than was announced", async () => {
    const id = await begin();
    for (const from of [1, -1, Number.NaN]) {
      const refused = await send(id, from, content.subarray(0, 10));
      expect(await refused.json()).toMatchObject({ code: "UPLOAD_OFFSET", details: { offset: 0 } });
    }
    const more = await send(id, 0, Buffer.concat([content, content]));
    expect([more.status, await offsetOf(id)]).toEqual([413, 0]);
  });

  test("is given up at a word, and is no one else's", async () => {
    const id = await begin();
    const { userId, orgId: own } = await db.membership.findFirstOrThrow();
    expect(own).toBe(orgId);
    await files.put(`${uploadKey(orgId, id)}.json`, Buffer.from(JSON.stringify({ userId: randomUUID(), sizeBytes: content.length })));
    expect(await offsetOf(id)).toBe(404);
    expect((await send(id, 0, content)).status).toBe(404);
    await files.put(`${uploadKey(orgId, id)}.json`, Buffer.from(JSON.stringify({ userId, sizeBytes: content.length })));
    expect((await browser.fetch(`/api/uploads/${id}`, { method: "DELETE" })).status).toBe(204);
    expect(await offsetOf(id)).toBe(404);
    expect(await offsetOf(randomUUID())).toBe(404);
  });

  test("comes from our own pages only, in its own type, and not beyond what a file may have", async () => {
    const id = await begin();
    expect((await send(id, 0, content, { origin: "https://elsewhere.example" })).status).toBe(403);
    expect((await send(id, 0, content, { "sec-fetch-site": "cross-site" })).status).toBe(403);
    expect((await browser.fetch(`/api/uploads/${id}`, { method: "DELETE", headers: { origin: "https://elsewhere.example" } })).status).toBe(403);
    expect((await send(id, 0, content, { "content-type": "text/plain" })).status).toBe(415);
    expect(await offsetOf(id)).toBe(0);
    for (const [length, status] of [
      ["600000000", 413],
      ["0", 400],
      ["-5", 400],
      ["x", 400],
    ] as const) {
      const answer = await browser.fetch("/api/uploads", { method: "POST", headers: { "content-type": "application/octet-stream", "upload-length": length } });
      expect(answer.status).toBe(status);
    }
  });
});
