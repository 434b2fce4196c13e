import "../language.ts"; // First: texts are said while the other modules are read.
import { writeFile } from "node:fs/promises";
import { EngineError, info } from "../../native/index.ts";
import { requeueRun } from "../agent/lease.ts";
import { config as readConfig } from "../config.ts";
import { openDatabase } from "../database/client.ts";
import { embeddedUrl } from "../database/embedded.ts";
import { openLog } from "../log.ts";
import { LeaseLost } from "../metrics/store.ts";
import { openStore } from "../storage/store.ts";
import { exitCodes, loseLease } from "./exit.ts";
import { exportRun } from "./exports.ts";
import { loadRun } from "./load.ts";
import { Order, type Ready } from "./order.ts";
import { isOutage, untilDatabase } from "./outage.ts";
import { writeTitle } from "./title.ts";
import { type Bench, trainRun } from "./train.ts";

/**
 * One process, one run. An agent starts it ahead of need: it loads the engine, opens the database, says that it is ready and waits for its
 * order. From then on it needs nobody: it keeps its own lease, and goes on when agent, web and supervisor are gone.
 */
const config = readConfig();
const log = openLog("trainer");
const url = config.DATABASE_URL ?? embeddedUrl(config.DATA_DIR);
if (url === null) throw new Error("There is no database: start Tensorloom, or set DATABASE_URL.");

const stop = new AbortController();
for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => stop.abort());
// Until it has an order, nobody but its agent knows this process, and nobody else would end it.
const leave = () => process.exit(exitCodes.done);
stop.signal.addEventListener("abort", leave);
process.once("disconnect", leave);
if (!process.connected) leave();
process.on("unhandledRejection", (error) => {
  log.fatal({ error }, "unhandled rejection");
  process.exit(exitCodes.broken);
});

const bench: Bench = {
  db: openDatabase(url, { connections: 3, name: "tensorloom trainer" }),
  files: openStore(config),
  config,
  engine: info(),
  log,
  stop: stop.signal,
};
// The first connection and the first query cost a quarter of a second: paid while waiting.
await untilDatabase(() => bench.db.$queryRaw`SELECT 1`);

const order = await receiveOrder({ ready: true, engine: bench.engine });
stop.signal.removeEventListener("abort", leave);
process.off("disconnect", leave);
// Where memory runs out, the kernel is to take the trainer, not the database or the page that everybody looks at; but one that only waits before one that trains.
await writeFile("/proc/self/oom_score_adj", "500").catch(() => {});
process.exitCode = await carryOut(order);
await bench.db.$disconnect().catch(() => {});
process.exit();

/** Says that this process is ready, and waits for its run. */
function receiveOrder(ready: Ready): Promise<Order> {
  return new Promise((resolve) => {
    process.once("message", (message) => resolve(Order.parse(message)));
    process.send?.(ready);
  });
}

async function carryOut(order: Order): Promise<number> {
  process.title = writeTitle(order);
  try {
    const run = await untilDatabase(() => loadRun(bench.db, order));
    log.info({ runId: order.runId, token: order.token, status: run.status }, "run taken");
    const outcome = run.status === "running" ? await trainRun(bench, order, run) : "ended";
    if (outcome === "ended") await exportRun(bench, order, run);
    return exitCodes.done;
  } catch (error) {
    if (error instanceof LeaseLost) loseLease(log, order);
    log.fatal({ runId: order.runId, error, outage: isOutage(error), engine: error instanceof EngineError }, "trainer failed");
    // Counted as a loss by the agent, which sees the exit code.
    if (stop.signal.aborted) await requeueRun(bench.db, order).catch(() => false);
    return exitCodes.broken;
  }
}
