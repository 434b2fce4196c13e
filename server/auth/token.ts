import { randomBytes } from "node:crypto";
import { crc32 } from "node:zlib";
import type { Database } from "../database/client.ts";
import { hashSecret } from "./secrets.ts";
import type { Role, Session } from "./session.ts";

/** What a token's scope includes, as the role beyond which it never goes. */
const ceilings = { read: "viewer", write: "member" } as const satisfies Record<string, Role>;
const order: readonly Role[] = ["viewer", "member", "admin", "owner"];

const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/** How exactly it is known when a token was last used. */
const USED_MS = 60_000;

function base62(value: bigint, length: number): string {
  let text = "";
  for (let rest = value; text.length < length; rest /= 62n) text = (digits[Number(rest % 62n)] ?? "0") + text;
  return text;
}

/** A new API token: `tl_`, 256 random bits, and a checksum by which scanners for leaked secrets know it. */
export function makeToken(): string {
  const body = base62(BigInt(`0x${randomBytes(32).toString("hex")}`), 43);
  return `tl_${body}${base62(BigInt(crc32(body)), 6)}`;
}

/** Whether a text has the form and the checksum of a token; one that was cut short or mistyped needs no query. */
function isToken(text: string): boolean {
  const [, body, sum] = /^tl_([0-9A-Za-z]{43})([0-9A-Za-z]{6})$/.exec(text) ?? [];
  return body !== undefined && sum === base62(BigInt(crc32(body)), 6);
}

/** The session of an `Authorization: Bearer` header, or null. */
export async function findToken(db: Database, authorization: string): Promise<Session | null> {
  const [, token = ""] = /^Bearer (\S+)$/i.exec(authorization) ?? [];
  if (!isToken(token)) return null;
  const found = await db.apiToken.findUnique({
    where: { tokenHash: hashSecret(token), OR: [{ expiresAt: null }, { expiresAt: { gt: new Date() } }], member: { user: { disabledAt: null } } },
    select: {
      id: true,
      scope: true,
      lastUsedAt: true,
      member: { select: { role: true, org: { select: { id: true, name: true } }, user: { select: { id: true, name: true } } } },
    },
  });
  if (!found) return null;
  if (Date.now() - (found.lastUsedAt?.getTime() ?? 0) > USED_MS) await db.apiToken.updateMany({ where: { id: found.id }, data: { lastUsedAt: new Date() } });
  const { role, org, user } = found.member;
  const ceiling = ceilings[found.scope];
  return { id: found.id, user, org, role: order.indexOf(role) < order.indexOf(ceiling) ? role : ceiling, isOperator: false, scope: found.scope };
}
