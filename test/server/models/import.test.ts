import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { createTRPCClient, httpBatchLink } from "@trpc/client";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeNpz } from "../../../core/export/npz.ts";
import { exportOnnx } from "../../../core/export/onnx.ts";
import { exportPyTorch } from "../../../core/export/pytorch.ts";
import { readSafetensors, writeSafetensors } from "../../../core/export/safetensors.ts";
import type { Tensor } from "../../../core/export/tensor.ts";
import { writeZip } from "../../../core/export/zip.ts";
import { emptyGraph } from "../../../core/graph/document.ts";
import { findTemplate } from "../../../core/templates/index.ts";
import { defaultSettings } from "../../../core/training/recipes.ts";
import type { Session } from "../../../server/auth/session.ts";
import { ensureWorkspace } from "../../../server/auth/workspace.ts";
import { readConfig } from "../../../server/config.ts";
import { findRoute } from "../../../server/http/routes.ts";
import type { AppRouter } from "../../../server/router.ts";
import { loadRun } from "../../../server/trainer/load.ts";
import { createWeb } from "../../../server/web.ts";
import { onnxFile } from "../../onnxFile.ts";
import { makeCase } from "../../parity/cases.ts";
import { openTestDatabase } from "../postgres.ts";
import { callerOf, claim, makeContext, makeTenant, mnistManifest, temporaryFiles } from "../world.ts";

const { db } = await openTestDatabase();
const files = temporaryFiles();
const graph = findTemplate("mlp")?.graph ?? emptyGraph;
const { weights } = makeCase("import", graph, []);

let base = "";
let cookie = "";
beforeAll(async () => {
  await ensureWorkspace(db);
  const web = createWeb({ config: readConfig({}), db, files, log: pino({ level: "silent" }), pages: async (_, res) => void res.writeHead(200).end("page") });
  await new Promise<void>((ready) => web.server.listen(0, "127.0.0.1", ready));
  base = `http://localhost:${(web.server.address() as AddressInfo).port}`;
  afterAll(() => web.close());
  const first = await fetch(base, { headers: { accept: "text/html", "sec-fetch-dest": "document", "sec-fetch-site": "none" } });
  cookie = first.headers.getSetCookie()[0]?.split(";")[0] ?? "";
});

const client = () => createTRPCClient<AppRouter>({ links: [httpBatchLink({ url: `${base}/api/trpc`, headers: () => ({ cookie }) })] });

function post(content: Uint8Array, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${base}/api/uploads`, { method: "POST", body: new Blob([Buffer.from(content)]), headers: { cookie, "content-type": "application/octet-stream", ...headers } });
}

async function upload(content: Uint8Array): Promise<string> {
  const answer = await post(content);
  expect(answer.status).toBe(201);
  const { uploadId, sizeBytes } = (await answer.json()) as { uploadId: string; sizeBytes: number };
  expect(sizeBytes).toBe(content.length);
  return uploadId;
}

async function newModel(): Promise<string> {
  return (await client().models.create.mutate({ templateId: "mlp" })).id;
}

describe("an upload", () => {
  test("needs our own page and the type of a file", async () => {
    expect((await post(new Uint8Array(3), { origin: "https://elsewhere.example" })).status).toBe(403);
    expect((await post(new Uint8Array(3), { "sec-fetch-site": "cross-site" })).status).toBe(403);
    for (const type of ["text/plain", "multipart/form-data", "application/x-www-form-urlencoded", "application/json"])
      expect((await post(new Uint8Array(3), { "content-type": type })).status).toBe(415);
  });
  test("46: needs a person who may change things, and is refused unread where it says that it is too large", async () => {
    const send = (session: Session | null, sizeBytes: number) => {
      const request = Object.assign(Readable.from([Buffer.alloc(3)]), { headers: { "content-length": String(sizeBytes) }, setTimeout: () => {} });
      const answer = { writeHead: () => {}, end: () => {} };
      const route = findRoute("POST", "/api/uploads");
      return route?.answer(makeContext(db, { files })(session), request as unknown as IncomingMessage, answer as unknown as ServerResponse, "/api/uploads");
    };
    const viewer = await makeTenant(db, { name: "Viewer", role: "viewer" });
    const member = await makeTenant(db, { name: "Member", role: "member" });
    await expect(send(null, 3)).rejects.toMatchObject({ code: "UNAUTHENTICATED" });
    await expect(send(viewer.session, 3)).rejects.toMatchObject({ code: "FORBIDDEN" });
    await expect(send(member.session, 600 * 2 ** 20)).rejects.toMatchObject({ code: "UPLOAD_TOO_LARGE" });
    await expect(send(member.session, 3)).resolves.toBeUndefined();
  });
  test("is gone once it was read, and is nobody else's", async () => {
    const uploadId = await upload(exportOnnx(graph, weights));
    const stranger = await makeTenant(db, { name: "Stranger" });
    const other = callerOf(makeContext(db, { files })(stranger.session));
    await expect(other.models.importOnnx({ uploadId, fileName: "model.onnx" })).rejects.toMatchObject({ cause: { code: "NOT_FOUND" } });
    const made = await client().models.importOnnx.mutate({ uploadId, fileName: "model.onnx" });
    expect(made.ok).toBe(true);
    await expect(client().models.importOnnx.mutate({ uploadId, fileName: "model.onnx" })).rejects.toMatchObject({ data: { code: "NOT_FOUND" } });
  });
});

describe("ONNX", () => {
  test("of ours becomes a model with the same graph and the weights to start from", async () => {
    const made = await client().models.importOnnx.mutate({ uploadId: await upload(exportOnnx(graph, weights)), fileName: "digits.v2.onnx" });
    expect(made).toMatchObject({ ok: true, from: "document", notes: [], matched: weights.size, total: weights.size });
    const model = await client().models.get.query({ modelId: (made.ok && made.modelId) || "" });
    expect(model.name).toBe("digits.v2");
    expect(model.graph).toEqual(graph);
    expect(model.startWeights).toMatchObject({ fileName: "digits.v2.onnx", matched: weights.size, total: weights.size });
  });
  test("that cannot be read is refused with the whole list, and leaves nothing", async () => {
    const before = await db.model.count();
    const file = onnxFile({ nodes: [{ name: "sorter", op: "NonMaxSuppression", inputs: ["x"], outputs: ["y"], attributes: [] }] });
    expect(await client().models.importOnnx.mutate({ uploadId: await upload(file), fileName: "a.onnx" })).toMatchObject({
      ok: false,
      code: "ONNX_UNSUPPORTED_OP",
      unsupported: [{ op: "NonMaxSuppression", node: "sorter" }],
    });
    expect(await client().models.importOnnx.mutate({ uploadId: await upload(new Uint8Array([1, 2, 3])), fileName: "a.onnx" })).toMatchObject({ ok: false, code: "ONNX_PARSE" });
    expect(await db.model.count()).toBe(before);
  });
});

describe("PyTorch code", () => {
  test("becomes a model, or a graph for the canvas alone", async () => {
    const code = exportPyTorch(graph, { className: "Digits" });
    const made = await client().models.importPyTorch.mutate({ code });
    expect(made).toMatchObject({ ok: true, className: "Digits" });
    if (!made.ok || !made.modelId) throw new Error("It is read.");
    expect((await client().models.get.query({ modelId: made.modelId })).graph).toEqual(made.graph);
    const before = await db.model.count();
    expect(await client().models.importPyTorch.mutate({ code, create: false })).toMatchObject({ ok: true, modelId: null });
    expect(await db.model.count()).toBe(before);
  });
  test("that cannot be read says which lines and why", async () => {
    const code = [
      "from torch import nn",
      "class Net(nn.Module):",
      "    def __init__(self):",
      "        super().__init__()",
      "        self.a = nn.Linear(3, 4)",
      "    def forward(self, x):",
      "        x = self.a(x)",
      "        return x.nonzero()",
    ].join("\n");
    expect(await client().models.importPyTorch.mutate({ code })).toEqual({
      ok: false,
      code: "PYTORCH_UNREADABLE",
      message: "One line could not be read, so nothing was imported.",
      lines: [{ line: 8, text: "return x.nonzero()", why: "nonzero is not read here." }],
    });
  });
});

describe("weights", () => {
  test("for a drawing that is not whole wait until it is, and are told so", async () => {
    const modelId = await newModel();
    await db.model.update({ where: { id: modelId }, data: { graph: { ...graph, edges: graph.edges.slice(1) } } });
    expect(await client().models.importWeights.mutate({ modelId, uploadId: await upload(writeSafetensors(weights)), fileName: "net.safetensors" })).toMatchObject({
      ok: false,
      code: "GRAPH_INVALID",
      message: expect.stringMatching(/^This graph cannot run: /),
    });
  });

  test("from safetensors and .npz are matched by name, and the next run starts from them", async () => {
    const modelId = await newModel();
    const names = [...weights.keys()];
    for (const [fileName, content] of [
      ["net.safetensors", writeSafetensors(new Map([...weights].map(([name, tensor]) => [`model.${name}`, tensor])))],
      ["net.npz", writeNpz(weights)],
    ] as const) {
      const answer = await client().models.importWeights.mutate({ modelId, uploadId: await upload(content), fileName });
      if (!answer.ok) throw new Error(answer.message);
      expect(answer.rows.map(({ name, status }) => [name, status])).toEqual(names.map((name) => [name, "matched"]));
      expect([answer.matched, answer.total, answer.unused]).toEqual([names.length, names.length, []]);
      expect(answer.prefix).toEqual(fileName.endsWith("npz") ? null : { remove: "model." });
    }
    expect((await client().models.get.query({ modelId })).startWeights).toMatchObject({ fileName: "net.npz", matched: names.length });

    const { orgId } = await db.model.findUniqueOrThrow({ where: { id: modelId }, select: { orgId: true } });
    const dataset = await db.dataset.findFirstOrThrow({ where: { orgId, builtin: "mnist" } });
    await db.dataset.update({ where: { id: dataset.id }, data: { status: "ready", manifest: mnistManifest } });
    const settings = { ...defaultSettings("image-classification", 60_000), datasetId: dataset.id };
    const { runId } = await client().runs.start.mutate({ modelId, settings, idempotencyKey: "start-from-weights" });
    const token = await claim(db, runId);
    const run = await loadRun(db, { runId, orgId, token });
    if (run.startKey === null) throw new Error("The run starts from the weights.");
    expect(readSafetensors(await files.read(run.startKey)).tensors).toEqual(new Map([...weights]));

    // The run keeps its file when the model lets go of it.
    await client().models.clearStartWeights.mutate({ modelId });
    expect((await client().models.get.query({ modelId })).startWeights).toBeNull();
    expect(await files.inspect(run.startKey)).not.toBeNull();
  });

  test("that fit in part say what differs, what is missing and what is left over", async () => {
    const modelId = await newModel();
    const [first, second, ...others] = [...weights];
    if (!first || !second) throw new Error("The model has weights.");
    const partly = new Map<string, Tensor>([...others, [second[0], { ...second[1], shape: [...second[1].shape, 1] }], ["head.extra", second[1]]]);
    const answer = await client().models.importWeights.mutate({ modelId, uploadId: await upload(writeSafetensors(partly)), fileName: "part.safetensors" });
    if (!answer.ok) throw new Error(answer.message);
    expect(answer.rows.find(({ name }) => name === first[0])?.status).toBe("missing");
    expect(answer.rows.find(({ name }) => name === second[0])).toMatchObject({ status: "shape differs", found: { name: second[0], shape: [...second[1].shape, 1] } });
    expect(answer.unused).toEqual([{ name: "head.extra", shape: second[1].shape }]);
    expect(answer.matched).toBe(weights.size - 2);
  });

  test("that no longer fit the graph keep a run from starting, and say what to do", async () => {
    const modelId = await newModel();
    await client().models.importWeights.mutate({ modelId, uploadId: await upload(writeSafetensors(weights)), fileName: "net.safetensors" });
    const model = await client().models.get.query({ modelId });
    const first = model.graph.nodes.find(({ type }) => type === "linear")?.id;
    const changed = { ...model.graph, nodes: model.graph.nodes.map((node) => (node.id === first ? { ...node, params: { ...node.params, out_features: 17 } } : node)) };
    await client().models.save.mutate({ modelId, revision: model.revision, graph: changed });
    const { orgId } = await db.model.findUniqueOrThrow({ where: { id: modelId }, select: { orgId: true } });
    const dataset = await db.dataset.findFirstOrThrow({ where: { orgId, builtin: "mnist" } });
    const settings = { ...defaultSettings("image-classification", 60_000), datasetId: dataset.id };
    await expect(client().runs.start.mutate({ modelId, settings, idempotencyKey: "no-longer-fits" })).rejects.toMatchObject({
      data: { code: "START_WEIGHTS_MISMATCH", httpStatus: 409 },
    });
  });

  test("37: that are pickled are never opened, and the refusal says how to convert them", async () => {
    const modelId = await newModel();
    const torchZip = writeZip([["archive/data.pkl", new Uint8Array([0x80, 2, 0x2e])]]);
    for (const content of [torchZip, new Uint8Array([0x80, 2, 0x8a, 10, 0, 0, 0, 0, 0, 0])]) {
      const answer = await client().models.importWeights.mutate({ modelId, uploadId: await upload(content), fileName: "renamed.safetensors" });
      expect(answer).toMatchObject({ ok: false, code: "WEIGHTS_PICKLE" });
      expect(!answer.ok && answer.message).toContain("weights_only=True");
    }
    expect(await client().models.importWeights.mutate({ modelId, uploadId: await upload(new Uint8Array(40)), fileName: "zeros.npz" })).toMatchObject({
      ok: false,
      code: "WEIGHTS_FORMAT",
    });
  });
});
