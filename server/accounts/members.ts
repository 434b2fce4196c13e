import { sayRole } from "../../core/language/roles.ts";
import { say } from "../../core/language/say.ts";
import type { Role, Session } from "../auth/session.ts";
import { makeOrganization } from "../auth/workspace.ts";
import type { Database, Tx } from "../database/client.ts";
import { AppError, notFound, sqlState } from "../errors.ts";

const ranks: readonly Role[] = ["viewer", "member", "admin", "owner"];

/** Nobody gives, takes or changes a role above their own. @throws AppError FORBIDDEN */
export function requireRank(who: Session, role: Role): void {
  if (ranks.indexOf(role) > ranks.indexOf(who.role))
    throw new AppError("FORBIDDEN", say("Only an {role} may do this; you are {role2}.", { role: sayRole(role), role2: sayRole(who.role) }));
}

export async function listMembers(db: Database, orgId: string) {
  const rows = await db.membership.findMany({
    where: { orgId },
    orderBy: [{ role: "desc" }, { createdAt: "asc" }],
    select: {
      role: true,
      createdAt: true,
      user: { select: { id: true, name: true, email: true, emailVerifiedAt: true, totpSince: true, sessions: { select: { seenAt: true }, orderBy: { seenAt: "desc" }, take: 1 } } },
    },
  });
  return rows.map(({ role, createdAt, user }) => ({
    memberId: user.id,
    name: user.name,
    email: user.email,
    verified: user.emailVerifiedAt !== null,
    twoFactor: user.totpSince !== null,
    role,
    since: createdAt.toISOString(),
    seenAt: user.sessions[0]?.seenAt.toISOString() ?? null,
  }));
}

async function findMember(tx: Tx, orgId: string, memberId: string): Promise<Role> {
  const found = await tx.membership.findUnique({ where: { orgId_userId: { orgId, userId: memberId } }, select: { role: true } });
  if (!found) throw notFound("person");
  return found.role;
}

/** Rights have changed: the person's browsers get new cookies at their next request, and links for tokens above the new role end. */
async function afterChange(tx: Tx, userId: string): Promise<void> {
  await tx.session.updateMany({ where: { userId }, data: { rotate: true } });
}

/** The database keeps the last owner, whoever asks and however many at once. */
async function keepingAnOwner<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (sqlState(error) === "TL003") throw new AppError("LAST_OWNER", say("An organization keeps an owner: make somebody else one first."), { cause: error });
    throw error;
  }
}

/** @throws AppError NOT_FOUND, FORBIDDEN, LAST_OWNER */
export async function setRole(db: Database, who: Session, { memberId, role }: { memberId: string; role: Role }): Promise<void> {
  requireRank(who, role);
  await keepingAnOwner(
    db.$transaction(async (tx) => {
      requireRank(who, await findMember(tx, who.org.id, memberId));
      await tx.membership.update({ where: { orgId_userId: { orgId: who.org.id, userId: memberId } }, data: { role } });
      await afterChange(tx, memberId);
    }),
  );
}

/** Takes a person out of an organization; their tokens end with it, and streams they have open within seconds. @throws AppError NOT_FOUND, FORBIDDEN, LAST_OWNER */
export async function removeMember(db: Database, who: Session, memberId: string): Promise<void> {
  await keepingAnOwner(
    db.$transaction(async (tx) => {
      const role = await findMember(tx, who.org.id, memberId);
      if (memberId !== who.user.id) requireRank(who, role);
      await tx.membership.delete({ where: { orgId_userId: { orgId: who.org.id, userId: memberId } } });
      await tx.invitation.deleteMany({ where: { orgId: who.org.id, createdBy: memberId, acceptedAt: null } });
      await afterChange(tx, memberId);
      // Whoever is left without any organization gets one of their own, so that their account still opens something.
      if ((await tx.membership.count({ where: { userId: memberId } })) === 0) {
        const { name } = await tx.user.findUniqueOrThrow({ where: { id: memberId }, select: { name: true } });
        await makeOrganization(tx, memberId, `${name}'s team`.slice(0, 120));
      }
    }),
  );
}

/** Hands the organization over: the other becomes owner, and who hands it over an admin. @throws AppError NOT_FOUND */
export async function transferOwnership(db: Database, who: Session, memberId: string): Promise<void> {
  if (memberId === who.user.id) throw new AppError("CONFIG_RANGE", say("You are the owner already: choose somebody else."));
  await db.$transaction(async (tx) => {
    await findMember(tx, who.org.id, memberId);
    await tx.membership.update({ where: { orgId_userId: { orgId: who.org.id, userId: memberId } }, data: { role: "owner" } });
    await tx.membership.update({ where: { orgId_userId: { orgId: who.org.id, userId: who.user.id } }, data: { role: "admin" } });
    for (const userId of [memberId, who.user.id]) await afterChange(tx, userId);
  });
}
