"use client";

import type { Problem } from "../../core/graph/check.ts";
import { say } from "../../core/language/say.ts";
import { cx } from "../ui/cx.ts";
import { fixProblem } from "./edits.ts";

/** What is wrong, what came, what to do; and the edits that would mend it, best first. `tabFixes`: Tab applies the first. */
export function ProblemNote({ problem, tabFixes }: { problem: Problem; tabFixes?: boolean }) {
  const bad = problem.severity === "error";
  return (
    <div role="note" aria-label={bad ? say("Problem") : say("Hint")} className={cx("rounded-lg border px-2.5 py-2", bad ? "border-bad" : "border-warn")}>
      <p className={cx("font-medium", bad ? "text-bad" : "text-warn")}>{problem.message}</p>
      {problem.hint && <p className="mt-0.5 text-ink2">{problem.hint}</p>}
      {problem.fixes.length > 0 && (
        <div className="mt-1.5 space-y-1">
          {problem.fixes.map((fix, index) => (
            <button
              key={fix.label}
              type="button"
              onClick={() => fixProblem(problem, fix)}
              className={cx(
                "flex w-full items-center justify-between gap-3 rounded-md px-2 py-1 text-left",
                index === 0 ? "bg-accent-soft hover:bg-[color-mix(in_srgb,var(--accent-soft),var(--accent)_12%)]" : "hover:bg-hover",
              )}
            >
              {fix.label}
              {index === 0 && tabFixes && (
                <kbd aria-hidden className="figures text-ink2">
                  {say("Tab")}
                </kbd>
              )}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}
