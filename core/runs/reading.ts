import { printCount } from "../language/numbers.ts";
import { say } from "../language/say.ts";
import type { Summary } from "../training/evaluation.ts";
import { printNumber } from "../training/printNumber.ts";

/** Points of a curve in order; null: not finite. */
type Points = readonly { step: number; value: number | null }[];

/** What is known of a run. Rows of `confusion` are true classes, columns predicted ones. */
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
  /** What is counted in `confusion`; absent: rows. */
  counts?: "pixels";
  /** Losses over the steps, one validation loss an evaluation: where they are at hand, how well the network fits is read from them and not from the summary. */
  curves?: { train: Points; validation: Points };
};

export type Remark = { kind: "best" | "overfit" | "fit" | "unfinished" | "rate" | "guessing" | "confusion" | "failed"; text: string; tone: "good" | "hint" | "bad" };

/** Says in plain words how a run went, by rules over its figures. Each remark rests on numbers of the run; where they are too few, it says less. */
export function readFacts(run: RunFacts): Remark[] {
  const fitting = run.curves ? fit(run, run.curves) : overfit(run);
  return [...failed(run), ...best(run, fitting), ...fitting, ...rate(run), ...guessing(run), ...confused(run)];
}

/** Where the batch was turned on the way, epochs are told by their evaluations. */
function epochOf(step: number, { stepsPerEpoch, curves }: RunFacts): number {
  return Math.max(1, curves?.validation.filter((point) => point.step <= step).length || Math.round(step / Math.max(1, stepsPerEpoch)));
}

function failed({ failure }: RunFacts): Remark[] {
  return failure ? [{ kind: "failed", text: failure.message, tone: "bad" }] : [];
}

function best(run: RunFacts, fitting: readonly Remark[]): Remark[] {
  const figure = run.summary[run.mainMetric ?? "validation/loss"];
  if (!figure || figure.bestStep === null || run.epoch < 2) return [];
  const at = epochOf(figure.bestStep, run);
  const learnsByHeart = run.curves ? fitting.some(({ kind }) => kind === "overfit") : overfits(run);
  // Where the last evaluation was the best, more may come.
  if (at >= run.epoch && run.status === "finished" && !learnsByHeart)
    return [{ kind: "unfinished", text: say("Best at its last epoch, {at}: it was still getting better, so more epochs may help.", { at }), tone: "hint" }];
  return [{ kind: "best", text: say("Best at epoch {at} of {epoch}.", { at, epoch: run.epoch }), tone: "good" }];
}

/** The validation loss left its lowest value by more than a tenth, and the training loss ended well below it. */
function overfits({ summary }: RunFacts): boolean {
  const [validation, train] = [summary["validation/loss"], summary["train/loss"]];
  return validation?.best != null && validation.last !== null && train?.last != null && validation.last > validation.best * 1.1 && train.last < validation.last;
}

function overfit(run: RunFacts): Remark[] {
  const step = run.summary["validation/loss"]?.bestStep;
  if (step == null || run.epoch < 3 || !overfits(run)) return [];
  return [
    { kind: "overfit", text: say("Overfits after epoch {step}: validation loss rose from there while training loss ended lower.", { step: epochOf(step, run) }), tone: "hint" },
  ];
}

/**
 * Overfitting is a validation loss that has left its lowest value by more than a tenth while the training loss kept falling. "Close" is a training loss of not much
 * less than the validation loss.
 */
function fit(run: RunFacts, { train: trained, validation }: NonNullable<RunFacts["curves"]>): Remark[] {
  const evaluations = validation.flatMap(({ step, value }) => (value === null ? [] : [{ step, loss: value }]));
  const latest = evaluations.at(-1);
  const train = meanUntil(trained, Number.POSITIVE_INFINITY, run.stepsPerEpoch);
  if (!latest || train === null) return [];
  const lowest = evaluations.reduce((low, entry) => (entry.loss < low.loss ? entry : low), latest);
  const trainAtLowest = meanUntil(trained, lowest.step, run.stepsPerEpoch);
  if (evaluations.length >= 3 && latest.loss > lowest.loss * 1.1 && trainAtLowest !== null && train < trainAtLowest) {
    const text = say(
      "Overfits after epoch {step}: validation loss rises while training loss falls, so it begins to learn by heart. Stop earlier, or add Dropout or weight decay.",
      { step: epochOf(lowest.step, run) },
    );
    return [{ kind: "overfit", text, tone: "hint" }];
  }
  if (evaluations.length < 2) return [];
  if (latest.loss > train * 1.5 + 0.02)
    return [{ kind: "fit", text: say("It does clearly better on rows it trained on: some overfitting. More data, Dropout or weight decay would help."), tone: "hint" }];
  const before = evaluations.at(-2);
  const falls = latest === lowest && before !== undefined && before.loss > latest.loss * 1.05;
  if (!falls || run.status === "failed" || run.status === "finished") return [{ kind: "fit", text: say("Training and validation stay close: no overfitting."), tone: "good" }];
  return [{ kind: "fit", text: say("Training and validation stay close and still fall."), tone: "good" }];
}

/** Mean of the values over one epoch up to a step, so that one lucky batch does not decide. */
function meanUntil(points: Points, step: number, span: number): number | null {
  const until = points.flatMap((point) => (point.step <= step && point.value !== null ? [{ step: point.step, value: point.value }] : []));
  const end = until.at(-1)?.step;
  if (end === undefined) return null;
  const values = until.filter((point) => point.step > end - Math.max(span, 1));
  return values.reduce((sum, { value }) => sum + value, 0) / values.length;
}

/** Signs of steps that are too large: no number any more, or a loss that ended above or shot far above where it began. Of steps too small: a loss that hardly fell. */
function rate(run: RunFacts): Remark[] {
  const train = run.summary["train/loss"];
  const said = run.lr === null ? "Learning rate" : `Learning rate ${run.lr}`;
  const blewUp = run.failure?.code === "RUN_NONFINITE" || (train !== undefined && train.last === null);
  if (blewUp) return [{ kind: "rate", text: say("{said} looks too high: the loss stopped being a number.", { said }), tone: "bad" }];
  if (!train || train.last === null || train.min === null || train.max === null) return [];
  if (train.min > 0 && train.last > 3 * train.min && train.last > 0.5 * train.max && run.epoch >= 1)
    return [
      {
        kind: "rate",
        text: say("{said} looks too high: training loss ended at {last}, after it had been at {min}.", { said, last: printNumber(train.last), min: printNumber(train.min) }),
        tone: "hint",
      },
    ];
  if (run.epoch >= 2 && run.status === "finished" && train.min > 0 && train.max < train.min * 1.05)
    return [
      {
        kind: "rate",
        text: say("{said} looks too low, or the network cannot learn this: training loss stayed between {min} and {max}.", {
          said,
          min: printNumber(train.min),
          max: printNumber(train.max),
        }),
        tone: "hint",
      },
    ];
  return [];
}

const counted = (count: number) => printCount(count);

/** Warns where a classifier does no better than always naming the most frequent class. */
function guessing({ confusion }: RunFacts): Remark[] {
  if (!confusion || confusion.length < 2) return [];
  const rows = confusion.map((row) => row.reduce((sum, count) => sum + count, 0));
  const total = rows.reduce((sum, count) => sum + count, 0);
  const right = confusion.reduce((sum, row, i) => sum + (row[i] ?? 0), 0);
  const majority = Math.max(...rows);
  if (total === 0 || right / total > majority / total + 0.02) return [];
  const share = ((100 * majority) / total).toFixed(1);
  return [
    { kind: "guessing", text: say("No better than always naming the most frequent class ({share}%): try another learning rate, or look at the data.", { share }), tone: "bad" },
  ];
}

/** The pair of classes that is mixed up most, both ways together; the one that is mistaken more often is named first. */
function confused({ confusion, classes, counts }: RunFacts): Remark[] {
  if (!confusion || confusion.length < 2) return [];
  const at = (row: number, column: number) => confusion[row]?.[column] ?? 0;
  let worst = { a: 0, b: 0, count: 0 };
  let errors = 0;
  let total = 0;
  for (let a = 0; a < confusion.length; a++) {
    total += at(a, a);
    for (let b = a + 1; b < confusion.length; b++) {
      const count = at(a, b) + at(b, a);
      errors += count;
      if (count > worst.count) worst = { a, b, count };
    }
  }
  if (total + errors === 0) return [];
  if (errors === 0) return [{ kind: "confusion", text: counts === "pixels" ? say("Gets every validation pixel right.") : say("Gets every validation row right."), tone: "good" }];
  const [from, to] = at(worst.a, worst.b) >= at(worst.b, worst.a) ? [worst.a, worst.b] : [worst.b, worst.a];
  const name = (index: number) => classes[index] ?? `class ${index}`;
  const what = `${counts === "pixels" ? "wrong pixel" : "error"}${errors === 1 ? "" : "s"}`;
  return [
    {
      kind: "confusion",
      text: say("Confuses {from} with {to} most ({count} of {errors} {what}).", { from: name(from), to: name(to), count: counted(worst.count), errors: counted(errors), what }),
      tone: "good",
    },
  ];
}
