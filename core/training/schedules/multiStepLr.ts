import { p } from "../../layers/params.ts";
import { defineSchedule, scheduleSource } from "./kit.ts";

export const multiStepLr = defineSchedule({
  name: "MultiStepLR",
  title: "At milestones",
  doc: "Multiplies the learning rate by gamma at each of the given epochs.",
  formula: "gamma ^ (milestones that are over)",
  when: "When it is known at which epochs a network stops getting better.",
  source: scheduleSource("MultiStepLR"),
  usesWarmup: true,
  params: {
    milestones: p.ints({ default: [30, 80], min: 0, placeholder: "30, 80", doc: "The epochs at which it falls." }),
    gamma: p.float({ min: 0, max: 1, step: 0.1, default: 0.1, doc: "What remains after each fall." }),
  },
  factor: ({ milestones, gamma }, { step, stepsPerEpoch }) => gamma ** milestones.filter((epoch) => step >= epoch * stepsPerEpoch).length,
});
