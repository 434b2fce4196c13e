import { randomBytes, randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { join } from "node:path";
import { nodeHTTPRequestHandler } from "@trpc/server/adapters/node-http";
import { addressOf } from "./auth/limits.ts";
import { type Context, httpStatusOf, toRefusal } from "./auth/procedure.ts";
import { doorOf, resolveSession, type Session } from "./auth/session.ts";
import { type Config, config as readSettings, root } from "./config.ts";
import { type Database, openDatabase } from "./database/client.ts";
import { embeddedUrl } from "./database/embedded.ts";
import { AppError, isDatabaseAway } from "./errors.ts";
import { matchDownload, sendDownload } from "./http/downloads.ts";
import { allowedHosts, contentSecurityPolicy, refuse, setSecurityHeaders } from "./http/guard.ts";
import { answerOAuth } from "./http/oauth.ts";
import { matchRunTable, sendRunTable } from "./http/runTable.ts";
import { answerSignIn } from "./http/signIn.ts";
import { continueUpload, isUploadPart, receiveUpload, UPLOAD_PATH } from "./http/uploads.ts";
import { type Log, openLog } from "./log.ts";
import { type Mailer, openMailer } from "./mail.ts";
import { Watcher } from "./metrics/watch.ts";
import { LiveModels } from "./models/live.ts";
import { appRouter } from "./router.ts";
import { type FileStore, openFileStore } from "./storage/files.ts";

/** Bodies: a graph of 2 MiB in its JSON envelope, and some calls beside it. */
const BODY_BYTES = 4 * 1024 * 1024;
const CALLS_AT_ONCE = 20;
/** How long a request may take to arrive: a file of some hundred MiB over a slow line, and anything else. */
const UPLOAD_MS = 30 * 60_000;
const BODY_MS = 30_000;

/** Pages that are seen without a session: they hold nothing, and ask the eight open procedures. */
const openPages = /^\/(sign-in|sign-up|forgot|(join|reset|verify|shared)\/[\w-]{1,64})$/;

/** Answers a request for a page; Next's handler, or nothing in tests. */
type PageHandler = (req: IncomingMessage, res: ServerResponse) => Promise<void>;

export type WebOptions = { config: Config; db: Database; files: FileStore; log: Log; pages: PageHandler; mailer?: Mailer | null; isDevelopment?: boolean };
export type Web = { server: Server /** Ends open streams and waits for answers under way, at most two seconds. */; close(): Promise<void> };

/** The HTTP server: guard first, then calls, downloads and pages. Every answer has a request id, and none has a stack. */
export function createWeb({ config, db, files, log, pages, mailer = openMailer(config), isDevelopment = false }: WebOptions): Web {
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

    // Whether it can serve is whether the database answers: both names are asked by proxies and watchers.
    if (path === "/healthz" || path === "/readyz") return sendHealth(db, res);
    if (path === UPLOAD_PATH && req.method === "POST") return receiveUpload(context, req, res);
    if (isUploadPart(path) && ["HEAD", "PATCH", "DELETE"].includes(req.method ?? "")) return continueUpload(context, req, res, path);
    if (path.startsWith("/api/trpc/")) return call(context, req, res, path.slice("/api/trpc/".length));
    const download = matchDownload(path);
    if (download && req.method !== "POST") return sendDownload(context, req, res, download);
    const table = matchRunTable(path);
    if (table && req.method !== "POST") return sendRunTable(context, req, res, table);
    if (path.startsWith("/api/oauth/") && (await answerOAuth(context, req, res))) return;
    if (path.startsWith("/api/")) return sendJson(res, 404, { code: "NOT_FOUND", message: "There is nothing here.", details: null, requestId });
    if (config.AUTH === "required" && (await answerSignIn(context, req, res, path))) return;
    if (req.method === "POST") return sendJson(res, 405, { code: "METHOD_REFUSED", message: "Pages are read with GET.", details: null, requestId });
    if (isDocument(req) && !openPages.test(path) && !(await mayOpenPages(context))) {
      res.writeHead(303, { Location: "/sign-in" }).end();
      return;
    }
    // Next takes the nonce for its own scripts from the request's policy.
    req.headers["content-security-policy"] = policy;
    req.headers["x-nonce"] = nonce;
    return pages(req, res);
  }

  async function call(context: Context, req: IncomingMessage, res: ServerResponse, path: string): Promise<void> {
    await context.session();
    await nodeHTTPRequestHandler({
      router: appRouter,
      req,
      res,
      path,
      createContext: () => context,
      maxBodySize: BODY_BYTES,
      maxBatchSize: CALLS_AT_ONCE,
      allowMethodOverride: false,
      // tRPC has no code of its own for what is over; a single call's answer still says 410.
      responseMeta: ({ errors }) => (errors.length > 0 && errors.every(({ cause }) => cause instanceof AppError && cause.code === "LINK_OVER") ? { status: 410 } : {}),
    });
  }

  const server = createServer({ requestTimeout: UPLOAD_MS, headersTimeout: 10_000, maxHeaderSize: 32 * 1024 }, (req, res) => {
    if (req.method === "POST" && req.url !== UPLOAD_PATH) hurry(req);
    answer(req, res).catch((error: unknown) => {
      const refusal = toRefusal(error);
      const requestId = String(res.getHeader("X-Request-Id") ?? "");
      if (refusal.code === "INTERNAL") log.error({ requestId, error }, "A request failed.");
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
function hurry(req: IncomingMessage): void {
  const late = setTimeout(() => req.destroy(), BODY_MS);
  for (const event of ["end", "close"]) req.once(event, () => clearTimeout(late));
}

/** Whether a browser asks for something to show in its window, as opposed to a part of a page. */
function isDocument(req: IncomingMessage): boolean {
  const destination = req.headers["sec-fetch-dest"];
  return destination === undefined ? (req.headers.accept ?? "").includes("text/html") : destination === "document";
}

/** Sees to it that a visitor has a session where one is to be had. Pages hold no data, so they open while the database is away, and say so themselves. */
async function mayOpenPages(context: Context): Promise<boolean> {
  try {
    return (await context.session()) !== null;
  } catch (error) {
    if (isDatabaseAway(error)) return true;
    throw error;
  }
}

async function sendHealth(db: Database, res: ServerResponse): Promise<void> {
  try {
    await db.$queryRaw`SELECT 1`;
    sendJson(res, 200, { status: "ok" });
  } catch {
    sendJson(res, 503, { status: "database away" });
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
  const web = createWeb({ config, db, files: openFileStore(join(config.DATA_DIR, "files")), log, pages: handle, isDevelopment });
  if (isDevelopment) web.server.on("upgrade", (req, socket, head) => void upgrade(req, socket, head));

  web.server.on("error", (error: NodeJS.ErrnoException) => {
    const message =
      error.code === "EADDRINUSE" ? `Port ${config.PORT} is taken: end the other program, or set PORT to another one.` : `The page cannot be served: ${error.message}.`;
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
