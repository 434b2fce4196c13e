import type { IncomingMessage, ServerResponse } from "node:http";
import { nodeHTTPRequestHandler } from "@trpc/server/adapters/node-http";
import { type Context, requireRole, retryAfter, toRefusal } from "../auth/procedure.ts";
import type { Role, Session } from "../auth/session.ts";
import { appRouter } from "../router.ts";
import { matchDownload, sendDownload } from "./downloads.ts";
import { isAlive, isReady } from "./health.ts";
import { answerOAuth } from "./oauth.ts";
import { statusOfRefusedFile } from "./refusedFile.ts";
import { matchRunTable, sendRunTable } from "./runTable.ts";
import { answerSignIn } from "./signIn.ts";
import { continueUpload, isUploadPart, receiveUpload, UPLOAD_PATH } from "./uploads.ts";

/** Bodies of calls: a graph of 2 MiB in its JSON envelope, and some calls beside it. */
const BODY_BYTES = 4 * 1024 * 1024;
const CALLS_AT_ONCE = 20;

/** Who may ask: anybody, for a reason that is written down, or people of an organization with at least this role. */
type Who = { kind: "public"; reason: string } | { kind: "org"; role: Role };

/** One thing that is answered besides pages. */
type Route = {
  /** Its address as people write it. */
  readonly path: string;
  readonly methods: readonly string[];
  readonly who: Who;
  matches(path: string): boolean;
  /** False where it is none of this route's after all. */
  answer(context: Context, req: IncomingMessage, res: ServerResponse, path: string): Promise<unknown>;
};

type Place = Pick<Route, "path" | "methods" | "matches">;

function open(place: Place, reason: string, answer: Route["answer"]): Route {
  return { ...place, who: { kind: "public", reason }, answer };
}

/** The session is looked for before the answer is asked for it, so that no answer can forget to. */
function people(place: Place, role: Role, answer: (context: Context, who: Session, req: IncomingMessage, res: ServerResponse, path: string) => Promise<void>): Route {
  return { ...place, who: { kind: "org", role }, answer: async (context, req, res, path) => answer(context, await requireRole(context, role), req, res, path) };
}

const at = (path: string, methods: readonly string[]): Place => ({ path, methods, matches: (asked) => asked === path });
const READ = ["GET", "HEAD"];

/** Everything that is answered besides pages, and who may ask for it. What is not in this list is not there. */
export const routes: readonly Route[] = [
  open(at("/healthz", READ), "says that the process is alive, and nothing else", isAlive),
  open(at("/readyz", READ), "says whether the installation can serve, and nothing else", isReady),
  open(
    { path: "/api/trpc/[procedure]", methods: ["GET", "POST"], matches: (path) => path.startsWith("/api/trpc/") },
    "each procedure carries a policy of its own (server/auth/procedure.ts)",
    async (context, req, res, path) => {
      await context.session();
      await nodeHTTPRequestHandler({
        router: appRouter,
        req,
        res,
        path: path.slice("/api/trpc/".length),
        createContext: () => context,
        maxBodySize: BODY_BYTES,
        maxBatchSize: CALLS_AT_ONCE,
        allowMethodOverride: false,
        responseMeta: ({ errors, data }) => {
          const refused = errors.map(toRefusal);
          const waits = refused.flatMap((refusal) => retryAfter(refusal) ?? []);
          // tRPC has no code of its own for what is over; a single call's answer still says 410.
          const isOver = refused.length > 0 && refused.every(({ code }) => code === "LINK_OVER");
          const [only, ...others] = data ?? [];
          const ofFile = only && others.length === 0 && "result" in only && "data" in only.result ? statusOfRefusedFile(only.result.data) : null;
          return { ...(isOver ? { status: 410 } : ofFile ? { status: ofFile } : {}), ...(waits.length > 0 ? { headers: { "retry-after": String(Math.max(...waits)) } } : {}) };
        },
      });
    },
  ),
  people(at(UPLOAD_PATH, ["POST"]), "member", receiveUpload),
  people({ path: "/api/uploads/[uploadId]", methods: ["HEAD", "PATCH", "DELETE"], matches: isUploadPart }, "member", continueUpload),
  people({ path: "/api/[kind]/[id]/[part]", methods: READ, matches: (path) => matchDownload(path) !== null }, "viewer", sendDownload),
  people({ path: "/api/run-table/[format]", methods: READ, matches: (path) => matchRunTable(path) !== null }, "viewer", sendRunTable),
  open(
    { path: "/api/oauth/[provider]/[step]", methods: ["GET"], matches: (path) => path.startsWith("/api/oauth/") },
    "the way to another provider and back is how people without a session get one",
    answerOAuth,
  ),
  open(
    { path: "/sign-in/[secret]", methods: ["GET", "HEAD", "POST"], matches: (path) => path.startsWith("/sign-in/") },
    "the one-time link of the owner, whose secret lets its holder in",
    answerSignIn,
  ),
];

/** The route that answers here, or null. */
export function findRoute(method: string, path: string): Route | null {
  return routes.find((route) => route.methods.includes(method) && route.matches(path)) ?? null;
}
