import { z } from "zod";
import { Task } from "../../core/data/manifest.ts";
import { org, router } from "../auth/procedure.ts";
import { GraphInput, Id } from "../input.ts";
import { PreviewHost } from "../preview/host.ts";
import { preview as makePreview } from "../preview/preview.ts";

const NodePath = z.string().min(1).max(1200);

const Order = z.strictObject({
  modelId: Id,
  datasetId: Id,
  task: Task.optional(),
  /** As it is on the canvas, saved or not. */
  graph: GraphInput,
  split: z.enum(["train", "validation"]),
  row: z.int().min(0),
  /** Of fresh weights. */
  seed: z.int().min(0).max(0xffffffff),
  /** Augmentation, noise and dropout as in training, with the numbers that follow from `draw`. */
  training: z.boolean(),
  draw: z.int().min(0).max(0xffffffff),
  /** Which nodes are to be seen; those of a large graph that nobody looks at need not be. */
  paths: z.array(NodePath).max(96),
  large: NodePath.nullable(),
});
export type PreviewRequest = z.infer<typeof Order>;

/** One for all that people want to see of networks. */
export const host = new PreviewHost();

export const preview = router({
  /** Sends one row of a data set through a drawing, and gives small pictures of what its nodes give. Keeps nothing. */
  evaluate: org("member")
    .input(Order)
    .mutation(({ ctx, input }) => makePreview({ db: ctx.db, files: ctx.files, host, orgId: ctx.orgId, userId: ctx.userId }, input)),
});
