import { setTimeout as sleep } from "node:timers/promises";
import type { EngineInfo } from "../../native/index.ts";
import type { Config } from "../config.ts";
import type { Database } from "../database/client.ts";
import type { Log } from "../log.ts";
import { type Mailer, openMailer } from "../mail.ts";
import { mailEndings } from "../runs/endings.ts";
import { emptyTrash } from "../runs/organize.ts";
import { sweepDeleted } from "../storage/deletion.ts";
import type { FileStore } from "../storage/files.ts";
import { openStore } from "../storage/store.ts";
import type { Order } from "../trainer/order.ts";
import { ingestNext } from "./datasets.ts";
import { claimExports, claimRun, type HeldLease, type Lease, listLeases, readOwner, takeAway } from "./lease.ts";
import type { Loss } from "./loss.ts";
import { readMachine } from "./machine.ts";
import { isAlive, type ProcessIdentity, signalProcess } from "./process.ts";
import { Trainers } from "./trainers.ts";

/** How often the queue is looked at, and how often leases and the agent's own sign of life are. */
const pollMs = 250;
const sweepMs = 1_000;
/** How often folders are looked through for what a deletion that was cut off has left. */
const tidyMs = 600_000;
/** What a trainer gets to write its checkpoint when the agent is asked to end. */
const stopPatienceMs = 5_000;

/**
 * Claims runs and data sets for this machine and watches over the processes that work on them. Keeps nothing that matters in memory: killed
 * and started again, it finds its trainers by the owner that each lease names.
 */
export class Agent {
  readonly #db: Database;
  readonly #config: Config;
  readonly #log: Log;
  readonly #files: FileStore;
  readonly #trainers: Trainers;
  readonly #stop = new AbortController();
  readonly #mailer: Mailer | null;
  #mailing = false;
  #engine: EngineInfo | null = null;
  #ingesting: Promise<unknown> | null = null;
  #tidying: Promise<unknown> | null = null;
  /** Since when the database has answered without a break. An expired lease says nothing until its holder had time to renew it. */
  #databaseSince = performance.now();
  #wake: (() => void) | null = null;

  constructor({ db, config, log }: { db: Database; config: Config; log: Log }) {
    this.#db = db;
    this.#config = config;
    this.#log = log;
    this.#files = openStore(config);
    this.#mailer = openMailer(config);
    this.#trainers = new Trainers({
      config,
      log,
      onEnd: (order, loss) => this.#lose(order, loss),
      onReady: (engine) => {
        this.#engine = engine;
        this.#wake?.();
      },
    });
  }

  /** Works until `stop` is called. Whatever the database does, it goes on. */
  async run(): Promise<void> {
    let sweepAt = 0;
    let tidyAt = 0;
    let turnAt = performance.now();
    this.#trainers.keepOneWaiting();
    while (!this.#stop.signal.aborted) {
      // This process stood still, and perhaps the whole machine: its trainers could not renew their leases meanwhile.
      if (performance.now() - turnAt > this.#config.LEASE_MS / 3) this.#databaseSince = performance.now();
      turnAt = performance.now();
      try {
        if (performance.now() >= sweepAt) {
          sweepAt = performance.now() + sweepMs;
          await this.#report();
          await this.#sweep();
          this.#mail();
        }
        await this.#claim();
        this.#ingest();
        if (performance.now() >= tidyAt) {
          tidyAt = performance.now() + tidyMs;
          this.#tidy();
        }
      } catch (error) {
        this.#databaseSince = performance.now();
        this.#log.warn({ error }, "agent: the database did not answer");
        await sleep(pollMs);
      }
      await this.#rest();
    }
  }

  /** Stops claiming, gives trainers time to write a checkpoint and to put their runs back into the queue, then ends those that did not. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#wake?.();
    const mine = new Map(this.#trainers.stop().map((process) => [process.pid, process]));
    for (const { process } of await this.#held().catch(() => [])) {
      mine.set(process.pid, process);
      signalProcess(process, "SIGTERM");
    }
    const deadline = performance.now() + stopPatienceMs;
    while (performance.now() < deadline && [...mine.values()].some(isAlive)) await sleep(50);
    for (const process of mine.values()) signalProcess(process, "SIGKILL");
    await this.#ingesting?.catch(() => {});
    await this.#db.$executeRaw`DELETE FROM "Agent" WHERE "name" = ${this.#config.AGENT_NAME} AND "pid" = ${process.pid} AND NOT "draining"`.catch(() => {});
  }

  /** Whether an expired lease means a lost trainer. */
  get #settled(): boolean {
    return performance.now() - this.#databaseSince >= this.#config.LEASE_MS;
  }

  async #claim(): Promise<void> {
    for (;;) {
      const trainer = this.#trainers.waiting;
      if (trainer === null) return this.#trainers.keepOneWaiting();
      const owner = { agent: this.#config.AGENT_NAME, process: trainer.process };
      const leaseMs = this.#config.LEASE_MS;
      const lease =
        (await claimRun(this.#db, owner, { leaseMs, maxRuns: this.#config.MAX_RUNS, maxRunning: this.#config.MAX_RUNNING_RUNS })) ??
        (await claimExports(this.#db, owner, { leaseMs }));
      if (lease === null) return;
      this.#log.info({ ...lease, pid: trainer.process.pid }, "run claimed");
      trainer.send(lease);
    }
  }

  /** Tells people by mail of runs that ended, where mail is to be had. A post office that is away must not keep runs waiting. */
  #mail(): void {
    if (this.#mailer === null || this.#mailing || this.#config.RUN_MAIL_AFTER_S === 0) return;
    this.#mailing = true;
    void mailEndings(this.#db, this.#mailer, { afterS: this.#config.RUN_MAIL_AFTER_S, pageUrl: this.#config.PUBLIC_URL })
      .catch((error: unknown) => this.#log.warn({ error }, "a mail about a run could not be sent"))
      .finally(() => {
        this.#mailing = false;
      });
  }

  /** Looks through the files for what has to go. A store that is slow or away holds nobody up. */
  #tidy(): void {
    const tidy = async () => {
      const trashed = await emptyTrash(this.#db, this.#files);
      if (trashed.length > 0) this.#log.info({ trashed }, "runs that lay in the trash for their time are deleted");
      const removed = await sweepDeleted(this.#db, this.#files);
      if (removed.length > 0) this.#log.info({ removed }, "what was deleted is gone from the disk too");
      const copies = await this.#files.tidy();
      if (copies > 0) this.#log.info({ copies }, "copies that nobody wanted for a week are gone from this machine");
    };
    this.#tidying ??= tidy()
      .catch((error: unknown) => this.#log.warn({ error }, "agent: files to be removed"))
      .finally(() => {
        this.#tidying = null;
      });
  }

  #ingest(): void {
    if (this.#ingesting !== null) return;
    this.#ingesting = ingestNext({ db: this.#db, files: this.#files, leaseMs: this.#config.LEASE_MS, log: this.#log, signal: this.#stop.signal })
      .catch((error: unknown) => this.#log.warn({ error }, "agent: data set"))
      .finally(() => {
        this.#ingesting = null;
      });
  }

  /** Says that this agent is alive, by the database's clock. */
  async #report(): Promise<void> {
    const askedAt = performance.now();
    const engine = this.#engine === null ? null : JSON.stringify(this.#engine);
    const machine = JSON.stringify(await readMachine(this.#config.DATA_DIR));
    await this.#db.$executeRaw`
      INSERT INTO "Agent" ("name", "pid", "engine", "maxRuns", "machine") VALUES (${this.#config.AGENT_NAME}, ${process.pid}, ${engine}::jsonb, ${this.#config.MAX_RUNS}, ${machine}::jsonb)
      ON CONFLICT ("name") DO UPDATE SET "seenAt" = clock_timestamp(), "machine" = EXCLUDED."machine", "maxRuns" = EXCLUDED."maxRuns", "engine" = coalesce(EXCLUDED."engine", "Agent"."engine"),
        "startedAt" = CASE WHEN "Agent"."pid" = EXCLUDED."pid" THEN "Agent"."startedAt" ELSE clock_timestamp() END, "pid" = EXCLUDED."pid"`;
    // A server that hung has answered in the end; meanwhile trainers could not renew either.
    if (performance.now() - askedAt > this.#config.LEASE_MS / 3) this.#databaseSince = performance.now();
  }

  /** Frees runs whose trainer is gone: at once where this machine can see it, else when the lease has run out. */
  async #sweep(): Promise<void> {
    for (const lease of await listLeases(this.#db)) {
      const owner = readOwner(lease.owner);
      if (owner?.agent === this.#config.AGENT_NAME && !isAlive(owner.process)) {
        // A child's own end says more, and is on its way.
        if (!this.#trainers.isChild(owner.process)) await this.#lose(lease, { kind: "gone" });
      } else if (lease.expired && this.#settled && lease.owner !== "") {
        await this.#lose(lease, { kind: "silent" }, { onlyExpired: true });
        if (owner?.agent === this.#config.AGENT_NAME) signalProcess(owner.process, "SIGKILL");
      }
    }
  }

  /** Leases of this machine's living trainers, whoever started them. */
  async #held(): Promise<(HeldLease & { process: ProcessIdentity })[]> {
    const leases = await listLeases(this.#db);
    return leases.flatMap((lease) => {
      const owner = readOwner(lease.owner);
      return owner?.agent === this.#config.AGENT_NAME && isAlive(owner.process) ? [{ ...lease, process: owner.process }] : [];
    });
  }

  /** Takes a run away from a lost trainer, trying for as long as the database is away; a lease that is over by then needs nothing. */
  async #lose(lease: Lease | Order, loss: Loss, options: { onlyExpired?: boolean } = {}): Promise<void> {
    for (;;) {
      try {
        const after = await takeAway(this.#db, lease, loss, options);
        if (after !== null) this.#log.warn({ runId: lease.runId, token: lease.token, loss, next: after.next }, "trainer lost");
        this.#wake?.();
        return;
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        this.#databaseSince = performance.now();
        this.#log.warn({ error, runId: lease.runId }, "agent: the database did not take a loss");
        await sleep(pollMs);
      }
    }
  }

  /** Waits for the next turn, or less where something happened. */
  #rest(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(done, pollMs);
      const wake = done;
      function done() {
        clearTimeout(timer);
        resolve();
      }
      this.#wake = wake;
    });
  }
}
