/** The web process as it runs, but for the pages, in a process that can be killed: `node test/fault/webProcess.ts <data folder> <database> <port> [local | required]`. Sends its port. */
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { pino } from "pino";
import { readConfig } from "../../server/config.ts";
import { openDatabase } from "../../server/database/client.ts";
import { openFileStore } from "../../server/storage/files.ts";
import { createWeb } from "../../server/web.ts";

const [folder = "", url = "", port = "0", auth = "local"] = process.argv.slice(2);
const web = createWeb({
  config: readConfig({ DATA_DIR: folder, DATABASE_URL: url, AUTH: auth }),
  db: openDatabase(url),
  files: openFileStore(join(folder, "files")),
  log: pino({ level: "silent" }),
  pages: async (_, res) => void res.writeHead(200, { "Content-Type": "text/html" }).end("<p>page</p>"),
});
web.server.listen(Number(port), "127.0.0.1", () => process.send?.((web.server.address() as AddressInfo).port));

/**
 * How long the loop was kept busy at each stretch, ms, from "measure" to "tell": what this thread computed between two turns of a timer. By its own clock, so that
 * what else the machine does is not counted.
 */
const stretches: number[] = [];
let spentMs = 0;
const spent = () => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
};
process.on("message", (message) => {
  if (message === "tell") process.send?.(stretches);
  if (message !== "measure") return;
  spentMs = spent();
  setInterval(() => {
    const now = spent();
    stretches.push(now - spentMs);
    spentMs = now;
  }, 5);
});
