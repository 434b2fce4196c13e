import { say } from "../../core/language/say.ts";
import { hashSecret } from "../auth/secrets.ts";
import type { Session } from "../auth/session.ts";
import { makeToken } from "../auth/token.ts";
import type { Database } from "../database/client.ts";
import { AppError, notFound } from "../errors.ts";

const MOST_TOKENS = 50;
const isAdmin = (who: Session) => who.role === "admin" || who.role === "owner";

/** One's own tokens; those who look after the organization see everybody's. The secrets are nowhere any more. */
export async function listTokens(db: Database, who: Session) {
  const rows = await db.apiToken.findMany({
    where: { orgId: who.org.id, ...(isAdmin(who) ? {} : { userId: who.user.id }) },
    orderBy: { createdAt: "desc" },
    select: {
      id: true,
      name: true,
      scope: true,
      lastFour: true,
      createdAt: true,
      expiresAt: true,
      lastUsedAt: true,
      userId: true,
      member: { select: { user: { select: { name: true } } } },
    },
  });
  return rows.map(({ member, createdAt, expiresAt, lastUsedAt, userId, ...row }) => ({
    ...row,
    of: member.user.name,
    isMine: userId === who.user.id,
    createdAt: createdAt.toISOString(),
    expiresAt: expiresAt?.toISOString() ?? null,
    isOver: expiresAt !== null && expiresAt < new Date(),
    lastUsedAt: lastUsedAt?.toISOString() ?? null,
  }));
}

/** A new token for oneself. Its text is returned once and kept nowhere. @throws AppError FORBIDDEN, RATE_LIMITED */
export async function createToken(db: Database, who: Session, { name, scope, days }: { name: string; scope: "read" | "write"; days: number | null }) {
  if (scope === "write" && who.role === "viewer") throw new AppError("FORBIDDEN", say("A viewer's token reads only: choose the scope read."));
  if ((await db.apiToken.count({ where: { orgId: who.org.id, userId: who.user.id } })) >= MOST_TOKENS)
    throw new AppError("RATE_LIMITED", say("You have {MOST_TOKENS} tokens, as many as may: revoke one first.", { MOST_TOKENS }));
  const token = makeToken();
  const { id } = await db.apiToken.create({
    data: {
      orgId: who.org.id,
      userId: who.user.id,
      name,
      scope,
      tokenHash: hashSecret(token),
      lastFour: token.slice(-4),
      expiresAt: days === null ? null : new Date(Date.now() + days * 86_400_000),
    },
    select: { id: true },
  });
  return { tokenId: id, token };
}

/** One's own, or as admin anybody's. @throws AppError NOT_FOUND */
export async function revokeToken(db: Database, who: Session, id: string): Promise<void> {
  const { count } = await db.apiToken.deleteMany({ where: { id, orgId: who.org.id, ...(isAdmin(who) ? {} : { userId: who.user.id }) } });
  if (count === 0) throw notFound("token");
}
