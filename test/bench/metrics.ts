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
import { join } from "node:path";
import { parseArgs } from "node:util";
import { PrismaPg } from "@prisma/adapter-pg";
import { lowerTraining } from "../../core/program/lower.ts";
import type { RunEvent } from "../../core/training/events.ts";
import { findLoss } from "../../core/training/losses/index.ts";
import { train } from "../../native/index.ts";
import { claimRun, type Lease } from "../../server/agent/lease.ts";
import { identify } from "../../server/agent/process.ts";
import { patientThreads } from "../../server/agent/trainers.ts";
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

const append = (world: World, lease: Lease, points: Points[]) => world.db.$transaction((tx) => appendMetrics(tx, { id: lease.runId, orgId: lease.orgId }, lease.token, points));

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
  await world.db.$executeRaw`VACUUM ANALYZE "MetricChunk"`;
  const [{ bytes } = { bytes: 0n }] = await world.db.$queryRaw<{ bytes: bigint }[]>`SELECT pg_total_relation_size('"MetricChunk"') AS "bytes"`;
  const time = async (question: () => { fromStep?: number; toStep?: number }, maxPoints: number) => {
    const times: number[] = [];
    for (let turn = 0; turn < 120; turn++) {
      const asked = performance.now();
      const [series] = await queryMetrics(world.db, run, { keys: ["train/loss"], ...question(), maxPoints });
      // The first turns make the connection and prepare the statements.
      if (turn >= 20) times.push(performance.now() - asked);
      if (!series || series.points.length > maxPoints || series.points.length < maxPoints * 0.5) throw new Error("The chart has not as many columns as were asked for.");
    }
    return { p50: quantile(times, 0.5), p95: quantile(times, 0.95) };
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
  for (const [view, { p50, p95 }] of Object.entries(views)) console.log(`chart over 10,000,000 points, ${view}: p50 ${p50.toFixed(1)} ms, p95 ${p95.toFixed(1)} ms`);
  console.log(`kept in ${(Number(bytes) / count).toFixed(1)} bytes a point, pyramid and indexes included`);
  console.log(
    JSON.stringify({ part: "chart", ...Object.fromEntries(Object.entries(views).map(([view, figures]) => [view, rounded(figures)])), bytesPerPoint: Number(bytes) / count }),
  );
}

/** How long pairs of trainings go on, once there are three: a busy machine gets fewer. */
const pairsForMs = 90_000;

/**
 * The same training with its events written to the database, and dropped, in turns. What logging takes: of the speed, and of the processors'
 * time, the database's included, which says the same where other work slows down now the one and now the other.
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
  const steps = 400;
  const split = (rows: number) => ({ arrays: { [input.name]: { file: arrays.files.x }, target: { file: arrays.files.target } }, rows });
  const spec = {
    ...specOf(contender, { train: split(steps * contender.batchSize), validation: split(contender.batchSize) }),
    program,
    metrics: [],
    batchSize: contender.batchSize,
    epochs: 1,
    dropLast: true,
    threads: 0,
  };
  const measure = async (listen: (events: RunEvent[]) => void, finish: () => Promise<void>) => {
    let last = { step: 0, elapsedMs: 1 };
    const before = processorMs(world);
    await train(spec, (events) => {
      for (const event of events) if (event.type === "progress") last = event;
      listen(events);
    }).done;
    await finish();
    return { rate: last.step / (last.elapsedMs / 1000), processorMs: processorMs(world) - before };
  };
  const logged = async () => {
    const lease = await takeRun(world);
    const fail = (error?: unknown) => {
      throw error ?? new Error("The lease was lost.");
    };
    const relay = new Relay({
      db: world.db,
      lease,
      from: { step: 0, summary: {}, best: null },
      judgedBy: null,
      keyOf: (file) => file,
      describe: (event) => ({ step: event.step, epoch: event.epoch, values: event.values, confusion: null, samples: [] }),
      removeFile: async () => {},
      onLost: fail,
      onBroken: fail,
      describeKnob: () => "",
      describeText: () => "",
      onAsked: () => {},
    });
    const measured = await measure(
      (events) => relay.push(events),
      () => relay.drain(),
    );
    relay.close();
    return measured;
  };
  const silent = () =>
    measure(
      () => {},
      async () => {},
    );
  await logged();
  const [speeds, processor, rates]: [number[], number[], number[]] = [[], [], []];
  const until = performance.now() + pairsForMs;
  for (let turn = 0; turn < 12 && (turn < 3 || performance.now() < until); turn++) {
    // Whoever goes second finds a warmer machine: they take turns at that too.
    const [first, second] = turn % 2 === 0 ? [await silent(), await logged()] : [await logged(), await silent()];
    const [off, on] = turn % 2 === 0 ? [first, second] : [second, first];
    speeds.push(1 - on.rate / off.rate);
    processor.push(on.processorMs / off.processorMs - 1);
    rates.push(off.rate);
  }
  folder.remove();
  const [speed, time] = [quantile(speeds, 0.5), quantile(processor, 0.5)];
  const percent = (share: number) => `${(share * 100).toFixed(2)} %`;
  console.log(
    `logging: ${percent(speed)} of ${Math.round(quantile(rates, 0.5))} steps/s of LeNet-5, ${percent(time)} more of the processors' time (medians of ${speeds.length} pairs; of speed they range from ${percent(Math.min(...speeds))} to ${percent(Math.max(...speeds))}, of time from ${percent(Math.min(...processor))} to ${percent(Math.max(...processor))})`,
  );
  console.log(JSON.stringify({ part: "logging", speed: Number(speed.toFixed(4)), processor: Number(time.toFixed(4)), pairs: speeds.length }));
}

/** Time that this process and the database's have spent on a processor so far. */
function processorMs(world: World): number {
  const { user, system } = process.cpuUsage();
  const parent = readFileSync(join(world.folder, "postgres", "postmaster.pid"), "utf8").split("\n")[0];
  let ticks = 0;
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      // After the name in brackets: state, parent, and further on the ticks in user and system mode, own and of children that have ended.
      const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
        .replace(/^.*\) /, "")
        .split(" ");
      if (pid === parent || fields[1] === parent) ticks += fields.slice(11, pid === parent ? 15 : 13).reduce((sum, part) => sum + Number(part), 0);
    } catch {
      // It has ended meanwhile; its parent has its ticks.
    }
  }
  return (user + system) / 1_000 + ticks * 10;
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
