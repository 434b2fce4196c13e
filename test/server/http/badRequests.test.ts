import { readFileSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { connect } from "node:net";
import { beforeAll, describe, expect, test } from "vitest";
import { encodeNpyHeader } from "../../../core/data/npy.ts";
import { writeSafetensors } from "../../../core/export/safetensors.ts";
import { tensorOf } from "../../../core/export/tensor.ts";
import { findTemplate } from "../../../core/templates/index.ts";
import { chain } from "../../../core/templates/sketch.ts";
import { hashSecret, makeSecret } from "../../../server/auth/secrets.ts";
import { makeToken } from "../../../server/auth/token.ts";
import { readConfig } from "../../../server/config.ts";
import { startRun } from "../../../server/runs/start.ts";
import { allowed } from "../../allowed.ts";
import { writeZip } from "../ingest/zip.ts";
import { openTestDatabase } from "../postgres.ts";
import { serveWeb } from "../visitor.ts";
import { makeTenant, type Tenant, temporaryFiles } from "../world.ts";

/** Requests that harm, lie or ask for too much, by their number in the list of bad inputs, over HTTP: with the status, the code and the words that a script is given. */
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
/** The codes of what is wrong with a graph. */
const problemCodes = ({ text }: Answer) =>
  (JSON.parse(text) as { error: { data: { details: { problems: { code: string }[] } } } }).error.data.details.problems.map(({ code }) => code);
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
    // A drawing may be wrong while it is drawn; it cannot be trained.
    expect([answer.status, answer.text]).toEqual([200, '{"result":{"data":{"revision":2}}}']);
    const started = await post("runs.start", { modelId: home.modelId, settings: home.settings, idempotencyKey: "of-57-proto" });
    expect([started.status, started.code, problemCodes(started)]).toEqual([422, "GRAPH_INVALID", expect.arrayContaining(["GRAPH_UNKNOWN_TYPE"])]);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    await db.model.update({ where: { id: home.modelId }, data: { graph: findTemplate("lenet5")?.graph ?? {} } });
  });

  const node = (id: string, type: string, params: object = {}) => ({ id, type, params, at: { x: 0, y: 0 } });
  const edge = (id: string, from: string, to: string, port = "x") => ({ id, from: { node: from, port: "y" }, to: { node: to, port } });
  const around = (type: string, params: object = {}, shape: number[] = [1, 28, 28]) => [
    [node("x", "input", { shape }), node("bad", type, params), node("y", "output")],
    [edge("1", "x", "bad"), edge("2", "bad", "y")],
  ];
  test.each([
    [
      48,
      "GRAPH_CYCLE",
      [
        [node("x", "input", { shape: [8] }), node("a", "relu"), node("b", "tanh"), node("y", "output")],
        [edge("1", "b", "a"), edge("2", "a", "b"), edge("3", "b", "y")],
      ],
    ],
    [49, "GRAPH_SHAPE", around("conv2d", { out_channels: 4, kernel_size: 3 }, [784])],
    [50, "GRAPH_MEMORY", around("linear", { out_features: 1_000_000 }, [1_000_000])],
    [52, "GRAPH_PARAM", around("conv2d", { out_channels: 4, kernel_size: 0 })],
    [53, "GRAPH_OVERFLOW", around("flatten", {}, [2 ** 31 - 1, 2 ** 31 - 1, 4])],
    [54, "GRAPH_INCOMPLETE", around("flatten")],
    [54, "GRAPH_INCOMPLETE", [[node("x", "input", { shape: [8] }), node("a", "linear", { out_features: 2 })], [edge("1", "x", "a")]]],
  ])("%i: to train a graph with %s is refused with that among its problems, in less than a second", async (number, code, [nodes, edges]) => {
    const { id: modelId } = await db.model.create({
      data: { orgId: home.orgId, projectId: home.projectId, name: `${number}`, graph: { schemaVersion: 1, nodes, edges } as object },
    });
    const began = performance.now();
    const answer = await post("runs.start", { modelId, settings: home.settings, idempotencyKey: `graph ${number} ${modelId}` });
    expect(performance.now() - began).toBeLessThan(allowed(1_000));
    expect([answer.status, answer.code, problemCodes(answer)]).toEqual([422, "GRAPH_INVALID", expect.arrayContaining([code])]);
    expect(await db.run.count({ where: { modelId } })).toBe(0);
    await db.model.delete({ where: { id: modelId } });
  });

  test("56: with a graph of 100,000 nodes, or brackets 10,000 deep, is refused as too large", async () => {
    const save = (nodes: string) => post("models.save", `{"modelId":"${home.modelId}","revision":1,"graph":{"schemaVersion":1,"nodes":${nodes},"edges":[]}}`);
    const many = JSON.stringify(Array.from({ length: 100_000 }, (_, at) => node(`${at}`, "relu")));
    const deep = `[{"id":"a","type":"relu","params":{"p":${"[".repeat(10_000)}${"]".repeat(10_000)}},"at":{"x":0,"y":0}}]`;
    for (const nodes of [many, deep]) {
      const began = performance.now();
      const answer = await save(nodes);
      expect([answer.status, answer.code]).toEqual([413, "GRAPH_TOO_LARGE"]);
      expect(performance.now() - began).toBeLessThan(allowed(2_000));
    }
  });

  /** What a refused file answers: the rest is in ingest/bad*.test.ts. */
  const file = async (content: Uint8Array) => {
    const sent = await fetch(`${base}/api/uploads`, { method: "POST", body: new Blob([Buffer.from(content)]), headers: { cookie, "content-type": "application/octet-stream" } });
    return ((await sent.json()) as { uploadId: string }).uploadId;
  };
  const png = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0);
  const pickle = Uint8Array.of(0x80, 2, 0x8a, 10, 0, 0, 0, 0, 0, 0);
  const other = writeSafetensors(new Map([["head.bias", tensorOf("float32", [1], [1])]]));
  test.each<[number, string, string, Uint8Array, number, string]>([
    [1, "a path that leads out", "datasets.inspectPictures", writeZip([{ name: "../../evil.png", data: png }]), 422, "ARCHIVE_BAD_PATH"],
    [4, "zeros without end", "datasets.inspectPictures", writeZip([{ name: "a/z.png", data: Buffer.alloc(20 * 2 ** 20), deflate: true }]), 413, "ARCHIVE_RATIO"],
    [
      15,
      "another type of picture",
      "datasets.inspectPictures",
      writeZip(["a/v.gif", "b/v.gif"].map((name) => ({ name, data: Buffer.from("GIF89a\x01\0\x01\0") }))),
      415,
      "IMAGE_TYPE",
    ],
    [21, "a ragged row", "datasets.inspectTable", Buffer.from("a,b\n1,2\n1,2,3\n"), 422, "CSV_RAGGED"],
    [28, "a header of 4 GB", "datasets.inspectArrays", Buffer.from("\x93NUMPY\x02\0\xff\xff\xff\xff{}", "latin1"), 422, "NPY_HEADER"],
    [31, "a header of 2^63", "models.importWeights", Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0x80, 0x7b, 0x7d), 422, "ST_HEADER"],
    [35, "another model's weights", "models.importWeights", other, 409, "WEIGHTS_MISMATCH"],
    [37, "a pickle", "models.importWeights", pickle, 415, "WEIGHTS_PICKLE"],
    [46, "random bytes", "models.importOnnx", Uint8Array.of(1, 2, 3), 422, "ONNX_PARSE"],
  ])("%i: for a file with %s is answered with the status that goes with it, and keeps nothing", async (_, __, procedure, content, status, code) => {
    const uploadId = await file(content);
    const input = procedure === "datasets.inspectPictures" || procedure === "datasets.inspectArrays" ? { uploadId } : { uploadId, fileName: "file" };
    const began = performance.now();
    const answer = await post(procedure, procedure === "models.importWeights" ? { ...input, modelId: home.modelId } : input);
    expect(performance.now() - began).toBeLessThan(allowed(2_000));
    const { data } = (JSON.parse(answer.text) as { result: { data: { ok: boolean; code?: string; rows?: { status: string }[]; failure?: { code: string } } } }).result;
    expect([answer.status, data.ok, data.failure?.code ?? data.code]).toEqual([status, false, code]);
    if (code === "WEIGHTS_MISMATCH") expect(data.rows?.map((row) => row.status)).toEqual(expect.arrayContaining(["missing"]));
    expect(await files.list("weights")).toEqual([]);
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
    for (const names of [new Array(300).fill("workspace.me"), new Array(10_000).fill("x"), new Array(10_000).fill("")]) {
      const batch = await ask(`/api/trpc/${names.join(",")}?batch=1&input=%7B%7D`);
      expect([batch.status, batch.code]).toEqual([400, "INPUT_SHAPE"]);
    }
    // Addresses of more than 32 KiB are not read at all.
    expect((await fetch(`${base}/api/trpc/${new Array(10_000).fill("workspace.me").join(",")}?batch=1`, { headers: { cookie } })).status).toBe(431);
    const told = await new Promise<string>((done) => {
      const socket = connect(port, "127.0.0.1", () =>
        socket.write(
          `POST /api/trpc/projects.create HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nCookie: ${cookie}\r\nContent-Length: ${2 ** 30}\r\n\r\n${"x".repeat(5 << 20)}`,
        ),
      );
      let said = "";
      socket.setEncoding("utf8").on("data", (part) => {
        said += part;
        if (said.includes("requestId")) socket.destroy();
      });
      socket.on("error", () => {});
      socket.on("close", () => done(said));
    });
    expect(told).toMatch(/^HTTP\/1\.1 413 .*larger than 4 MiB/s);
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
    // An invitation that was used, and one to somebody else.
    for (const [email, acceptedAt] of [
      ["adam@example.org", new Date()],
      ["mia@example.org", null],
    ] as const) {
      const invited = makeSecret();
      await db.invitation.create({
        data: { orgId: home.orgId, email, role: "member", createdBy: home.userId, tokenHash: hashSecret(invited), expiresAt: new Date(Date.now() + 3_600_000), acceptedAt },
      });
      await db.user.update({ where: { id }, data: { email: "adam@example.org" } });
      const late = await post("account.acceptInvitation", { secret: invited }, admin);
      expect([email, late.status, late.code]).toEqual([email, 410, "LINK_OVER"]);
    }
  });

  test("66: that has a network answer a row (previews are all there is of that here) is refused where its row is none, too large, of a model that is gone, or one of a hundred", async () => {
    const [first] = (await db.dataset.findUniqueOrThrow({ where: { id: home.datasetId } }).then(({ manifest }) => [manifest])) as [
      { splits: { train: { input: { file: string } } } },
    ];
    await files.put(`datasets/${home.datasetId}/${first.splits.train.input.file}`, Buffer.concat([encodeNpyHeader("|u1", [1, 1, 28, 28]), Buffer.alloc(784)]));
    const copy = () => db.model.create({ data: { orgId: home.orgId, projectId: home.projectId, name: "Copy", graph: {} } });
    const { id: modelId } = await copy();
    const order = (change: object = {}) => ({
      ...{ modelId, datasetId: home.datasetId, graph: findTemplate("mlp")?.graph, split: "train", row: 0 },
      ...{ seed: 1, training: false, draw: 0, paths: ["output"], large: null, ...change },
    });
    const evaluate = (change?: object) => post("preview.evaluate", order(change));
    const right = await evaluate();
    expect([right.status, right.message]).toEqual([200, ""]);
    for (const change of [{ row: 60_000 }, { row: Number.NaN }, { seed: "NaN" }, { row: -1 }]) {
      const answer = await evaluate(change);
      expect([JSON.stringify(change), answer.status, answer.code]).toEqual([JSON.stringify(change), 400, "INPUT_SHAPE"]);
    }
    const wide = await evaluate({
      graph: chain([
        ["input", "input", { shape: [3] }],
        ["fc", "linear", { out_features: 2 }],
        ["output", "output"],
      ]),
    });
    // What a drawing makes of a row is shown as far as it goes, and where it breaks.
    expect((JSON.parse(wide.text) as { result: { data: { failures: unknown } } }).result.data.failures).toEqual([
      { node: "input", message: expect.stringContaining("takes uint8 [B, 3] but the data are uint8 [1, 1, 28, 28]") },
    ]);
    const large = await evaluate({ paths: ["x".repeat(5 << 20)] });
    expect([large.status, large.code]).toEqual([413, "GRAPH_TOO_LARGE"]);
    const gone = await copy();
    await db.model.update({ where: { id: gone.id }, data: { deletedAt: new Date() } });
    const answer = await evaluate({ modelId: gone.id });
    expect([answer.status, answer.code]).toEqual([404, "NOT_FOUND"]);
    const models = await Promise.all(Array.from({ length: 100 }, copy));
    const waits: (string | null)[] = [];
    const statuses = await Promise.all(
      models.map(async ({ id }) => {
        const said = await fetch(`${base}/api/trpc/preview.evaluate`, { method: "POST", body: JSON.stringify(order({ modelId: id })), headers: { cookie, ...json } });
        if (said.status === 429) waits.push(said.headers.get("retry-after"));
        await said.text();
        return said.status;
      }),
    );
    expect([...new Set(statuses)].sort()).toEqual([200, 429]);
    expect(new Set(waits)).toEqual(new Set(["5"]));
    await db.model.deleteMany({ where: { name: "Copy" } });
  });
});
