import { z } from "zod";
import { invite, listInvitations, revokeInvitation } from "../accounts/invitations.ts";
import { listMembers, removeMember, setRole, transferOwnership } from "../accounts/members.ts";
import { readUsage } from "../accounts/quotas.ts";
import { Email } from "../accounts/signIn.ts";
import { createToken, listTokens, revokeToken } from "../accounts/tokens.ts";
import { readTrail } from "../accounts/trail.ts";
import { org, router } from "../auth/procedure.ts";
import { Id, Name } from "../input.ts";

const Role = z.enum(["viewer", "member", "admin", "owner"]);
const Page = z.strictObject({
  /** Said by the page's own client beside each cursor. */
  direction: z.literal("forward").optional(),
  cursor: z
    .string()
    .regex(/^\d{1,18}$/)
    .optional(),
  limit: z.int().min(1).max(200).default(50),
});
/** People decide about people: no script does. */
const people = { peopleOnly: true };

/** The organization: who is in it, who may come, which scripts speak for it, what it uses and what happened. */
export const organization = router({
  get: org("viewer").query(async ({ ctx: { db, config, orgId, who } }) => ({ ...who.org, role: who.role, usage: await readUsage(db, config, orgId) })),

  rename: org("admin", people)
    .input(z.strictObject({ name: Name }))
    .mutation(async ({ ctx: { system, orgId }, input: { name } }) => {
      await system.organization.update({ where: { id: orgId }, data: { name } });
    }),

  members: org("viewer").query(({ ctx }) => listMembers(ctx.system, ctx.orgId)),

  setRole: org("admin", people)
    .input(z.strictObject({ memberId: Id, role: Role }))
    .mutation(({ ctx, input }) => setRole(ctx.system, ctx.who, input)),

  remove: org("admin", people)
    .input(z.strictObject({ memberId: Id }))
    .mutation(({ ctx, input }) => removeMember(ctx.system, ctx.who, input.memberId)),

  leave: org("viewer", people).mutation(({ ctx }) => removeMember(ctx.system, ctx.who, ctx.userId)),

  transfer: org("owner", people)
    .input(z.strictObject({ memberId: Id }))
    .mutation(({ ctx, input }) => transferOwnership(ctx.system, ctx.who, input.memberId)),

  invitations: org("admin", people).query(({ ctx }) => listInvitations(ctx.system, ctx.orgId)),

  invite: org("admin", people)
    .input(z.strictObject({ email: Email, role: Role }))
    .mutation(({ ctx, input }) => invite(ctx, ctx.who, input)),

  revokeInvitation: org("admin", people)
    .input(z.strictObject({ invitationId: Id }))
    .mutation(({ ctx, input }) => revokeInvitation(ctx.system, ctx.orgId, input.invitationId)),

  tokens: org("viewer", people).query(({ ctx }) => listTokens(ctx.system, ctx.who)),

  createToken: org("viewer", people)
    .input(z.strictObject({ name: Name, scope: z.enum(["read", "write"]), days: z.int().min(1).max(366).nullable() }))
    .mutation(({ ctx, input }) => createToken(ctx.system, ctx.who, input)),

  revokeToken: org("viewer", people)
    .input(z.strictObject({ tokenId: Id }))
    .mutation(({ ctx, input }) => revokeToken(ctx.system, ctx.who, input.tokenId)),

  /** What people did to models, data and runs. */
  activity: org("viewer")
    .input(Page)
    .query(({ ctx, input }) => readTrail(ctx.db, ctx.orgId, "activity", input)),

  /** Everything that was changed, by whom: people, roles, tokens and links too. */
  audit: org("admin", people)
    .input(Page)
    .query(({ ctx, input }) => readTrail(ctx.db, ctx.orgId, "audit", input)),
});
