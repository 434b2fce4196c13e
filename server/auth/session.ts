import { createHash, randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Config } from "../config.ts";
import type { Database } from "../database/client.ts";
import { findLocalOwner } from "./workspace.ts";

/** Who is asking: a person, in one organization. */
export type Session = {
  id: string;
  user: { id: string; name: string };
  org: { id: string; name: string };
  role: Role;
};
export type Role = "viewer" | "member" | "admin" | "owner";

const LIFE_DAYS = 30;
const DAY_MS = 86_400_000;
const LINK_LIFE_MS = 2 * DAY_MS;

/** A secret for a cookie or a link: 256 random bits. */
function makeSecret(): string {
  return randomBytes(32).toString("base64url");
}

/** What is kept of a secret: a dump of the database signs nobody in. */
export function hashSecret(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}

/** `__Host-` where the page is served over https: such a cookie cannot be set by a neighbouring domain. */
function cookieName(config: Config): string {
  return isSecure(config) ? "__Host-tensorloom" : "tensorloom";
}

function isSecure(config: Config): boolean {
  return config.PUBLIC_URL?.startsWith("https:") ?? false;
}

function readCookie(req: IncomingMessage, name: string): string | null {
  for (const part of (req.headers.cookie ?? "").split(";")) {
    const [key, value] = part.trim().split("=", 2);
    if (key === name && value && /^[\w-]{43}$/.test(value)) return value;
  }
  return null;
}

/** The session that a request's cookie names, or null. Costs one query. */
async function findSession(db: Database, config: Config, req: IncomingMessage): Promise<Session | null> {
  const secret = readCookie(req, cookieName(config));
  if (secret === null) return null;
  const found = await db.session.findUnique({
    where: { tokenHash: hashSecret(secret), expiresAt: { gt: new Date() } },
    select: {
      id: true,
      user: {
        select: { id: true, name: true, memberships: { select: { role: true, org: { select: { id: true, name: true } } }, take: 1 } },
      },
    },
  });
  const membership = found?.user.memberships[0];
  if (!found || !membership) return null;
  return { id: found.id, user: { id: found.user.id, name: found.user.name }, org: membership.org, role: membership.role };
}

/** Whether an open stream's session still holds. */
export async function isSessionAlive(db: Database, session: Session): Promise<boolean> {
  const found = await db.session.count({
    where: { id: session.id, expiresAt: { gt: new Date() }, user: { memberships: { some: { orgId: session.org.id } } } },
  });
  return found > 0;
}

/** Signs a person in on this answer: a new session, its secret only in an HttpOnly cookie. Returns the session's id. */
async function openSession(db: Database, config: Config, res: ServerResponse, userId: string, linkId: string | null): Promise<string> {
  const secret = makeSecret();
  const { id } = await db.session.create({
    select: { id: true },
    data: { userId, linkId, tokenHash: hashSecret(secret), expiresAt: new Date(Date.now() + LIFE_DAYS * DAY_MS) },
  });
  const flags = ["Path=/", "HttpOnly", "SameSite=Lax", `Max-Age=${LIFE_DAYS * 86_400}`, ...(isSecure(config) ? ["Secure"] : [])];
  res.appendHeader("Set-Cookie", `${cookieName(config)}=${secret}; ${flags.join("; ")}`);
  return id;
}

/**
 * The session of a request. With AUTH=local a visitor without one is signed into this machine's workspace on the spot;
 * with AUTH=required the answer is null.
 */
export async function resolveSession(db: Database, config: Config, req: IncomingMessage, res: ServerResponse): Promise<Session | null> {
  const session = await findSession(db, config, req);
  if (session !== null || config.AUTH === "required") return session;
  const owner = await findLocalOwner(db);
  return { id: await openSession(db, config, res, owner.user.id, null), ...owner };
}

/**
 * Makes the link that signs the owner in once, within two days. Links made before it stop working.
 * Returns the secret part; only its hash is kept.
 */
export async function createOwnerLink(db: Database): Promise<string> {
  const owner = await findLocalOwner(db);
  const secret = makeSecret();
  await db.$transaction([
    db.signInLink.deleteMany({ where: { orgId: owner.org.id, usedAt: null } }),
    db.signInLink.create({
      data: { orgId: owner.org.id, userId: owner.user.id, tokenHash: hashSecret(secret), expiresAt: new Date(Date.now() + LINK_LIFE_MS) },
    }),
  ]);
  return secret;
}

/** Uses a link up and signs its holder in. False where it is unknown, used or too old. */
export async function redeemLink(db: Database, config: Config, res: ServerResponse, secret: string): Promise<boolean> {
  const tokenHash = hashSecret(secret);
  // One statement decides: of two visitors with the same link, one gets in.
  const { count } = await db.signInLink.updateMany({
    where: { tokenHash, usedAt: null, expiresAt: { gt: new Date() } },
    data: { usedAt: new Date() },
  });
  if (count === 0) return false;
  const link = await db.signInLink.findUniqueOrThrow({ where: { tokenHash }, select: { id: true, userId: true } });
  await openSession(db, config, res, link.userId, link.id);
  return true;
}

/** Drops what no longer signs anybody in; with AUTH=required also the sessions that AUTH=local gave away. */
export async function clearSessions(db: Database, config: Config): Promise<void> {
  await db.session.deleteMany({ where: { expiresAt: { lt: new Date() } } });
  if (config.AUTH === "required") await db.session.deleteMany({ where: { linkId: null } });
}

/** Whether a link has signed somebody in who still is. */
export async function hasSignedInOwner(db: Database): Promise<boolean> {
  return (await db.session.count({ where: { linkId: { not: null }, expiresAt: { gt: new Date() } } })) > 0;
}
