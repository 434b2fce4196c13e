import { randomInt, randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { appendMetrics, type RunRef, rewindMetrics } from "../../../server/metrics/store.ts";
import { type RunNews, readCursor, Watcher, writeCursor } from "../../../server/metrics/watch.ts";
import { allowed } from "../../allowed.ts";
import { openTestDatabase } from "../postgres.ts";
import { callerOf, claim, makeContext, makeTenant, reclaim, type Tenant } from "../world.ts";

const { db } = await openTestDatabase();
const context = makeContext(db);
const watcher = new Watcher(db);
afterAll(() => watcher.close());
let tenant: Tenant;
beforeAll(async () => {
  tenant = await makeTenant(db);
});

async function startedRun(): Promise<RunRef & { token: number }> {
  const { runId } = await callerOf(context(tenant.session)).runs.start({
    modelId: tenant.modelId,
    settings: tenant.settings,
    idempotencyKey: randomUUID(),
  });
  return { id: runId, orgId: tenant.orgId, token: await claim(db, runId) };
}

/** A page that keeps what it is told, and complains at once about a gap, a double or a step back that nobody announced. */
class Page {
  readonly series = new Map<string, number[]>();
  readonly lines: number[] = [];
  state: RunNews["state"];
  lastEventId: string | undefined;

  take(id: string, { rewindTo, points, state, log }: RunNews): void {
    this.lastEventId = id;
    if (rewindTo !== undefined)
      for (const [key, steps] of this.series)
        this.series.set(
          key,
          steps.filter((step) => step <= rewindTo),
        );
    for (const { key, steps } of points ?? []) {
      const known = this.series.get(key) ?? [];
      expect(steps[0]).toBe((known.at(-1) ?? 0) + 1);
      for (const [index, step] of steps.slice(1).entries()) expect(step).toBe((steps[index] ?? 0) + 1);
      this.series.set(key, [...known, ...steps]);
    }
    for (const { id: line } of log ?? []) {
      expect(line).toBeGreaterThan(this.lines.at(-1) ?? 0);
      this.lines.push(line);
    }
    if (state) this.state = { ...this.state, ...state };
  }
}

/** Reads on from the page's last event until `until`, or until the connection is cut. */
async function connect(run: RunRef, page: Page, cutMs: number | null, until: () => boolean, { watcher: from = watcher, slowMs = 0 } = {}): Promise<void> {
  const cut = new AbortController();
  if (cutMs !== null) setTimeout(() => cut.abort(), cutMs);
  const cursor = (page.lastEventId ? readCursor(page.lastEventId) : null) ?? { rewinds: 0, revision: 0, log: 0, steps: new Map() };
  for await (const { id, news } of from.watch(run, cursor, cut.signal, () => Promise.resolve(true))) {
    if (slowMs > 0) await sleep(slowMs);
    // Cut between the server's sending and the page's reading: what was not read must come again.
    if (cut.signal.aborted) return;
    page.take(id, news);
    if (until()) return;
  }
}

test("a page that is cut off a hundred times misses nothing and sees nothing twice, across rewinds", { timeout: 300_000 }, async () => {
  const run = await startedRun();
  let token = run.token;
  let last = 0;
  let writing = true;
  const writer = (async () => {
    for (let round = 0; round < 260; round++) {
      if (round % 60 === 59) {
        token = await reclaim(db, run.id);
        last = Math.floor(last * 0.7);
        await db.$transaction((tx) => rewindMetrics(tx, run, token, last));
      }
      const steps = Array.from({ length: randomInt(1, 40) }, (_, index) => last + index + 1);
      last = steps.at(-1) as number;
      await db.$transaction(async (tx) => {
        await appendMetrics(tx, run, token, [
          { key: "train/loss", steps, values: steps },
          { key: "lr", steps, values: steps },
        ]);
        await tx.run.update({ where: { id: run.id }, data: { step: last } });
      });
      if (round % 20 === 0) await db.runLog.create({ data: { orgId: run.orgId, runId: run.id, level: "info", message: `round ${round}`, leaseToken: token } });
      await sleep(randomInt(5, 30));
    }
    writing = false;
  })();

  const page = new Page();
  const isDone = () => !writing && page.state?.step === last && page.series.get("train/loss")?.length === last && page.series.get("lr")?.length === last;
  for (let cuts = 0; cuts < 100; cuts++) await connect(run, page, randomInt(10, 90), () => false);
  await writer;
  await connect(run, page, 10_000, isDone);
  expect(page.series.get("train/loss")).toEqual(Array.from({ length: last }, (_, index) => index + 1));
  expect(page.series.get("lr")?.length).toBe(last);
  expect(page.lines.length).toBe(await db.runLog.count({ where: { runId: run.id } }));
  expect(page.state).toMatchObject({ status: "running", step: last });
});

test("a crowd at differing places, cut off and slow, is complete without doubles, and costs the database what one reader does", { timeout: 300_000 }, async () => {
  const run = await startedRun();
  let readings = 0;
  const counted = new Watcher(
    new Proxy(db, {
      get(of, name) {
        if (name === "$transaction") readings++;
        const value = Reflect.get(of, name) as unknown;
        return typeof value === "function" ? value.bind(of) : value;
      },
    }),
  );
  let [token, last, writing] = [run.token, 0, true];
  const keys = Array.from({ length: 20 }, (_, nth) => `train/metric_${nth}`);
  const write = async (count: number) => {
    const steps = Array.from({ length: count }, (_, index) => last + index + 1);
    last += count;
    await db.$transaction(async (tx) => {
      await appendMetrics(
        tx,
        run,
        token,
        keys.map((key) => ({ key, steps, values: steps })),
      );
      await tx.run.update({ where: { id: run.id }, data: { step: last } });
    });
  };
  await write(600);
  const pages = Array.from({ length: 24 }, () => new Page());
  const isDone = (page: Page) => !writing && page.state?.step === last && keys.every((key) => page.series.get(key)?.length === last);
  const follow = async (page: Page, nth: number) => {
    // A third is cut off again and again, a third is slow to take what it is told, a third listens.
    await sleep(nth * 80);
    for (let cuts = 0; nth % 3 === 0 && cuts < 6; cuts++) await connect(run, page, randomInt(100, 600), () => false, { watcher: counted });
    await connect(run, page, 60_000, () => isDone(page), { watcher: counted, slowMs: nth % 3 === 1 ? 5 * nth : 0 });
  };
  const crowd = pages.map(follow);
  for (let round = 0; round < 60; round++) {
    if (round === 30) {
      token = await reclaim(db, run.id);
      last = Math.floor(last * 0.9);
      await db.$transaction((tx) => rewindMetrics(tx, run, token, last));
    }
    await write(randomInt(5, 20));
    await sleep(50);
  }
  writing = false;
  await write(1);
  await Promise.all(crowd);
  for (const page of pages) {
    expect(page.series.size).toBe(keys.length);
    for (const key of keys) expect(page.series.get(key)?.length).toBe(last);
    expect(page.state).toMatchObject({ step: last });
  }

  // All listen from the present end on: what follows is read once for all of them.
  const cut = new AbortController();
  const heard = new Array<number>(60).fill(0);
  const listening = heard.map(async (_, nth) => {
    for await (const { news } of counted.watch(run, await counted.begin(run), cut.signal, () => Promise.resolve(true)))
      for (const { steps } of news.points ?? []) heard[nth] = (heard[nth] ?? 0) + steps.length;
  });
  await sleep(1_000);
  readings = 0;
  for (let round = 0; round < 20; round++) {
    await write(5);
    await sleep(100);
  }
  while (heard.some((points) => points < 100 * keys.length)) await sleep(20);
  cut.abort();
  await Promise.all(listening);
  expect(heard).toEqual(heard.map(() => 100 * keys.length));
  expect(readings).toBeLessThan(40);
  counted.close();
});

test("a validation point that comes after later training points is not passed over", async () => {
  const run = await startedRun();
  const page = new Page();
  const write = (key: string, steps: number[]) => db.$transaction((tx) => appendMetrics(tx, run, run.token, [{ key, steps, values: steps }]));
  await write("train/loss", [1, 2, 3]);
  await connect(run, page, 5_000, () => page.series.get("train/loss")?.length === 3);
  await write("validation/loss", [1]);
  await connect(run, page, 5_000, () => page.series.has("validation/loss"));
  expect(page.series.get("validation/loss")).toEqual([1]);
});

test("a point reaches a listening page within 250 ms, 19 times of 20", async () => {
  const run = await startedRun();
  const delays: number[] = [];
  const cut = new AbortController();
  let sentAt = 0;
  const reader = (async () => {
    for await (const { news } of watcher.watch(run, await watcher.begin(run), cut.signal, () => Promise.resolve(true))) if (news.points) delays.push(performance.now() - sentAt);
  })();
  await sleep(300);
  for (let step = 1; step <= 40; step++) {
    sentAt = performance.now();
    await db.$transaction((tx) => appendMetrics(tx, run, run.token, [{ key: "train/loss", steps: [step], values: [step] }]));
    while (delays.length < step) await sleep(2);
  }
  cut.abort();
  await reader;
  delays.sort((a, b) => a - b);
  expect(delays[37]).toBeLessThan(allowed(250));
});

describe("a stream", () => {
  test("begun now starts with how the run stands and leaves the past to queries", async () => {
    const run = await startedRun();
    await db.$transaction((tx) => appendMetrics(tx, run, run.token, [{ key: "train/loss", steps: [1, 2], values: [1, 2] }]));
    const begun = await watcher.begin(run);
    await db.$transaction((tx) => appendMetrics(tx, run, run.token, [{ key: "train/loss", steps: [3], values: [3] }]));
    const first = await watcher.watch(run, begun, new AbortController().signal, () => Promise.resolve(true)).next();
    expect(first.value?.news).toMatchObject({ points: [{ key: "train/loss", steps: [3] }], state: { status: "running", checkpoints: [] } });
  });

  test("goes on after a run has ended: exports appear one by one, and then that no more will come", async () => {
    const run = await startedRun();
    const page = new Page();
    await connect(run, page, 5_000, () => page.state?.status === "running");
    const report = {
      passed: true,
      samples: 64,
      maxAbsDiff: 1e-6,
      maxScaledDiff: 1e-6,
      tolerance: 1e-4,
      outputs: [],
      refusal: null,
      opset: 21,
      engine: "libtorch",
      onnxRuntime: "1",
    };
    const artifact = (kind: "pytorch" | "onnx", more: { report?: typeof report; refusal?: { code: string; message: string } }) =>
      db.artifact.create({
        data: {
          orgId: run.orgId,
          runId: run.id,
          kind,
          fileName: kind,
          storageKey: more.refusal ? "" : kind,
          sizeBytes: more.refusal ? 0 : 1,
          sha256: more.refusal ? "" : "0".repeat(64),
          ...more,
        },
      });
    await db.$executeRaw`UPDATE "Run" SET "status" = 'finished', "endedAt" = now() WHERE "id" = ${run.id}::uuid`;
    await connect(run, page, 5_000, () => page.state?.status === "finished");
    expect(page.state).toMatchObject({ exporting: true, artifacts: [] });
    await artifact("pytorch", { refusal: { code: "EXPORT_FAILED", message: "No." } });
    await connect(run, page, 5_000, () => page.state?.artifacts?.length === 1);
    await artifact("onnx", { report });
    await connect(run, page, 5_000, () => page.state?.artifacts?.length === 2);
    expect(page.state?.artifacts).toMatchObject([
      { kind: "onnx", report, refusal: null },
      { kind: "pytorch", report: null, refusal: { code: "EXPORT_FAILED", message: "No." } },
    ]);
    await db.run.update({ where: { id: run.id }, data: { leaseUntil: null } });
    await connect(run, page, 5_000, () => page.state?.exporting === false);
    expect(page.state).toMatchObject({ status: "finished", exporting: false });
  });

  test("sends a long absence in pieces, and no piece is large", async () => {
    const run = await startedRun();
    const steps = Array.from({ length: 20_000 }, (_, index) => index + 1);
    await db.$transaction((tx) => appendMetrics(tx, run, run.token, [{ key: "train/loss", steps, values: steps }]));
    const page = new Page();
    let pieces = 0;
    const cursor = { rewinds: 0, revision: 0, log: 0, steps: new Map<string, number>() };
    for await (const { id, news } of watcher.watch(run, cursor, new AbortController().signal, () => Promise.resolve(true))) {
      expect(JSON.stringify(news).length).toBeLessThan(128 * 1024);
      page.take(id, news);
      pieces++;
      if (page.series.get("train/loss")?.length === steps.length) break;
    }
    expect(pieces).toBeGreaterThan(5);
  });

  test("ends when its reader's right to read does, and when the run is deleted", { timeout: 300_000 }, async () => {
    const run = await startedRun();
    const started = Date.now();
    let mayRead = true;
    setTimeout(() => (mayRead = false), 500);
    for await (const _ of watcher.watch(run, await watcher.begin(run), new AbortController().signal, () => Promise.resolve(mayRead)));
    expect(Date.now() - started).toBeLessThan(allowed(5_500));
    const gone = new Watcher(db);
    const reading = (async () => {
      for await (const _ of gone.watch(run, await gone.begin(run), new AbortController().signal, () => Promise.resolve(true)));
    })();
    await sleep(200);
    await db.run.delete({ where: { id: run.id } });
    await reading;
    gone.close();
  });
});

test("a cursor survives its text, and other texts are none", () => {
  const cursor = {
    rewinds: 2,
    revision: 77,
    log: 12,
    steps: new Map([
      ["train/loss", 12],
      ["a,b=c:d é", 0],
    ]),
  };
  expect(readCursor(writeCursor(cursor))).toEqual(cursor);
  for (const text of ["", "1:2:3", "x:1:1:", "1:1:1:%zz=1", "1:1:1:k=1;drop", `1:1:1:${"k=1,".repeat(3)}k`]) expect(readCursor(text)).toBeNull();
});
