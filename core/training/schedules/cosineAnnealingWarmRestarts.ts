import { p } from "../../layers/params.ts";
import { anneal, defineSchedule, scheduleSource } from "./kit.ts";

export const cosineAnnealingWarmRestarts = defineSchedule({
  name: "CosineAnnealingWarmRestarts",
  title: "Cosine with restarts",
  doc: "Falls along half a cosine, jumps back, and falls again, each time T_mult times as long.",
  formula: "eta_min + (1 − eta_min) · (1 + cos(π · e / Tᵢ)) / 2",
  when: "To get several good checkpoints from one run. For one good end, Cosine.",
  source: scheduleSource("CosineAnnealingWarmRestarts"),
  usesWarmup: true,
  params: {
    T_0: p.int({ min: 1, default: 1, doc: "Epochs until the first restart." }),
    T_mult: p.int({ min: 1, max: 100, default: 1, doc: "How many times longer each cycle is than the one before." }),
    eta_min: p.float({ min: 0, max: 100, default: 0, doc: "The lowest learning rate." }),
  },
  factor: ({ T_0, T_mult, eta_min }, { step, stepsPerEpoch, lr }) => {
    let length = T_0 * stepsPerEpoch;
    let since = step;
    if (T_mult === 1) since %= length;
    else
      while (since >= length) {
        since -= length;
        length *= T_mult;
      }
    return anneal(1, eta_min / lr, since / length);
  },
});
