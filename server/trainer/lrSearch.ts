import { say } from "../../core/language/say.ts";
import type { RunEvent } from "../../core/training/events.ts";
import { hasDiverged, LR_STEPS, type LrAnswer, type LrPoint, lrSteps } from "../../core/training/lrSearch.ts";
import { TrainSpec } from "../../core/training/spec.ts";
import { EngineError, train } from "../../native/index.ts";

/**
 * One process, one search for a learning rate: it takes its order from whoever started it, answers, and ends.
 */
process.once("disconnect", () => process.exit(1));
process.once("message", async (order) => {
  const answer = await search(TrainSpec.parse(order)).catch(
    (error: unknown): LrAnswer => ({ ok: false, message: error instanceof Error ? error.message : say("The search failed.") }),
  );
  process.send?.(answer, () => process.exit(0));
});

/** Losses of the first steps under a rising rate, until they diverge. Weights live in this process only, and end with it. */
async function search(spec: TrainSpec): Promise<LrAnswer> {
  const rates = lrSteps();
  const points: LrPoint[] = [];
  const take = (events: readonly RunEvent[]) => {
    for (const event of events)
      if (event.type === "points" && event.key === "train/loss")
        event.steps.forEach((step, i) => {
          const [lr, loss] = [rates[step - 1], event.values[i]];
          if (lr !== undefined && loss !== null && loss !== undefined && !(points.length > 1 && hasDiverged(points))) points.push({ lr, loss });
        });
    if (points.length >= LR_STEPS || (points.length > 1 && hasDiverged(points))) training.cancel();
  };
  const training = train(spec, take);
  try {
    await training.done;
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    // A loss that is no longer finite is where every search may end.
    if (error.failure.code !== "RUN_NONFINITE" || points.length === 0) return { ok: false, message: error.failure.message };
  }
  return { ok: true, points };
}
