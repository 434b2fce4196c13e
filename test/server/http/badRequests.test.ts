import { readFileSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { connect } from "node:net";
import { beforeAll, describe, expect, test } from "vitest";
import { hashSecret, makeSecret } from "../../../server/auth/secrets.ts";
import { makeToken } from "../../../server/auth/token.ts";
import { readConfig } from "../../../server/config.ts";
import { startRun } from "../../../server/runs/start.ts";
import { openTestDatabase } from "../postgres.ts";
import { serveWeb } from "../visitor.ts";
import { makeTenant, type Tenant, temporaryFiles } from "../world.ts";

/** Requests that harm, lie or ask for too much: rows 38 and 57 to 66 of the list of bad inputs, over HTTP. Row 61 stands in crawl.test.ts; docs/reliability.md says where the others are. */
const { db } = await openTestDatabase();
const files = temporaryFiles();
const { base, port } = await serveWeb(db, files, { AUTH: "required" }, { bodyMs: 700 });
let home: Tenant;
let cookie = "";
beforeAll(async () => {
  home = await makeTenant(db, { name: "Home" });
  const secret = makeSecret();
  await db.session.create({ data: { userId: home.userId, tokenHash: hashSecret(secret), expiresAt: new Date(Date.now() + 3_600_000) } });
  cookie = `tensorloom=${secret}`;
});

const json = { "content-type": "application/json" };
type Answer = { status: number; code: string; message: string; text: string };
async function ask(path: string, init: { method?: string; body?: string; headers?: Record<string, string> } = {}): Promise<Answer> {
  const answer = await fetch(`${base}${path}`, { ...init, headers: { cookie, ...json, ...init.headers } });
  const text = await answer.text();
  expect(text).not.toMatch(/\bat .*\(|node_modules|\/server\/|SELECT|prisma|ZodError/i);
  const body = JSON.parse(text) as { code?: string; message?: string; error?: { message: string; data: { code: string } } };
  return { status: answer.status, code: body.error?.data.code ?? body.code ?? "", message: body.error?.message ?? body.message ?? "", text };
}
const post = (procedure: string, input: unknown, headers: Record<string, string> = {}) =>
  ask(`/api/trpc/${procedure}`, { method: "POST", body: typeof input === "string" ? input : JSON.stringify(input), headers });
const bearer = async (scope: "read" | "write", expiresAt: Date | null = null) => {
  const token = makeToken();
  const { id } = await db.apiToken.create({
    data: { orgId: home.orgId, userId: home.userId, name: scope, scope, expiresAt, tokenHash: hashSecret(token), lastFour: token.slice(-4) },
  });
  return { id, authorization: `Bearer ${token}` };
};

describe("a request", () => {
  test("38: that opens a checkpoint of which one bit has changed is refused and told of the one before it, and nothing is kept", async () => {
    const { runId } = await startRun(db, readConfig({}), home, { modelId: home.modelId, settings: home.settings, idempotencyKey: "38" });
    const rows = [];
    for (const step of [10, 20]) {
      const { key: storageKey, sizeBytes, sha256 } = await files.put(`runs/${runId}/lease-1/step-${step}.safetensors`, Buffer.alloc(1_000, step));
      rows.push(await db.checkpoint.create({ data: { orgId: home.orgId, runId, leaseToken: 1, step, epoch: step / 10, storageKey, sizeBytes, sha256 } }));
    }
    const [good, flipped] = rows;
    const path = files.path(flipped?.storageKey ?? "");
    const bytes = readFileSync(path);
    bytes.writeUInt8(bytes.readUInt8(500) ^ 1, 500);
    writeFileSync(path, bytes);
    const answer = await post("runs.openCheckpoint", { runId, checkpointId: flipped?.id });
    expect([answer.status, answer.code]).toEqual([422, "CHECKPOINT_CHECKSUM"]);
    expect(answer.message).toContain("at step 20 is damaged");
    expect(answer.message).toContain("Take the one before it, at step 10.");
    expect(JSON.parse(answer.text)).toMatchObject({ error: { data: { details: { before: { id: good?.id, step: 10 } } } } });
    expect(await db.model.count({ where: { orgId: home.orgId } })).toBe(1);
    expect(await files.list("weights")).toEqual([]);
  });

  test("57: with names that mean something to JavaScript changes no object but its own", async () => {
    const graph = '{"schemaVersion":1,"nodes":[{"id":"toString","type":"__proto__","params":{"__proto__":{"polluted":1},"constructor":2},"at":{"x":0,"y":0}}],"edges":[]}';
    const answer = await post("models.save", `{"modelId":"${home.modelId}","revision":1,"graph":${graph}}`);
    expect(answer.status).toBeLessThan(500);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    const started = await post("runs.start", { modelId: home.modelId, settings: home.settings, idempotencyKey: "proto" });
    expect([200, 400, 422]).toContain(started.status);
  });

  test.each([
    ["lr", '"NaN"'],
    ["lr", "1e309"],
    ["lr", "-1"],
    ["batchSize", "0"],
    ["epochs", "1e12"],
  ])("58: with the setting %s as %s is refused by the setting's name", async (field, value) => {
    const body = JSON.stringify({ modelId: home.modelId, settings: { ...home.settings, [field]: "HERE" }, idempotencyKey: `58 ${field} ${value}` }).replace('"HERE"', value);
    const answer = await post("runs.start", body);
    expect([answer.status, answer.code]).toEqual([422, "CONFIG_RANGE"]);
    expect(answer.message).toContain(field);
    expect(await db.run.count({ where: { modelId: home.modelId, idempotencyKey: `58 ${field} ${value}` } })).toBe(0);
  });

  test("62: with an object for a text, or a key that is not known, is refused by its place", async () => {
    for (const input of [{ name: { not: "" } }, { name: "a", orgId: home.orgId }, { name: ["a"] }, { name: null }, [], "null"]) {
      const answer = await post("projects.create", input);
      expect([JSON.stringify(input), answer.status, answer.code]).toEqual([JSON.stringify(input), 400, "INPUT_SHAPE"]);
    }
  });

  test("63: of ten thousand calls, or with a body of a gigabyte, is refused before it is read", async () => {
    const batch = `/api/trpc/${new Array(300).fill("workspace.me").join(",")}?batch=1&input=%7B%7D`;
    expect((await ask(batch)).status).toBe(400);
    expect((await fetch(`${base}/api/trpc/${new Array(10_000).fill("workspace.me").join(",")}?batch=1`, { headers: { cookie } })).status).toBe(431);
    const before = process.memoryUsage().rss;
    const status = await new Promise<number | string>((done) => {
      const sent = request(`${base}/api/trpc/projects.create`, { method: "POST", headers: { ...json, cookie, "content-length": String(2 ** 30) } }, (answer) => {
        done(answer.statusCode ?? 0);
        answer.resume();
        sent.destroy();
      });
      sent.on("error", (error: NodeJS.ErrnoException) => done(error.code ?? "error"));
      const block = Buffer.alloc(1 << 20, "x");
      const more = () => {
        for (let i = 0; i < 1024 && !sent.destroyed; i++) if (!sent.write(block)) return void sent.once("drain", more);
      };
      more();
    });
    // Ended in the middle of its body, a connection may break before the answer is read.
    expect([413, "ECONNRESET", "EPIPE"]).toContain(status);
    expect(process.memoryUsage().rss - before).toBeLessThan(50 * 2 ** 20);
  });

  test("63: whose body dribbles in is told that it was too slow, and its connection ends", async () => {
    const text = await new Promise<string>((done) => {
      let said = "";
      const socket = connect(port, "127.0.0.1", () => {
        socket.write(`POST /api/trpc/projects.create HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nCookie: ${cookie}\r\nContent-Length: 5000\r\n\r\n{"name":`);
      });
      const drip = setInterval(() => socket.write('"'), 100);
      socket.on("data", (part) => (said += part));
      socket.on("error", () => {});
      socket.on("close", () => {
        clearInterval(drip);
        done(said);
      });
    });
    expect(text).toMatch(/^HTTP\/1\.1 408 /);
    expect(text).toContain('"code":"TOO_SLOW"');
  });

  test("64: with a token that is revoked, over, for reading only, or in the address gets the answer that belongs to it", async () => {
    const [revoked, over, reads] = [await bearer("write"), await bearer("write", new Date(Date.now() - 1_000)), await bearer("read")];
    await db.apiToken.delete({ where: { id: revoked.id } });
    for (const { authorization } of [revoked, over]) expect((await post("projects.create", { name: "x" }, { authorization, cookie: "" })).status).toBe(401);
    const refused = await post("projects.create", { name: "x" }, { authorization: reads.authorization, cookie: "" });
    expect([refused.status, refused.code]).toEqual([403, "SCOPE"]);
    expect(refused.message).toContain("scope write");
    expect((await ask(`/api/trpc/projects.list?token=${reads.authorization.slice(7)}`)).status).toBe(400);
    // A cookie beside it does not help a token that is none.
    expect((await post("projects.create", { name: "x" }, { authorization: `Bearer ${makeToken()}` })).status).toBe(401);
  });

  test("65: that would leave an organization without an owner, or raise somebody, is refused", async () => {
    const last = await post("organization.leave", undefined as unknown as string, {});
    expect([last.status, last.code]).toEqual([409, "LAST_OWNER"]);
    expect((await post("organization.setRole", { memberId: home.userId, role: "viewer" })).code).toBe("LAST_OWNER");
    const { id } = await db.user.create({ data: { name: "Adam", memberships: { create: { orgId: home.orgId, role: "admin" } } } });
    const secret = makeSecret();
    await db.session.create({ data: { userId: id, tokenHash: hashSecret(secret), expiresAt: new Date(Date.now() + 3_600_000) } });
    const admin = { cookie: `tensorloom=${secret}` };
    expect((await post("organization.setRole", { memberId: id, role: "owner" }, admin)).status).toBe(403);
    expect((await post("organization.invite", { email: "boss@example.org", role: "owner" }, admin)).status).toBe(403);
    const unknown = await post("account.useLink", { kind: "reset", secret: "a".repeat(43), password: "four quiet words here" });
    expect([unknown.status, unknown.code]).toEqual([410, "LINK_OVER"]);
    // An invitation that was used, and one to somebody else, are over: people.test.ts.
  });
});
