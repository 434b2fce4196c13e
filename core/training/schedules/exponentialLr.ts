import { p } from "../../layers/params.ts";
import { defineSchedule, scheduleSource } from "./kit.ts";

export const exponentialLr = defineSchedule({
  name: "ExponentialLR",
  title: "Exponential",
  doc: "Multiplies the learning rate by gamma after each epoch.",
  formula: "gamma ^ e",
  when: "For long runs without a known end.",
  source: scheduleSource("ExponentialLR"),
  usesWarmup: true,
  params: {
    gamma: p.float({ min: 0, max: 1, step: 0.01, default: 0.9, doc: "What remains after each epoch." }),
  },
  factor: ({ gamma }, { step, stepsPerEpoch }) => gamma ** Math.floor(step / stepsPerEpoch),
});
