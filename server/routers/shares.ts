import { z } from "zod";
import { CreateShare, createShare, forkShare, listShares, OpenShare, openShare, revokeShare, ShareOf } from "../accounts/shares.ts";
import { org, publicProcedure, router } from "../auth/procedure.ts";
import { Id } from "../input.ts";

/** Links that show one thing to whoever holds them. */
export const shares = router({
  list: org("viewer")
    .input(ShareOf)
    .query(({ ctx, input }) => listShares(ctx.db, ctx.orgId, input)),

  create: org("member", { peopleOnly: true })
    .input(CreateShare)
    .mutation(({ ctx, input }) => createShare(ctx, ctx.who, input)),

  revoke: org("member", { peopleOnly: true })
    .input(z.strictObject({ linkId: Id }))
    .mutation(({ ctx, input }) => revokeShare(ctx.db, ctx.orgId, input.linkId)),

  open: publicProcedure("Whoever holds the link may look; it names one thing, and can be revoked.")
    .input(OpenShare)
    .query(({ ctx, input }) => openShare(ctx, input)),

  fork: org("member")
    .input(OpenShare)
    .mutation(({ ctx, input }) => forkShare(ctx, input)),
});
