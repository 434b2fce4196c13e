import { say } from "../core/language/say.ts";
import "./language.ts"; // First: texts are said while the other modules are read.
import { randomBytes, randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { addressOf } from "./auth/limits.ts";
import { type Context, httpStatusOf, retryAfter, toRefusal } from "./auth/procedure.ts";
import { doorOf, resolveSession, type Session } from "./auth/session.ts";
import { type Config, config as readSettings, root } from "./config.ts";
import { type Database, openDatabase } from "./database/client.ts";
import { embeddedUrl } from "./database/embedded.ts";
import { isDatabaseAway } from "./errors.ts";
import { allowedHosts, contentSecurityPolicy, refuse, setSecurityHeaders } from "./http/guard.ts";
import { mayOpen, pagePolicyOf } from "./http/pages.ts";
import { findRoute } from "./http/routes.ts";
import { UPLOAD_PATH } from "./http/uploads.ts";
import { type Log, openLog } from "./log.ts";
import { type Mailer, openMailer } from "./mail.ts";
import { Watcher } from "./metrics/watch.ts";
import { LiveModels } from "./models/live.ts";
import type { FileStore } from "./storage/files.ts";
import { openStore } from "./storage/store.ts";

/** How long a request may take to arrive: a file of some hundred MiB over a slow line, and anything else. */
const UPLOAD_MS = 30 * 60_000;
const BODY_MS = 30_000;

/** Where Next has no page and can have none: folders that begin so are left out of its addresses. */
const NOWHERE = "/_nothing";
/** What Next serves while it is being worked on. */
const developmentPath = /^\/(_next|__nextjs)/;

/** Answers a request for a page; Next's handler, or nothing in tests. */
type PageHandler = (req: IncomingMessage, res: ServerResponse) => Promise<void>;

export type WebOptions = {
  config: Config;
  db: Database;
  files: FileStore;
  log: Log;
  pages: PageHandler;
  mailer?: Mailer | null;
  isDevelopment?: boolean;
  /** How long the body of a call may take to arrive. */
  bodyMs?: number;
};
export type Web = { server: Server /** Ends open streams and waits for answers under way, at most two seconds. */; close(): Promise<void> };

/** The HTTP server: guard first, then calls, downloads and pages. Every answer has a request id, and none has a stack. */
export function createWeb({ config, db, files, log, pages, mailer = openMailer(config), isDevelopment = false, bodyMs = BODY_MS }: WebOptions): Web {
  const hosts = allowedHosts(config);
  const watcher = new Watcher(db);
  const live = new LiveModels(db);

  async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const requestId = randomUUID();
    const nonce = randomBytes(16).toString("base64");
    const policy = contentSecurityPolicy(nonce, isDevelopment);
    setSecurityHeaders(res, policy, requestId);
    const refused = refuse(req, hosts);
    if (refused) return sendJson(res, refused.status, { code: refused.code, message: refused.message, details: null, requestId });

    const path = (req.url ?? "/").split("?", 1)[0] ?? "/";
    if (path.startsWith("/_next/static/") || path.startsWith("/ort/")) return pages(req, res);
    res.setHeader("Cache-Control", "private, no-store");
    let session: Promise<Session | null> | undefined;
    const context: Context = {
      db,
      system: db,
      config,
      files,
      watcher,
      live,
      log,
      requestId,
      session: () => (session ??= resolveSession(db, config, req, res)),
      door: doorOf(db, config, req, res),
      mailer,
      address: addressOf(req, config),
      // The name was checked against the allow-list above.
      origin: config.PUBLIC_URL?.replace(/\/$/, "") ?? `http://${req.headers.host}`,
    };

    const method = req.method ?? "";
    const route = findRoute(method, path);
    if (route && (await route.answer(context, req, res, path)) !== false) return;
    if (path.startsWith("/api/")) return sendJson(res, 404, { code: "NOT_FOUND", message: say("There is nothing here."), details: null, requestId });
    if (method !== "GET" && method !== "HEAD") return sendJson(res, 405, { code: "METHOD_REFUSED", message: say("Pages are read with GET."), details: null, requestId });
    if (!(isDevelopment && developmentPath.test(path))) {
      const page = pagePolicyOf(path);
      const isPublic = page?.kind === "public";
      const visitor = isPublic ? null : await findVisitor(context);
      // Whoever is not signed in learns no more of a page that is not there than of one that is.
      if (visitor === null && !isPublic) {
        res.writeHead(303, { Location: "/sign-in" }).end();
        return;
      }
      if (page === null || (visitor !== "unknown" && !mayOpen(page, visitor))) req.url = NOWHERE;
    }
    // Next takes the nonce for its own scripts from the request's policy.
    req.headers["content-security-policy"] = policy;
    req.headers["x-nonce"] = nonce;
    return pages(req, res);
  }

  const server = createServer({ requestTimeout: UPLOAD_MS, headersTimeout: 10_000, maxHeaderSize: 32 * 1024 }, (req, res) => {
    if (req.method === "POST" && req.url !== UPLOAD_PATH) hurry(req, res, bodyMs);
    answer(req, res).catch((error: unknown) => {
      const refusal = toRefusal(error);
      const requestId = String(res.getHeader("X-Request-Id") ?? "");
      if (refusal.code === "INTERNAL") log.error({ requestId, error }, "A request failed.");
      const wait = retryAfter(refusal);
      if (wait !== null && !res.headersSent) res.setHeader("Retry-After", wait);
      if (res.headersSent) res.destroy();
      else sendJson(res, httpStatusOf(refusal), { code: refusal.code, message: refusal.message, details: refusal.details, requestId });
    });
  });

  return {
    server,
    async close() {
      watcher.close();
      live.close();
      mailer?.close();
      const closed = new Promise<void>((done) => server.close(() => done()));
      server.closeIdleConnections();
      const hard = setTimeout(() => server.closeAllConnections(), 2_000);
      await closed;
      clearTimeout(hard);
    },
  };
}

/** Ends a request whose body does not arrive in time. */
function hurry(req: IncomingMessage, res: ServerResponse, ms: number): void {
  const late = setTimeout(() => {
    if (!res.headersSent) {
      res.setHeader("Connection", "close");
      sendJson(res, 408, {
        code: "TOO_SLOW",
        message: say("The request took longer than {ms} seconds to arrive.", { ms: Math.ceil(ms / 1000) }),
        details: null,
        requestId: res.getHeader("X-Request-Id"),
      });
    }
    req.destroy();
  }, ms);
  for (const event of ["end", "close"]) req.once(event, () => clearTimeout(late));
}

/** Who asks for a page; a visitor of this machine gets a session where that is all it takes. Unknown while the database is away: pages hold no data, and say so themselves. */
async function findVisitor(context: Context): Promise<Session | null | "unknown"> {
  try {
    return await context.session();
  } catch (error) {
    if (isDatabaseAway(error)) return "unknown";
    throw error;
  }
}

function sendJson(res: ServerResponse, status: number, body: unknown): void {
  res.writeHead(status, { "Content-Type": "application/json; charset=utf-8", "Cache-Control": "private, no-store" });
  res.end(JSON.stringify(body));
}

/** Next serves the pages in this process; it gets neither the database nor anything else of the server. */
async function openNext(
  config: Config,
  isDevelopment: boolean,
): Promise<{ handle: PageHandler; upgrade: (req: IncomingMessage, socket: import("node:stream").Duplex, head: Buffer) => Promise<void> }> {
  const { default: next } = await import("next");
  const app = next({ dev: isDevelopment, dir: root, hostname: config.HOST, port: config.PORT });
  await app.prepare();
  return { handle: app.getRequestHandler(), upgrade: app.getUpgradeHandler() };
}

if (import.meta.main) {
  const config = readSettings();
  const log = openLog("web");
  const isDevelopment = process.env.NODE_ENV === "development";
  const url = config.DATABASE_URL ?? embeddedUrl(config.DATA_DIR);
  if (url === null) throw new Error("There is no database yet: start the product with npm start.");
  const db = openDatabase(url, { connections: config.DATABASE_POOL, name: "tensorloom web" });
  const { handle, upgrade } = await openNext(config, isDevelopment);
  const web = createWeb({ config, db, files: openStore(config), log, pages: handle, isDevelopment });
  if (isDevelopment) web.server.on("upgrade", (req, socket, head) => void upgrade(req, socket, head));

  web.server.on("error", (error: NodeJS.ErrnoException) => {
    const message =
      error.code === "EADDRINUSE"
        ? say("Port {PORT} is taken: end the other program, or set PORT to another one.", { PORT: config.PORT })
        : say("The page cannot be served: {message}.", { message: error.message });
    process.send?.({ type: "refused", message });
    console.error(message);
    process.exit(78);
  });
  web.server.listen(config.PORT, config.HOST, () => {
    const address = web.server.address();
    process.send?.({ type: "ready", port: typeof address === "object" && address ? address.port : config.PORT });
  });

  let ending = false;
  const end = async () => {
    if (ending) return;
    ending = true;
    await web.close();
    await db.$disconnect();
    process.exit(0);
  };
  process.on("SIGTERM", end);
  process.on("SIGINT", end);
  // The supervisor is gone: nobody would end us later.
  process.on("disconnect", end);
}
