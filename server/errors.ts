import type { TRPC_ERROR_CODE_KEY } from "@trpc/server";
import { say } from "../core/language/say.ts";

/** Every refusal a caller can get: its stable code and the kind of answer it is. */
export const refusals = {
  /** The same answer whether it never was, is gone, or belongs to somebody else. */
  NOT_FOUND: "NOT_FOUND",
  UNAUTHENTICATED: "UNAUTHORIZED",
  FORBIDDEN: "FORBIDDEN",
  /** The API token is for reading only. */
  SCOPE: "FORBIDDEN",
  INPUT_SHAPE: "BAD_REQUEST",
  /** Address, password or code is wrong; which of them is not said. */
  SIGN_IN_WRONG: "UNAUTHORIZED",
  /** Address and password are right, and the account has a second factor: ask again with `code`. */
  TWO_FACTOR_NEEDED: "UNAUTHORIZED",
  RATE_LIMITED: "TOO_MANY_REQUESTS",
  PASSWORD_WEAK: "UNPROCESSABLE_CONTENT",
  EMAIL_TAKEN: "CONFLICT",
  /** A link that was used, revoked or is too old. */
  LINK_OVER: "NOT_FOUND",
  /** An organization keeps an owner. */
  LAST_OWNER: "CONFLICT",
  /** The organization keeps as much as it may; `details` has the limit. */
  STORAGE_FULL: "PAYLOAD_TOO_LARGE",
  MAIL_FAILED: "SERVICE_UNAVAILABLE",
  /** The graph was saved by somebody else since it was loaded. */
  GRAPH_CONFLICT: "CONFLICT",
  /** The graph has problems; `details` lists them. */
  GRAPH_INVALID: "UNPROCESSABLE_CONTENT",
  GRAPH_TOO_LARGE: "PAYLOAD_TOO_LARGE",
  /** Training would take more memory than it may; `details` says with which batch it would fit. */
  GRAPH_MEMORY: "UNPROCESSABLE_CONTENT",
  /** Settings that contradict each other or the data set. */
  CONFIG_RANGE: "UNPROCESSABLE_CONTENT",
  /** Weights of ours that are not what they should be. */
  PRETRAINED_UNREADABLE: "INTERNAL_SERVER_ERROR",
  /** Weights of a hub that have not been fetched. */
  WEIGHTS_ABSENT: "CONFLICT",
  /** Fetching from hubs is switched off here. */
  HUB_OFF: "FORBIDDEN",
  DATASET_NOT_READY: "CONFLICT",
  /** The graph was changed so that the model's imported weights no longer fit; `details` names them. */
  START_WEIGHTS_MISMATCH: "CONFLICT",
  UPLOAD_TOO_LARGE: "PAYLOAD_TOO_LARGE",
  /** A part of an upload does not follow what is there; `details.offset` says where to go on. */
  UPLOAD_OFFSET: "CONFLICT",
  /** A part of an upload is not what was sent. */
  UPLOAD_CHECKSUM: "UNPROCESSABLE_CONTENT",
  /** A download that its format cannot hold. */
  FILE_TOO_LARGE: "PAYLOAD_TOO_LARGE",
  /** Too many files wait to be read. */
  UPLOADS_FULL: "TOO_MANY_REQUESTS",
  QUEUE_FULL: "TOO_MANY_REQUESTS",
  /** The same key was used for another order. */
  IDEMPOTENCY_CONFLICT: "CONFLICT",
  /** A newer order of the same person takes its place. */
  PREVIEW_DROPPED: "CONFLICT",
  /** The row could not be sent through the drawing; nothing else is touched by it. */
  PREVIEW_FAILED: "UNPROCESSABLE_CONTENT",
  RUN_ENDED: "CONFLICT",
  RUN_ACTIVE: "CONFLICT",
  /** Somebody locked the run, so that it is not deleted by mistake. */
  RUN_LOCKED: "CONFLICT",
  NO_CHECKPOINT: "CONFLICT",
  /** A checkpoint's bytes are no longer those that were written; `details.before` is the one before it. */
  CHECKPOINT_CHECKSUM: "UNPROCESSABLE_CONTENT",
  IN_USE: "CONFLICT",
  /** A writer whose lease is over. Never reaches a browser. */
  LEASE_LOST: "CONFLICT",
  DATABASE_AWAY: "SERVICE_UNAVAILABLE",
  /** The bucket that files are in does not answer. */
  STORE_AWAY: "SERVICE_UNAVAILABLE",
  INTERNAL: "INTERNAL_SERVER_ERROR",
} as const satisfies Record<string, TRPC_ERROR_CODE_KEY>;

export type RefusalCode = keyof typeof refusals;

/** A refusal for the caller: what, where, the limit and what to do, in one sentence. `details` must be JSON. */
export class AppError extends Error {
  readonly code: RefusalCode;
  readonly details: unknown;

  constructor(code: RefusalCode, message: string, options: { cause?: unknown; details?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = "AppError";
    this.code = code;
    this.details = options.details ?? null;
  }
}

/** The one sentence for anything that is not there for this caller. The noun is ours, never the caller's words. */
export function notFound(
  noun:
    | "project"
    | "model"
    | "data set"
    | "run"
    | "checkpoint"
    | "file"
    | "template"
    | "architecture"
    | "upload"
    | "pretrained network"
    | "view"
    | "person"
    | "invitation"
    | "token"
    | "link"
    | "session"
    | "organization"
    | "agent",
): AppError {
  return new AppError("NOT_FOUND", say("There is no such {noun} here.", { noun }));
}

/** Signs that PostgreSQL does not answer, as opposed to answering no: by Prisma's codes, PostgreSQL's, the socket's, and the driver's words. */
const awayCodes = new Set(["P1001", "P1002", "P1008", "P1017", "P2024", "P2028", "ECONNREFUSED", "ECONNRESET", "EPIPE", "ETIMEDOUT", "57P01", "57P02", "57P03", "53300", "57014"]);
const awayKinds = new Set(["DatabaseNotReachable", "ConnectionClosed", "SocketTimeout", "TooManyConnections"]);
const awayWords = /timeout exceeded when trying to connect|Query read timeout|Connection terminated|connection is closed|not queryable|terminating connection/i;

/** Whether an error says that the database is away or too slow, anywhere along its causes. */
export function isDatabaseAway(error: unknown): boolean {
  for (let at = error, depth = 0; at !== null && typeof at === "object" && depth < 8; depth++) {
    const { code, kind, originalCode, message, cause, meta } = at as {
      code?: unknown;
      kind?: unknown;
      originalCode?: unknown;
      message?: unknown;
      cause?: unknown;
      meta?: { driverAdapterError?: unknown };
    };
    if (awayCodes.has(String(code)) || awayCodes.has(String(originalCode)) || awayKinds.has(String(kind)) || (typeof message === "string" && awayWords.test(message))) return true;
    at = cause ?? meta?.driverAdapterError;
  }
  return false;
}

/** PostgreSQL's own code of an error that came through Prisma (`TL001`: our fence), or null. */
export function sqlState(error: unknown): string | null {
  for (let at = error, depth = 0; at !== null && typeof at === "object" && depth < 8; depth++) {
    const { code, originalCode, cause, meta } = at as {
      code?: unknown;
      originalCode?: unknown;
      cause?: unknown;
      meta?: { driverAdapterError?: unknown };
    };
    for (const state of [originalCode, code]) if (typeof state === "string" && /^[0-9A-Z]{5}$/.test(state) && !/^P\d{4}$/.test(state)) return state;
    at = cause ?? meta?.driverAdapterError;
  }
  return null;
}
