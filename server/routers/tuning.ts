import { z } from "zod";
import { org, router } from "../auth/procedure.ts";
import { Id } from "../input.ts";
import { FineTune, fineTune, listFineTunes } from "../models/fineTune.ts";
import { readTuned } from "../models/tuned.ts";

/** Pretrained networks on data of one's own. */
export const tuning = router({
  options: org("viewer")
    .input(z.strictObject({ datasetId: Id }))
    .query(({ ctx, input }) => listFineTunes(ctx.db, ctx.orgId, input.datasetId)),

  start: org("member")
    .input(FineTune)
    .mutation(({ ctx, input }) => fineTune(ctx, input)),

  result: org("viewer")
    .input(z.strictObject({ runId: Id }))
    .query(({ ctx, input }) => readTuned(ctx.db, ctx.orgId, input.runId)),
});
