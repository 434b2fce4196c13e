import type { Database } from "../database/client.ts";
import { builtinDatasets } from "../ingest/builtin.ts";
import type { Session } from "./session.ts";

/** The one workspace that a fresh installation has. Fixed ids make its creation safe to repeat and to race. */
const ORG_ID = "01900000-0000-7000-8000-000000000001";
const USER_ID = "01900000-0000-7000-8000-000000000002";

/** Sees to it that the workspace, its owner and the built-in data sets exist. Safe at every start. */
export async function ensureWorkspace(db: Database): Promise<void> {
  await db.organization.upsert({ where: { id: ORG_ID }, create: { id: ORG_ID, name: "Workspace" }, update: {} });
  await db.user.upsert({ where: { id: USER_ID }, create: { id: USER_ID, name: "Owner" }, update: {} });
  await db.membership.upsert({
    where: { orgId_userId: { orgId: ORG_ID, userId: USER_ID } },
    create: { orgId: ORG_ID, userId: USER_ID, role: "owner" },
    update: {},
  });
  for (const { id, name, description } of builtinDatasets)
    await db.dataset.upsert({
      where: { orgId_builtin: { orgId: ORG_ID, builtin: id } },
      create: { orgId: ORG_ID, builtin: id, name, description },
      update: { name, description },
    });
}

/** The owner of this installation's own workspace. */
export async function findLocalOwner(db: Database): Promise<Omit<Session, "id">> {
  const { role, org, user } = await db.membership.findUniqueOrThrow({
    where: { orgId_userId: { orgId: ORG_ID, userId: USER_ID } },
    select: { role: true, org: { select: { id: true, name: true } }, user: { select: { id: true, name: true } } },
  });
  return { role, org, user };
}
