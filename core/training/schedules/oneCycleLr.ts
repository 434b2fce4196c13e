import { p } from "../../layers/params.ts";
import { anneal, defineSchedule, scheduleSource } from "./kit.ts";

export const oneCycleLr = defineSchedule({
  name: "OneCycleLR",
  title: "One cycle",
  doc: "Climbs to the learning rate over the first part of the run, then glides down to almost nothing. Learns fast and ends well in few epochs.",
  formula: "cosine from 1 / div_factor up to 1, then down to 1 / (div_factor · final_div_factor)",
  when: "First, for short runs of any network. Its length must be known: a run that is extended begins anew.",
  source: scheduleSource("OneCycleLR"),
  usesWarmup: false,
  params: {
    pct_start: p.float({ min: 0, max: 1, step: 0.05, default: 0.3, doc: "The share of the run that climbs." }),
    div_factor: p.float({ min: 1, default: 25, doc: "It begins at the learning rate divided by this." }),
    final_div_factor: p.float({ min: 1, default: 1e4, doc: "It ends at its beginning divided by this." }),
  },
  factor: ({ pct_start, div_factor, final_div_factor }, { step, totalSteps }) => {
    const start = 1 / div_factor;
    // Both phases end on their last step, hence the −1.
    const upEnd = Math.max(0, pct_start * totalSteps - 1);
    const downEnd = totalSteps - 1;
    if (step <= upEnd) return anneal(start, 1, step / upEnd);
    return anneal(1, start / final_div_factor, Math.min(1, (step - upEnd) / (downEnd - upEnd)));
  },
});
