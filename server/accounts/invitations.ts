import { sayRole } from "../../core/language/roles.ts";
import { say } from "../../core/language/say.ts";
import type { Context } from "../auth/procedure.ts";
import { hashSecret, makeSecret } from "../auth/secrets.ts";
import type { Role, Session } from "../auth/session.ts";
import type { Database, Tx } from "../database/client.ts";
import { AppError, notFound } from "../errors.ts";
import { requireRank } from "./members.ts";

const LIFE_MS = 48 * 3_600_000;
const MOST_OPEN = 200;

/**
 * Makes a link by which the holder of one address may join, once, within 48 hours. Where mail is set up it goes there, and nowhere else; else the
 * secret is returned, to be shown once and handed over by other means.
 * @throws AppError FORBIDDEN, MAIL_FAILED, CONFLICT
 */
export async function invite(context: Context, who: Session, { email, role }: { email: string; role: Role }): Promise<{ invitationId: string; link: string | null }> {
  const { system, mailer, origin, log, requestId } = context;
  requireRank(who, role);
  const orgId = who.org.id;
  const inviter = await system.user.findUniqueOrThrow({ where: { id: who.user.id }, select: { email: true } });
  if (inviter.email === null) throw new AppError("FORBIDDEN", say("Make an account first, so that others know who invites them: this workspace becomes yours."));
  if ((await system.membership.count({ where: { orgId, user: { email } } })) > 0)
    throw new AppError("EMAIL_TAKEN", say("{email} is in this organization already.", { email }), { details: { field: "email" } });
  if ((await system.invitation.count({ where: { orgId, acceptedAt: null, expiresAt: { gt: new Date() } } })) >= MOST_OPEN)
    throw new AppError("RATE_LIMITED", say("{MOST_OPEN} invitations are open, as many as may: take some back first.", { MOST_OPEN }));
  const secret = makeSecret();
  const link = `${origin}/join/${secret}`;
  const { id } = await system.$transaction(async (tx) => {
    // A new link for the same person takes the place of the old one.
    await tx.invitation.deleteMany({ where: { orgId, email, acceptedAt: null } });
    return tx.invitation.create({
      data: { orgId, email, role, mailed: mailer !== null, createdBy: who.user.id, tokenHash: hashSecret(secret), expiresAt: new Date(Date.now() + LIFE_MS) },
      select: { id: true },
    });
  });
  if (mailer === null) return { invitationId: id, link };
  try {
    const plain = (text: string) => text.replace(/[\r\n]+/g, " ");
    await mailer.send({
      to: email,
      subject: say("{name} invites you to {name2}", { name: plain(who.user.name), name2: plain(who.org.name) }),
      text: say("{name} invites you to work on {name2} as {role}:\n\n{link}\n\nThe link works once, within 48 hours.\n", {
        name: plain(who.user.name),
        name2: plain(who.org.name),
        role: sayRole(role),
        link,
      }),
    });
  } catch (error) {
    log.error({ requestId, error }, "An invitation could not be mailed.");
    await system.invitation.deleteMany({ where: { id, orgId } });
    throw new AppError("MAIL_FAILED", say("The mail could not be handed over, so nobody was invited: check SMTP_URL, or try again."), { cause: error });
  }
  return { invitationId: id, link: null };
}

/** Those that can still be accepted. Their secrets are nowhere any more. */
export async function listInvitations(db: Database, orgId: string) {
  const rows = await db.invitation.findMany({
    where: { orgId, acceptedAt: null, expiresAt: { gt: new Date() } },
    orderBy: { createdAt: "desc" },
    select: { id: true, email: true, role: true, mailed: true, createdAt: true, expiresAt: true },
  });
  return rows.map(({ createdAt, expiresAt, ...row }) => ({ ...row, createdAt: createdAt.toISOString(), expiresAt: expiresAt.toISOString() }));
}

export async function revokeInvitation(db: Database, orgId: string, id: string): Promise<void> {
  const { count } = await db.invitation.deleteMany({ where: { id, orgId, acceptedAt: null } });
  if (count === 0) throw notFound("invitation");
}

/** What a link says to whoever holds it. @throws AppError LINK_OVER */
export async function readInvitation(db: Database, secret: string) {
  const found = await db.invitation.findUnique({
    where: { tokenHash: hashSecret(secret), acceptedAt: null, expiresAt: { gt: new Date() } },
    select: { email: true, role: true, createdBy: true, org: { select: { name: true } } },
  });
  if (!found) throw over();
  const [inviter, account] = await Promise.all([db.user.findUnique({ where: { id: found.createdBy }, select: { name: true } }), db.user.count({ where: { email: found.email } })]);
  return { organization: found.org.name, email: found.email, role: found.role, invitedBy: inviter?.name ?? null, hasAccount: account > 0 };
}

/**
 * Uses an invitation up: the person joins. It is bound to its address, to the rights of whoever made it, and works once. Returns the organization.
 * @throws AppError LINK_OVER
 */
export async function useInvitation(tx: Tx, { secret, userId, email }: { secret: string; userId: string; email: string | null }): Promise<string> {
  const tokenHash = hashSecret(secret);
  const found = await tx.invitation.findUnique({
    where: { tokenHash, acceptedAt: null, expiresAt: { gt: new Date() } },
    select: { orgId: true, email: true, role: true, mailed: true, createdBy: true },
  });
  if (!found) throw over();
  if (found.email !== email) throw new AppError("LINK_OVER", say("This invitation is for another address: sign in with the account it was sent to."));
  const inviter = await tx.membership.findUnique({ where: { orgId_userId: { orgId: found.orgId, userId: found.createdBy } }, select: { role: true } });
  // Whoever invited has left, or may no longer give that role.
  if (!inviter || !canGive(inviter.role, found.role)) throw over();
  const { count } = await tx.invitation.updateMany({ where: { tokenHash, acceptedAt: null }, data: { acceptedAt: new Date() } });
  if (count === 0) throw over();
  await tx.membership.createMany({ data: [{ orgId: found.orgId, userId, role: found.role }], skipDuplicates: true });
  if (found.mailed) await tx.user.updateMany({ where: { id: userId, email: found.email, emailVerifiedAt: null }, data: { emailVerifiedAt: new Date() } });
  const { name } = await tx.user.findUniqueOrThrow({ where: { id: userId }, select: { name: true } });
  await tx.trailEvent.create({
    data: { orgId: found.orgId, userId, userName: name, action: "organization.join", subjectId: userId, details: { role: found.role }, requestId: "" },
  });
  return found.orgId;
}

const canGive = (giver: Role, role: Role) => giver === "owner" || (giver === "admin" && role !== "owner");

function over(): AppError {
  return new AppError("LINK_OVER", say("This invitation was used, taken back, or is older than 48 hours: ask for a new one."));
}
