import type { AddressInfo } from "node:net";
import { createTRPCClient, httpBatchLink } from "@trpc/client";
import { pino } from "pino";
import { afterAll } from "vitest";
import { readConfig } from "../../server/config.ts";
import type { Database } from "../../server/database/client.ts";
import type { Log } from "../../server/log.ts";
import type { Mail } from "../../server/mail.ts";
import type { AppRouter } from "../../server/router.ts";
import type { FileStore } from "../../server/storage/files.ts";
import { createWeb } from "../../server/web.ts";

/** What was mailed. */
export type Outbox = Mail[];

/** The server as it runs, but for the pages, whose place a plain answer takes, and the mail, which goes to `outbox` where there is one. */
export async function serveWeb(
  db: Database,
  files: FileStore,
  settings: Record<string, string> = {},
  { outbox, log = pino({ level: "silent" }), bodyMs }: { outbox?: Outbox; log?: Log; bodyMs?: number } = {},
) {
  const web = createWeb({
    config: readConfig(settings),
    db,
    files,
    log,
    ...(bodyMs === undefined ? {} : { bodyMs }),
    ...(outbox ? { mailer: { send: async (mail) => void outbox.push(mail), close: () => {} } } : {}),
    pages: async (req, res) => void res.writeHead(200, { "Content-Type": "text/html", "X-Page": req.url }).end(`<p nonce="${req.headers["x-nonce"]}">page</p>`),
  });
  await new Promise<void>((ready) => web.server.listen(0, "127.0.0.1", ready));
  const { port } = web.server.address() as AddressInfo;
  afterAll(() => web.close());
  return { base: `http://localhost:${port}`, web, port };
}

/** A browser that keeps its cookie. */
export function browserAt(base: string) {
  let cookie = "";
  const keep = async (url: string | URL | Request, init?: RequestInit) => {
    const answer = await fetch(url, init);
    const set = answer.headers.getSetCookie()[0];
    if (set) cookie = set.split(";")[0] ?? "";
    return answer;
  };
  return {
    get cookie() {
      return cookie;
    },
    async fetch(path: string, init: RequestInit & { headers?: Record<string, string> } = {}) {
      return keep(`${base}${path}`, { redirect: "manual", ...init, headers: { ...(cookie ? { cookie } : {}), ...init.headers } });
    },
    client() {
      const headers = () => ({ cookie });
      return createTRPCClient<AppRouter>({ links: [httpBatchLink({ url: `${base}/api/trpc`, headers, fetch: keep })] });
    },
  };
}
