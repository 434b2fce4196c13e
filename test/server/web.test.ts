import { randomUUID } from "node:crypto";
import { connect } from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { createTRPCClient, httpBatchLink, httpSubscriptionLink, splitLink } from "@trpc/client";
import { beforeAll, describe, expect, test } from "vitest";
import { findTemplate } from "../../core/templates/index.ts";
import { defaultSettings } from "../../core/training/recipes.ts";
import { hashSecret } from "../../server/auth/secrets.ts";
import { createOwnerLink } from "../../server/auth/session.ts";
import { ensureWorkspace } from "../../server/auth/workspace.ts";
import { appendMetrics } from "../../server/metrics/store.ts";
import type { AppRouter } from "../../server/router.ts";
import { allowed } from "../allowed.ts";
import { cookieEventSource } from "./eventSource.ts";
import { openTestDatabase } from "./postgres.ts";
import { browserAt, serveWeb } from "./visitor.ts";
import { callerOf, claim, makeContext, makeTenant, mnistManifest, temporaryFiles } from "./world.ts";

const { db } = await openTestDatabase();
const files = temporaryFiles();

beforeAll(() => ensureWorkspace(db));
const serve = (settings?: Record<string, string>) => serveWeb(db, files, settings);
const { base, port } = await serve();
const browser = (of = base) => browserAt(of);

const asDocument = { accept: "text/html", "sec-fetch-dest": "document", "sec-fetch-site": "none" };
const json = { "content-type": "application/json" };

describe("the first visit", () => {
  test("signs the visitor into the local workspace, with a cookie no script can read, whose secret the database does not know", async () => {
    const visitor = browser();
    const page = await visitor.fetch("/", { headers: asDocument });
    expect(page.status).toBe(200);
    expect(page.headers.getSetCookie()[0]).toMatch(/^tensorloom=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=\d+$/);
    expect(await visitor.client().workspace.me.query()).toMatchObject({ role: "owner", auth: "local" });
    const secret = visitor.cookie.split("=")[1] ?? "";
    const kept = JSON.stringify(await db.session.findMany());
    expect(kept).not.toContain(secret);
    expect(kept).toContain(hashSecret(secret));
    // The second visit is the same session.
    expect((await visitor.fetch("/", { headers: asDocument })).headers.getSetCookie()).toEqual([]);
  });

  test("a cookie that was made up or cut short is none", async () => {
    for (const value of ["x", "a".repeat(43), `${"a".repeat(42)}'`]) {
      const answer = await fetch(`${base}/api/trpc/workspace.me`, { headers: { cookie: `tensorloom=${value}` } });
      expect(answer.headers.getSetCookie().length).toBe(1);
    }
  });
});

describe("the guard", () => {
  const raw = (head: string) =>
    new Promise<string>((done) => {
      const socket = connect(port, "127.0.0.1", () => socket.write(`${head}\r\nConnection: close\r\n\r\n`));
      let text = "";
      socket.on("data", (chunk) => (text += chunk)).on("close", () => done(text));
    });

  test.each(["evil.example", "localhost.evil.example", "127.0.0.1.nip.io:3000", "evil.example:3000@localhost", "", "10.0.0.1"])(
    "does not answer under the name %s",
    async (host) => {
      const answer = await raw(`GET /api/trpc/workspace.me HTTP/1.1\r\nHost: ${host}`);
      expect(answer).toMatch(/^HTTP\/1.1 (421|400) /);
      expect(answer).not.toContain("Owner");
    },
  );

  test("answers under its own names and those that were allowed", async () => {
    for (const host of ["localhost", `127.0.0.1:${port}`, "LOCALHOST"]) expect(await raw(`GET /healthz HTTP/1.1\r\nHost: ${host}`)).toMatch(/^HTTP\/1.1 200/);
    const { port: other } = await serve({ ALLOWED_HOSTS: "lab.example", PUBLIC_URL: "https://loom.example/" });
    for (const host of ["lab.example", "loom.example"])
      expect((await fetch(`http://127.0.0.1:${other}/healthz`, { headers: { host } }).catch(() => null))?.status ?? 200).toBe(200);
  });

  test.each([
    ["another site's page", { origin: "https://evil.example", ...json }, 403],
    ["a page on another port", { origin: "http://localhost:1", ...json }, 403],
    ["a sandboxed frame", { origin: "null", ...json }, 403],
    ["a link from another site", { "sec-fetch-site": "cross-site", ...json }, 403],
    ["a neighbouring domain", { "sec-fetch-site": "same-site", ...json }, 403],
    ["a form", { "content-type": "application/x-www-form-urlencoded" }, 415],
    ["a plain text post", { "content-type": "text/plain" }, 415],
    ["no type at all", {}, 415],
  ])("turns away a change that comes from %s", async (_, headers, status) => {
    const before = await db.project.count();
    const visitor = browser();
    await visitor.fetch("/", { headers: asDocument });
    const answer = await visitor.fetch("/api/trpc/projects.create", {
      method: "POST",
      headers: headers as unknown as Record<string, string>,
      body: new TextEncoder().encode('{"name":"Forged"}'),
    });
    expect(answer.status).toBe(status);
    expect(await db.project.count()).toBe(before);
  });

  test("GET changes nothing, and no header makes it a POST", async () => {
    const visitor = browser();
    const before = await db.project.count();
    const answer = await visitor.fetch(`/api/trpc/projects.create?input=${encodeURIComponent('{"name":"By link"}')}`, {
      headers: { "x-http-method-override": "POST" },
    });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(await db.project.count()).toBe(before);
  });

  test.each(["next-action", "x-middleware-subrequest", "next-resume"])("S-13: knows no such thing as the header %s", async (name) => {
    for (const path of ["/", "/sign-in", "/admin", "/models.segments/_tree.segment.rsc", "/api/trpc/workspace.me", "/_next/static/x.js"])
      for (const method of ["GET", "POST"])
        expect([path, method, (await fetch(`${base}${path}`, { method, headers: { [name]: "1", "content-type": "application/json" } })).status]).toEqual([path, method, 404]);
  });

  test.each(["PUT", "DELETE", "OPTIONS", "PATCH"])("refuses the method %s", async (method) => {
    expect((await fetch(`${base}/api/trpc/workspace.me`, { method })).status).toBe(405);
  });

  test("puts its headers on every kind of answer, and lets no cache keep one", async () => {
    for (const path of ["/", "/healthz", "/api/nothing", "/api/trpc/workspace.me", "/api/trpc/no.such", `/api/artifacts/${randomUUID()}`]) {
      const { headers } = await fetch(`${base}${path}`);
      expect(headers.get("content-security-policy"), path).toMatch(/default-src 'self'.*frame-ancestors 'none'/);
      expect(headers.get("content-security-policy"), path).not.toMatch(/'unsafe-eval'|script-src[^;]*'unsafe-inline'/);
      expect(headers.get("x-content-type-options"), path).toBe("nosniff");
      expect(headers.get("x-request-id"), path).toMatch(/^[0-9a-f-]{36}$/);
      expect(headers.get("cache-control"), path).toContain("no-store");
    }
    const page = await fetch(`${base}/`, { headers: asDocument });
    expect(page.headers.get("content-security-policy")).toContain(`'nonce-${/nonce="([^"]+)"/.exec(await page.text())?.[1]}'`);
  });
});

describe("bad inputs", () => {
  const inputs: [string, string, RequestInit & { headers?: Record<string, string> }][] = [
    ["no JSON", "/api/trpc/projects.create", { method: "POST", headers: json, body: "{" }],
    ["an object for a string", "/api/trpc/projects.create", { method: "POST", headers: json, body: '{"name":{"not":""}}' }],
    ["a key that is not known", "/api/trpc/projects.create", { method: "POST", headers: json, body: '{"name":"a","orgId":"x"}' }],
    ["an id that is none", `/api/trpc/runs.get?input=${encodeURIComponent('{"runId":"1 OR 1=1"}')}`, {}],
    ["an id that is missing", "/api/trpc/runs.get?input=%7B%7D", {}],
    ["a batch of too many", `/api/trpc/${new Array(21).fill("workspace.me").join(",")}?batch=1&input=%7B%7D`, {}],
    ["a procedure that is none", "/api/trpc/constructor.prototype", {}],
    ["a body beyond the limit", "/api/trpc/projects.create", { method: "POST", headers: json, body: `{"name":"${"x".repeat(5_000_000)}"}` }],
    ["a path out of the folder", "/api/artifacts/..%2f..%2fetc%2fpasswd", {}],
    ["an input that is no text", "/api/trpc/runs.get?input=%ff%fe", {}],
  ];

  test.each(inputs)("%s is refused with a code and a sentence, and nothing of our inside", async (_, path, init) => {
    const started = Date.now();
    const answer = await browser().fetch(path, init);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(500);
    const text = await answer.text();
    expect(text).not.toMatch(/\bat .*\(|node_modules|\/server\/|SELECT|prisma|stack|ZodError/i);
    const body = JSON.parse(text) as unknown;
    const first = (Array.isArray(body) ? body[0] : body) as {
      code?: string;
      error?: { message: string; data: { code: string; httpStatus: number; requestId: string | null } };
    };
    expect(first.error?.data.code ?? first.code).toMatch(/^[A-Z_]+$/);
    if (first.error) expect(Object.keys(first.error.data).sort()).toEqual(["code", "details", "httpStatus", "requestId"]);
    expect(Date.now() - started).toBeLessThan(allowed(2_000));
  });

  test("another's run and one that never was give the same bytes, in a batch too", async () => {
    const org = await db.organization.create({ data: { name: "Others" } });
    const project = await db.project.create({ data: { orgId: org.id, name: "Others" } });
    const ask = async (projectId: string) => {
      const answer = await browser().fetch("/api/trpc/projects.rename,workspace.me?batch=1", {
        method: "POST",
        headers: json,
        body: JSON.stringify({ 0: { projectId, name: "x" } }),
      });
      return `${answer.status} ${(await answer.text()).replaceAll(/"requestId":"[^"]*"/g, "")}`;
    };
    expect(await ask(project.id)).toBe(await ask(randomUUID()));
  });
});

async function startedRun() {
  const { id: orgId } = await db.organization.findFirstOrThrow({ orderBy: { createdAt: "asc" } });
  const { userId } = await db.membership.findFirstOrThrow({ where: { orgId } });
  const dataset = await db.dataset.create({ data: { orgId, name: "Digits", status: "ready", manifest: mnistManifest } });
  const project = await db.project.create({ data: { orgId, name: "Served" } });
  const model = await db.model.create({ data: { orgId, projectId: project.id, name: "Served", graph: findTemplate("mlp")?.graph ?? {} } });
  const client = browser();
  await client.fetch("/", { headers: asDocument });
  const { runId } = await client.client().runs.start.mutate({
    modelId: model.id,
    settings: { ...defaultSettings("image-classification", 60_000), datasetId: dataset.id },
    idempotencyKey: randomUUID(),
  });
  return { run: { id: runId, orgId }, userId, token: await claim(db, runId), visitor: client };
}

test("the product's own client is streamed every point once over HTTP, through connections that break", { timeout: 300_000 }, async () => {
  const { run, token, visitor } = await startedRun();
  const steps: number[] = [];
  let breaks = 0;
  let stop = () => {};
  const client = createTRPCClient<AppRouter>({
    links: [
      splitLink({
        condition: (op) => op.type === "subscription",
        true: httpSubscriptionLink({ url: `${base}/api/trpc`, EventSource: cookieEventSource(visitor.cookie) as never }),
        false: httpBatchLink({ url: `${base}/api/trpc` }),
      }),
    ],
  });
  let lastEventId: string | undefined;
  const total = 300;
  let isListening = () => {};
  const listening = new Promise<void>((open) => (isListening = open));
  const done = new Promise<void>((finish) => {
    const open = () => {
      const { unsubscribe } = client.runs.watch.subscribe(
        { runId: run.id, lastEventId },
        {
          onData({ id, data }) {
            lastEventId = id;
            isListening();
            for (const series of data.points ?? []) steps.push(...series.steps);
            if (steps.length >= total) finish();
            else if (breaks < 15) {
              breaks++;
              unsubscribe();
              setTimeout(open, 20);
            }
          },
        },
      );
      stop = unsubscribe;
    };
    open();
  });
  // A stream begins with the present; what was before is history's, which a page asks for by itself.
  await listening;
  for (let step = 1; step <= total; step += 3) {
    const three = [step, step + 1, step + 2];
    await db.$transaction((tx) => appendMetrics(tx, run, token, [{ key: "train/loss", steps: three, values: three }]));
    await new Promise((wake) => setTimeout(wake, 25));
  }
  await done;
  stop();
  expect(steps).toEqual(Array.from({ length: total }, (_, index) => index + 1));
  expect(breaks).toBe(15);
});

test("a reader who never reads costs less than a megabyte", { timeout: 300_000 }, async () => {
  const { run, token, visitor } = await startedRun();
  const readers = await Promise.all(
    Array.from({ length: 8 }, async () => {
      const socket = connect(port, "127.0.0.1");
      socket.write(
        `GET /api/trpc/runs.watch?input=${encodeURIComponent(JSON.stringify({ runId: run.id }))} HTTP/1.1\r\nHost: localhost\r\nCookie: ${visitor.cookie}\r\nAccept: text/event-stream\r\n\r\n`,
      );
      await new Promise((open) => socket.once("readable", open));
      return socket.pause();
    }),
  );
  const write = async (from: number, to: number) => {
    for (let at = from; at < to; at += 2_000) {
      const steps = Array.from({ length: 2_000 }, (_, index) => at + index + 1);
      await db.$transaction((tx) =>
        appendMetrics(
          tx,
          run,
          token,
          ["a", "b", "c", "d"].map((key) => ({ key, steps, values: steps.map(Math.sqrt) })),
        ),
      );
    }
  };
  // Until the kernel takes no more, and everything that is made once has been made.
  await write(0, 40_000);
  await new Promise((wake) => setTimeout(wake, 1_500));
  const before = heldBytes();
  // As text, each of them would be sent 16 MB by now.
  await write(40_000, 120_000);
  await new Promise((wake) => setTimeout(wake, 1_500));
  expect(heldBytes() - before).toBeLessThan(readers.length * 1024 * 1024);
  for (const socket of readers) socket.destroy();
});

/** What this process, the server's, holds on to once garbage is gone. */
function heldBytes(): number {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

describe("downloads", () => {
  test("are attachments for the organization's people, and nothing for others", async () => {
    const { run, visitor } = await startedRun();
    const content = new TextEncoder().encode("weights <script>alert(1)</script>");
    const { sizeBytes, sha256 } = await files.put(`runs/${run.id}/export/model.onnx`, content);
    const row = {
      orgId: run.orgId,
      runId: run.id,
      fileName: 'né"t\r\n.onnx',
      storageKey: `runs/${run.id}/export/model.onnx`,
      sizeBytes: BigInt(sizeBytes),
      sha256,
    };
    const { id } = await db.artifact.create({ data: { ...row, kind: "onnx" } });
    const answer = await visitor.fetch(`/api/artifacts/${id}`);
    expect(answer.status).toBe(200);
    expect(new Uint8Array(await answer.arrayBuffer())).toEqual(content);
    expect(answer.headers.get("content-type")).toBe("application/octet-stream");
    expect(answer.headers.get("content-disposition")).toMatch(/^attachment; filename="n_+t_+\.onnx"; filename\*=UTF-8''n%C3%A9%22t%0D%0A\.onnx$/);
    expect(answer.headers.get("content-security-policy")).toMatch(/^sandbox/);

    const refused = await db.artifact.create({ data: { ...row, kind: "pytorch", refusal: { code: "EXPORT_UNSUPPORTED", message: "x" } } });
    const others = await makeTenant(db, { name: "Others" });
    const theirs = await callerOf(makeContext(db)(others.session)).runs.start({
      modelId: others.modelId,
      settings: others.settings,
      idempotencyKey: randomUUID(),
    });
    const foreign = await db.artifact.create({ data: { ...row, orgId: others.orgId, runId: theirs.runId, kind: "onnx" } });
    for (const other of [refused.id, foreign.id, randomUUID()]) {
      const none = await visitor.fetch(`/api/artifacts/${other}`);
      expect([none.status, (await none.text()).replace(/"requestId":"[^"]*"/, "")]).toEqual([404, '{"code":"NOT_FOUND","message":"There is no such file here.","details":null,}']);
    }
    await files.remove(row.storageKey);
    expect((await visitor.fetch(`/api/artifacts/${id}`)).status).toBe(404);
  });
});

describe("AUTH=required", () => {
  test("lets nobody in but through the owner's link, once", async () => {
    const strict = await serve({ AUTH: "required" });
    const stranger = browser(strict.base);
    const page = await stranger.fetch("/", { headers: asDocument });
    expect([page.status, page.headers.get("location"), page.headers.getSetCookie()]).toEqual([303, "/sign-in", []]);
    expect((await stranger.fetch("/sign-in", { headers: asDocument })).status).toBe(200);
    expect((await stranger.fetch("/admin", { headers: asDocument })).status).toBe(303);
    const refused = await stranger.fetch("/api/trpc/workspace.me");
    expect([refused.status, refused.headers.getSetCookie()]).toEqual([401, []]);
    expect((await stranger.fetch(`/api/artifacts/${randomUUID()}`)).status).toBe(401);

    const old = await createOwnerLink(db);
    const secret = await createOwnerLink(db);
    const owner = browser(strict.base);
    // Looking at the link does not use it up.
    for (let look = 0; look < 3; look++) expect((await owner.fetch(`/sign-in/${secret}`, { headers: asDocument })).status).toBe(200);
    const answers = await Promise.all(Array.from({ length: 10 }, () => browser(strict.base).fetch(`/sign-in/${secret}`, { method: "POST" })));
    expect(answers.map(({ status }) => status).sort()).toEqual([303, ...new Array<number>(9).fill(410)]);
    for (const dead of [old, secret, "a".repeat(43)]) expect((await owner.fetch(`/sign-in/${dead}`, { method: "POST" })).status).toBe(410);
    expect((await owner.fetch(`/sign-in/${await createOwnerLink(db)}`, { method: "POST", headers: { origin: "https://evil.example" } })).status).toBe(403);
    expect((await owner.fetch(`/sign-in/${await createOwnerLink(db)}`, { method: "POST" })).status).toBe(303);
    expect(await owner.client().workspace.me.query()).toMatchObject({ role: "owner", auth: "required" });
    // A session that is ended is over at once.
    await db.session.deleteMany({ where: { tokenHash: hashSecret(owner.cookie.split("=")[1] ?? "") } });
    await expect(owner.client().workspace.me.query()).rejects.toMatchObject({ data: { code: "UNAUTHENTICATED", httpStatus: 401 } });
  });

  test("over https the cookie is Secure and bound to the host", async () => {
    const secure = await serve({ AUTH: "required", PUBLIC_URL: "https://localhost" });
    const answer = await browser(secure.base).fetch(`/sign-in/${await createOwnerLink(db)}`, { method: "POST" });
    expect(answer.headers.getSetCookie()[0]).toMatch(/^__Host-tensorloom=.*; Secure$/);
  });
});
