import type { Database, Tx } from "../database/client.ts";
import { builtinDatasets } from "../ingest/builtin.ts";
import type { Session } from "./session.ts";

/** The one workspace that a fresh installation has. Fixed ids make its creation safe to repeat and to race. */
const ORG_ID = "01900000-0000-7000-8000-000000000001";
const USER_ID = "01900000-0000-7000-8000-000000000002";

/** Sees to it that the workspace, its owner and the built-in data sets exist. Safe at every start. */
export async function ensureWorkspace(db: Database): Promise<void> {
  await db.organization.upsert({ where: { id: ORG_ID }, create: { id: ORG_ID, name: "Workspace" }, update: {} });
  await db.user.upsert({ where: { id: USER_ID }, create: { id: USER_ID, name: "Owner", isOperator: true }, update: {} });
  // Once they have handed the workspace on and left, they are not put back.
  if ((await db.membership.count({ where: { orgId: ORG_ID } })) === 0) await db.membership.create({ data: { orgId: ORG_ID, userId: USER_ID, role: "owner" } });
  for (const { id } of await db.organization.findMany({ select: { id: true } })) await addBuiltinDatasets(db, id);
}

/** Sees to it that an organization has every data set that comes with the product. */
async function addBuiltinDatasets(db: Tx, orgId: string): Promise<void> {
  for (const { id, name, description } of builtinDatasets)
    await db.dataset.upsert({
      where: { orgId_builtin: { orgId, builtin: id } },
      create: { orgId, builtin: id, name, description },
      update: { name, description },
    });
}

/** A new organization with its first owner, a project and the data sets that come with the product. */
export async function makeOrganization(tx: Tx, userId: string, name: string): Promise<string> {
  const { id } = await tx.organization.create({
    data: { name, memberships: { create: { userId, role: "owner" } }, projects: { create: { name: "My project" } } },
    select: { id: true },
  });
  await addBuiltinDatasets(tx, id);
  return id;
}

/** The owner of this installation's own workspace, for as long as nobody has made an account of it. */
export async function findLocalOwner(db: Database): Promise<Omit<Session, "id" | "scope"> | null> {
  const found = await db.membership.findUnique({
    where: { orgId_userId: { orgId: ORG_ID, userId: USER_ID }, user: { email: null, passwordHash: null, disabledAt: null } },
    select: { role: true, org: { select: { id: true, name: true } }, user: { select: { id: true, name: true, isOperator: true } } },
  });
  if (!found) return null;
  const { isOperator, ...user } = found.user;
  return { role: found.role, org: found.org, user, isOperator };
}
