import { type AnyRouter, initTRPC, TRPCError } from "@trpc/server";
import { z } from "zod";
import { sayRole } from "../../core/language/roles.ts";
import { say } from "../../core/language/say.ts";
import { recordTrail } from "../accounts/trail.ts";
import type { Config } from "../config.ts";
import { type Database, walled } from "../database/client.ts";
import { AppError, isDatabaseAway, refusals } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Mailer } from "../mail.ts";
import type { Watcher } from "../metrics/watch.ts";
import type { LiveModels } from "../models/live.ts";
import type { FileStore } from "../storage/files.ts";
import type { Door, Role, Session } from "./session.ts";

/** What every procedure is given. The session is looked for once a request, and only where a policy asks for it. */
export type Context = {
  /** In a procedure of an organization: behind that organization's wall, where nothing of another can be seen. Elsewhere: everything. */
  db: Database;
  /** Everything, for the account code, which looks after people and organizations as such. Every `where` on it names whose. */
  system: Database;
  config: Config;
  files: FileStore;
  watcher: Watcher;
  live: LiveModels;
  log: Log;
  requestId: string;
  session: () => Promise<Session | null>;
  /** Lets the visitor's browser in and out. */
  door: Door;
  mailer: Mailer | null;
  /** Where the visitor comes from, for limits. */
  address: string;
  /** What links that leave the server begin with: `https://loom.example`. */
  origin: string;
};

const policyMark: unique symbol = Symbol("policy");

/**
 * Who may call a procedure:
 * `public` anybody, for a reason that is written down; `person` whoever is signed in, about themselves; `org` people of the organization with at
 * least this role, and scripts with a token of theirs unless `peopleOnly`; `operator` whoever looks after the installation.
 */
type Who = { kind: "public"; reason: string } | { kind: "person" } | { kind: "org"; role: Role; peopleOnly: boolean } | { kind: "operator" };

/** Made only by the builders below, so that none can be forged or forgotten. */
export type Policy = { readonly [policyMark]: true } & Who;

/** Roles by what they include: each may do what those before it may. */
const roles: readonly Role[] = ["viewer", "member", "admin", "owner"];

const t = initTRPC
  .context<Context>()
  .meta<Policy>()
  .create({
    sse: {
      ping: { enabled: true, intervalMs: 5_000 },
      // Streams end and resume now and then, so that none outlives a deployment or a forgotten tab.
      maxDurationMs: 10 * 60_000,
      client: { reconnectAfterInactivityMs: 15_000 },
    },
    isDev: false,
    // Nothing of an error leaves but what is named here: no stack, no SQL, no path.
    errorFormatter({ shape, error, ctx }) {
      const refusal = toRefusal(error);
      return {
        code: shape.code,
        message: refusal.message,
        data: { code: refusal.code, httpStatus: httpStatusOf(refusal), details: refusal.details, requestId: ctx?.requestId ?? null },
      };
    },
  });

const httpStatus: Partial<Record<(typeof refusals)[keyof typeof refusals], number>> = {
  NOT_FOUND: 404,
  UNAUTHORIZED: 401,
  FORBIDDEN: 403,
  BAD_REQUEST: 400,
  CONFLICT: 409,
  UNPROCESSABLE_CONTENT: 422,
  PAYLOAD_TOO_LARGE: 413,
  TOO_MANY_REQUESTS: 429,
  SERVICE_UNAVAILABLE: 503,
};

/** A queue or a server that is full or away has mostly moved on by then. */
const RETRY_AFTER_S = 5;

/** The HTTP status that goes with a refusal. */
export function httpStatusOf(refusal: AppError): number {
  if (refusal.code === "LINK_OVER") return 410;
  return httpStatus[refusals[refusal.code]] ?? 500;
}

/** Where trying again later can help (429 and 503): in how many seconds. */
export function retryAfter(refusal: AppError): number | null {
  if (![429, 503].includes(httpStatusOf(refusal))) return null;
  return z.object({ retryAfterSeconds: z.int() }).safeParse(refusal.details).data?.retryAfterSeconds ?? RETRY_AFTER_S;
}

/** Any error as a refusal: ours as it is, a wrong input with its places, the database's absence, and everything else as INTERNAL. */
export function toRefusal(error: unknown): AppError {
  const cause = error instanceof TRPCError ? error.cause : error;
  if (cause instanceof AppError) return cause;
  if (cause instanceof z.ZodError) {
    const details = cause.issues.slice(0, 20).map(({ path, message }) => ({ path: path.map(String).slice(0, 20), message }));
    const [first] = details;
    return new AppError(
      "INPUT_SHAPE",
      first ? say('The input is not as expected at "{path}": {message}', { path: first.path.join("."), message: first.message }) : say("The input is not as expected."),
      {
        cause,
        details,
      },
    );
  }
  if (isDatabaseAway(cause)) return new AppError("DATABASE_AWAY", say("The database does not answer at the moment: try again in a few seconds."), { cause });
  if (error instanceof TRPCError && error.code === "NOT_FOUND") return new AppError("NOT_FOUND", say("There is no such procedure."));
  if (error instanceof TRPCError && error.code === "PAYLOAD_TOO_LARGE") return new AppError("GRAPH_TOO_LARGE", say("The request is larger than 4 MiB."));
  if (error instanceof TRPCError && ["BAD_REQUEST", "PARSE_ERROR", "METHOD_NOT_SUPPORTED", "UNSUPPORTED_MEDIA_TYPE"].includes(error.code))
    return new AppError("INPUT_SHAPE", say("The request is not one that this server understands."), { cause });
  return new AppError("INTERNAL", say("Something went wrong on the server. It has been logged under this request's id."), { cause });
}

/** Said many times a second while somebody draws. */
const unlogged: readonly string[] = ["models.push", "models.point"];

/** Turns refusals into tRPC's codes, so that batches and streams carry the right status; logs what was to be changed and what came of it, and what is our own fault. */
const answered = t.middleware(async ({ next, ctx, path, type }) => {
  const began = performance.now();
  const result = await next();
  const refusal = result.ok ? null : toRefusal(result.error);
  if (type === "mutation" && !unlogged.includes(path))
    ctx.log.info({ requestId: ctx.requestId, path, code: refusal?.code ?? "OK", ms: Math.round(performance.now() - began) }, "A change was asked for.");
  if (result.ok || refusal === null) return result;
  if (refusal.code === "INTERNAL") ctx.log.error({ requestId: ctx.requestId, path, error: refusal.cause }, "A procedure failed.");
  throw new TRPCError({ code: refusals[refusal.code], message: refusal.message, cause: refusal });
});

function policy(who: Who): Policy {
  return { [policyMark]: true, ...who };
}

/** A procedure that anybody may call, and why that is right. */
export function publicProcedure(reason: string) {
  return t.procedure.meta(policy({ kind: "public", reason })).use(answered);
}

/** The session of a person who has at least this role. @throws AppError UNAUTHENTICATED, FORBIDDEN, SCOPE */
export async function requireRole(ctx: Pick<Context, "session">, role: Role): Promise<Session> {
  const session = await ctx.session();
  if (session === null) throw new AppError("UNAUTHENTICATED", say("Sign in first."));
  if (session.scope === "read" && role === "member") throw new AppError("SCOPE", say("This needs an API token with the scope write; the one that was sent has the scope read."));
  if (roles.indexOf(session.role) < roles.indexOf(role))
    throw new AppError("FORBIDDEN", say("This needs the role {role}; yours is {role2}.", { role: sayRole(role), role2: sayRole(session.role) }));
  return session;
}

/** The session of a person in front of a page: a token never stands in for one. */
async function requirePerson(ctx: Pick<Context, "session">): Promise<Session> {
  const session = await requireRole(ctx, "viewer");
  if (session.scope !== null) throw new AppError("FORBIDDEN", say("API tokens may not do this: sign in to the page."));
  return session;
}

/**
 * A procedure for people of an organization who have at least this role, and for scripts with a token of theirs unless `peopleOnly` says no.
 * It is given `orgId` and `userId`; its `db` stands behind the organization's wall, and every query names the organization besides.
 * What it changes is written into the trail.
 */
export function org(role: Role, { peopleOnly = false }: { peopleOnly?: boolean } = {}) {
  return t.procedure
    .meta(policy({ kind: "org", role, peopleOnly }))
    .use(answered)
    .use(async ({ ctx, next, type, path, getRawInput }) => {
      if (peopleOnly) await requirePerson(ctx);
      const session = await requireRole(ctx, role);
      const db = walled(ctx.db, session.org.id);
      const result = await next({ ctx: { who: session, orgId: session.org.id, userId: session.user.id, db } });
      if (type === "mutation" && result.ok) await recordTrail({ ...ctx, db }, session, path, await getRawInput(), result.data);
      return result;
    });
}

/** A procedure for whoever is signed in, about themselves: their account, their sessions, where they belong. */
export function person() {
  return t.procedure
    .meta(policy({ kind: "person" }))
    .use(answered)
    .use(async ({ ctx, next }) => {
      const session = await requirePerson(ctx);
      return next({ ctx: { who: session, userId: session.user.id } });
    });
}

/** A procedure for those who look after the whole installation. */
export function operator() {
  return t.procedure
    .meta(policy({ kind: "operator" }))
    .use(answered)
    .use(async ({ ctx, next }) => {
      const session = await requirePerson(ctx);
      if (!session.isOperator) throw new AppError("FORBIDDEN", say("This is for those who look after this installation."));
      return next({ ctx: { who: session, userId: session.user.id } });
    });
}

/** Something with a policy on it. */
type Governed = { meta: Policy };

/** A noun's procedures. One without a policy does not compile, and stops the server where types were side-stepped. */
export function router<T extends { [name: string]: Governed & Parameters<typeof t.router>[0][string] }>(procedures: T) {
  for (const [name, procedure] of Object.entries(procedures)) if (policyOf(procedure) === null) throw new Error(`The procedure ${name} has no policy.`);
  return t.router(procedures);
}

/** The policy of a procedure, or null where it has none of ours. */
export function policyOf(procedure: unknown): Policy | null {
  const meta = (procedure as { _def?: { meta?: unknown } } | null)?._def?.meta;
  return typeof meta === "object" && meta !== null && policyMark in meta ? (meta as Policy) : null;
}

/** The nouns as one router. */
export function combine<T extends { [noun: string]: AnyRouter }>(nouns: T) {
  return t.router(nouns);
}

export const createCaller = t.createCallerFactory;
