import { randomBytes, randomUUID } from "node:crypto";
import fc from "fast-check";
import { parquetReadObjects } from "hyparquet";
import { beforeAll, describe, expect, test } from "vitest";
import { type Filter, plainView, readFilter, readView, STATS, settingFacts, View, writeView } from "../../../core/runs/view.ts";
import { hashSecret } from "../../../server/auth/secrets.ts";
import { csvCell } from "../../../server/http/runTable.ts";
import { emptyTrash, TRASH_DAYS } from "../../../server/runs/organize.ts";
import { openTestDatabase } from "../postgres.ts";
import { serveWeb } from "../visitor.ts";
import { callerOf, claim, makeContext, makeTenant, type Tenant, temporaryFiles } from "../world.ts";

const { db } = await openTestDatabase();
const context = makeContext(db);
let own: Tenant;
let caller: ReturnType<typeof callerOf>;
type Known = { id: string; number: number; lr: number; optimizer: string; accuracy: { last: number; best: number } | null; tags: string[]; locked: boolean; trashed: boolean };
const known: Known[] = [];

/** Forty runs that ended, some without a metric; ties on purpose. */
beforeAll(async () => {
  own = await makeTenant(db, { name: "Own" });
  caller = callerOf(context(own.session));
  for (let number = 1; number <= 40; number++) {
    const settings = { ...own.settings, lr: [0.1, 0.01, 0.001][number % 3] ?? 0.1, optimizer: number % 2 ? ("Adam" as const) : ("SGD" as const) };
    const { runId } = await caller.runs.start({ modelId: own.modelId, settings, idempotencyKey: randomUUID() });
    await claim(db, runId);
    const accuracy = number % 5 === 0 ? null : { last: (number % 7) / 10, best: (number % 11) / 10 };
    const summary = {
      "train/loss": { last: number, best: 1, bestStep: 1, min: 1, max: 50 },
      ...(accuracy ? { "validation/accuracy": { ...accuracy, bestStep: 1, min: 0, max: 1 } } : {}),
    };
    const tags = number % 4 === 0 ? ["good"] : [];
    await db.run.update({
      where: { id: runId },
      data: { status: "finished", endedAt: new Date(), leaseUntil: null, owner: null, summary, tags, locked: number === 8, elapsedMs: 1000 * number },
    });
    known.push({ id: runId, number, lr: settings.lr, optimizer: settings.optimizer, accuracy, tags, locked: number === 8, trashed: false });
  }
});

/** All pages of a question, three runs each. */
async function readAll(question: Partial<View>): Promise<number[]> {
  const { columns, group, ...asked } = { ...plainView, ...question };
  const numbers: number[] = [];
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<typeof caller.runs.list>> = await caller.runs.list({ ...asked, limit: 3, cursor });
    numbers.push(...page.runs.map(({ number }) => number));
    cursor = page.next;
  } while (cursor !== null);
  return numbers;
}

const where = (...texts: string[]): Filter[] => texts.map((text) => readFilter(text) as Filter);
const matching = (is: (run: Known) => boolean) => known.filter((run) => !run.trashed && is(run)).map(({ number }) => number);

describe("a table of runs", () => {
  test.each([true, false])("comes in the order of any setting or metric, page after page, each run once (descending: %s)", async (descending) => {
    const cellOf: { [column: string]: (run: Known) => number | string | null } = {
      created: ({ number }) => number,
      took: ({ number }) => number,
      "settings.lr": ({ lr }) => lr,
      "settings.optimizer": ({ optimizer }) => optimizer,
      "validation/accuracy:best": ({ accuracy }) => accuracy?.best ?? null,
      "validation/accuracy:last": ({ accuracy }) => accuracy?.last ?? null,
      state: () => "finished",
      model: () => "Own model",
    };
    for (const [column, value] of Object.entries(cellOf)) {
      const found = await readAll({ sort: { column, descending } });
      expect(
        found.toSorted((a, b) => a - b),
        column,
      ).toEqual(matching(() => true));
      const values = found.map((number) => value(known[number - 1] as Known));
      const there = values.filter((one) => one !== null);
      // Those that have none come last, whichever the direction.
      expect(
        values.slice(there.length).every((one) => one === null),
        column,
      ).toBe(true);
      expect(there, column).toEqual(there.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0) * (descending ? -1 : 1)));
    }
  });

  test("is filtered by settings, metrics, tags and words, all at once; what has no value differs from every value", async () => {
    expect((await readAll({ filters: where("settings.lr<=0.01", "settings.optimizer=Adam") })).toSorted((a, b) => a - b)).toEqual(
      matching(({ lr, optimizer }) => lr <= 0.01 && optimizer === "Adam"),
    );
    expect((await readAll({ filters: where("validation/accuracy:best>0.5", "tags=good"), sort: { column: "settings.lr", descending: false } })).toSorted((a, b) => a - b)).toEqual(
      matching(({ accuracy, tags }) => (accuracy?.best ?? 0) > 0.5 && tags.includes("good")),
    );
    expect((await readAll({ filters: where("validation/accuracy:best!=0.5") })).toSorted((a, b) => a - b)).toEqual(matching(({ accuracy }) => accuracy?.best !== 0.5));
    expect(await readAll({ filters: where("validation/accuracy:best>=oops") })).toEqual([]);
    expect(await readAll({ search: "17" })).toEqual([17]);
    expect(await readAll({ search: "100%_" })).toEqual([]);
    expect(await readAll({ search: "own", filters: where("number<4") })).toEqual([3, 2, 1]);
    expect(await caller.runs.count({ filters: where("tags=good") })).toEqual({ total: 10, active: 0 });
  });

  test("is put together by a setting, with the range of a metric in each group", async () => {
    const groups = await caller.runs.groups({ by: "settings.optimizer", metric: "train/loss:last" });
    expect(groups).toEqual([
      { value: "Adam", count: 20, low: 1, mean: 20, high: 39 },
      { value: "SGD", count: 20, low: 2, mean: 21, high: 40 },
    ]);
    expect(await caller.runs.groups({ by: "tags" })).toMatchObject([
      { value: null, count: 30 },
      { value: "good", count: 10 },
    ]);
    const [tagged, all] = [await readAll({ filters: where("tags!=") }), await readAll({})];
    expect(tagged.length).toBe(10);
    expect(await readAll({ filters: where("tags=") })).toEqual(all.filter((number) => !tagged.includes(number)));
    for (const column of ["validation/accuracy:best", "settings.lr"])
      expect([...(await readAll({ filters: where(`${column}=`) })), ...(await readAll({ filters: where(`${column}!=`) }))].toSorted((a, b) => b - a)).toEqual(all);
    expect(await readAll({ filters: where("settings.lr=") })).toEqual([]);
    const days = await caller.runs.groups({ by: "created" });
    for (const { value, count } of days) expect((await readAll({ filters: where(`created=${value}`) })).length).toBe(count);
    const day = days[0]?.value;
    expect([...(await readAll({ filters: where(`created>${day}`) })), ...(await readAll({ filters: where(`created<=${day}`) }))].length).toBe(40);
  });

  test("knows the columns there are, and what each run says in them", async () => {
    const { settings, metrics } = await caller.runs.columns();
    expect(metrics).toEqual(["train/loss", "validation/accuracy"]);
    const { runs } = await caller.runs.list({ limit: 1 });
    expect(settings).toEqual(Object.keys(runs[0]?.settings ?? {}).sort());
  });

  test("keeps the same scalar settings in the database as the page reads from a run", async () => {
    const run = await db.run.findFirstOrThrow({ select: { id: true, settings: true } });
    const facts = await db.runFact.findMany({ where: { runId: run.id, key: { startsWith: "settings." } } });
    expect(Object.fromEntries(facts.map(({ key, number, text }) => [key, number ?? text]))).toEqual(settingFacts(run.settings));
  });
});

describe("runs in the trash", () => {
  test("are in no list but that of the trash, and come back as they were; a locked one stays", async () => {
    const ids = known.slice(5, 9).map(({ id }) => id);
    expect(await caller.runs.organize({ runIds: ids, action: { kind: "trash" } })).toEqual({
      changed: 3,
      refused: [{ runId: known[7]?.id, number: 8, reason: "It is locked: unlock it first." }],
    });
    expect(await readAll({ trash: true })).toEqual([9, 7, 6]);
    expect(await readAll({ filters: where("number>=6", "number<=9") })).toEqual([8]);
    await expect(caller.runs.delete({ runId: known[7]?.id ?? "" })).rejects.toThrow("locked");
    await expect(db.run.update({ where: { id: ids[0] }, data: { locked: true } })).rejects.toThrow();
    expect(await caller.runs.organize({ runIds: ids, action: { kind: "restore" } })).toMatchObject({ changed: 4, refused: [] });
    expect((await readAll({})).length).toBe(40);
  });

  test("are deleted for good once their time is over, and not before", async () => {
    const [first] = known;
    const runId = first?.id ?? "";
    await caller.runs.organize({ runIds: [runId], action: { kind: "trash" } });
    const soon = new Date(Date.now() + (TRASH_DAYS - 1) * 86_400_000);
    const files = temporaryFiles();
    expect(await emptyTrash(db, files, { now: soon })).toEqual([]);
    expect(await emptyTrash(db, files, { now: new Date(soon.getTime() + 2 * 86_400_000) })).toEqual([runId]);
    if (first) first.trashed = true;
    expect(await db.runFigure.count({ where: { runId } })).toBe(0);
  });

  test("cannot be runs that still go on", async () => {
    const { runId } = await caller.runs.start({ modelId: own.modelId, settings: own.settings, idempotencyKey: randomUUID() });
    expect(await caller.runs.organize({ runIds: [runId], action: { kind: "trash" } })).toMatchObject({ changed: 0, refused: [{ reason: "It has not ended: cancel it first." }] });
    expect(await caller.runs.organize({ runIds: [runId], action: { kind: "cancel" } })).toMatchObject({ changed: 1 });
    await caller.runs.delete({ runId });
  });
});

test("tags are added and taken away from many runs at once, each once, in order", async () => {
  const runIds = known.slice(20, 23).map(({ id }) => id);
  await caller.runs.organize({ runIds, action: { kind: "tag", add: ["b", "a", "b"], remove: [] } });
  await caller.runs.organize({ runIds, action: { kind: "tag", add: ["c"], remove: ["b"] } });
  expect((await caller.runs.get({ runId: runIds[0] ?? "" })).tags).toEqual(["a", "c"]);
  expect(await caller.runs.tags()).toContainEqual({ tag: "c", count: 3 });
});

test("a view is kept by its name, and a second one of that name takes its place", async () => {
  await caller.runViews.save({ name: "Good ones", view: "where=tags%3Dgood" });
  await caller.runViews.save({ name: "Good ones", view: "where=tags%3Dbest&nonsense=1" });
  const [view, ...others] = await caller.runViews.list();
  expect(others).toEqual([]);
  expect(readView(new URLSearchParams(view?.view)).filters).toEqual([{ column: "tags", operator: "=", value: "best" }]);
  await caller.runViews.delete({ viewId: view?.id ?? "" });
  expect(await caller.runViews.list()).toEqual([]);
});

test("a view comes back from its address as it went in, whatever metrics are called", () => {
  const column = fc.oneof(
    fc.constantFrom("created", "state", "settings.lr", "settings.optimizerParams.momentum"),
    fc.tuple(fc.string({ minLength: 1, maxLength: 30, unit: "grapheme" }), fc.constantFrom(...STATS)).map(([key, stat]) => `validation/${key}:${stat}`),
  );
  const view = fc.record({
    columns: fc.option(fc.array(column, { minLength: 1, maxLength: 5 })),
    sort: fc.record({ column, descending: fc.boolean() }),
    filters: fc.array(
      fc.record({
        column,
        operator: fc.constantFrom("<=", ">=", "!=", "=", "<", ">", "~"),
        value: fc.oneof(fc.string({ maxLength: 20 }), fc.constantFrom("=5", "==", "%3d", "%25=", "=")),
      }),
      { maxLength: 4 },
    ),
    group: fc.option(column),
    search: fc.string({ maxLength: 20 }),
    trash: fc.boolean(),
  });
  fc.assert(
    fc.property(view, (given) => {
      const once = View.parse(given);
      expect(readView(new URLSearchParams(writeView(once).toString()))).toEqual(once);
    }),
    { numRuns: 300 },
  );
});

describe("a table taken along", () => {
  const files = temporaryFiles();
  const parts = ["number", "settings.optimizer", "settings.lr", "validation/accuracy:best", "tags", "notes"];
  let fetchTable: (format: string, more?: string) => Promise<Response>;
  beforeAll(async () => {
    const { base } = await serveWeb(db, files, { AUTH: "required" });
    const token = randomBytes(32).toString("base64url");
    await db.session.update({ where: { id: own.session.id }, data: { tokenHash: hashSecret(token) } });
    fetchTable = (format, more = "") => fetch(`${base}/api/run-table/${format}?sort=created&columns=${parts.join()}${more}`, { headers: { cookie: `tensorloom=${token}` } });
    await db.run.update({ where: { id: known[1]?.id ?? "" }, data: { notes: '=HYPERLINK("http://x"),\nsecond line' } });
  });

  test("20: as CSV has every run once, and no cell that a spreadsheet would run", async () => {
    const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(await (await fetchTable("csv")).arrayBuffer());
    expect(text.split("\r\n")[0]).toBe(`\uFEFFrun,${parts.join()}`);
    expect(text).toContain(`"'=HYPERLINK(""http://x""),\nsecond line"`);
    expect([csvCell("-1+2"), csvCell("@x"), csvCell("\tx"), csvCell(-1.5), csvCell("a,b"), csvCell(null)]).toEqual(["'-1+2", "'@x", "'\tx", "-1.5", '"a,b"', ""]);
    expect(text.trimEnd().split("\r\n").length).toBe((await readAll({})).length + 1);
  });

  test("as JSON and as Parquet holds the same values, as far as the view goes", async () => {
    const json: { [name: string]: unknown }[] = await (await fetchTable("json", "&where=settings.optimizer%3DAdam")).json();
    expect(json.length).toBe(await caller.runs.count({ filters: where("settings.optimizer=Adam") }).then(({ total }) => total));
    const rows = await parquetReadObjects({ file: await (await fetchTable("parquet", "&where=settings.optimizer%3DAdam")).arrayBuffer() });
    expect(rows.map((row) => ({ ...row }))).toEqual(json);
    expect(typeof json[0]?.["settings.lr"]).toBe("number");
  });

  test("is for people of the organization only", async () => {
    const { base } = await serveWeb(db, files, { AUTH: "required" });
    expect((await fetch(`${base}/api/run-table/csv`)).status).toBe(401);
    expect((await fetchTable("csv", "&model=nonsense")).status).toBe(400);
    expect((await fetchTable("exe")).status).toBe(404);
  });
});

test("runs move to another project: to the model of their name there, with their version and the next numbers", async () => {
  const project = await caller.projects.create({ name: "Elsewhere" });
  const runIds = known.slice(24, 27).map(({ id }) => id);
  const move = (projectId: string, ids = runIds) => caller.runs.organize({ runIds: ids, action: { kind: "move", projectId } });
  expect(await move(project.id)).toEqual({ changed: 3, refused: [] });
  const there = await Promise.all(runIds.map((runId) => caller.runs.get({ runId })));
  expect(there.map(({ number }) => number)).toEqual([1, 2, 3]);
  expect(new Set(there.map(({ project }) => project.id))).toEqual(new Set([project.id]));
  expect(there[0]?.modelName).toBe((await caller.models.get({ modelId: own.modelId })).name);
  // Again is nothing to do; one more joins them; what is locked stays.
  expect(await move(project.id)).toEqual({ changed: 0, refused: [] });
  const [locked, free] = [known[7]?.id ?? "", known[28]?.id ?? ""];
  expect(await move(project.id, [locked, free])).toMatchObject({ changed: 1, refused: [{ reason: "It is locked: unlock it first." }] });
  const joined = await caller.runs.get({ runId: free });
  expect([joined.number, joined.modelId, joined.graphHash]).toEqual([4, there[0]?.modelId, there[0]?.graphHash]);
  await expect(move(randomUUID())).rejects.toMatchObject({ code: "NOT_FOUND" });
  // And back: they find their own model again.
  expect(await move(own.projectId, [...runIds, free])).toMatchObject({ changed: 4 });
  expect((await caller.runs.get({ runId: free })).modelId).toBe(own.modelId);
});
