import { randomUUID } from "node:crypto";
import { beforeAll, expect, test } from "vitest";
import { policyOf } from "../../../server/auth/procedure.ts";
import { hashSecret, makeSecret } from "../../../server/auth/secrets.ts";
import type { Role } from "../../../server/auth/session.ts";
import { makeToken } from "../../../server/auth/token.ts";
import { appRouter } from "../../../server/router.ts";
import { openTestDatabase } from "../postgres.ts";
import { serveWeb } from "../visitor.ts";
import { makeTenant, type Tenant, temporaryFiles } from "../world.ts";

/**
 * Every actor at every procedure, over HTTP with the credentials that such an actor really has. A policy is passed when the answer is about the input,
 * which is an empty object or none at all and mostly wrong, and not about who asks.
 */
const { db } = await openTestDatabase({ connections: 20 });
const { base } = await serveWeb(db, temporaryFiles(), { AUTH: "required" });

const actors = [
  "nobody",
  "expired session",
  "non-member",
  "removed member",
  "invited, not accepted",
  "viewer",
  "member",
  "admin",
  "owner",
  "read token",
  "write token",
  "revoked token",
  "operator",
] as const;
type Actor = (typeof actors)[number];

/** What each may do in their own organization, by the kind of policy: the whole table. Who is elsewhere is asked about in policy.test.ts: ids of others are 404. */
const allowed: Record<string, readonly Actor[]> = {
  public: actors,
  person: ["non-member", "removed member", "invited, not accepted", "viewer", "member", "admin", "owner", "operator"],
  viewer: ["non-member", "removed member", "invited, not accepted", "viewer", "member", "admin", "owner", "read token", "write token", "operator"],
  "viewer, people": ["non-member", "removed member", "invited, not accepted", "viewer", "member", "admin", "owner", "operator"],
  member: ["non-member", "removed member", "invited, not accepted", "member", "admin", "owner", "write token", "operator"],
  "member, people": ["non-member", "removed member", "invited, not accepted", "member", "admin", "owner", "operator"],
  "admin, people": ["non-member", "removed member", "invited, not accepted", "admin", "owner", "operator"],
  "owner, people": ["non-member", "removed member", "invited, not accepted", "owner", "operator"],
  operator: ["operator"],
};

let home: Tenant;
const headers = {} as Record<Actor, Record<string, string>>;

async function signedIn(userId: string, { hours = 1 } = {}): Promise<Record<string, string>> {
  const secret = makeSecret();
  await db.session.create({ data: { userId, tokenHash: hashSecret(secret), expiresAt: new Date(Date.now() + hours * 3_600_000) } });
  return { cookie: `tensorloom=${secret}` };
}

async function joined(role: Role): Promise<string> {
  const { id } = await db.user.create({ data: { name: role, memberships: { create: { orgId: home.orgId, role } } } });
  return id;
}

async function bearer(userId: string, scope: "read" | "write"): Promise<Record<string, string>> {
  const token = makeToken();
  await db.apiToken.create({ data: { orgId: home.orgId, userId, name: scope, scope, tokenHash: hashSecret(token), lastFour: token.slice(-4) } });
  return { authorization: `Bearer ${token}` };
}

beforeAll(async () => {
  home = await makeTenant(db, { name: "Home" });
  const [outside, removed, invited] = [await makeTenant(db, { name: "Elsewhere" }), await makeTenant(db, { name: "Removed" }), await makeTenant(db, { name: "Invited" })];
  await db.membership.create({ data: { orgId: home.orgId, userId: removed.userId, role: "admin" } });
  headers["removed member"] = await signedIn(removed.userId);
  await db.session.updateMany({ where: { userId: removed.userId }, data: { currentOrgId: home.orgId } });
  await db.membership.delete({ where: { orgId_userId: { orgId: home.orgId, userId: removed.userId } } });
  await db.invitation.create({
    data: { orgId: home.orgId, email: "invited@example.org", role: "admin", tokenHash: randomUUID(), createdBy: home.userId, expiresAt: new Date(Date.now() + 3_600_000) },
  });
  const members = { viewer: await joined("viewer"), member: await joined("member"), admin: await joined("admin") };
  const operator = await makeTenant(db, { name: "Operators" });
  await db.user.update({ where: { id: operator.userId }, data: { isOperator: true } });
  Object.assign(headers, {
    nobody: {},
    "expired session": await signedIn(home.userId, { hours: -1 }),
    "non-member": await signedIn(outside.userId),
    "invited, not accepted": await signedIn(invited.userId),
    viewer: await signedIn(members.viewer),
    member: await signedIn(members.member),
    admin: await signedIn(members.admin),
    owner: await signedIn(home.userId),
    "read token": await bearer(home.userId, "read"),
    "write token": await bearer(home.userId, "write"),
    "revoked token": { authorization: `Bearer ${makeToken()}` },
    operator: await signedIn(operator.userId),
  });
});

const procedures = appRouter._def.procedures as unknown as Record<string, { _def: { type: string } }>;
/** These end the very session that asks, or make a new one: the policy's own tests ask them. */
const leaving = ["account.signOut", "account.endOtherSessions", "account.guest", "organization.leave"];
/** Takes an empty input and does something: made harmless by one that is refused. */
const wrong = { input: "that is refused" };

test.each(actors)("%s gets what the table says, procedure by procedure", async (actor) => {
  for (const [name, procedure] of Object.entries(procedures)) {
    if (leaving.includes(name) || procedure._def.type === "subscription") continue;
    const policy = policyOf(procedure);
    if (!policy) throw new Error(`${name} has no policy.`);
    const kind = policy.kind === "org" ? `${policy.role}${policy.peopleOnly ? ", people" : ""}` : policy.kind;
    const mutates = procedure._def.type === "mutation";
    const answer = await fetch(mutates ? `${base}/api/trpc/${name}` : `${base}/api/trpc/${name}?input=${encodeURIComponent(JSON.stringify(wrong))}`, {
      method: mutates ? "POST" : "GET",
      headers: { ...headers[actor], "content-type": "application/json" },
      ...(mutates ? { body: JSON.stringify(wrong) } : {}),
    });
    const text = await answer.text();
    const code = /"code":"([A-Z_]+)"/.exec(text)?.[1];
    const refused = code === "UNAUTHENTICATED" || code === "SCOPE" || (code === "FORBIDDEN" && /This needs the role|API tokens may not|look after this installation/.test(text));
    expect([name, !refused], `${kind}: ${text.slice(0, 200)}`).toEqual([name, allowed[kind]?.includes(actor)]);
    expect(answer.headers.get("cache-control")).toContain("no-store");
    // Whoever is elsewhere sees nothing of this organization, whatever their session says it is looking at.
    if (["nobody", "expired session", "non-member", "removed member", "invited, not accepted", "revoked token", "operator"].includes(actor) && kind !== "operator")
      expect(text, name).not.toContain("Home");
  }
});

test("a stream opens for a viewer's session and a token, and for nobody else", async () => {
  for (const actor of actors) {
    const answer = await fetch(`${base}/api/trpc/runs.watch?input=${encodeURIComponent(JSON.stringify({ runId: randomUUID() }))}`, {
      headers: { ...headers[actor], accept: "text/event-stream" },
    });
    const text = await answer.text();
    expect(text, actor).toMatch(allowed.viewer?.includes(actor) ? /NOT_FOUND/ : /UNAUTHENTICATED/);
  }
});
