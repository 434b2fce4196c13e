import { type AnyRouter, initTRPC, TRPCError } from "@trpc/server";
import { z } from "zod";
import type { Config } from "../config.ts";
import type { Database } from "../database/client.ts";
import { AppError, isDatabaseAway, refusals } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Watcher } from "../metrics/watch.ts";
import type { LiveModels } from "../models/live.ts";
import type { FileStore } from "../storage/files.ts";
import type { Role, Session } from "./session.ts";

/** What every procedure is given. The session is looked for once a request, and only where a policy asks for it. */
export type Context = {
  db: Database;
  config: Config;
  files: FileStore;
  watcher: Watcher;
  live: LiveModels;
  log: Log;
  requestId: string;
  session: () => Promise<Session | null>;
};

const policyMark: unique symbol = Symbol("policy");

/** Who may call a procedure. Made only by the builders below, so that none can be forged or forgotten. */
export type Policy = { readonly [policyMark]: true } & ({ kind: "public"; reason: string } | { kind: "org"; role: Role });

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

/** The HTTP status that goes with a refusal. */
export function httpStatusOf(refusal: AppError): number {
  return httpStatus[refusals[refusal.code]] ?? 500;
}

/** Any error as a refusal: ours as it is, a wrong input with its places, the database's absence, and everything else as INTERNAL. */
export function toRefusal(error: unknown): AppError {
  const cause = error instanceof TRPCError ? error.cause : error;
  if (cause instanceof AppError) return cause;
  if (cause instanceof z.ZodError) {
    const details = cause.issues.slice(0, 20).map(({ path, message }) => ({ path: path.map(String).slice(0, 20), message }));
    const [first] = details;
    return new AppError("INPUT_SHAPE", first ? `The input is not as expected at "${first.path.join(".")}": ${first.message}` : "The input is not as expected.", { cause, details });
  }
  if (isDatabaseAway(cause)) return new AppError("DATABASE_AWAY", "The database does not answer at the moment: try again in a few seconds.", { cause });
  if (error instanceof TRPCError && error.code === "NOT_FOUND") return new AppError("NOT_FOUND", "There is no such procedure.");
  if (error instanceof TRPCError && error.code === "PAYLOAD_TOO_LARGE") return new AppError("GRAPH_TOO_LARGE", "The request is larger than 4 MiB.");
  if (error instanceof TRPCError && ["BAD_REQUEST", "PARSE_ERROR", "METHOD_NOT_SUPPORTED", "UNSUPPORTED_MEDIA_TYPE"].includes(error.code))
    return new AppError("INPUT_SHAPE", "The request is not one that this server understands.", { cause });
  return new AppError("INTERNAL", "Something went wrong on the server. It has been logged under this request's id.", { cause });
}

/** Turns refusals into tRPC's codes, so that batches and streams carry the right status; logs what is our own fault. */
const answered = t.middleware(async ({ next, ctx, path }) => {
  const result = await next();
  if (result.ok) return result;
  const refusal = toRefusal(result.error);
  if (refusal.code === "INTERNAL") ctx.log.error({ requestId: ctx.requestId, path, error: refusal.cause }, "A procedure failed.");
  throw new TRPCError({ code: refusals[refusal.code], message: refusal.message, cause: refusal });
});

function policy(who: { kind: "public"; reason: string } | { kind: "org"; role: Role }): Policy {
  return { [policyMark]: true, ...who };
}

/** A procedure that anybody may call, and why that is right. */
export function publicProcedure(reason: string) {
  return t.procedure.meta(policy({ kind: "public", reason })).use(answered);
}

/** The session of a person who has at least this role. @throws AppError UNAUTHENTICATED, FORBIDDEN */
export async function requireRole(ctx: Pick<Context, "session">, role: Role): Promise<Session> {
  const session = await ctx.session();
  if (session === null) throw new AppError("UNAUTHENTICATED", "Sign in first: the link is printed where the server was started.");
  if (roles.indexOf(session.role) < roles.indexOf(role)) throw new AppError("FORBIDDEN", `This needs the role ${role}; yours is ${session.role}.`);
  return session;
}

/** A procedure for people of an organization who have at least this role. It is given `orgId` and `userId`, and every query of it names that organization. */
export function org(role: Role) {
  return t.procedure
    .meta(policy({ kind: "org", role }))
    .use(answered)
    .use(async ({ ctx, next }) => {
      const session = await requireRole(ctx, role);
      return next({ ctx: { who: session, orgId: session.org.id, userId: session.user.id } });
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
