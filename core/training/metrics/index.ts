import { sayRecord } from "../../language/records.ts";
import type { DerivedMetric, MetricRecord } from "../records.ts";
import { accuracy } from "./accuracy.ts";
import { AVERAGES, type Average } from "./average.ts";
import { bitsPerCharacter } from "./bitsPerCharacter.ts";
import { confusion } from "./confusion.ts";
import { errorMoments } from "./errorMoments.ts";
import { f1By } from "./f1.ts";
import { mae } from "./mae.ts";
import { mape } from "./mape.ts";
import { mase } from "./mase.ts";
import { meanDice } from "./meanDice.ts";
import { meanIou } from "./meanIou.ts";
import { mse } from "./mse.ts";
import { perplexity } from "./perplexity.ts";
import { pixelAccuracy } from "./pixelAccuracy.ts";
import { pixelConfusion } from "./pixelConfusion.ts";
import { prAuc } from "./prAuc.ts";
import { precisionBy } from "./precision.ts";
import { r2 } from "./r2.ts";
import { recallBy } from "./recall.ts";
import { reconstructionError } from "./reconstructionError.ts";
import { rmse } from "./rmse.ts";
import { rocAuc } from "./rocAuc.ts";
import { scoreHistogram } from "./scoreHistogram.ts";
import { smape } from "./smape.ts";
import { tokenLikelihood } from "./tokenLikelihood.ts";
import { top5, topKNamed } from "./topK.ts";

/** What the engine computes; a task says which of these it is judged by. */
export const metrics: readonly MetricRecord[] = [
  accuracy,
  confusion,
  top5,
  scoreHistogram,
  tokenLikelihood,
  bitsPerCharacter,
  mae,
  smape,
  mase,
  errorMoments,
  pixelConfusion,
  reconstructionError,
].map(sayRecord);

/** What is worked out from summed metrics after each pass over the validation rows. */
export const derivedMetrics: readonly DerivedMetric[] = [
  ...AVERAGES.flatMap((average) => [f1By(average), precisionBy(average), recallBy(average)]),
  rocAuc,
  prAuc,
  rmse,
  r2,
  mse,
  mape,
  perplexity,
  pixelAccuracy,
  meanIou,
  meanDice,
].map(sayRecord);

/** The figures that follow from the summed tensors of one evaluation, those over classes by this average; what is not defined is left out. */
export function deriveValues(tensors: { readonly [name: string]: { shape: readonly number[]; data: readonly number[] } }, wanted: Average = "macro"): { [name: string]: number } {
  return Object.fromEntries(
    derivedMetrics.flatMap(({ name, from, average = wanted, of }) => {
      const sums = tensors[from];
      if (!sums || average !== wanted) return [];
      const value = of(sums.data, sums.shape);
      return value !== null && Number.isFinite(value) ? [[name, value]] : [];
    }),
  );
}

const byName = new Map<string, MetricRecord | DerivedMetric>([...metrics, ...derivedMetrics].map((metric) => [metric.name, metric]));

/** The record of a metric, by its name as it stands in a series' key. */
export function findMetric(name: string): MetricRecord | DerivedMetric | undefined {
  return byName.get(name) ?? topKNamed(name);
}

/** Which way is good for a series such as `validation/accuracy` or `train/loss/y`; null where neither is. */
export function goodDirection(key: string): "higher" | "lower" | null {
  const [, name, part] = key.split("/");
  if (name === "loss") return "lower";
  return part === undefined ? (findMetric(name ?? "")?.better ?? null) : null;
}
