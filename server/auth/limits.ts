import type { IncomingMessage } from "node:http";
import { say } from "../../core/language/say.ts";
import type { Config } from "../config.ts";
import type { Database } from "../database/client.ts";
import { AppError } from "../errors.ts";

/** How often something may be tried: by whom, and in how long. */
type Limit = { key: string; most: number; windowMs: number };

const QUARTER_MS = 15 * 60_000;

/** Guessing a password, a code or a link. The narrow limit is for one account from one address; the wide ones stop lists of accounts, and lists of addresses. */
export function guessing(what: string, account: string, address: string): Limit[] {
  return [
    { key: `${what} ${account} ${address}`, most: 5, windowMs: QUARTER_MS },
    { key: `${what} ${account}`, most: 50, windowMs: QUARTER_MS },
    { key: `${what} from ${address}`, most: 100, windowMs: QUARTER_MS },
  ];
}

/**
 * Counts one try before anything is looked at. One statement counts and decides, so a rush of requests gets no more tries than one after the other.
 * @throws AppError RATE_LIMITED with the seconds to wait.
 */
export async function countAttempt(db: Database, limits: readonly Limit[]): Promise<void> {
  for (const { key, most, windowMs } of limits) {
    const [row] = await db.$queryRaw<{ count: number; waitSeconds: number }[]>`
      INSERT INTO "Attempt" AS "a" ("key", "count", "endsAt") VALUES (${key}, 1, now() + ${windowMs} * interval '1 millisecond')
      ON CONFLICT ("key") DO UPDATE SET
        "count" = CASE WHEN "a"."endsAt" < now() THEN 1 ELSE "a"."count" + 1 END,
        "endsAt" = CASE WHEN "a"."endsAt" < now() THEN excluded."endsAt" ELSE "a"."endsAt" END
      RETURNING "count", ceil(extract(epoch FROM "endsAt" - now()))::int AS "waitSeconds"`;
    if (row && row.count > most) {
      const minutes = Math.ceil(row.waitSeconds / 60);
      throw new AppError("RATE_LIMITED", say("That was tried too often: try again in {minutes} {minutes, plural, one {minute} other {minutes}}.", { minutes }), {
        details: { retryAfterSeconds: row.waitSeconds },
      });
    }
  }
}

/** Forgets the tries of one account from one address: it was its owner. */
export async function forgetAttempts(db: Database, limits: readonly Limit[]): Promise<void> {
  const [narrow] = limits;
  if (narrow) await db.attempt.deleteMany({ where: { key: narrow.key } });
}

/**
 * Where a request comes from. X-Forwarded-For is read from the right, past the proxies that are trusted, and not at all where the
 * connection itself is none of theirs: anybody can write that header.
 */
export function addressOf(req: Pick<IncomingMessage, "headers" | "socket">, { TRUSTED_PROXIES }: Config): string {
  const plain = (text: string) =>
    text
      .trim()
      .replace(/^::ffff:/, "")
      .toLowerCase();
  let address = plain(req.socket.remoteAddress ?? "");
  const told = String(req.headers["x-forwarded-for"] ?? "")
    .split(",")
    .map(plain)
    .filter(Boolean);
  while (TRUSTED_PROXIES.includes(address)) {
    const before = told.pop();
    if (before === undefined) break;
    address = before;
  }
  return address.slice(0, 64);
}
