import type { Summary } from "../training/evaluation.ts";

/** What is known of a run without reading its curves. Rows of `confusion` are true classes, columns predicted ones. */
export type RunFacts = {
  status: "queued" | "running" | "paused" | "finished" | "cancelled" | "failed";
  summary: Summary;
  /** The metric that says most about it; null: the loss. */
  mainMetric: string | null;
  epochs: number;
  epoch: number;
  stepsPerEpoch: number;
  lr: number | null;
  failure: { code: string; message: string } | null;
  confusion: readonly (readonly number[])[] | null;
  classes: readonly string[];
};

export type Remark = { kind: "best" | "overfit" | "unfinished" | "rate" | "guessing" | "confusion" | "failed"; text: string; tone: "good" | "hint" | "bad" };

/** Says in plain words how a run went, by rules over its figures. Each remark rests on numbers of the run; where they are too few, it says less. */
export function readFacts(run: RunFacts): Remark[] {
  return [...failed(run), ...best(run), ...overfit(run), ...rate(run), ...guessing(run), ...confused(run)];
}

const epochOf = (step: number, { stepsPerEpoch }: RunFacts) => Math.max(1, Math.round(step / Math.max(1, stepsPerEpoch)));

function failed({ failure }: RunFacts): Remark[] {
  return failure ? [{ kind: "failed", text: failure.message, tone: "bad" }] : [];
}

function best(run: RunFacts): Remark[] {
  const figure = run.summary[run.mainMetric ?? "validation/loss"];
  if (!figure || figure.bestStep === null || run.epoch < 2) return [];
  const at = epochOf(figure.bestStep, run);
  // Where the last evaluation was the best, more may come.
  if (at >= run.epoch && run.status === "finished" && !overfits(run))
    return [{ kind: "unfinished", text: `Best at its last epoch, ${at}: it was still getting better, so more epochs may help.`, tone: "hint" }];
  return [{ kind: "best", text: `Best at epoch ${at} of ${run.epoch}.`, tone: "good" }];
}

/** The validation loss left its lowest value by more than a tenth, and the training loss ended well below it. */
function overfits({ summary }: RunFacts): boolean {
  const [validation, train] = [summary["validation/loss"], summary["train/loss"]];
  return validation?.best != null && validation.last !== null && train?.last != null && validation.last > validation.best * 1.1 && train.last < validation.last;
}

function overfit(run: RunFacts): Remark[] {
  const step = run.summary["validation/loss"]?.bestStep;
  if (step == null || run.epoch < 3 || !overfits(run)) return [];
  return [{ kind: "overfit", text: `Overfits after epoch ${epochOf(step, run)}: validation loss rose from there while training loss ended lower.`, tone: "hint" }];
}

/** Signs of steps that are too large: no number any more, or a loss that ended above or shot far above where it began. Of steps too small: a loss that hardly fell. */
function rate(run: RunFacts): Remark[] {
  const train = run.summary["train/loss"];
  const said = run.lr === null ? "Learning rate" : `Learning rate ${run.lr}`;
  const blewUp = run.failure?.code === "RUN_NONFINITE" || (train !== undefined && train.last === null);
  if (blewUp) return [{ kind: "rate", text: `${said} looks too high: the loss stopped being a number.`, tone: "bad" }];
  if (!train || train.last === null || train.min === null || train.max === null) return [];
  if (train.min > 0 && train.last > 3 * train.min && train.last > 0.5 * train.max && run.epoch >= 1)
    return [{ kind: "rate", text: `${said} looks too high: training loss ended at ${short(train.last)}, after it had been at ${short(train.min)}.`, tone: "hint" }];
  if (run.epoch >= 2 && run.status === "finished" && train.min > 0 && train.max < train.min * 1.05)
    return [
      { kind: "rate", text: `${said} looks too low, or the network cannot learn this: training loss stayed between ${short(train.min)} and ${short(train.max)}.`, tone: "hint" },
    ];
  return [];
}

const short = (value: number) => (value !== 0 && (Math.abs(value) < 0.001 || Math.abs(value) >= 1e5) ? value.toExponential(1) : String(Number(value.toPrecision(3))));

function guessing({ confusion }: RunFacts): Remark[] {
  if (!confusion || confusion.length < 2) return [];
  const rows = confusion.map((row) => row.reduce((sum, count) => sum + count, 0));
  const total = rows.reduce((sum, count) => sum + count, 0);
  const right = confusion.reduce((sum, row, i) => sum + (row[i] ?? 0), 0);
  const majority = Math.max(...rows);
  if (total === 0 || right / total > majority / total + 0.02) return [];
  return [{ kind: "guessing", text: `No better than always naming the most frequent class (${((100 * majority) / total).toFixed(1)}%).`, tone: "bad" }];
}

/** The pair of classes that is mixed up most, both ways together; the one that is mistaken more often is named first. */
function confused({ confusion, classes }: RunFacts): Remark[] {
  if (!confusion || confusion.length < 3) return [];
  const at = (row: number, column: number) => confusion[row]?.[column] ?? 0;
  let worst = { a: 0, b: 0, count: 0 };
  let errors = 0;
  for (let a = 0; a < confusion.length; a++)
    for (let b = a + 1; b < confusion.length; b++) {
      const count = at(a, b) + at(b, a);
      errors += count;
      if (count > worst.count) worst = { a, b, count };
    }
  if (errors < 5 || worst.count < 2) return [];
  const [from, to] = at(worst.a, worst.b) >= at(worst.b, worst.a) ? [worst.a, worst.b] : [worst.b, worst.a];
  const name = (index: number) => classes[index] ?? `class ${index}`;
  return [{ kind: "confusion", text: `Confuses ${name(from)} with ${name(to)} most (${worst.count} of ${errors} errors).`, tone: "good" }];
}
