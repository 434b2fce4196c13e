import { say } from "../../language/say.ts";
import type { DerivedMetric } from "../records.ts";
import { errorMoments, MOMENTS } from "./errorMoments.ts";

export const r2: DerivedMetric = {
  name: "r2",
  title: "R²",
  doc: "The share of the targets' variance that predictions explain: 1 is perfect, 0 is no better than always saying the mean.",
  formula: "R² = 1 − Σ (y − t)² / Σ (t − mean t)²",
  use: say("To compare models of different targets. Not with a handful of rows."),
  from: errorMoments.name,
  better: "higher",
  of(sums) {
    const { count, squaredError, target, squaredTarget } = MOMENTS;
    const [rows = 0, errors = 0, sum = 0, squares = 0] = [count, squaredError, target, squaredTarget].map((at) => sums[at]);
    const spread = squares - sum ** 2 / rows;
    return spread > 0 ? 1 - errors / spread : null;
  },
};
