"use client";

import { useEffect } from "react";
import { say } from "../../core/language/say.ts";
import { formatDuration } from "../ui/format.ts";
import { remainingMs } from "./remaining.ts";
import type { Run } from "./run.ts";

/** How the run stands, in the browser's tab: `43%, 2 min left · Run 12`. */
export function usePageTitle(run: Run | undefined): void {
  const title = run && titleOf(run);
  useEffect(() => {
    if (title) document.title = title;
  }, [title]);
}

function titleOf(run: Pick<Run, "number" | "modelName" | "status" | "step" | "totalSteps" | "elapsedMs" | "stepsPerSecond">): string {
  const name = say("Run {number}, {modelName}", { number: run.number, modelName: run.modelName });
  if (run.status !== "running")
    return `${{ queued: say("Waiting"), paused: say("Paused"), finished: say("Finished"), cancelled: say("Cancelled"), failed: say("Failed") }[run.status]} · ${name}`;
  const share = run.totalSteps > 0 ? `${Math.floor((100 * run.step) / run.totalSteps)}%` : say("Training");
  const left = remainingMs(run);
  return `${share}${left === null ? "" : `, ${say("{duration} left", { duration: formatDuration(Math.max(1000, left)) })}`} · ${name}`;
}
