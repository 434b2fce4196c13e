import { p } from "../../layers/params.ts";
import { defineSchedule, scheduleSource } from "./kit.ts";

export const stepLr = defineSchedule({
  name: "StepLR",
  title: "Step",
  doc: "Multiplies the learning rate by gamma every step_size epochs.",
  formula: "gamma ^ floor(e / step_size)",
  when: "For convolutional networks with SGD, as in the recipes of their papers.",
  source: scheduleSource("StepLR"),
  usesWarmup: true,
  params: {
    step_size: p.int({ min: 0, default: 0, doc: "Epochs between two falls; 0: a third of the run." }),
    gamma: p.float({ min: 0, max: 1, step: 0.1, default: 0.1, doc: "What remains after each fall." }),
  },
  factor: ({ step_size, gamma }, at) => gamma ** Math.floor(at.step / (step_size > 0 ? step_size * at.stepsPerEpoch : Math.ceil(at.totalSteps / 3))),
});
