"use client";

import { ChevronDown, ChevronUp } from "lucide-react";
import { useState } from "react";
import type { Problem } from "../../core/graph/check.ts";
import { splitPath } from "../../core/graph/path.ts";
import { say } from "../../core/language/say.ts";
import { taskNamed } from "../../core/tasks/index.ts";
import { planSteps } from "../../core/training/build.ts";
import { findSchedule } from "../../core/training/schedules/index.ts";
import { IconButton } from "../ui/Button.tsx";
import { cx } from "../ui/cx.ts";
import { printNumber } from "../ui/Field.tsx";
import { formatBytes, formatCount, formatShort } from "../ui/format.ts";
import { Line } from "../ui/Panel.tsx";
import { Say } from "../ui/Say.tsx";
import type { Answers } from "../ui/trpc.ts";
import { useChecked } from "./checked.ts";
import { fixProblem } from "./edits.ts";
import { showNode } from "./showNode.ts";
import { useMemoryModel } from "./train/useMemoryModel.ts";
import { useTraining } from "./train/useTraining.ts";
import { useStudio } from "./useStudio.ts";

/** What will happen before anybody presses Train: how large the model is, what it will do, and what stands in the way. */
export function Drawer({ dataset }: { dataset: Answers["datasets"]["list"][number] | undefined }) {
  const open = useStudio((s) => s.drawer);
  const settings = useTraining((s) => s.settings);
  const checked = useChecked();
  const [dismissed, setDismissed] = useState<ReadonlySet<string>>(new Set());
  const problems = checked.problems.filter((problem) => problem.severity === "error" || !dismissed.has(keyOf(problem)));
  const errors = problems.filter((problem) => problem.severity === "error").length;
  const hints = problems.length - errors;
  const memory = useMemoryModel(settings)?.(settings?.batchSize ?? 1).peakBytes;
  const plan = settings && dataset ? planSteps(dataset.rows.train, settings) : null;
  const summary =
    problems.length === 0
      ? say("No problems")
      : [errors > 0 && say("{errors, plural, one {# problem} other {# problems}}", { errors }), hints > 0 && say("{hints, plural, one {# hint} other {# hints}}", { hints })]
          .filter(Boolean)
          .join(", ");

  return (
    <section id="before-you-train" aria-label={say("Before you train")} className="absolute inset-x-3 bottom-3 z-10 rounded-xl border border-line2 bg-panel">
      {!open ? (
        <button
          type="button"
          aria-label={say("Open the drawer: {summary}", { summary })}
          aria-expanded={false}
          className="flex h-9 w-full items-center justify-between gap-4 px-3.5"
          onClick={() => useStudio.setState({ drawer: true })}
        >
          <span className="font-semibold">{say("Before you train")}</span>
          <span className="flex min-w-0 items-center gap-4 text-ink2">
            <span className="figures max-sm:hidden">{say("{parameters} parameters", { parameters: formatCount(checked.totals.parameters) })}</span>
            <span className={cx("truncate", errors > 0 ? "text-bad" : hints > 0 && "text-warn")}>{summary}</span>
            <ChevronUp size={15} />
          </span>
        </button>
      ) : (
        <div className="grid max-h-[38dvh] overflow-y-auto md:grid-cols-[1fr_1fr_1.25fr] md:divide-x md:divide-line">
          <div className="px-3.5 py-2.5">
            <h2 className="pb-1 font-semibold">{say("Before you train")}</h2>
            <dl>
              <Line name={say("Parameters")} plain>
                {formatCount(checked.totals.parameters)}
              </Line>
              <Line name={say("Multiply-adds")} plain>
                {checked.totals.multiplyAdds === 0 ? "–" : say("{multiplyAdds} / sample", { multiplyAdds: formatShort(checked.totals.multiplyAdds) })}
              </Line>
              <Line name={say("Memory")} plain>
                {!memory ? "–" : say("about {memory}", { memory: formatBytes(memory) })}
              </Line>
              <Line name={say("Steps")} plain>
                {plan && settings ? `${formatCount(plan.stepsPerEpoch * settings.epochs)}` : "–"}
              </Line>
            </dl>
          </div>
          <div className="border-line px-3.5 py-2.5 max-md:border-t">
            <div className="flex items-baseline justify-between gap-3 pb-1">
              <h2 className="min-w-0 truncate font-semibold">
                <Say
                  text="Recipe {title}"
                  with={{ title: <span className="font-normal text-ink3">{dataset?.task ? taskNamed(settings?.task ?? dataset.task).title.toLowerCase() : ""}</span> }}
                />
              </h2>
              <button type="button" className="shrink-0 text-accent hover:underline" onClick={() => useStudio.setState({ panel: "train", sheet: "panel" })}>
                {say("Change")}
              </button>
            </div>
            <dl>
              <Line name={say("Data set")} plain>
                {dataset?.name ?? say("none chosen")}
              </Line>
              {settings && (
                <>
                  <Line name={say("Optimizer")} plain>
                    {settings.optimizer}, {printNumber(settings.lr)}
                  </Line>
                  <Line name={say("Schedule")} plain>
                    {findSchedule(settings.schedule).title.toLowerCase()}
                  </Line>
                  <Line name={say("Batch, epochs")} plain>
                    {settings.batchSize}, {settings.epochs} <span className="text-ink3">{say("on {device}", { device: settings.device })}</span>
                  </Line>
                </>
              )}
            </dl>
          </div>
          <div className="min-w-0 border-line px-3.5 py-2.5 max-md:border-t">
            <div className="flex items-start justify-between gap-3">
              <h2 className="pb-1 font-semibold">{summary}</h2>
              <IconButton label={say("Fold the drawer")} className="-mt-1 -mr-1.5 size-6!" onClick={() => useStudio.setState({ drawer: false })}>
                <ChevronDown size={15} />
              </IconButton>
            </div>
            {problems.length === 0 ? (
              <p className="text-ink2">{say("Everything fits together{name}.", { name: dataset ? say(", from {name} to the loss", { name: dataset.name }) : "" })}</p>
            ) : (
              <ul aria-label={say("Problems")} className="max-h-[104px] space-y-1 overflow-y-auto">
                {problems.map((problem) => (
                  <ProblemRow key={keyOf(problem)} problem={problem} onDismiss={() => setDismissed((before) => new Set([...before, keyOf(problem)]))} />
                ))}
              </ul>
            )}
          </div>
        </div>
      )}
    </section>
  );
}

function ProblemRow({ problem, onDismiss }: { problem: Problem; onDismiss: () => void }) {
  const [fix] = problem.fixes;
  const bad = problem.severity === "error";
  const word = fix?.kind === "remove-node" || fix?.kind === "remove-edge" ? say("Remove") : say("Fix");
  return (
    <li className="flex items-baseline justify-between gap-3">
      <button
        type="button"
        disabled={problem.node === undefined}
        title={problem.hint}
        className={cx("min-w-0 text-left enabled:hover:underline", bad ? "text-bad" : "text-warn")}
        onClick={() => showProblem(problem)}
      >
        {problem.message}
      </button>
      <span className="flex shrink-0 gap-2">
        {fix && (
          <button type="button" title={fix.label} aria-label={`${word}: ${fix.label}`} className="text-accent hover:underline" onClick={() => fixProblem(problem, fix)}>
            {word}
          </button>
        )}
        {!bad && (
          <button type="button" className="text-ink2 hover:underline" onClick={onDismiss}>
            {say("Dismiss")}
          </button>
        )}
      </span>
    </li>
  );
}

/** Goes to the node that a problem is about, opening the zones around it. */
export function showProblem(problem: Problem): void {
  if (problem.node === undefined) return;
  showNode(problem.node);
  useStudio.setState({ problemAt: splitPath(problem.node).id });
}

function keyOf(problem: Problem): string {
  return [problem.code, problem.node, problem.edge, problem.port, problem.param, problem.message].join("|");
}
