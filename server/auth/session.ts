import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { Config } from "../config.ts";
import type { Database } from "../database/client.ts";
import { hashSecret, makeSecret } from "./secrets.ts";
import { findToken } from "./token.ts";
import { findLocalOwner } from "./workspace.ts";

/** Who is asking: a person, in one organization. */
export type Session = {
  /** Of the session, or of the API token. */
  id: string;
  user: { id: string; name: string };
  org: { id: string; name: string };
  /** In that organization; of a token, never beyond what its scope includes. */
  role: Role;
  /** May see the page of the whole installation. */
  isOperator: boolean;
  /** What the API token of a script is for; null for a person in front of a page. */
  scope: "read" | "write" | null;
};
export type Role = "viewer" | "member" | "admin" | "owner";

/** How somebody came in. */
export type How = "local" | "link" | "password" | "guest" | "github" | "google" | "oidc";

const LIFE_DAYS = 30;
const DAY_MS = 86_400_000;
const LINK_LIFE_MS = 2 * DAY_MS;
/** How long a cookie that was replaced still works, for requests that were on their way. */
const OLD_COOKIE_MS = 5_000;
/** How exactly it is known when a session was last used. */
const SEEN_MS = 60_000;

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

function setCookie(config: Config, res: ServerResponse, secret: string, seconds: number): void {
  const flags = ["Path=/", "HttpOnly", "SameSite=Lax", `Max-Age=${seconds}`, ...(isSecure(config) ? ["Secure"] : [])];
  res.appendHeader("Set-Cookie", `${cookieName(config)}=${secret}; ${flags.join("; ")}`);
}

/** The session that a request's cookie names, or null. Costs one query. */
async function findSession(db: Database, config: Config, req: IncomingMessage, res: ServerResponse): Promise<Session | null> {
  const secret = readCookie(req, cookieName(config));
  if (secret === null) return null;
  const tokenHash = hashSecret(secret);
  const found = await db.session.findFirst({
    where: {
      OR: [{ tokenHash }, { previousHash: tokenHash, rotatedAt: { gt: new Date(Date.now() - OLD_COOKIE_MS) } }],
      expiresAt: { gt: new Date() },
      user: { disabledAt: null },
    },
    select: {
      id: true,
      currentOrgId: true,
      rotate: true,
      seenAt: true,
      user: {
        select: {
          id: true,
          name: true,
          isOperator: true,
          memberships: { select: { role: true, org: { select: { id: true, name: true } } }, orderBy: { createdAt: "asc" } },
        },
      },
    },
  });
  const membership = found?.user.memberships.find(({ org }) => org.id === found.currentOrgId) ?? found?.user.memberships[0];
  if (!found || !membership) return null;
  if (found.rotate) await rotate(db, config, res, found.id, tokenHash);
  else if (Date.now() - found.seenAt.getTime() > SEEN_MS) await db.session.updateMany({ where: { id: found.id }, data: { seenAt: new Date() } });
  const { id, name, isOperator } = found.user;
  return { id: found.id, user: { id, name }, org: membership.org, role: membership.role, isOperator, scope: null };
}

/** Rights have changed since: the cookie is replaced. Of requests at the same time one does it, and the others' cookie still works for a moment. */
async function rotate(db: Database, config: Config, res: ServerResponse, id: string, previousHash: string): Promise<void> {
  const secret = makeSecret();
  const { count } = await db.session.updateMany({
    where: { id, tokenHash: previousHash, rotate: true },
    data: { tokenHash: hashSecret(secret), previousHash, rotatedAt: new Date(), rotate: false },
  });
  if (count > 0) setCookie(config, res, secret, LIFE_DAYS * 86_400);
}

/** How often an open stream asks whether its session still holds: whoever is taken out hears no more within five seconds. */
export const STREAM_CHECK_MS = 4_000;

/** Within what time open streams that ask are answered together. */
const TOGETHER_MS = 200;
const asking = new WeakMap<Database, { sessions: Map<string, Session>; alive: Promise<ReadonlySet<string>> }>();

/** Whether an open stream's session still holds. A thousand streams ask the database as often as one does. */
export async function isSessionAlive(db: Database, session: Session): Promise<boolean> {
  let asked = asking.get(db);
  if (asked === undefined) {
    const sessions = new Map<string, Session>();
    asked = {
      sessions,
      alive: sleep(TOGETHER_MS).then(() => {
        asking.delete(db);
        return findAlive(db, [...sessions.values()]);
      }),
    };
    asking.set(db, asked);
  }
  const name = `${session.org.id} ${session.id}`;
  asked.sessions.set(name, session);
  return (await asked.alive).has(name);
}

async function findAlive(db: Database, sessions: readonly Session[]): Promise<ReadonlySet<string>> {
  const now = new Date();
  const tokens = sessions.filter(({ scope }) => scope !== null).map(({ id }) => id);
  const visits = sessions.filter(({ scope }) => scope === null).map(({ id }) => id);
  const found = [
    ...(tokens.length === 0
      ? []
      : await db.apiToken.findMany({
          where: { id: { in: tokens }, OR: [{ expiresAt: null }, { expiresAt: { gt: now } }], member: { user: { disabledAt: null } } },
          select: { id: true, orgId: true },
        })),
    ...(visits.length === 0
      ? []
      : (
          await db.session.findMany({
            where: { id: { in: visits }, expiresAt: { gt: now }, user: { disabledAt: null } },
            select: { id: true, user: { select: { memberships: { select: { orgId: true } } } } },
          })
        ).flatMap(({ id, user }) => user.memberships.map(({ orgId }) => ({ id, orgId })))),
  ];
  return new Set(found.map(({ id, orgId }) => `${orgId} ${id}`));
}

/** What an answer may do to the visitor's browser: let it in as somebody, or out. */
export type Door = {
  /** Signs a person in: a new session, its secret only in an HttpOnly cookie. What the browser's old cookie opened is closed. Returns the session's id. */
  open(userId: string, how: How, more?: { linkId?: string; currentOrgId?: string }): Promise<string>;
  /** Ends the session that the cookie names. */
  close(): Promise<void>;
};

export function doorOf(db: Database, config: Config, req: IncomingMessage, res: ServerResponse): Door {
  const leave = async () => {
    const secret = readCookie(req, cookieName(config));
    if (secret !== null) await db.session.deleteMany({ where: { OR: [{ tokenHash: hashSecret(secret) }, { previousHash: hashSecret(secret) }] } });
  };
  return {
    async open(userId, how, { linkId, currentOrgId } = {}) {
      await leave();
      const secret = makeSecret();
      const { id } = await db.session.create({
        select: { id: true },
        data: {
          userId,
          how,
          linkId,
          currentOrgId,
          tokenHash: hashSecret(secret),
          expiresAt: new Date(Date.now() + LIFE_DAYS * DAY_MS),
          userAgent: (req.headers["user-agent"] ?? "").slice(0, 200),
        },
      });
      setCookie(config, res, secret, LIFE_DAYS * 86_400);
      return id;
    },
    async close() {
      await leave();
      setCookie(config, res, "", 0);
    },
  };
}

/**
 * The session of a request: of the API token that it bears, or of its cookie. With AUTH=local, and while nobody has made an account of this
 * machine's workspace, a visitor without one is signed into it on the spot; else the answer is null.
 */
export async function resolveSession(db: Database, config: Config, req: IncomingMessage, res: ServerResponse): Promise<Session | null> {
  const { authorization } = req.headers;
  if (authorization !== undefined) return findToken(db, authorization);
  const session = await findSession(db, config, req, res);
  if (session !== null || config.AUTH === "required") return session;
  const owner = await findLocalOwner(db);
  if (owner === null) return null;
  return { id: await doorOf(db, config, req, res).open(owner.user.id, "local"), scope: null, ...owner };
}

/**
 * Makes the link that signs the owner in once, within two days. Links made before it stop working.
 * Returns the secret part; only its hash is kept.
 */
export async function createOwnerLink(db: Database): Promise<string> {
  const member = await findOwnerForLink(db);
  const secret = makeSecret();
  await db.$transaction([
    db.signInLink.deleteMany({ where: { orgId: member.orgId, usedAt: null } }),
    db.signInLink.create({ data: { ...member, tokenHash: hashSecret(secret), expiresAt: new Date(Date.now() + LINK_LIFE_MS) } }),
  ]);
  return secret;
}

/** The operator who has been here longest: the installation's first owner, or who took over from them. */
async function findOwnerForLink(db: Database): Promise<{ orgId: string; userId: string }> {
  return db.membership.findFirstOrThrow({
    where: { user: { isOperator: true, disabledAt: null } },
    orderBy: [{ user: { createdAt: "asc" } }, { createdAt: "asc" }],
    select: { orgId: true, userId: true },
  });
}

/** Uses a link up and signs its holder in. False where it is unknown, used or too old. */
export async function redeemLink(db: Database, door: Door, secret: string): Promise<boolean> {
  const tokenHash = hashSecret(secret);
  // One statement decides: of two visitors with the same link, one gets in.
  const { count } = await db.signInLink.updateMany({
    where: { tokenHash, usedAt: null, expiresAt: { gt: new Date() } },
    data: { usedAt: new Date() },
  });
  if (count === 0) return false;
  const link = await db.signInLink.findUniqueOrThrow({ where: { tokenHash }, select: { id: true, userId: true } });
  await door.open(link.userId, "link", { linkId: link.id });
  return true;
}

/** Drops what no longer signs anybody in; with AUTH=required also the sessions that AUTH=local gave away. */
export async function clearSessions(db: Database, config: Config): Promise<void> {
  const now = new Date();
  await db.session.deleteMany({ where: { expiresAt: { lt: now } } });
  await db.mailToken.deleteMany({ where: { expiresAt: { lt: now } } });
  await db.attempt.deleteMany({ where: { endsAt: { lt: now } } });
  if (config.AUTH === "required") await db.session.deleteMany({ where: { how: "local" } });
}

/** Whether the owner has a way in: a password or another provider's account, or a session of a link that still holds. */
export async function hasSignedInOwner(db: Database): Promise<boolean> {
  const ways = await db.user.count({
    where: {
      isOperator: true,
      disabledAt: null,
      OR: [{ passwordHash: { not: null } }, { identities: { some: {} } }, { sessions: { some: { how: "link", expiresAt: { gt: new Date() } } } }],
    },
  });
  return ways > 0;
}
