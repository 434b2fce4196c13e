/**
 * How long a finished step takes to reach a browser: a real run of LeNet-5 on MNIST by a real agent and trainer, its metrics through
 * PostgreSQL and the web server, read over HTTP by the product's own client as server-sent events.
 *
 *     node test/bench/stream.ts [--seconds 30]
 *
 * A step's age is the time of its arrival less the time at which the engine finished it. The engine's clock comes with its points (the step
 * and the run's elapsed time, about ten times a second; steps between two such marks are placed evenly, which makes those around an
 * evaluation seem older than they are), and is tied to the wall clock by checkpoints: each names its step's elapsed time, and its file was
 * created right after. Prints one line, then one line of JSON.
 */
import { randomUUID } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { createTRPCClient, httpBatchLink, httpSubscriptionLink, splitLink } from "@trpc/client";
import { pino } from "pino";
import { z } from "zod";
import { readSafetensors } from "../../core/export/safetensors.ts";
import { findTemplate } from "../../core/templates/index.ts";
import { defaultSettings } from "../../core/training/recipes.ts";
import { readConfig } from "../../server/config.ts";
import { mnist } from "../../server/ingest/mnist.ts";
import { hashManifest, writeDataset } from "../../server/ingest/write.ts";
import type { AppRouter } from "../../server/router.ts";
import { createWeb } from "../../server/web.ts";
import { openWorld, type World } from "../fault/world.ts";
import { cookieEventSource } from "../server/eventSource.ts";

const { values: options } = parseArgs({ options: { seconds: { type: "string", default: "30" } } });

/** What came at one moment: the steps of the loss that were new, and where the engine's clock stood. */
type Arrival = { atMs: number; steps: number[]; mark: { step: number; elapsedMs: number } | null };

async function makeModel({ db, files, orgId }: World): Promise<{ modelId: string; datasetId: string }> {
  const { id: datasetId } = await db.dataset.create({ data: { orgId, name: mnist.name } });
  const { manifest, sizeBytes } = await writeDataset(files, datasetId, await mnist.prepare());
  await db.dataset.update({ where: { id: datasetId }, data: { status: "ready", manifest, manifestHash: hashManifest(manifest), sizeBytes } });
  const project = await db.project.create({ data: { orgId, name: "Bench" } });
  const { id: modelId } = await db.model.create({ data: { orgId, projectId: project.id, name: "LeNet-5", graph: findTemplate("lenet5")?.graph ?? {} } });
  return { modelId, datasetId };
}

/** Starts a run as a page does, and notes what the stream brings for some seconds. */
async function listen(world: World, base: string, seconds: number): Promise<{ runId: string; arrivals: Arrival[] }> {
  const { modelId, datasetId } = await makeModel(world);
  const first = await fetch(`${base}/`, { headers: { accept: "text/html" } });
  const cookie = first.headers.getSetCookie()[0]?.split(";")[0] ?? "";
  const url = `${base}/api/trpc`;
  const client = createTRPCClient<AppRouter>({
    links: [
      splitLink({
        condition: (op) => op.type === "subscription",
        true: httpSubscriptionLink({ url, EventSource: cookieEventSource(cookie) as never }),
        false: httpBatchLink({ url, headers: { cookie } }),
      }),
    ],
  });
  const settings = { ...defaultSettings("image-classification", 60_000), datasetId, epochs: 100 };
  const { runId } = await client.runs.start.mutate({ modelId, settings, idempotencyKey: randomUUID() });
  const arrivals: Arrival[] = [];
  const { unsubscribe } = client.runs.watch.subscribe(
    { runId },
    {
      onData({ data: { points = [], state } }) {
        const atMs = performance.timeOrigin + performance.now();
        const steps = points.find(({ key }) => key === "train/loss")?.steps ?? [];
        if (steps.length > 0) arrivals.push({ atMs, steps, mark: state ? { step: state.step, elapsedMs: state.elapsedMs } : null });
      },
    },
  );
  await world.untilRun(runId, "under way", ({ step }) => step > 0);
  await sleep(seconds * 1000);
  unsubscribe();
  await client.runs.cancel.mutate({ runId });
  // The last checkpoints stay.
  await world.untilEnded(runId);
  return { runId, arrivals };
}

const Position = z.object({ elapsedMs: z.number() });

/** When the engine's clock stood at zero, by the wall clock. The earliest of several estimates: between a step's end and its file's creation anything may happen. */
function zeroOf(world: World, runId: string): number {
  const folder = world.files.path(`runs/${runId}/lease-1`);
  const estimates = readdirSync(folder).map((name) => {
    const file = join(folder, name);
    const { metadata } = readSafetensors(readFileSync(file), { only: () => false });
    const { birthtimeMs, mtimeMs } = statSync(file);
    if (birthtimeMs <= 0 || birthtimeMs > mtimeMs) throw new Error("This file system keeps no times of creation: set TMPDIR to one that does.");
    return birthtimeMs - Position.parse(JSON.parse(metadata.tensorloom ?? "null")).elapsedMs;
  });
  if (estimates.length === 0) throw new Error("The run left no checkpoint.");
  return Math.min(...estimates);
}

/** The age of every step on its arrival, ms. */
function agesOf(arrivals: readonly Arrival[], zeroMs: number): number[] {
  const ages: number[] = [];
  let before: Arrival["mark"] = null;
  for (const { atMs, steps, mark } of arrivals) {
    if (mark === null || mark.step !== steps.at(-1)) {
      before = null;
      continue;
    }
    if (before !== null) {
      const perStep = (mark.elapsedMs - before.elapsedMs) / (mark.step - before.step);
      for (const step of steps) ages.push(atMs - (zeroMs + mark.elapsedMs - (mark.step - step) * perStep));
    }
    before = mark;
  }
  return ages.sort((a, b) => a - b);
}

const world = await openWorld({ LEASE_MS: "15000", CHECKPOINT_EVERY_MS: "5000", MAX_RUNS: "1" });
const web = createWeb({
  config: readConfig({ DATA_DIR: world.folder }),
  db: world.db,
  files: world.files,
  log: pino({ level: "silent" }),
  pages: async (_, res) => void res.writeHead(200, { "Content-Type": "text/html" }).end("<p>page</p>"),
});
try {
  world.startAgent();
  await new Promise<void>((ready) => web.server.listen(0, "127.0.0.1", ready));
  const { runId, arrivals } = await listen(world, `http://localhost:${(web.server.address() as AddressInfo).port}`, Number(options.seconds));
  const ages = agesOf(arrivals, zeroOf(world, runId));
  const at = (share: number) => Math.round(ages[Math.min(ages.length - 1, Math.ceil(ages.length * share) - 1)] ?? Number.NaN);
  const figures = { steps: ages.length, events: arrivals.length, p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) };
  console.log(
    `engine to browser, ${figures.steps} steps in ${figures.events} events: p50 ${figures.p50} ms, p95 ${figures.p95} ms, p99 ${figures.p99} ms, at most ${figures.max} ms`,
  );
  console.log(JSON.stringify(figures));
} finally {
  await web.close();
  await world.close();
}
