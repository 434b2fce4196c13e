import type { Summary } from "../../core/training/evaluation.ts";
import type { Tx } from "../database/client.ts";
import { CHUNK, type Packed, unpackEntries } from "../metrics/pyramid.ts";
import { readLastSteps } from "../metrics/query.ts";
import { type RunRef, readTails } from "../metrics/store.ts";
import { bestOf, betterOf, foldPoints, type Standing } from "./summary.ts";

/** Latest and best value of each metric, out of its buckets: some hundred numbers a metric, however many points it has. */
export async function readSummary(tx: Tx, run: RunRef): Promise<Summary> {
  const tails = await readTails(tx, run, [...(await readLastSteps(tx, run)).keys()]);
  const summary: Summary = {};
  for (const [key, levels] of tails) {
    // What no bucket of the next level covers yet: from the coarsest level down these are all the run's points, in order.
    for (const [level, tail] of [...levels.entries()].reverse()) {
      if (tail === undefined) continue;
      const { steps, values } = tail.open;
      if (level === 0) {
        summary[key] = foldPoints(summary[key], key, [...steps], [...values].map(toNumber));
        continue;
      }
      // A bucket is four points: first, last, lowest, highest.
      for (let at = 0; at < steps.length; at += 4) {
        const points = [at + 2, at + 3, at + 1];
        summary[key] = foldPoints(
          summary[key],
          key,
          points.map((i) => steps[i] as number),
          points.map((i) => toNumber(values[i] as number)),
        );
      }
    }
  }
  return summary;
}

/** How many chunks of evaluations are looked at together. */
const chunksAtOnce = 32;

/** The best of all evaluations of a run. Reads those only, a part at a time: their number is that of the epochs. */
export async function readBest(tx: Tx, run: RunRef, judgedBy: string | null): Promise<Standing | null> {
  const judge = judgedBy === null ? null : `validation/${judgedBy}`;
  let best: Standing | null = null;
  const read = async (key: string, where: { from: number } | { firstStep: number; lastStep: number }) => {
    const series: { steps: number[]; values: (number | null)[] } = { steps: [], values: [] };
    const chunks: Packed[] = await tx.metricChunk.findMany({
      where: {
        runId: run.id,
        orgId: run.orgId,
        key,
        level: 0,
        ...("from" in where ? { index: { gte: where.from, lt: where.from + chunksAtOnce } } : { lastStep: { gte: where.firstStep }, firstStep: { lte: where.lastStep } }),
      },
      orderBy: { index: "asc" },
      select: { steps: true, values: true },
    });
    for (const chunk of chunks) {
      const { steps, values } = unpackEntries(chunk);
      series.steps.push(...steps);
      series.values.push(...[...values].map(toNumber));
    }
    return series;
  };
  const first = judge === null ? null : await read(judge, { from: 0 });
  const main = judge !== null && first !== null && first.steps.length > 0 ? judge : "validation/loss";
  for (let from = 0; ; from += chunksAtOnce) {
    const part = await read(main, { from });
    const [firstStep, lastStep] = [part.steps[0], part.steps.at(-1)];
    if (firstStep === undefined || lastStep === undefined) return best;
    const losses = main === "validation/loss" ? part : await read("validation/loss", { firstStep, lastStep });
    best = betterOf(best, bestOf({ [main]: part, ...(losses.steps.length > 0 ? { "validation/loss": losses } : {}) }, judgedBy));
    if (part.steps.length < chunksAtOnce * CHUNK) return best;
  }
}

function toNumber(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}
