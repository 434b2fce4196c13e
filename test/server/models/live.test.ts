import { createTRPCClient, httpBatchLink, httpSubscriptionLink, splitLink } from "@trpc/client";
import { beforeAll, describe, expect, test } from "vitest";
import * as Y from "yjs";
import { Autosave, type Draft } from "../../../app/canvas/autosave.ts";
import { fromBase64, toBase64 } from "../../../core/data/base64.ts";
import type { Graph } from "../../../core/graph/document.ts";
import { addNode, setParams } from "../../../core/graph/edit.ts";
import { readGraph } from "../../../core/graph/migrate.ts";
import { type Patch, SharedGraph } from "../../../core/graph/shared.ts";
import { ensureWorkspace } from "../../../server/auth/workspace.ts";
import type { AppRouter } from "../../../server/router.ts";
import { randomEdit, seeded } from "../../core/graph/edits.ts";
import { cookieEventSource } from "../eventSource.ts";
import { openTestDatabase } from "../postgres.ts";
import { browserAt, serveWeb } from "../visitor.ts";
import { callerOf, makeContext, makeTenant, temporaryFiles } from "../world.ts";

const { db } = await openTestDatabase();
const files = temporaryFiles();
beforeAll(() => ensureWorkspace(db));
const one = await serveWeb(db, files);
const other = await serveWeb(db, files);

/** A browser with the model open: the studio's own parts over HTTP, with a line that can be cut. */
async function openStudio(base: string, modelId: string, clientId: string) {
  const visitor = browserAt(base);
  await visitor.client().workspace.me.query();
  const line = { isCut: false };
  const client = createTRPCClient<AppRouter>({
    links: [
      splitLink({
        condition: (op) => op.type === "subscription",
        true: httpSubscriptionLink({ url: `${base}/api/trpc`, EventSource: cookieEventSource(visitor.cookie) as never }),
        false: httpBatchLink({ url: `${base}/api/trpc`, headers: () => ({ cookie: visitor.cookie }) }),
      }),
    ],
  });
  const drafts = new Map<string, Draft>();
  const people: string[][] = [];
  let shared: SharedGraph | null = null;
  let autosave: Autosave | null = null;
  let stop = () => {};
  const listen = () =>
    new Promise<void>((opened, failed) => {
      const { unsubscribe } = client.models.watch.subscribe(
        { modelId, clientId },
        {
          onData(news) {
            if (news.people) people.push(news.people.map((person) => person.clientId));
            if (news.update === undefined) return;
            if (shared && autosave) autosave.receive(news.update);
            else {
              const doc = new Y.Doc();
              Y.applyUpdate(doc, fromBase64(news.update));
              shared = new SharedGraph(doc);
              autosave = new Autosave({
                modelId,
                shared,
                async push(epoch, update) {
                  if (line.isCut) throw new Error("The line is cut.");
                  const answer = await client.models.push.mutate({ modelId, epoch, update });
                  // The answer is lost, though the server has the edit.
                  if (line.isCut) throw new Error("The line is cut.");
                  return answer;
                },
                isRefusal: () => false,
                drafts: { read: (id) => drafts.get(id) ?? null, write: (id, draft) => void drafts.set(id, draft), clear: (id) => void drafts.delete(id) },
                onState: () => {},
                onRevision: () => {},
                delayMs: 5,
              });
            }
            opened();
          },
          onError: failed,
        },
      );
      stop = unsubscribe;
    });
  await listen();
  if (!shared || !autosave) throw new Error("The document did not come.");
  const [document, saving] = [shared as SharedGraph, autosave as Autosave];
  return {
    client,
    shared: document,
    autosave: saving,
    drafts,
    people,
    cut() {
      line.isCut = true;
      stop();
    },
    async mend() {
      line.isCut = false;
      await listen();
    },
    close() {
      saving.close();
      stop();
    },
  };
}

async function until(isSo: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (let i = 0; i < 400; i++) {
    if (await isSo()) return;
    await new Promise((done) => setTimeout(done, 25));
  }
  throw new Error(`It did not come to be: ${what}`);
}

const isSame = (a: Graph, b: Graph) => JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
const sorted = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(sorted)
    : typeof value === "object" && value !== null
      ? Object.fromEntries(
          Object.entries(value)
            .sort(([a], [b]) => (a < b ? -1 : 1))
            .map(([key, item]) => [key, sorted(item)]),
        )
      : value;

describe("editing together", () => {
  test.each([
    ["one server", one.base],
    ["two servers", other.base],
  ])("two people, 200 mixed edits and undos over %s, lines cut on the way: the same graph with both, in the database and as JSON", async (_, second) => {
    const visitor = browserAt(one.base);
    await visitor.client().workspace.me.query();
    const modelId = (await visitor.client().models.create.mutate({ templateId: "lenet5" })).id;
    const [ann, bob] = await Promise.all([openStudio(one.base, modelId, "ann"), openStudio(second, modelId, "bob")]);
    const random = seeded(11);
    const steps: Patch[] = [];
    for (let i = 0; i < 200; i++) {
      const who = random() < 0.5 ? ann : bob;
      const back = who === ann && random() < 0.1 ? steps.pop() : undefined;
      if (back) who.shared.revert(back);
      else {
        const patch = who.shared.change(randomEdit(who.shared.graph, random));
        if (who === ann) steps.push(patch);
      }
      if (i === 50) bob.cut();
      if (i === 90) await bob.mend();
      if (i === 120) ann.cut();
      if (i === 150) await ann.mend();
      if (random() < 0.2) await new Promise((done) => setTimeout(done, 10));
    }
    await until(async () => (await ann.autosave.flush()) && (await bob.autosave.flush()), "everything is saved");
    await until(() => isSame(ann.shared.graph, bob.shared.graph), "both have the same graph");
    const model = await ann.client.models.get.query({ modelId });
    expect(sorted(model.graph)).toEqual(sorted(ann.shared.graph));
    expect(readGraph(model.graph)).toHaveProperty("graph");
    expect(ann.drafts.size + bob.drafts.size).toBe(0);
    ann.close();
    bob.close();
  });

  test("who comes is told to those who are there, and who goes too", async () => {
    const ann = await openStudio(one.base, await modelOfNew(), "ann");
    const bob = await openStudio(one.base, lastModel, "bob");
    await until(() => ann.people.at(-1)?.length === 2, "Ann sees Bob");
    await bob.client.models.point.mutate({ modelId: lastModel, clientId: "bob", scope: [], cursor: { x: 1, y: 2 }, nodes: ["conv1"] });
    bob.close();
    await until(() => ann.people.at(-1)?.length === 1, "Ann sees that Bob has gone");
    ann.close();
  });

  test("a graph that is saved in one piece reaches those who have it open, as an edit", async () => {
    const ann = await openStudio(one.base, await modelOfNew(), "ann");
    const model = await ann.client.models.get.query({ modelId: lastModel });
    const graph = addNode(model.graph, { type: "relu", id: "whole", at: { x: 0, y: 0 } });
    await ann.client.models.save.mutate({ modelId: lastModel, revision: model.revision, graph });
    ann.shared.change(addNode(ann.shared.graph, { type: "relu", id: "own", at: { x: 0, y: 0 } }));
    await until(() => ann.shared.graph.nodes.some(({ id }) => id === "whole"), "the saved node comes");
    await ann.autosave.flush();
    expect((await ann.client.models.get.query({ modelId: lastModel })).graph.nodes.map(({ id }) => id)).toEqual(expect.arrayContaining(["whole", "own"]));
    ann.close();
  });

  let lastModel = "";
  async function modelOfNew(): Promise<string> {
    const visitor = browserAt(one.base);
    await visitor.client().workspace.me.query();
    lastModel = (await visitor.client().models.create.mutate({ templateId: "lenet5" })).id;
    return lastModel;
  }
});

describe("an edit that is none", () => {
  const context = makeContext(db, { files });

  test.each([
    ["no update at all", () => "/////w=="],
    ["a node of another form", (doc: Y.Doc) => write(doc, "x node", { in: "", id: "x y", type: "relu" })],
    ["numbers where places are", (doc: Y.Doc) => write(doc, "x at", 7, ["x node", { in: "", id: "x", type: "relu" }])],
    ["a graph of a newer version", (doc: Y.Doc) => write(doc, "document schemaVersion", 99)],
    ["another document's name", (doc: Y.Doc) => epochOf(doc)],
  ])("%s is refused, and the model stays as it was", async (_, make) => {
    const tenant = await makeTenant(db, { name: "Careful" });
    const caller = callerOf(context(tenant.session));
    const before = await caller.models.get({ modelId: tenant.modelId });
    const { epoch, doc } = await read(caller, tenant.modelId);
    await expect(caller.models.push({ modelId: tenant.modelId, epoch, update: make(doc) })).rejects.toMatchObject({ code: "BAD_REQUEST" });
    expect(await caller.models.get({ modelId: tenant.modelId })).toEqual(before);
    // The next honest edit is taken.
    const shared = new SharedGraph((await read(caller, tenant.modelId)).doc);
    shared.change(setParams(shared.graph, "conv1", { out_channels: 9 }));
    await caller.models.push({ modelId: tenant.modelId, epoch, update: toBase64(Y.encodeStateAsUpdate(shared.doc)) });
    expect((await caller.models.get({ modelId: tenant.modelId })).graph.nodes.find(({ id }) => id === "conv1")?.params.out_channels).toBe(9);
  });

  test("of a document that has begun anew is told so", async () => {
    const tenant = await makeTenant(db, { name: "Late" });
    const caller = callerOf(context(tenant.session));
    await expect(caller.models.push({ modelId: tenant.modelId, epoch: "other", update: "AAA=" })).rejects.toMatchObject({ code: "CONFLICT" });
  });

  async function read(caller: ReturnType<typeof callerOf>, modelId: string) {
    const stream = await caller.models.watch({ modelId, clientId: "reader" });
    for await (const { epoch, update = "" } of stream) {
      const doc = new Y.Doc();
      Y.applyUpdate(doc, fromBase64(update));
      return { epoch, doc };
    }
    throw new Error("The stream ended.");
  }

  function write(doc: Y.Doc, ...entries: (string | number | object | [string, object])[]): string {
    const map = doc.getMap("entries");
    const [key, value, also] = entries;
    map.set(String(key), value);
    if (Array.isArray(also)) map.set(also[0], also[1]);
    return toBase64(Y.encodeStateAsUpdate(doc));
  }

  function epochOf(doc: Y.Doc): string {
    doc.getMap("meta").set("epoch", "mine");
    return toBase64(Y.encodeStateAsUpdate(doc));
  }
});

test("a version with a name can be listed, read and let go, and stays as it was", async () => {
  const tenant = await makeTenant(db, { name: "Versions" });
  const caller = callerOf(makeContext(db, { files })(tenant.session));
  const { modelId } = tenant;
  const before = await caller.models.get({ modelId });
  await caller.models.nameVersion({ modelId, name: "First" });
  await caller.models.save({ modelId, revision: before.revision, graph: setParams(before.graph, "conv1", { out_channels: 9 }) });
  const { named } = await caller.models.versions({ modelId });
  expect(named).toMatchObject([{ name: "First", number: 1 }]);
  expect((await caller.models.version({ modelId, versionId: named[0]?.versionId ?? "" })).graph).toEqual(before.graph);
  await caller.models.forgetVersion({ modelId, namedId: named[0]?.id ?? "" });
  expect((await caller.models.versions({ modelId })).named).toEqual([]);
});
