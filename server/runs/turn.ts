import { randomUUID } from "node:crypto";
import { z } from "zod";
import { say } from "../../core/language/say.ts";
import { planSteps } from "../../core/training/build.ts";
import { droppables, isAt, RunKnob, Turn } from "../../core/training/knobs.ts";
import { TrainSpec } from "../../core/training/spec.ts";
import type { Database } from "../database/client.ts";
import { AppError, notFound } from "../errors.ts";

/** A turn as people ask for it; what follows from the data is worked out here. */
const [Lr, Dropout, BatchSize] = Turn.options;
export const TurnOrder = z.discriminatedUnion("kind", [Lr, Dropout, BatchSize.omit({ dropLast: true })]);
export type TurnOrder = z.infer<typeof TurnOrder>;

/** Knobs that one run may be given; each is looked at again whenever the run goes on from a checkpoint. */
const MOST_KNOBS = 1_000;

/**
 * Changes a setting of a run that has not finished, from its next step on, or the batch size from its next epoch on. A run that waits, is
 * paused, or has failed begins with it when it goes on. The order is kept with the run: whoever trains it carries it out, once.
 * @throws AppError RUN_ENDED, CONFIG_RANGE
 */
export async function turnKnob(db: Database, { orgId, userId }: { orgId: string; userId: string }, runId: string, order: TurnOrder): Promise<{ knobId: string }> {
  const run = await db.run.findUnique({ where: { id: runId, orgId }, select: { spec: true } });
  if (!run) throw notFound("run");
  const { name } = await db.user.findUniqueOrThrow({ where: { id: userId }, select: { name: true } });
  const turn = checkTurn(TrainSpec.parse(run.spec), order);
  const knob: RunKnob = { id: randomUUID(), at: new Date().toISOString(), by: name, turn, step: null };
  const added = await db.$executeRaw`
    UPDATE "Run" SET "knobs" = "knobs" || ${JSON.stringify([knob])}::jsonb
    WHERE "id" = ${runId}::uuid AND "orgId" = ${orgId}::uuid AND "status" <> 'finished' AND jsonb_array_length("knobs") < ${MOST_KNOBS}
      AND (${turn.kind !== "batch-size"} OR "epoch" + 1 < ("spec" ->> 'epochs')::int)`;
  if (added === 1) return { knobId: knob.id };
  const now = await db.run.findUnique({ where: { id: runId, orgId }, select: { status: true, knobs: true, epoch: true } });
  if (!now) throw notFound("run");
  if (now.status === "finished") throw new AppError("RUN_ENDED", say("This run has finished, so nothing of it can be changed any more: fork it from a checkpoint."));
  if (z.array(RunKnob).parse(now.knobs).length >= MOST_KNOBS)
    throw new AppError("CONFIG_RANGE", say("Settings of this run were changed {MOST_KNOBS} times, as often as may be.", { MOST_KNOBS }), { details: { limit: MOST_KNOBS } });
  throw new AppError("CONFIG_RANGE", say("Another batch size begins with the next epoch, and this run is in its last one."), { details: { field: "batchSize" } });
}

/** @throws AppError CONFIG_RANGE where the run has nothing that this would change. */
function checkTurn(spec: TrainSpec, order: TurnOrder): Turn {
  if (order.kind === "dropout") {
    const found = droppables(spec.program);
    if (found.length === 0)
      throw new AppError("CONFIG_RANGE", say("This network drops nothing: it has no layer whose dropout could be changed while it trains."), { details: { field: "p" } });
    const { node } = order;
    if (node !== null && !found.some((one) => isAt(one.node, node)))
      throw new AppError("CONFIG_RANGE", say("There is no dropout at “{node}” that could be changed while it trains.", { node }), {
        details: { field: "node", nodes: found.map((one) => one.node) },
      });
    return order;
  }
  if (order.kind === "lr") return order;
  const { rows } = spec.data.train;
  if (spec.oneBatch) throw new AppError("CONFIG_RANGE", say("This run trains on one batch, which stays as it is."), { details: { field: "batchSize" } });
  if (order.batchSize > rows)
    throw new AppError("CONFIG_RANGE", say("A batch of {batchSize} is larger than the {rows} training rows.", { batchSize: order.batchSize, rows }), {
      details: { field: "batchSize", limit: rows },
    });
  return { ...order, dropLast: planSteps(rows, { batchSize: order.batchSize, accumulate: spec.accumulate }).dropLast };
}
