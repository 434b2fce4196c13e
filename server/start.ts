import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { parseArgs } from "node:util";
import { z } from "zod";
import { clearSessions, createOwnerLink, hasSignedInOwner } from "./auth/session.ts";
import { ensureWorkspace } from "./auth/workspace.ts";
import { type Config, ConfigError, readEnvironment, config as readSettings, root } from "./config.ts";
import { openDatabase } from "./database/client.ts";
import { type EmbeddedPostgres, isServerAlive, startEmbeddedPostgres } from "./database/embedded.ts";
import { migrate } from "./database/migrate.ts";
import { Child, readIdentity, writeIdentity } from "./supervise.ts";

/**
 * The supervisor: brings up the database, the web process and the agent, keeps them up, and ends them in order. It does no work of
 * its own, so that there is little to make it fall.
 */

/** Ctrl-C to the end: the agent lets its trainers write a checkpoint, then web, then the database. */
const PATIENCE_MS = { agent: 6_000, web: 2_500 };
const DATABASE_LOOK_MS = 1_000;

const FromWeb = z.discriminatedUnion("type", [z.object({ type: z.literal("ready"), port: z.int() }), z.object({ type: z.literal("refused"), message: z.string() })]);

/** A reason not to start that a person can act on. */
class StartError extends Error {}

const startedAt = Date.now();
const seconds = () => `${((Date.now() - startedAt) / 1000).toFixed(1)} s`;
const say = (line: string) => console.log(line);

async function main(): Promise<void> {
  const { values: flags } = parseArgs({
    options: { dev: { type: "boolean", default: false }, "owner-link": { type: "boolean", default: false } },
  });
  const config = readSettings();
  // A catalogue that is not there or cannot be read is said here, once, instead of by each process that would end of it.
  const { readLanguage } = await import("./language.ts");
  readLanguage(config.UI_LANGUAGE);
  if (!flags.dev && !existsSync(join(root, ".next/BUILD_ID"))) throw new StartError("The pages are not built yet: use npm start, or --dev.");
  const own = join(config.DATA_DIR, "run/supervisor.json");
  mkdirSync(config.DATA_DIR, { recursive: true });
  const other = readIdentity(own);
  if (other)
    throw new StartError(`Tensorloom already runs on ${relative(process.cwd(), config.DATA_DIR) || "."} (process ${other.pid}): end it first, or set DATA_DIR to another folder.`);
  try {
    writeIdentity(own, process.pid);
  } catch (cause) {
    throw new StartError(
      `Nothing can be written to ${relative(process.cwd(), config.DATA_DIR) || "."}: ${cause instanceof Error ? cause.message : cause}. Make room there, or set DATA_DIR to another folder.`,
    );
  }

  const running = new Running(config, flags.dev);
  process.on("SIGINT", () => void running.end(0));
  process.on("SIGTERM", () => void running.end(0));
  // The terminal is closed: the same as Ctrl-C.
  process.on("SIGHUP", () => void running.end(0));
  process.on("uncaughtException", (error) => {
    console.error(error);
    void running.end(1);
  });
  try {
    await running.begin(flags["owner-link"]);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    await running.end(1);
  }
}

class Running {
  readonly #config: Config;
  readonly #agent: Child;
  readonly #web: Child;
  #embedded: EmbeddedPostgres | null = null;
  #url = "";
  #look: NodeJS.Timeout | undefined;
  #isLooking = false;
  #ending = false;
  #ownerLink: string | null = null;

  constructor(config: Config, isDevelopment: boolean) {
    this.#config = config;
    const env = () => ({
      ...readEnvironment(),
      DATABASE_URL: this.#url,
      NODE_COMPILE_CACHE: join(config.DATA_DIR, "cache/node"),
      NODE_ENV: isDevelopment ? ("development" as const) : ("production" as const),
      NEXT_TELEMETRY_DISABLED: "1",
    });
    const common = { dataDir: config.DATA_DIR, env, onCrash: say };
    this.#web = new Child({ ...common, name: "web", file: join(root, "server/web.ts"), onMessage: (message) => this.#hear(message) });
    this.#agent = new Child({ ...common, name: "agent", file: join(root, "server/agent/main.ts") });
  }

  async begin(wantsOwnerLink: boolean): Promise<void> {
    const { DATABASE_URL, DATA_DIR } = this.#config;
    if (DATABASE_URL) this.#url = DATABASE_URL;
    else {
      this.#embedded = await startEmbeddedPostgres(DATA_DIR);
      this.#url = this.#embedded.url;
      say(`Database: PostgreSQL in ${relative(process.cwd(), DATA_DIR)}/postgres${this.#embedded.started ? "" : ", still running from before"} (${seconds()})`);
    }
    if (this.#ending) return;
    const applied = await migrate(this.#url);
    if (applied.length > 0) say(`Database: ${applied.length} migrations applied (${seconds()})`);
    await this.#prepareWorkspace(wantsOwnerLink);
    if (this.#ending) return;
    await Promise.all([this.#web.start(), this.#agent.start()]);
    if (this.#embedded) this.#look = setInterval(() => void this.#lookAfterDatabase(), DATABASE_LOOK_MS);
  }

  async #prepareWorkspace(wantsOwnerLink: boolean): Promise<void> {
    const db = openDatabase(this.#url, { connections: 2, name: "tensorloom start" });
    try {
      await ensureWorkspace(db);
      await clearSessions(db, this.#config);
      if (this.#config.AUTH === "required" && (wantsOwnerLink || !(await hasSignedInOwner(db)))) this.#ownerLink = await createOwnerLink(db);
    } finally {
      await db.$disconnect();
    }
  }

  #hear(message: unknown): void {
    const heard = FromWeb.safeParse(message);
    if (!heard.success || this.#ending) return;
    if (heard.data.type === "refused") {
      console.error(heard.data.message);
      void this.end(1);
      return;
    }
    const { HOST, PUBLIC_URL } = this.#config;
    const name = HOST === "127.0.0.1" || HOST === "::1" ? "localhost" : HOST.includes(":") ? `[${HOST}]` : HOST;
    const page = (PUBLIC_URL ?? `http://${name}:${heard.data.port}`).replace(/\/$/, "");
    say(`Ready after ${seconds()}: ${page}   (Ctrl-C ends it; logs are in ${relative(process.cwd(), join(this.#config.DATA_DIR, "logs"))})`);
    if (this.#ownerLink) say(`Sign in as the owner, once, within 48 hours: ${page}/sign-in/${this.#ownerLink}`);
  }

  /** A database that was killed is brought up again; trainers and browsers wait for it meanwhile. */
  async #lookAfterDatabase(): Promise<void> {
    if (this.#isLooking || this.#ending || isServerAlive(this.#config.DATA_DIR)) return;
    this.#isLooking = true;
    try {
      say("Database: it ended by itself and is started again.");
      this.#embedded = await startEmbeddedPostgres(this.#config.DATA_DIR);
      if (this.#embedded.url !== this.#url) {
        this.#url = this.#embedded.url;
        this.#web.restart();
        this.#agent.restart();
      }
    } catch (error) {
      say(error instanceof Error ? error.message : String(error));
    } finally {
      this.#isLooking = false;
    }
  }

  /** Ends everything in order and leaves no process. Asked a second time, it stops being patient. */
  async end(code: number): Promise<void> {
    if (this.#ending) {
      this.#agent.kill();
      this.#web.kill();
      return;
    }
    this.#ending = true;
    clearInterval(this.#look);
    if (code === 0) say("Ending: runs under way write a checkpoint and go on at the next start.");
    await this.#agent.stop(PATIENCE_MS.agent);
    await this.#web.stop(PATIENCE_MS.web);
    await this.#embedded?.stop().catch((error: unknown) => say(`The database did not end: ${error instanceof Error ? error.message : error}`));
    rmSync(join(this.#config.DATA_DIR, "run/supervisor.json"), { force: true });
    process.exit(code);
  }
}

try {
  await main();
} catch (error) {
  if (!(error instanceof ConfigError || error instanceof StartError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
