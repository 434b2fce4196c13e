"use client";

import { memo, useMemo } from "react";
import { scheduleFactor } from "../../../core/training/schedules.ts";
import type { RunSettings } from "../../../core/training/settings.ts";
import { printNumber } from "../../ui/Field.tsx";
import { formatCount } from "../../ui/format.ts";

const W = 276;
const H = 64;

/** The learning rate over the whole run, as it will be. */
export const SchedulePlot = memo(function SchedulePlot({
  schedule,
  warmupSteps,
  lr,
  steps,
}: {
  schedule: RunSettings["schedule"];
  warmupSteps: number;
  lr: number;
  steps: number;
}) {
  const path = useMemo(() => {
    const points = Math.min(160, Math.max(2, steps));
    return Array.from({ length: points }, (_, i) => {
      const step = Math.round((i / (points - 1)) * (steps - 1));
      const y = H - 3 - scheduleFactor({ schedule, warmupSteps }, step, steps) * (H - 8);
      return `${i === 0 ? "M" : "L"}${((i / (points - 1)) * W).toFixed(1)} ${y.toFixed(1)}`;
    }).join("");
  }, [schedule, warmupSteps, steps]);
  return (
    <figure className="py-1.5">
      <svg viewBox={`0 0 ${W} ${H}`} role="img" aria-label={`Learning rate over ${formatCount(steps)} steps, at most ${printNumber(lr)}`} className="block w-full">
        <path d={`M0 ${H - 2.5}H${W}M0 5H${W}`} stroke="var(--line)" />
        <path d={path} fill="none" stroke="var(--series-1)" strokeWidth="1.5" strokeLinejoin="round" />
      </svg>
      <figcaption className="figures flex justify-between text-ink2">
        <span>0</span>
        <span>at most {printNumber(lr)}</span>
        <span>{formatCount(steps)} steps</span>
      </figcaption>
    </figure>
  );
});
