import "../language.ts"; // First: texts are said while the other modules are read.
import { config as readConfig } from "../config.ts";
import { openDatabase } from "../database/client.ts";
import { embeddedUrl } from "../database/embedded.ts";
import { openLog } from "../log.ts";
import { Agent } from "./agent.ts";

/**
 * The agent of one machine, as the supervisor starts it, or alone on a further machine beside the same DATABASE_URL and DATA_DIR.
 * SIGTERM ends it with its trainers; when the supervisor disappears it ends alone, and the trainers go on.
 */
const config = readConfig();
const log = openLog("agent");
const url = config.DATABASE_URL ?? embeddedUrl(config.DATA_DIR);
if (url === null) throw new Error("There is no database: start Tensorloom, or set DATABASE_URL.");

const db = openDatabase(url, { connections: 4, name: "tensorloom agent" });
const agent = new Agent({ db, config, log });

let ending = false;
for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.on(signal, async () => {
    if (ending) return;
    ending = true;
    await agent.stop();
    await db.$disconnect().catch(() => {});
    process.exit();
  });
}
process.on("disconnect", () => {
  if (!ending) process.exit();
});
process.on("unhandledRejection", (error) => {
  log.fatal({ error }, "unhandled rejection");
  process.exit(1);
});

log.info({ agent: config.AGENT_NAME, maxRuns: config.MAX_RUNS }, "agent started");
await agent.run();
