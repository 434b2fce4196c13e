import { z } from "zod";
import { argmax, toProbabilities } from "./probability.ts";

/** A curve's points, both from 0 to 1. */
const Line = z.array(z.tuple([z.number(), z.number()]));

/** How well one class is told from all others, at every threshold. */
const ClassCurve = z.strictObject({
  index: z.int(),
  /** Rows that are of it. */
  positives: z.int(),
  /** Area under the ROC curve, and average precision. */
  auc: z.number(),
  ap: z.number(),
  /** False positive rate, true positive rate. */
  roc: Line,
  /** Recall, precision. */
  pr: Line,
});
export type ClassCurve = z.infer<typeof ClassCurve>;

/** Rows whose highest probability lies in a tenth: how many, how sure the network was of them on average, and how many it got right. */
const Bin = z.strictObject({ from: z.number(), to: z.number(), count: z.int(), confidence: z.number(), accuracy: z.number() });

/** What a trained network says of many validation rows. Lists go by rows, in the same order. */
export const Study = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("classes"),
    rows: z.array(z.int()),
    truth: z.array(z.int()),
    predicted: z.array(z.int()),
    /** Of the predicted class. */
    confidence: z.array(z.number()),
    curves: z.array(ClassCurve),
    calibration: z.strictObject({ bins: z.array(Bin), /** Expected calibration error. */ ece: z.number() }),
  }),
  z.strictObject({
    kind: z.literal("values"),
    rows: z.array(z.int()),
    /** The first number of each target and of its prediction. */
    truth: z.array(z.number()),
    predicted: z.array(z.number()),
    /** Mean absolute error of each number of a target, such as the steps of a forecast. */
    errors: z.array(z.number()),
  }),
]);
export type Study = z.infer<typeof Study>;

/** More classes are told by the ones with most rows. */
const MOST_CURVES = 24;
const CURVE_POINTS = 120;
const BINS = 10;

/** @param outputs `width` numbers a row. @param targets a class number each, or as many values as a target has */
export function studyOf({
  rows,
  outputs,
  width,
  targets,
  classCount,
}: {
  rows: readonly number[];
  outputs: Float32Array;
  width: number;
  targets: readonly (readonly number[])[];
  classCount: number;
}): Study {
  return classCount > 0 ? studyClasses(rows, outputs, width, targets, classCount) : studyValues(rows, outputs, width, targets);
}

function studyClasses(all: readonly number[], outputs: Float32Array, width: number, targets: readonly (readonly number[])[], classCount: number): Study {
  const known = all.flatMap((row, at) => {
    const chances = toProbabilities(Array.from(outputs.subarray(at * width, (at + 1) * width)), classCount);
    const truth = targets[at]?.[0];
    return chances && truth !== undefined ? [{ row, truth, chances, predicted: argmax(chances) }] : [];
  });
  const counts = Array.from({ length: classCount }, (_, index) => ({ index, positives: known.reduce((sum, { truth }) => sum + (truth === index ? 1 : 0), 0) }));
  // Of two classes the second says it all: the first is its mirror.
  const shown =
    classCount === 2
      ? counts.slice(1)
      : counts
          .toSorted((a, b) => b.positives - a.positives || a.index - b.index)
          .slice(0, MOST_CURVES)
          .sort((a, b) => a.index - b.index);
  return {
    kind: "classes",
    rows: known.map(({ row }) => row),
    truth: known.map(({ truth }) => truth),
    predicted: known.map(({ predicted }) => predicted),
    confidence: known.map(({ chances, predicted }) => Number((chances[predicted] ?? 0).toPrecision(4))),
    curves: shown
      .filter(({ positives }) => positives > 0 && positives < known.length)
      .map(({ index, positives }) => ({ index, positives, ...curvesOf(known.map(({ truth, chances }) => ({ score: chances[index] ?? 0, yes: truth === index }))) })),
    calibration: calibrationOf(known.map(({ truth, predicted, chances }) => ({ confidence: chances[predicted] ?? 0, right: truth === predicted }))),
  };
}

/**
 * ROC and precision–recall of scores, exact: a point at every threshold, equal scores together. Areas are of all points; what is drawn is thinned.
 * Average precision is Σ (recall − recall before) · precision, as scikit-learn has it.
 */
export function curvesOf(scored: readonly { score: number; yes: boolean }[]): Pick<ClassCurve, "auc" | "ap" | "roc" | "pr"> {
  const sorted = scored.toSorted((a, b) => b.score - a.score);
  const yes = sorted.filter((one) => one.yes).length;
  const no = sorted.length - yes;
  const roc: [number, number][] = [[0, 0]];
  const pr: [number, number][] = [];
  let [hits, alarms, auc, ap] = [0, 0, 0, 0];
  for (let at = 0; at < sorted.length; ) {
    const [before, alarmsBefore] = [hits, alarms];
    const score = sorted[at]?.score;
    for (; at < sorted.length && sorted[at]?.score === score; at++) {
      if (sorted[at]?.yes) hits++;
      else alarms++;
    }
    auc += ((alarms - alarmsBefore) * (hits + before)) / 2;
    ap += ((hits - before) / yes) * (hits / (hits + alarms));
    roc.push([alarms / no, hits / yes]);
    pr.push([hits / yes, hits / (hits + alarms)]);
  }
  return { auc: auc / (yes * no), ap, roc: thin(roc), pr: thin(pr) };
}

/** Points so far apart that an eye can tell them, with the first and the last. */
function thin(line: readonly [number, number][]): [number, number][] {
  const kept: [number, number][] = [];
  for (const [at, [x, y]] of line.entries()) {
    const last = kept.at(-1);
    if (!last || at === line.length - 1 || Math.max(Math.abs(x - last[0]), Math.abs(y - last[1])) >= 1 / CURVE_POINTS) kept.push([Number(x.toFixed(4)), Number(y.toFixed(4))]);
  }
  return kept;
}

/** How far certainty can be trusted. */
export function calibrationOf(answers: readonly { confidence: number; right: boolean }[]): { bins: z.infer<typeof Bin>[]; ece: number } {
  const bins = Array.from({ length: BINS }, (_, at) => ({ from: at / BINS, to: (at + 1) / BINS, count: 0, confidence: 0, accuracy: 0 }));
  for (const { confidence, right } of answers) {
    const bin = bins[Math.min(BINS - 1, Math.floor(confidence * BINS))];
    if (!bin) continue;
    bin.count++;
    bin.confidence += confidence;
    bin.accuracy += right ? 1 : 0;
  }
  const means = bins.filter(({ count }) => count > 0).map((bin) => ({ ...bin, confidence: bin.confidence / bin.count, accuracy: bin.accuracy / bin.count }));
  const ece = means.reduce((sum, { count, confidence, accuracy }) => sum + (count / Math.max(1, answers.length)) * Math.abs(confidence - accuracy), 0);
  return { bins: means, ece };
}

function studyValues(all: readonly number[], outputs: Float32Array, width: number, targets: readonly (readonly number[])[]): Study {
  const known = all.flatMap((row, at) => {
    const made = Array.from(outputs.subarray(at * width, (at + 1) * width));
    const truth = targets[at] ?? [];
    return made.length === truth.length && made.every(Number.isFinite) ? [{ row, truth, made }] : [];
  });
  return {
    kind: "values",
    rows: known.map(({ row }) => row),
    truth: known.map(({ truth }) => truth[0] ?? 0),
    predicted: known.map(({ made }) => Number((made[0] ?? 0).toPrecision(6))),
    errors: Array.from(
      { length: width },
      (_, step) => known.reduce((sum, { truth, made }) => sum + Math.abs((made[step] ?? 0) - (truth[step] ?? 0)), 0) / Math.max(1, known.length),
    ),
  };
}
