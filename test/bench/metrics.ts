/**
 * What the metric store costs: points a second that are safely on the disk, beside a row a point through Prisma in the same run; a chart over
 * ten million points; and what a training pays for being logged.
 *
 *     node test/bench/metrics.ts [--only ingest|chart|logging]
 *
 * Prints lines to read, then one line of JSON for each part.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { PrismaPg } from "@prisma/adapter-pg";
import { Client } from "pg";
import { lowerTraining } from "../../core/program/lower.ts";
import { findLoss } from "../../core/training/losses/index.ts";
import { train } from "../../native/index.ts";
import { claimRun, type Lease } from "../../server/agent/lease.ts";
import { identify } from "../../server/agent/process.ts";
import { patientThreads } from "../../server/agent/trainers.ts";
import { transact } from "../../server/database/client.ts";
import { queryMetrics } from "../../server/metrics/query.ts";
import { appendMetrics, type Points } from "../../server/metrics/store.ts";
import { Relay } from "../../server/trainer/relay.ts";
import { openWorld, type World } from "../fault/world.ts";
import { specOf, temporaryFolder } from "../native/specs.ts";
import { contenders, writeDigits } from "./networks.ts";

// A training's threads have to be as patient here as a trainer's are, beside a database on the same cores; that is read when a process starts.
if (process.env.GOMP_SPINCOUNT === undefined)
  process.exit(spawnSync(process.execPath, process.argv.slice(1), { env: { ...process.env, ...patientThreads }, stdio: "inherit" }).status ?? 1);

const { values: options } = parseArgs({ options: { only: { type: "string" } } });
const own = identify(process.pid);
if (own === null) throw new Error("This process does not find itself.");

/** A run of ours to write to, as a trainer holds one. */
async function takeRun(world: World): Promise<Lease> {
  await world.queueRun();
  const lease = await claimRun(world.db, { agent: "bench", process: own as NonNullable<typeof own> }, { leaseMs: 600_000, maxRuns: 100 });
  if (lease === null) throw new Error("There was no run to take.");
  return lease;
}

/** Steps from `from + 1` on, with values like those of a loss: falling, and noisy. */
function drawPoints(key: string, from: number, count: number): Points {
  const steps = Array.from({ length: count }, (_, at) => from + at + 1);
  return { key, steps, values: steps.map((step) => 5 / Math.sqrt(1 + step / 100) + 0.1 * Math.random()) };
}

const append = (world: World, lease: Lease, points: Points[]) => transact(world.db, (tx) => appendMetrics(tx, { id: lease.runId, orgId: lease.orgId }, lease.token, points));

/** Several runs at once, each with ten metrics, a transaction a batch: what was answered is on the disk. */
async function measureIngest(world: World, { runs, pointsPerKey, batches }: { runs: number; pointsPerKey: number; batches: number }): Promise<number> {
  const leases = await Promise.all(Array.from({ length: runs }, () => takeRun(world)));
  const given = Array.from({ length: batches }, (_, batch) => Array.from({ length: 10 }, (_, key) => drawPoints(`metric/${key}`, batch * pointsPerKey, pointsPerKey)));
  const started = performance.now();
  await Promise.all(
    leases.map(async (lease) => {
      for (const points of given) await append(world, lease, points);
    }),
  );
  return (runs * batches * 10 * pointsPerKey) / ((performance.now() - started) / 1000);
}

/** What the generated client of `point.prisma` is used for. */
type PointClient = {
  $executeRaw(sql: TemplateStringsArray): Promise<number>;
  $disconnect(): Promise<void>;
  point: { createMany(rows: { data: { runId: string; key: string; step: number; value: number }[] }): Promise<unknown> };
};

/** The same points as rows, by `createMany` in pieces as large as PostgreSQL's limit on parameters lets it. */
async function measureRows(world: World): Promise<number> {
  execFileSync(process.execPath, ["node_modules/prisma/build/index.js", "generate", "--schema", "test/bench/point.prisma"], {
    stdio: "ignore",
    // Only to generate: the server speaks for itself.
    env: { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, PRISMA_HIDE_UPDATE_MESSAGE: "1" },
  });
  const client = (await import(join(process.cwd(), "test-results/bench-client/client.ts"))) as { PrismaClient: new (options: { adapter: PrismaPg }) => PointClient };
  const db = new client.PrismaClient({ adapter: new PrismaPg({ connectionString: world.postgres.url, max: 4 }) });
  await db.$executeRaw`CREATE TABLE "Point" ("runId" UUID NOT NULL, "key" TEXT NOT NULL, "step" INTEGER NOT NULL, "value" DOUBLE PRECISION NOT NULL, PRIMARY KEY ("runId", "key", "step"))`;
  const writers = ["01900000-0000-7000-8000-00000000000a", "01900000-0000-7000-8000-00000000000b"];
  const [batches, size] = [10, 5_000];
  const given = Array.from({ length: batches }, (_, batch) => {
    const { steps, values } = drawPoints("metric/0", batch * size, size);
    return steps.map((step, at) => ({ key: "metric/0", step, value: values[at] ?? 0 }));
  });
  const started = performance.now();
  await Promise.all(
    writers.map(async (runId) => {
      for (const rows of given) await db.point.createMany({ data: rows.map((row) => ({ runId, ...row })) });
    }),
  );
  const rate = (writers.length * batches * size) / ((performance.now() - started) / 1000);
  await db.$disconnect();
  return rate;
}

const quantile = (values: number[], share: number): number => values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.ceil(values.length * share) - 1)] ?? Number.NaN;
const rounded = (values: { [name: string]: number }) => Object.fromEntries(Object.entries(values).map(([name, value]) => [name, Number(value.toPrecision(3))]));

async function ingest(world: World): Promise<void> {
  const { fsync, commit } =
    ((await world.db.$queryRaw`SELECT current_setting('fsync') AS "fsync", current_setting('synchronous_commit') AS "commit"`) as { fsync: string; commit: string }[])[0] ?? {};
  if (fsync !== "on" || commit !== "on") throw new Error("The database does not keep what it has answered for: the figure would be worth nothing.");
  await measureIngest(world, { runs: 2, pointsPerKey: 500, batches: 4 });
  const large = await measureIngest(world, { runs: 2, pointsPerKey: 10_000, batches: 20 });
  const live = await measureIngest(world, { runs: 2, pointsPerKey: 100, batches: 100 });
  const rows = await measureRows(world);
  console.log(`ingest, durable: ${Math.round(large).toLocaleString("en")} points/s in batches of 100,000; ${Math.round(live).toLocaleString("en")} in batches of 1,000`);
  console.log(`a row a point, Prisma createMany: ${Math.round(rows).toLocaleString("en")} points/s: ${(large / rows).toFixed(1)} times slower`);
  console.log(JSON.stringify({ part: "ingest", ...rounded({ pointsPerSecond: large, live, rows, ratio: large / rows }) }));
}

async function chart(world: World): Promise<void> {
  const lease = await takeRun(world);
  const run = { id: lease.runId, orgId: lease.orgId };
  const count = 10_000_000;
  for (let from = 0; from < count; from += 100_000) await append(world, lease, [drawPoints("train/loss", from, 100_000)]);
  // Longer than a statement of ours may take.
  const plain = new Client(world.postgres.url);
  await plain.connect();
  await plain.query('VACUUM ANALYZE "MetricChunk"');
  await plain.end();
  const [{ bytes } = { bytes: 0n }] = await world.db.$queryRaw<{ bytes: bigint }[]>`SELECT pg_total_relation_size('"MetricChunk"') AS "bytes"`;
  const time = async (question: () => { fromStep?: number; toStep?: number }, maxPoints: number) => {
    const times: number[] = [];
    let spent = 0;
    for (let turn = 0; turn < 120; turn++) {
      // The first turns make the connection and prepare the statements.
      if (turn === 20) spent = processorMs(world).logging;
      const asked = performance.now();
      const [series] = await queryMetrics(world.db, run, { keys: ["train/loss"], ...question(), maxPoints });
      if (turn >= 20) times.push(performance.now() - asked);
      if (!series || series.points.length > maxPoints || series.points.length < maxPoints * 0.5) throw new Error("The chart has not as many columns as were asked for.");
    }
    return { p50: quantile(times, 0.5), p95: quantile(times, 0.95), processorMs: (processorMs(world).logging - spent) / times.length };
  };
  const views = {
    "all of it, 1,500 pixels": await time(() => ({}), 1_500),
    "all of it, 700 pixels": await time(() => ({}), 700),
    "a random stretch, 1,500 pixels": await time(() => {
      const size = Math.round(10 ** (4 + 3 * Math.random()));
      const fromStep = 1 + Math.floor(Math.random() * (count - size));
      return { fromStep, toStep: fromStep + size - 1 };
    }, 1_500),
  };
  for (const [view, { p50, p95, processorMs }] of Object.entries(views))
    console.log(`chart over 10,000,000 points, ${view}: p50 ${p50.toFixed(1)} ms, p95 ${p95.toFixed(1)} ms; ${processorMs.toFixed(1)} ms of a processor, the database's included`);
  console.log(`kept in ${(Number(bytes) / count).toFixed(1)} bytes a point, pyramid and indexes included`);
  console.log(
    JSON.stringify({ part: "chart", ...Object.fromEntries(Object.entries(views).map(([view, figures]) => [view, rounded(figures)])), bytesPerPoint: Number(bytes) / count }),
  );
}

/** How long a stretch of training is, and how many pairs of them there are. Between two of them what waits is written, or let go. */
const stretch = { measuredMs: 1_000, betweenMs: 250, pairs: 44 };
/** Pairs in which others had more of the machine than this tell of them, and not of logging. */
const MOST_FOR_OTHERS = 0.1;
const LEAST_PAIRS = 10;

/**
 * One training whose events are written to the database, or dropped, in turns. What logging takes is counted directly: this process's main thread
 * and the database do nothing else, so their time on the processors, by what the processors have, is what a training that uses them all loses,
 * whatever else the machine does. Beside it what is seen of the speed, in pairs of neighbouring stretches.
 */
async function logging(world: World): Promise<void> {
  const folder = temporaryFolder();
  const contender = contenders.find(({ name }) => name === "LeNet-5");
  if (contender === undefined) throw new Error("LeNet-5 is gone.");
  const arrays = await writeDigits(folder.path);
  const { program } = lowerTraining(contender.graph, {
    preprocess: arrays.preprocess,
    loss: findLoss("CrossEntropyLoss"),
    metrics: [],
    target: { classes: arrays.classes, type: { dtype: "int64", shape: ["B"] } },
  });
  const [input] = program.inputs;
  if (!input) throw new Error("A network has an input.");
  const split = (rows: number) => ({ arrays: { [input.name]: { file: arrays.files.x }, target: { file: arrays.files.target } }, rows });
  const spec = {
    ...specOf(contender, { train: split(400 * contender.batchSize), validation: split(contender.batchSize) }),
    program,
    metrics: [],
    batchSize: contender.batchSize,
    epochs: 10_000,
    dropLast: true,
    threads: 0,
  };
  const lease = await takeRun(world);
  const fail = (error?: unknown) => {
    throw error ?? new Error("The lease was lost.");
  };
  let written = 0;
  const relay = new Relay({
    transact: (work) => {
      written++;
      return transact(world.db, work);
    },
    lease,
    from: { step: 0, summary: {}, best: null },
    judgedBy: null,
    keyOf: (file) => file,
    describe: (event) => ({ step: event.step, epoch: event.epoch, values: event.values, confusion: null, samples: [] }),
    removeFile: async () => {},
    onLost: fail,
    onBroken: fail,
    describeKnob: () => "",
    describeBreak: () => "",
    describeText: () => "",
    onAsked: () => {},
  });
  let isLogged = true;
  let step = 0;
  let hear = () => {};
  const training = train(spec, (events) => {
    for (const event of events) if (event.type === "points" && event.key === "train/loss") step = event.steps.at(-1) ?? step;
    if (isLogged) relay.push(events);
    hear();
  });
  /** The next news of the engine that comes after so long. */
  const news = async (afterMs: number) => {
    const from = performance.now();
    do await new Promise<void>((resolve) => (hear = resolve));
    while (performance.now() - from < afterMs);
  };
  const measure = async (logged: boolean) => {
    isLogged = logged;
    await news(stretch.betweenMs);
    const before = { step, writes: written, at: performance.now(), ...processorMs(world) };
    await news(stretch.measuredMs);
    const after = { step, writes: written, at: performance.now(), ...processorMs(world) };
    if (logged) await relay.drain();
    return {
      rate: (after.step - before.step) / ((after.at - before.at) / 1000),
      logging: after.logging - before.logging,
      training: after.training - before.training,
      machine: (after.at - before.at) * availableParallelism(),
      writes: after.writes - before.writes,
    };
  };
  await measure(true);
  await measure(true);
  const pairs: { on: Awaited<ReturnType<typeof measure>>; off: Awaited<ReturnType<typeof measure>> }[] = [];
  for (let turn = 0; turn < stretch.pairs; turn++) {
    // Whoever goes second finds another machine: they take turns at that too.
    const [first, second] = [await measure(turn % 2 === 1), await measure(turn % 2 === 0)];
    pairs.push(turn % 2 === 1 ? { on: first, off: second } : { on: second, off: first });
  }
  training.cancel();
  await training.done;
  await relay.drain();
  relay.close();
  folder.remove();
  const costs = pairs.map(({ on }) => on.logging / on.machine);
  const busy = quantile(
    pairs.map(({ on }) => (on.logging + on.training) / on.machine),
    0.5,
  );
  const alone = pairs.filter(({ on, off }) => [on, off].every((one) => (one.logging + one.training) / one.machine >= 1 - MOST_FOR_OTHERS));
  const seen = alone.length >= LEAST_PAIRS ? alone : pairs;
  const speeds = seen.map(({ on, off }) => 1 - on.rate / off.rate);
  const cost = { middle: quantile(costs, 0.5), ...spreadOfMedian(costs) };
  const speed = { middle: quantile(speeds, 0.5), ...spreadOfMedian(speeds) };
  const writes = pairs.reduce((sum, { on }) => sum + on.writes, 0);
  const eachMs = pairs.reduce((sum, { on }) => sum + on.logging, 0) / writes;
  const percent = (share: number) => `${(share * 100).toFixed(2)} %`;
  const rate = quantile(
    pairs.map(({ off }) => off.rate),
    0.5,
  );
  console.log(
    `logging, LeNet-5 at ${Math.round(rate)} steps/s: ${percent(cost.middle)} of the processors' time (95 %: ${percent(cost.low)} to ${percent(cost.high)}; ${eachMs.toFixed(1)} ms a write, the database's included), of which training and logging had ${Math.round(busy * 100)} %`,
  );
  console.log(
    `  seen of its speed: ${percent(speed.middle)} less (95 %: ${percent(speed.low)} to ${percent(speed.high)}; median of ${seen.length} pairs${seen === alone ? ` of ${pairs.length}, others having less than ${MOST_FOR_OTHERS * 100} % of the machine` : ": others had much of the machine"})`,
  );
  console.log(
    JSON.stringify({ part: "logging", ...rounded({ cost: cost.middle, costHigh: cost.high, speed: speed.middle, speedLow: speed.low, speedHigh: speed.high, eachMs, busy }) }),
  );
}

/** Where the median lies with 95 % certainty, by drawing anew from what was measured. */
function spreadOfMedian(values: number[]): { low: number; high: number } {
  const medians = Array.from({ length: 2_000 }, () =>
    quantile(
      values.map(() => values[Math.floor(Math.random() * values.length)] ?? 0),
      0.5,
    ),
  );
  return { low: quantile(medians, 0.025), high: quantile(medians, 0.975) };
}

/** Time on a processor so far: of this process's main thread and the database, which log, and of its other threads, which train. */
function processorMs(world: World): { logging: number; training: number } {
  const spent = (path: string) => Number(readFileSync(path, "utf8").split(" ")[0]) / 1e6;
  const main = spent(`/proc/self/task/${process.pid}/schedstat`);
  const threads = readdirSync("/proc/self/task").reduce((sum, id) => sum + spent(`/proc/self/task/${id}/schedstat`), 0);
  const parent = readFileSync(join(world.folder, "postgres", "postmaster.pid"), "utf8").split("\n")[0];
  let database = 0;
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      // After the name in brackets: state, parent, and far behind what its ended children have taken.
      const [, of, , , , , , , , , , , , ended, endedInKernel] = readFileSync(`/proc/${pid}/stat`, "utf8")
        .replace(/^.*\) /, "")
        .split(" ");
      if (pid === parent || of === parent) database += spent(`/proc/${pid}/schedstat`);
      // Of those of its processes that have ended, in hundredths of a second.
      if (pid === parent) database += 10 * (Number(ended) + Number(endedInKernel));
    } catch {
      // It has ended meanwhile.
    }
  }
  return { logging: main + database, training: threads - main };
}

const parts = { ingest, chart, logging };
const world = await openWorld({ MAX_QUEUED_RUNS: "1000" });
try {
  for (const [name, measure] of Object.entries(parts)) if (options.only === undefined || options.only === name) await measure(world);
} finally {
  // The world ends whoever holds one of its runs: this process is to live.
  await world.db.$executeRaw`UPDATE "Run" SET "status" = 'cancelled', "endedAt" = now(), "leaseUntil" = NULL WHERE "status" = 'running'`;
  await world.close();
}
