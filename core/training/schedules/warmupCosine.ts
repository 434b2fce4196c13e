import { p } from "../../layers/params.ts";
import { anneal, defineSchedule } from "./kit.ts";

export const warmupCosine = defineSchedule({
  name: "WarmupCosine",
  title: "Warm-up and cosine",
  doc: "Climbs in a straight line over a share of the run, then falls along half a cosine.",
  formula: "s / warm-up while climbing, then eta_min + (1 − eta_min) · (1 + cos(π · share)) / 2",
  when: "For transformers: the warm-up keeps the first steps small while the optimizer learns the size of gradients.",
  source: "https://arxiv.org/abs/1608.03983",
  usesWarmup: false,
  params: {
    warmup: p.float({ min: 0, max: 0.9, step: 0.05, default: 0.1, doc: "The share of the run that climbs." }),
    eta_min: p.float({ min: 0, max: 100, default: 0, doc: "The lowest learning rate." }),
  },
  factor: ({ warmup, eta_min }, { step, totalSteps, lr }) => {
    const climb = Math.floor(warmup * totalSteps);
    if (step < climb) return (step + 1) / (climb + 1);
    return anneal(1, eta_min / lr, (step - climb) / Math.max(1, totalSteps - climb));
  },
});
