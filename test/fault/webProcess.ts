/** The web process as it runs, but for the pages, in a process that can be killed: `node test/fault/webProcess.ts <data folder> <database> <port>`. Sends its port. */
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { pino } from "pino";
import { readConfig } from "../../server/config.ts";
import { openDatabase } from "../../server/database/client.ts";
import { openFileStore } from "../../server/storage/files.ts";
import { createWeb } from "../../server/web.ts";

const [folder = "", url = "", port = "0"] = process.argv.slice(2);
const web = createWeb({
  config: readConfig({ DATA_DIR: folder, DATABASE_URL: url }),
  db: openDatabase(url),
  files: openFileStore(join(folder, "files")),
  log: pino({ level: "silent" }),
  pages: async (_, res) => void res.writeHead(200, { "Content-Type": "text/html" }).end("<p>page</p>"),
});
web.server.listen(Number(port), "127.0.0.1", () => process.send?.((web.server.address() as AddressInfo).port));
