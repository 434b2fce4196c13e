import { p } from "../../layers/params.ts";
import { defineSchedule, scheduleSource, stepsOf } from "./kit.ts";

export const cosineAnnealingLr = defineSchedule({
  name: "CosineAnnealingLR",
  title: "Cosine",
  doc: "Falls from the learning rate along half a cosine.",
  formula: "eta_min + (1 − eta_min) · (1 + cos(π · e / T_max)) / 2",
  when: "For runs of any length, with a short warm-up for transformers.",
  source: scheduleSource("CosineAnnealingLR"),
  usesWarmup: true,
  params: {
    T_max: p.float({ min: 0, default: 0, doc: "Epochs until the lowest point; 0: the whole run. Beyond it the curve climbs again." }),
    eta_min: p.float({ min: 0, max: 100, default: 0, doc: "The lowest learning rate." }),
  },
  factor: ({ T_max, eta_min }, at) => {
    const low = eta_min / at.lr;
    return low + ((1 - low) * (1 + Math.cos((Math.PI * at.step) / stepsOf(T_max, at)))) / 2;
  },
});
