import { say } from "../../core/language/say.ts";
import { planSteps } from "../../core/training/build.ts";
import { LrAnswer, type LrPoint, type LrSuggestion, lrSearchSpec, smoothLosses, suggestLr } from "../../core/training/lrSearch.ts";
import type { Config } from "../config.ts";
import type { Database } from "../database/client.ts";
import { AppError } from "../errors.ts";
import { askTrial, openTrial, type TrialOrder } from "./trial.ts";

/** What a search may take; a network too slow for its steps in this time is refused. */
const WALL_MS = 120_000;

export type LrSearch = { points: LrPoint[]; smoothed: LrPoint[]; suggestion: LrSuggestion | null };

/**
 * Trains a throw-away copy of the model for some steps under a rising learning rate, in a process of its own. Nothing of it is kept: no run, no
 * metric, no file.
 * @throws AppError GRAPH_INVALID, CONFIG_RANGE, DATASET_NOT_READY, QUEUE_FULL
 */
export async function findLr(db: Database, config: Config, order: TrialOrder): Promise<LrSearch> {
  const { manifest, specOf } = await openTrial(db, config, order);
  const { stepsPerEpoch } = planSteps(manifest.splits.train.rows, order.settings);
  const asked = await askTrial(config, "lrSearch.ts", lrSearchSpec(specOf(), stepsPerEpoch), { wallMs: WALL_MS, signal: order.signal });
  const answer: LrAnswer = "why" in asked ? { ok: false, message: asked.why } : LrAnswer.parse(asked.answer);
  if (!answer.ok) throw new AppError("CONFIG_RANGE", say("No learning rate could be looked for: {message}", { message: answer.message }));
  return { points: answer.points, smoothed: smoothLosses(answer.points), suggestion: suggestLr(answer.points) };
}
