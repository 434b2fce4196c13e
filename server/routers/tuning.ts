import { z } from "zod";
import { org, router } from "../auth/procedure.ts";
import { Id } from "../input.ts";
import { FineTune, fetchNetwork, fineTune, listFineTunes, measureNetwork } from "../models/fineTune.ts";
import { listOpened, openNetwork } from "../models/opened.ts";
import { listOwnRuns, StartFromRun, startFromRun } from "../models/ownRuns.ts";
import { readTuned } from "../models/tuned.ts";
import { host } from "./preview.ts";

/** Pretrained networks on data of one's own. */
export const tuning = router({
  options: org("viewer")
    .input(z.strictObject({ datasetId: Id }))
    .query(({ ctx, input }) => listFineTunes(ctx, input.datasetId)),

  /** Begins to fetch weights that are not here; `options` says how far it is. */
  fetch: org("member")
    .input(z.strictObject({ networkId: z.string().max(64) }))
    .mutation(({ ctx, input }) => fetchNetwork(ctx, input.networkId)),

  /** Measures how fast a network is on this machine, once; `options` says it from then on. */
  measure: org("member")
    .input(z.strictObject({ networkId: z.string().max(64) }))
    .mutation(({ ctx, input }) => measureNetwork({ files: ctx.files, host, orgId: ctx.orgId }, input.networkId)),

  start: org("member")
    .input(FineTune)
    .mutation(({ ctx, input }) => fineTune(ctx, input)),

  /** Published networks that open on the canvas. */
  opened: org("viewer").query(({ ctx }) => listOpened(ctx)),

  open: org("member")
    .input(z.strictObject({ networkId: z.string().max(64) }))
    .mutation(({ ctx, input }) => openNetwork(ctx, input.networkId)),

  /** Runs of one's own whose weights can go on on a data set. */
  ownRuns: org("viewer")
    .input(z.strictObject({ datasetId: Id }))
    .query(({ ctx, input }) => listOwnRuns(ctx, input.datasetId)),

  startFromRun: org("member")
    .input(StartFromRun)
    .mutation(({ ctx, input }) => startFromRun(ctx, input)),

  result: org("viewer")
    .input(z.strictObject({ runId: Id }))
    .query(({ ctx, input }) => readTuned(ctx.db, ctx.orgId, input.runId)),
});
