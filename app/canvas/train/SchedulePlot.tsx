"use client";

import { memo, useMemo } from "react";
import { say } from "../../../core/language/say.ts";
import { scheduleFactor } from "../../../core/training/schedules/index.ts";
import type { RunSettings } from "../../../core/training/settings.ts";
import { printNumber } from "../../ui/Field.tsx";
import { formatCount } from "../../ui/format.ts";

const W = 276;
const H = 64;

/** The learning rate over the whole run, as it will be; null where only the run itself can tell. */
export const SchedulePlot = memo(function SchedulePlot({
  schedule,
  scheduleParams,
  warmupSteps,
  lr,
  epochs,
  stepsPerEpoch,
}: Pick<RunSettings, "schedule" | "scheduleParams" | "warmupSteps" | "lr" | "epochs"> & { stepsPerEpoch: number }) {
  const steps = stepsPerEpoch * epochs;
  const path = useMemo(() => {
    const points = Math.min(160, Math.max(2, steps));
    const drawn = Array.from({ length: points }, (_, i) => {
      const step = Math.round((i / (points - 1)) * (steps - 1));
      const factor = scheduleFactor({ schedule, scheduleParams, warmupSteps, lr }, step, { totalSteps: steps, stepsPerEpoch });
      if (factor === null) return null;
      const y = H - 3 - Math.min(1, factor) * (H - 8);
      return `${i === 0 ? "M" : "L"}${((i / (points - 1)) * W).toFixed(1)} ${y.toFixed(1)}`;
    });
    return drawn.includes(null) ? null : drawn.join("");
  }, [schedule, scheduleParams, warmupSteps, lr, steps, stepsPerEpoch]);
  if (path === null) return <p className="py-1.5 text-sm text-ink2">{say("Begins at {lr}; when it falls is decided by the validation loss.", { lr: printNumber(lr) })}</p>;
  return (
    <figure className="py-1.5">
      <svg
        viewBox={`0 0 ${W} ${H}`}
        role="img"
        aria-label={say("Learning rate over {steps} steps, at most {lr}", { steps: formatCount(steps), lr: printNumber(lr) })}
        className="block w-full"
      >
        <path d={`M0 ${H - 2.5}H${W}M0 5H${W}`} stroke="var(--line)" />
        <path d={path} fill="none" stroke="var(--series-1)" strokeWidth="1.5" strokeLinejoin="round" />
      </svg>
      <figcaption className="figures flex justify-between text-ink2">
        <span>0</span>
        <span>{say("at most {lr}", { lr: printNumber(lr) })}</span>
        <span>{say("{steps} steps", { steps: formatCount(steps) })}</span>
      </figcaption>
    </figure>
  );
});
