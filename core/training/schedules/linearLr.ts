import { p } from "../../layers/params.ts";
import { defineSchedule, scheduleSource, stepsOf } from "./kit.ts";

export const linearLr = defineSchedule({
  name: "LinearLR",
  title: "Linear",
  doc: "Goes in a straight line from one factor to another, and stays there.",
  formula: "start_factor + (end_factor − start_factor) · min(1, e / total_iters)",
  when: "To end a run at 0 in a straight line, or to climb slowly at its beginning.",
  source: scheduleSource("LinearLR"),
  usesWarmup: true,
  params: {
    start_factor: p.float({ min: 0, max: 1, step: 0.1, default: 1 / 3, doc: "The factor at the beginning; 1 to fall from the learning rate itself." }),
    end_factor: p.float({ min: 0, max: 1, step: 0.1, default: 1, doc: "The factor at the end; 0 to end at nothing." }),
    total_iters: p.float({ min: 0, default: 5, doc: "Epochs until then; 0: the whole run." }),
  },
  factor: ({ start_factor, end_factor, total_iters }, at) => start_factor + (end_factor - start_factor) * Math.min(1, at.step / stepsOf(total_iters, at)),
});
