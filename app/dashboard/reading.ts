import { formatPercent } from "../ui/format.ts";
import type { Series } from "./series.ts";

/** What the reading looks at. Rows of `confusion` are true classes, columns predicted ones. */
export type Read = {
  status: "queued" | "running" | "paused" | "finished" | "cancelled" | "failed";
  stepsPerEpoch: number;
  trainLoss: Series;
  validationLoss: Series;
  /** Epoch of the best checkpoint. */
  bestEpoch: number | null;
  confusion: readonly (readonly number[])[] | null;
  classes: readonly string[];
  /** What is counted in `confusion`; absent: rows. */
  counts?: "pixels";
};

export type Reading = { title: string; sentences: string[]; tone: "good" | "hint" };

/**
 * Says in plain words how a run went: where it was best, whether it learns by heart, what it mixes up. Every sentence rests
 * on numbers of the run; where they are too few to judge, it says less.
 */
export function readRun(run: Read): Reading | null {
  const evaluations = run.validationLoss.buckets.filter((bucket) => bucket.last !== null);
  if (evaluations.length === 0 && !run.confusion) return null;
  const title = run.status === "running" || run.status === "paused" ? "Reading so far." : run.status === "failed" ? "Reading until it failed." : "Reading.";
  const fit = readFit(run);
  const sentences = [readBest(run, evaluations.length), fit?.sentence, readGuessing(run.confusion), readConfusion(run.confusion, run.classes, run.counts)];
  return { title, sentences: sentences.filter((sentence) => sentence !== undefined), tone: fit?.tone ?? "good" };
}

function readBest({ bestEpoch }: Read, evaluationCount: number): string | undefined {
  return bestEpoch === null || evaluationCount < 2 ? undefined : `Best at epoch ${bestEpoch}.`;
}

/**
 * Overfitting is a validation loss that has left its lowest value by more than a tenth while the training loss kept falling.
 * "Close" is a training loss of not much less than the validation loss.
 */
function readFit({ status, trainLoss, validationLoss, stepsPerEpoch }: Read): { sentence: string; tone: Reading["tone"] } | undefined {
  const evaluations = validationLoss.buckets.flatMap(({ to, last }) => (last === null ? [] : [{ step: to, loss: last }]));
  const latest = evaluations.at(-1);
  const train = meanOfLast(trainLoss, stepsPerEpoch);
  if (!latest || train === null) return undefined;
  const best = evaluations.reduce((low, entry) => (entry.loss < low.loss ? entry : low), latest);
  const trainAtBest = meanUntil(trainLoss, best.step, stepsPerEpoch);
  if (evaluations.length >= 3 && latest.loss > best.loss * 1.1 && trainAtBest !== null && train < trainAtBest) {
    // One evaluation an epoch; how many steps an epoch has may change on the way.
    const epoch = validationLoss.buckets.reduce((sum, { to, count }) => sum + (to <= best.step ? count : 0), 0);
    return {
      sentence: `Since epoch ${epoch} validation loss rises while training loss falls: it begins to learn by heart. Stop earlier, or add Dropout or weight decay.`,
      tone: "hint",
    };
  }
  if (evaluations.length < 2) return undefined;
  const close = latest.loss <= train * 1.5 + 0.02;
  if (!close) return { sentence: "It does clearly better on rows it trained on: some overfitting. More data, Dropout or weight decay would help.", tone: "hint" };
  const before = evaluations.at(-2);
  const falling = before !== undefined && latest === best && before.loss > latest.loss * 1.05;
  return {
    sentence: falling && status !== "failed" ? "Training and validation stay close and still fall: more epochs would help." : "Training and validation stay close: no overfitting.",
    tone: "good",
  };
}

/** Mean of the last values over the final epoch, so that one lucky batch does not decide. */
function meanOfLast(series: Series, stepsPerEpoch: number): number | null {
  return meanUntil(series, Number.POSITIVE_INFINITY, stepsPerEpoch);
}

function meanUntil(series: Series, step: number, span: number): number | null {
  const until = series.buckets.filter((bucket) => bucket.to <= step && bucket.last !== null);
  const end = until.at(-1)?.to;
  if (end === undefined) return null;
  const values = until.filter((bucket) => bucket.to > end - Math.max(span, 1)).map((bucket) => bucket.last as number);
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Warns where a classifier does no better than always naming the most frequent class. */
function readGuessing(confusion: Read["confusion"]): string | undefined {
  if (!confusion || confusion.length < 2) return undefined;
  const { total, right } = tally(confusion);
  if (total === 0) return undefined;
  const majority = Math.max(...confusion.map((row) => row.reduce((sum, count) => sum + count, 0))) / total;
  if (right / total > majority + 0.02) return undefined;
  return `That is no better than always naming the most frequent class (${formatPercent(majority)}): try a lower learning rate, or look at the data.`;
}

/** Names the pair of classes that is mixed up most, both ways together. */
export function readConfusion(confusion: Read["confusion"], classes: readonly string[], counts?: Read["counts"]): string | undefined {
  if (!confusion || confusion.length < 2) return undefined;
  const { total, right } = tally(confusion);
  const errors = total - right;
  if (total === 0) return undefined;
  if (errors === 0) return `It gets every ${counts === "pixels" ? "validation pixel" : "validation row"} right.`;
  let worst = { a: 0, b: 0, count: 0 };
  for (let a = 0; a < confusion.length; a++) {
    for (let b = a + 1; b < confusion.length; b++) {
      const count = at(confusion, a, b) + at(confusion, b, a);
      if (count > worst.count) worst = { a, b, count };
    }
  }
  // The one that is mistaken more often is named first.
  const [from, to] = at(confusion, worst.a, worst.b) >= at(confusion, worst.b, worst.a) ? [worst.a, worst.b] : [worst.b, worst.a];
  const name = (index: number) => classes[index] ?? `class ${index}`;
  return `It confuses ${name(from)} with ${name(to)} most (${worst.count.toLocaleString("en-US")} of ${errors.toLocaleString("en-US")} ${counts === "pixels" ? "wrong pixel" : "error"}${errors === 1 ? "" : "s"}).`;
}

/** Right answers and rows of a confusion matrix. */
function tally(confusion: readonly (readonly number[])[]): { total: number; right: number } {
  let total = 0;
  let right = 0;
  for (const [row, counts] of confusion.entries()) {
    for (const [column, count] of counts.entries()) {
      total += count;
      if (row === column) right += count;
    }
  }
  return { total, right };
}

const at = (confusion: readonly (readonly number[])[], row: number, column: number) => confusion[row]?.[column] ?? 0;
