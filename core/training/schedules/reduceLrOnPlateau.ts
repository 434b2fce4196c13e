import { p } from "../../layers/params.ts";
import { defineSchedule, scheduleSource } from "./kit.ts";

export const reduceLrOnPlateau = defineSchedule({
  name: "ReduceLROnPlateau",
  title: "On plateau",
  doc: "Multiplies the learning rate by factor when the validation loss has not fallen for a while.",
  formula: "· factor after patience epochs without a lower loss",
  when: "When nobody knows how long the run should be. It needs epochs enough to notice.",
  source: scheduleSource("ReduceLROnPlateau"),
  usesWarmup: false,
  params: {
    factor: p.float({ min: 0, max: 0.999, step: 0.1, default: 0.1, doc: "What remains after each fall." }),
    patience: p.int({ min: 0, max: 10_000, default: 10, doc: "Epochs without improvement that are let pass." }),
    threshold: p.float({ min: 0, max: 1, default: 1e-4, doc: "How much lower counts as an improvement." }),
    threshold_mode: p.choice({ options: ["rel", "abs"], default: "rel", doc: "Whether the threshold is a share of the best loss or a difference." }),
    cooldown: p.int({ min: 0, max: 10_000, default: 0, doc: "Epochs to wait after a fall before counting again." }),
    min_lr: p.float({ min: 0, max: 100, default: 0, doc: "The lowest learning rate." }),
    eps: p.float({ min: 0, default: 1e-8, doc: "A fall smaller than this is left out." }),
  },
  plateau: ({ factor, patience, threshold, threshold_mode, cooldown, min_lr, eps }) => ({
    kind: "plateau",
    factor,
    patience,
    threshold,
    thresholdMode: threshold_mode,
    cooldown,
    minLr: min_lr,
    eps,
  }),
});
