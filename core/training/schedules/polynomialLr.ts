import { p } from "../../layers/params.ts";
import { defineSchedule, scheduleSource, stepsOf } from "./kit.ts";

export const polynomialLr = defineSchedule({
  name: "PolynomialLR",
  title: "Polynomial",
  doc: "Falls to 0 along a power of what is left of the run.",
  formula: "(1 − min(e, total_iters) / total_iters) ^ power",
  when: "For segmentation, where its papers use it with power 0.9.",
  source: scheduleSource("PolynomialLR"),
  usesWarmup: true,
  params: {
    total_iters: p.float({ min: 0, default: 0, doc: "Epochs until 0 is reached; 0: the whole run, where PyTorch has 5." }),
    power: p.float({ min: 0, max: 10, step: 0.1, default: 1, doc: "1 falls in a straight line, more falls early." }),
  },
  factor: ({ total_iters, power }, at) => {
    const length = stepsOf(total_iters, at);
    return (1 - Math.min(at.step, length) / length) ** power;
  },
});
