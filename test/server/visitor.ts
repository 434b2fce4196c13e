import type { AddressInfo } from "node:net";
import { createTRPCClient, httpBatchLink } from "@trpc/client";
import { pino } from "pino";
import { afterAll } from "vitest";
import { readConfig } from "../../server/config.ts";
import type { Database } from "../../server/database/client.ts";
import type { AppRouter } from "../../server/router.ts";
import type { FileStore } from "../../server/storage/files.ts";
import { createWeb } from "../../server/web.ts";

/** The server as it runs, but for the pages, whose place a plain answer takes. */
export async function serveWeb(db: Database, files: FileStore, settings: Record<string, string> = {}) {
  const web = createWeb({
    config: readConfig(settings),
    db,
    files,
    log: pino({ level: "silent" }),
    pages: async (req, res) => void res.writeHead(200, { "Content-Type": "text/html" }).end(`<p nonce="${req.headers["x-nonce"]}">page</p>`),
  });
  await new Promise<void>((ready) => web.server.listen(0, "127.0.0.1", ready));
  const { port } = web.server.address() as AddressInfo;
  afterAll(() => web.close());
  return { base: `http://localhost:${port}`, web, port };
}

/** A browser that keeps its cookie. */
export function browserAt(base: string) {
  let cookie = "";
  return {
    get cookie() {
      return cookie;
    },
    async fetch(path: string, init: RequestInit & { headers?: Record<string, string> } = {}) {
      const answer = await fetch(`${base}${path}`, {
        redirect: "manual",
        ...init,
        headers: { ...(cookie ? { cookie } : {}), ...init.headers },
      });
      const set = answer.headers.getSetCookie()[0];
      if (set) cookie = set.split(";")[0] ?? "";
      return answer;
    },
    client() {
      const headers = () => ({ cookie });
      return createTRPCClient<AppRouter>({ links: [httpBatchLink({ url: `${base}/api/trpc`, headers })] });
    },
  };
}
