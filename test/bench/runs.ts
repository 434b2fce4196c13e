/**
 * What many runs cost, against what was promised: a page of a table of 100,000 runs by any order and filter; opening 200 runs of ten metrics with 100,000 steps
 * each beside each other in a browser; a live update of a run's page with 20 charts; and 200 people who watch one run. Beside it, in the same browser, a page
 * of plain recharts that is given a hundredth of the points, and TensorBoard where Python has it (`pip install tensorboard`).
 *
 *     npm run bench -- runs [--only table,compare,live,viewers] [--runs 100000] [--port 3197]
 *
 * All but the table take the production build. About four minutes, of which two write 200 million points (4 GB under TMPDIR, removed at the end).
 * Prints lines to read, and a line of JSON for each part; ends with 1 where a limit is not kept.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { get } from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { type Browser, type CDPSession, chromium, type Page } from "@playwright/test";
import { View } from "../../core/runs/view.ts";
import { claimRun, type Lease } from "../../server/agent/lease.ts";
import { identify } from "../../server/agent/process.ts";
import { queryOverlay } from "../../server/metrics/overlay.ts";
import { appendMetrics } from "../../server/metrics/store.ts";
import { countRuns, groupRuns, type ListRuns, listColumns, listRuns } from "../../server/runs/list.ts";
import { findChromium } from "../../server/setup.mjs";
import { openWorld, until, type World } from "../fault/world.ts";
import { naiveCharts } from "./naiveCharts.ts";
import { CURVE_KEYS, type Seeded, seedCurves, seedRuns, valueAt } from "./seedRuns.ts";
import { hasTensorBoard, KEPT_POINTS, openTensorBoard } from "./tensorboard.ts";

const { values: options } = parseArgs({
  options: { only: { type: "string" }, runs: { type: "string", default: "100000" }, port: { type: "string", default: "3197" }, compared: { type: "string", default: "200" } },
});
const wants = (part: string): boolean => options.only === undefined || options.only.split(",").includes(part);
const count = Number(options.runs);
const compared = Number(options.compared);
const STEPS = 100_000;
const VIEWERS = 200;
const base = `http://127.0.0.1:${options.port}`;
const quantile = (times: number[], share: number): number => times.toSorted((a, b) => a - b)[Math.ceil(times.length * share) - 1] ?? Number.NaN;
const rounded = (value: number): number => Number(value.toPrecision(3));
const missed: string[] = [];

/** Prints a figure beside its limit, and remembers it where the limit is not kept. */
function say(what: string, value: number, limit: number, unit = "ms"): void {
  const holds = value <= limit;
  if (!holds) missed.push(what);
  console.log(`${holds ? "holds " : "MISSED"} ${what}: ${rounded(value)} ${unit} (limit ${limit})`);
}

/** A table of many runs, asked by the server's own functions. */
async function table({ db }: World, { orgId, modelIds }: Seeded): Promise<void> {
  const question = (part: { [name: string]: unknown }): ListRuns => ({
    ...View.pick({ sort: true, filters: true, search: true, trash: true }).parse({ ...part, modelId: undefined }),
    limit: 100,
    cursor: null,
  });
  const sortedBy = (column: string, descending = true) => ({ sort: { column, descending } });
  const where = (column: string, operator: string, value: string) => ({ column, operator, value });
  const asked: { [name: string]: ListRuns } = {
    "newest first": question({}),
    "by best accuracy": question(sortedBy("validation/accuracy:best")),
    "by lowest loss": question(sortedBy("validation/loss:min", false)),
    "by learning rate": question(sortedBy("settings.lr", false)),
    "by optimizer": question(sortedBy("settings.optimizer", false)),
    "by duration": question(sortedBy("took")),
    "by state": question(sortedBy("state")),
    "by model": question(sortedBy("model", false)),
    "accuracy > 0.99, by learning rate": question({ ...sortedBy("settings.lr"), filters: [where("validation/accuracy:best", ">", "0.99")] }),
    "accuracy > 0.9929, newest first": question({ filters: [where("validation/accuracy:best", ">", "0.9929")] }),
    "optimizer, batch and rate, by accuracy": question({
      ...sortedBy("validation/accuracy:best"),
      filters: [where("settings.optimizer", "=", "SGD"), where("settings.batchSize", "=", "64"), where("settings.lr", "<", "0.001")],
    }),
    "nothing meets it, by accuracy": question({
      ...sortedBy("validation/accuracy:best"),
      filters: [where("settings.optimizer", "=", "SGD"), where("validation/loss:best", "<", "0.0001")],
    }),
    "failed, by learning rate": question({ ...sortedBy("settings.lr"), filters: [where("state", "=", "failed")] }),
    "tag, by accuracy": question({ ...sortedBy("validation/accuracy:best"), filters: [where("tags", "=", "paper")] }),
    "one model, by accuracy": { ...question(sortedBy("validation/accuracy:best")), modelId: modelIds[3] ?? "" },
    "words, newest first": question({ search: "paper" }),
  };
  const time = async (turns: number, ask: () => Promise<unknown>) => {
    const times: number[] = [];
    for (let turn = 0; turn < turns + 3; turn++) {
      const from = performance.now();
      await ask();
      if (turn >= 3) times.push(performance.now() - from);
    }
    return times;
  };
  const all: number[] = [];
  const figures: { [name: string]: number } = {};
  for (const [name, ask] of Object.entries(asked)) {
    // A page from the middle: what somebody comes to who scrolls far.
    let cursor: string | null = null;
    for (let page = 0; page < 8; page++) cursor = (await listRuns(db, orgId, { ...ask, cursor })).next ?? cursor;
    const first = await time(30, () => listRuns(db, orgId, ask));
    const deep = await time(30, () => listRuns(db, orgId, { ...ask, cursor }));
    all.push(...first, ...deep);
    figures[name] = quantile([...first, ...deep], 0.95);
    console.log(`${name.padEnd(40)} first page p95 ${quantile(first, 0.95).toFixed(1).padStart(6)} ms, a later one ${quantile(deep, 0.95).toFixed(1).padStart(6)} ms`);
  }
  const others = {
    count: () => countRuns(db, orgId, question({})),
    "count with a filter": () => countRuns(db, orgId, asked["accuracy > 0.99, by learning rate"] as ListRuns),
    groups: () => groupRuns(db, orgId, { ...question({}), by: "settings.optimizer", metric: "validation/accuracy:best" }),
    columns: () => listColumns(db, orgId),
  };
  for (const [name, ask] of Object.entries(others)) {
    figures[name] = quantile(await time(10, ask), 0.95);
    console.log(`${name.padEnd(40)} p95 ${figures[name].toFixed(1).padStart(6)} ms`);
  }
  say(`a page of 100 of ${count.toLocaleString("en")} runs, all orders and filters together: p95`, quantile(all, 0.95), 100);
  console.log(
    JSON.stringify({
      part: "run table",
      runs: count,
      p95Ms: rounded(quantile(all, 0.95)),
      each: Object.fromEntries(Object.entries(figures).map(([name, ms]) => [name, rounded(ms)])),
    }),
  );
}

/** Milliseconds that a process has spent on a processor so far, by its number. */
function processorMs(pid: number): number {
  // After the name in brackets: state, parent, and further on the ticks in user and system mode.
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

const childrenOf = (parent: number): number[] =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return (
          readFileSync(`/proc/${pid}/stat`, "utf8")
            .replace(/^.*\) /, "")
            .split(" ")[1] === String(parent)
        );
      } catch {
        return false;
      }
    });

/** The product as people run it, on the world's database. */
async function startServer(world: World): Promise<{ server: ChildProcess; web: number }> {
  const server = spawn(process.execPath, ["server/start.ts"], {
    cwd: join(import.meta.dirname, "../.."),
    env: { ...process.env, DATA_DIR: world.folder, DATABASE_URL: world.postgres.url, PORT: options.port, LEASE_MS: "10000" },
    stdio: ["ignore", "ignore", "inherit"],
  });
  await until("the server answers", 120_000, async () => ((await fetch(`${base}/readyz`)).ok ? true : null));
  const web = childrenOf(server.pid ?? 0).find((pid) => readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("server/web.ts"));
  if (web === undefined) throw new Error("The web process is not found.");
  return { server, web };
}

/** Notes in the page when the first chart with all curves was painted, and when the last of those in the view was. */
const noteCurves = (curves: number): void => {
  const seen: { first: number; all: number } = { first: 0, all: 0 };
  Object.assign(window, { seen });
  const look = () => {
    const drawn = document.querySelectorAll(`[data-curve-count="${curves}"]`).length;
    // The frame after the one in which they were drawn: then they are on the screen.
    if (drawn > 0 && seen.first === 0) requestAnimationFrame(() => (seen.first = performance.now()));
    if (drawn >= 6) requestAnimationFrame(() => (seen.all = performance.now()));
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
};

/**
 * Notes in TensorBoard's page when one of its charts has all curves: as lines of an SVG, or, where the browser has WebGL, on a canvas, which is taken to be painted
 * once nothing loads any more.
 */
const noteBoard = (curves: number): void => {
  const seen = { first: 0, all: 0 };
  Object.assign(window, { seen });
  const look = () => {
    const drawn = [...document.querySelectorAll("scalar-card")].some(
      (card) => card.querySelectorAll("line-chart path").length >= curves || (card.querySelector("line-chart canvas") && !card.querySelector("mat-spinner")),
    );
    if (drawn) requestAnimationFrame(() => (seen.first = seen.all = performance.now()));
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
};

/** The same curves in TensorBoard, which draws a sample of each: milliseconds to its first paint and to its first chart of all curves; null where Python has no TensorBoard. */
async function compareInTensorBoard(visit: (address: string, note: (curves: number) => void) => Promise<Visit>): Promise<Visit[] | null> {
  if (!hasTensorBoard()) {
    console.log("Python has no TensorBoard to measure beside: pip install tensorboard");
    return null;
  }
  const from = performance.now();
  const steps = Array.from({ length: KEPT_POINTS }, (_, at) => ((at + 1) * STEPS) / KEPT_POINTS);
  const board = await openTensorBoard(compared, CURVE_KEYS, steps, valueAt);
  try {
    console.log(`TensorBoard has read ${KEPT_POINTS.toLocaleString("en")} points a curve after ${((performance.now() - from) / 1000).toFixed(0)} s`);
    const visits: Visit[] = [];
    for (let i = 0; i < 4; i++) visits.push(await visit(`${board.address}/#timeseries`, noteBoard));
    return visits.slice(1);
  } finally {
    await board.close();
  }
}

type Visit = { paint: number; first: number; all: number };

/** 200 runs beside each other, from the address to their curves. */
async function compare(world: World, browser: Browser, { orgId }: Seeded, runIds: string[]): Promise<void> {
  const asks: number[] = [];
  for (let turn = 0; turn < 2; turn++)
    for (const key of CURVE_KEYS) {
      const from = performance.now();
      const answer = await queryOverlay(world.db, orgId, { runIds, key, mostStretches: Math.round(60_000 / compared) });
      if (answer.length !== compared) throw new Error("Runs are missing from an answer.");
      if (turn > 0) asks.push(performance.now() - from);
    }
  console.log(
    `curves of one metric of ${compared} runs, ${STEPS.toLocaleString("en")} steps each, in the server: p50 ${rounded(quantile(asks, 0.5))} ms, at most ${rounded(quantile(asks, 1))} ms`,
  );

  const address = `${base}/runs/compare?runs=${runIds.join(",")}`;
  const open = async (page: Page, at = address): Promise<Visit> => {
    await page.goto(at, { waitUntil: "commit" });
    await page.waitForFunction(() => (window as unknown as { seen?: { all: number } }).seen?.all, undefined, { timeout: 120_000 });
    return page.evaluate(() => ({
      paint: performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? Number.NaN,
      ...(window as unknown as { seen: { first: number; all: number } }).seen,
    }));
  };
  const visit = async (times: number) => {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
    const page = await context.newPage();
    await page.addInitScript(noteCurves, compared);
    const visits: Visit[] = [];
    for (let i = 0; i < times; i++) visits.push(await open(page));
    await context.close();
    return visits;
  };
  const visitOnce = async (at: string, note: (curves: number) => void) => {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
    const page = await context.newPage();
    await page.addInitScript(note, compared);
    const found = await open(page, at);
    await context.close();
    return found;
  };
  // The server's first answer compiles the page.
  await visit(1);
  const cold = [...(await visit(1)), ...(await visit(1)), ...(await visit(1))];
  const warm = (await visit(6)).slice(1);
  const at = (visits: typeof cold, what: keyof (typeof cold)[number]) =>
    quantile(
      visits.map((one) => one[what]),
      0.5,
    );
  for (const [name, visits] of Object.entries({ "first visit of a browser": cold, "a later visit": warm }))
    console.log(
      `compare ${compared} runs, ${name}: first paint ${rounded(at(visits, "paint"))} ms, first chart of all curves ${rounded(at(visits, "first"))} ms, all six ${rounded(at(visits, "all"))} ms`,
    );
  say(
    `compare view of ${compared} runs × ${CURVE_KEYS.length} metrics × ${STEPS.toLocaleString("en")} steps, first paint (median of ${cold.length} first visits)`,
    at(cold, "paint"),
    1_000,
  );
  say("the same until its first chart shows all curves, a later visit", at(warm, "first"), 1_000);

  const board = await compareInTensorBoard(visitOnce);
  if (board)
    console.log(
      `TensorBoard, ${compared} runs × ${CURVE_KEYS.length} metrics, first visit of a browser: first paint ${rounded(at(board, "paint"))} ms, first chart of all curves ${rounded(at(board, "first"))} ms: ${rounded(at(board, "first") / at(cold, "first"))} times ours`,
    );

  const plain = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  await plain.setContent(naiveCharts());
  const points = 1_000;
  const naive = await plain.evaluate(
    ([lines, points]) => (window as unknown as { show(charts: number, lines: number, points: number): Promise<number> }).show(1, lines ?? 0, points ?? 0),
    [compared, points],
  );
  await plain.close();
  console.log(
    `recharts as its guide begins, one chart of ${compared} lines × ${points.toLocaleString("en")} points (a hundredth): ${rounded(naive)} ms from data that is there to paint: ${rounded(naive / at(warm, "first"))} times ours`,
  );
  console.log(
    JSON.stringify({
      part: "compare",
      runs: compared,
      metrics: CURVE_KEYS.length,
      steps: STEPS,
      serverMs: rounded(quantile(asks, 0.95)),
      firstPaintMs: rounded(at(cold, "paint")),
      firstChartMs: { first: rounded(at(cold, "first")), later: rounded(at(warm, "first")) },
      allChartsMs: { first: rounded(at(cold, "all")), later: rounded(at(warm, "all")) },
      rechartsMs: rounded(naive),
      tensorBoardMs: board && { firstPaint: rounded(at(board, "paint")), firstChart: rounded(at(board, "first")) },
    }),
  );
}

/** Twenty charts: the loss, the learning rate, the pace, the gradient, and sixteen metrics. */
const LIVE_KEYS = ["train/loss", "lr", "samples_per_second", "grad_norm", ...Array.from({ length: 16 }, (_, at) => `train/metric_${String.fromCharCode(97 + at)}`)];

/** A run under way whose trainer is this process. */
class LiveRun {
  readonly #world: World;
  readonly #lease: Lease;
  #last = 0;
  #writing: Promise<void> | null = null;
  #over = false;

  constructor(world: World, lease: Lease) {
    this.#world = world;
    this.#lease = lease;
  }

  get id(): string {
    return this.#lease.runId;
  }

  async append(steps: number): Promise<void> {
    const at = Array.from({ length: steps }, (_, i) => this.#last + i + 1);
    this.#last += steps;
    const points = LIVE_KEYS.map((key, nth) => ({ key, steps: at, values: at.map((step) => 2.3 / Math.sqrt(1 + step / (20 + nth)) + 0.05 * Math.random()) }));
    await this.#world.db.$transaction(async (tx) => {
      await appendMetrics(tx, { id: this.id, orgId: this.#lease.orgId }, this.#lease.token, points);
      await tx.$executeRaw`UPDATE "Run" SET "step" = ${this.#last}, "totalSteps" = 1000000 WHERE "id" = ${this.id}::uuid`;
    });
  }

  /** Ten times a second, as a trainer writes. */
  begin(): void {
    this.#writing = (async () => {
      while (!this.#over) {
        const from = performance.now();
        // A machine that is busy for a moment is no reason to stop.
        await this.append(10).catch((error: unknown) => console.error(error instanceof Error ? error.message.slice(-80) : error));
        await sleep(Math.max(0, 100 - (performance.now() - from)));
      }
    })();
  }

  async end(): Promise<void> {
    this.#over = true;
    await this.#writing;
  }
}

async function startLiveRun(world: World): Promise<LiveRun> {
  const own = identify(process.pid);
  if (own === null) throw new Error("This process does not find itself.");
  await world.queueRun();
  const lease = await claimRun(world.db, { agent: "bench", process: own }, { leaseMs: 900_000, maxRuns: 100 });
  if (lease === null) throw new Error("There was no run to take.");
  const run = new LiveRun(world, lease);
  for (let written = 0; written < STEPS; written += 10_000) await run.append(10_000);
  return run;
}

/** Milliseconds of a processor that the page's main thread has had so far, and what of them went where. */
async function workedMs(session: CDPSession): Promise<{ all: number; script: number; style: number; layout: number }> {
  const { metrics } = await session.send("Performance.getMetrics");
  const of = (wanted: string) => (metrics.find(({ name }) => name === wanted)?.value ?? 0) * 1000;
  return { all: of("TaskDuration"), script: of("ScriptDuration"), style: of("RecalcStyleDuration"), layout: of("LayoutDuration") };
}

type Brushed = { ms: number; charts: number };

/** Drags over the first chart, from one share of its width to another further on: milliseconds from letting go until every chart on the screen is drawn from what came back. */
async function brush(page: Page, from: number, wide: number): Promise<Brushed> {
  const box = await page.locator("[data-chart] [data-last-step]").first().boundingBox();
  if (!box) throw new Error("There is no chart.");
  const x = (share: number) => box.x + 46 + share * (box.width - 62);
  await page.mouse.move(x(from), box.y + 60);
  await page.mouse.down();
  await page.mouse.move(x(from + wide), box.y + 60, { steps: 3 });
  const done = page.evaluate(
    (steps) =>
      new Promise<Brushed>((done) => {
        addEventListener(
          "pointerup",
          ({ timeStamp }) => {
            const look = () => {
              const seen = [...document.querySelectorAll("[data-chart] [data-last-step]")].filter((chart) => {
                const { top, bottom } = chart.getBoundingClientRect();
                return bottom > 0 && top < innerHeight;
              });
              // Drawn from its window, a chart knows of nothing behind it.
              if (seen.every((chart) => Number(chart.getAttribute("data-last-step")) < steps)) requestAnimationFrame((now) => done({ ms: now - timeStamp, charts: seen.length }));
              else requestAnimationFrame(look);
            };
            requestAnimationFrame(look);
          },
          { once: true, capture: true },
        );
      }),
    STEPS,
  );
  // The page listens before the button is let go.
  await page.evaluate(() => {});
  await page.mouse.up();
  const brushed = await done;
  await page.getByRole("button", { name: "Show all steps" }).click();
  await page.waitForFunction(
    (steps) => [...document.querySelectorAll("[data-chart] [data-last-step]")].slice(0, 4).every((chart) => Number(chart.getAttribute("data-last-step")) >= steps),
    STEPS,
  );
  return brushed;
}

const LIVE_MS = 12_000;

/** What a live update of 20 charts takes of the page's main thread. */
async function live(browser: Browser, run: LiveRun): Promise<void> {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  await page.goto(`${base}/runs/${run.id}`);
  await page.waitForFunction((least) => document.querySelectorAll("[data-chart] [data-last-step]").length >= least, LIVE_KEYS.length, { timeout: 60_000 });
  await page.waitForFunction((least) => Number(document.querySelector("[data-last-step]")?.getAttribute("data-last-step")) >= least, STEPS, { timeout: 60_000 });
  const charts = await page.locator("[data-chart]").count();
  await page.evaluate(() => {
    const counted = { updates: 0 };
    Object.assign(window, { counted });
    const chart = document.querySelector("[data-last-step]");
    if (chart) new MutationObserver(() => counted.updates++).observe(chart, { attributes: true, attributeFilter: ["data-last-step"] });
  });
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  const updates = () => page.evaluate(() => (window as unknown as { counted: { updates: number } }).counted.updates);
  // The first updates compile what draws them.
  await sleep(3_000);
  const [before, workedBefore] = [await updates(), await workedMs(session)];
  await sleep(LIVE_MS);
  const [after, workedAfter] = [await updates(), await workedMs(session)];
  const brushed: Brushed[] = [];
  for (let turn = 0; turn < 24; turn++) brushed.push(await brush(page, 0.05 + 0.02 * ((turn * 7) % 20), 0.06 + 0.03 * (turn % 6)));
  await page.close();
  const seen = after - before;
  const share = (part: keyof typeof workedAfter) => (workedAfter[part] - workedBefore[part]) / seen;
  const each = share("all");
  if (seen < 20) throw new Error(`Only ${seen} updates came in ${LIVE_MS / 1000} s.`);

  const plain = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  await plain.setContent(naiveCharts());
  const plainSession = await plain.context().newCDPSession(plain);
  await plainSession.send("Performance.enable", { timeDomain: "threadTicks" });
  const [points, turns] = [1_000, 3];
  await plain.evaluate((points) => (window as unknown as { show(charts: number, lines: number, points: number): Promise<number> }).show(20, 1, points), points);
  const plainBefore = await workedMs(plainSession);
  for (let i = 0; i < turns; i++) await plain.evaluate(() => (window as unknown as { grow(): Promise<void> }).grow());
  const naive = ((await workedMs(plainSession)).all - plainBefore.all) / turns;
  await plain.close();

  say(
    `a live update of ${charts} charts with ${STEPS.toLocaleString("en")} steps behind them (${(seen / (LIVE_MS / 1000)).toFixed(1)} a second), everything the page does between included`,
    each,
    8,
  );
  const brushMs = (share: number) =>
    quantile(
      brushed.map(({ ms }) => ms),
      share,
    );
  say(
    `a brush over one of ${charts} charts, while points come, from letting go until all ${Math.max(...brushed.map((one) => one.charts))} on the screen have their window anew, p95`,
    brushMs(0.95),
    150,
  );
  console.log(`of an update, scripts ${rounded(share("script"))} ms, style ${rounded(share("style"))} ms, layout ${rounded(share("layout"))} ms`);
  console.log(`recharts as its guide begins, 20 charts of ${points.toLocaleString("en")} points: ${rounded(naive)} ms an update, ${rounded(naive / each)} times ours`);
  console.log(
    JSON.stringify({
      part: "live",
      charts,
      steps: STEPS,
      updates: seen,
      updateMs: rounded(each),
      brushMs: { p50: rounded(brushMs(0.5)), p95: rounded(brushMs(0.95)) },
      rechartsMs: rounded(naive),
      rechartsPoints: points,
    }),
  );
}

/** Connections that read one run's stream as browsers do; what they cost the web process. */
async function viewers(web: number, run: LiveRun, world: World): Promise<void> {
  const database = Number(readFileSync(join(world.folder, "postgres", "postmaster.pid"), "utf8").split("\n")[0]);
  const cookie = (await fetch(`${base}/`, { headers: { accept: "text/html" } })).headers.getSetCookie()[0]?.split(";")[0] ?? "";
  const url = `${base}/api/trpc/runs.watch?input=${encodeURIComponent(JSON.stringify({ runId: run.id }))}`;
  const heard: number[] = [];
  const watch = (nth: number) =>
    new Promise<() => void>((begun, fail) => {
      heard[nth] = 0;
      const request = get(url, { agent: false, headers: { cookie, accept: "text/event-stream" } }, (answer) => {
        if (answer.statusCode !== 200) fail(new Error(`The stream answered ${answer.statusCode}.`));
        answer.on("data", (part: Buffer) => {
          if (part.includes("points")) heard[nth] = (heard[nth] ?? 0) + 1;
        });
        answer.on("error", () => {});
        begun(() => request.destroy());
      });
      request.on("error", fail);
    });
  const spent = async (ms: number) => {
    const all = () => ({ web: processorMs(web), database: childrenOf(database).reduce((sum, pid) => sum + processorMs(pid), 0) });
    const [before, from] = [all(), performance.now()];
    await sleep(ms);
    const [after, took] = [all(), performance.now() - from];
    return { web: ((after.web - before.web) / took) * 100, database: ((after.database - before.database) / took) * 100 };
  };
  const nobody = await spent(8_000);
  const closers: (() => void)[] = [];
  for (let nth = 0; nth < VIEWERS; nth += 20) closers.push(...(await Promise.all(Array.from({ length: 20 }, (_, at) => watch(nth + at)))));
  await sleep(4_000);
  heard.fill(0);
  const crowd = await spent(12_000);
  const [least, most] = [Math.min(...heard), Math.max(...heard)];
  for (const close of closers) close();
  if (least < 12) throw new Error(`A viewer heard ${least} updates in 12 s, another ${most}.`);
  console.log(
    `${VIEWERS} viewers of one run, each ${least} to ${most} updates in 12 s: database ${rounded(crowd.database)} % of a core, ${rounded(nobody.database)} % without them, the trainer's writing included`,
  );
  say(`${VIEWERS} viewers of one run, web process (${rounded(nobody.web)} % with nobody)`, crowd.web - nobody.web, 10, "% of a core");
  console.log(
    JSON.stringify({
      part: "viewers",
      viewers: VIEWERS,
      updatesPerSecond: rounded(least / 12),
      webPercent: rounded(crowd.web),
      nobodyPercent: rounded(nobody.web),
      databasePercent: rounded(crowd.database),
    }),
  );
}

const world = await openWorld({ MAX_QUEUED_RUNS: "1000" });
let server: ChildProcess | null = null;
let browser: Browser | null = null;
try {
  const user = await world.db.user.findFirstOrThrow();
  const started = performance.now();
  const took = () => `${((performance.now() - started) / 1000).toFixed(0)} s`;
  const seeded = await seedRuns(world.db, { url: world.postgres.url, orgId: world.orgId, userId: user.id, count });
  console.log(`${count.toLocaleString("en")} runs seeded after ${took()}`);
  if (wants("table")) await table(world, seeded);
  const runIds = (await world.db.run.findMany({ where: { orgId: seeded.orgId, status: "finished" }, orderBy: { number: "asc" }, take: compared, select: { id: true } })).map(
    ({ id }) => id,
  );
  if (wants("compare")) {
    await seedCurves(world.postgres.url, seeded.orgId, runIds, STEPS);
    console.log(`${(compared * CURVE_KEYS.length * STEPS).toLocaleString("en")} points written after ${took()}`);
  }
  if (["compare", "live", "viewers"].some(wants)) {
    const run = wants("live") || wants("viewers") ? await startLiveRun(world) : null;
    const begun = await startServer(world);
    server = begun.server;
    browser = await chromium.launch({ executablePath: findChromium() ?? undefined, args: ["--no-sandbox", "--disable-gpu"] });
    if (wants("compare")) await compare(world, browser, seeded, runIds);
    run?.begin();
    if (run && wants("live")) await live(browser, run);
    if (run && wants("viewers")) await viewers(begun.web, run, world);
    await run?.end();
  }
  console.log(missed.length === 0 ? `every limit holds (${took()})` : `${missed.length} limits are not kept (${took()})`);
  process.exitCode = missed.length === 0 ? 0 : 1;
} finally {
  await browser?.close();
  if (server) {
    const ended = new Promise((done) => server?.once("exit", done));
    server.kill("SIGTERM");
    await ended;
  }
  // The world ends whoever holds one of its runs: this process is to live.
  await world.db.$executeRaw`UPDATE "Run" SET "status" = 'cancelled', "endedAt" = now(), "leaseUntil" = NULL WHERE "status" = 'running'`;
  await world.close();
}
