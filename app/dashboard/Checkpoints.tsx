"use client";

import { memo } from "react";
import { say } from "../../core/language/say.ts";
import { useMayChange } from "../account/useRole.ts";
import { Badge } from "../ui/Badge.tsx";
import { Button } from "../ui/Button.tsx";
import { formatBytes, formatCount } from "../ui/format.ts";
import type { Checkpoint } from "./run.ts";

/** The kept states of a run, newest first; each can start a new run, or be taken along. */
export const Checkpoints = memo(function Checkpoints({
  checkpoints,
  onFork,
  forking,
  onOpen,
  opening,
}: {
  checkpoints: readonly Checkpoint[];
  onFork: (checkpoint: Checkpoint) => void;
  forking: boolean;
  onOpen: (checkpoint: Checkpoint) => void;
  opening: boolean;
}) {
  const mayChange = useMayChange();
  if (checkpoints.length === 0) return null;
  const newestFirst = [...checkpoints].sort((a, b) => b.step - a.step);
  return (
    <section aria-label={say("Checkpoints")}>
      <h3 className="section-name pb-1 text-ink2">{say("Checkpoints")}</h3>
      <ul className="max-h-72 overflow-y-auto">
        {newestFirst.map((checkpoint) => (
          <li key={checkpoint.id} className="flex min-h-7 items-center gap-1.5">
            <span className="whitespace-nowrap">{say("Epoch {epoch}", { epoch: checkpoint.epoch })}</span>
            {checkpoint.isBest && <Badge tone="accent">{say("best")}</Badge>}
            <span className="figures ml-auto truncate text-ink2">{say("step {step}", { step: formatCount(checkpoint.step) })}</span>
            <a href={`/api/checkpoints/${checkpoint.id}`} className="figures w-14 text-right text-ink2 hover:text-ink hover:underline">
              <span className="sr-only">{say("Download the checkpoint of step {step},", { step: checkpoint.step })} </span>
              {formatBytes(checkpoint.sizeBytes)}
            </a>
            {mayChange && (
              <>
                <Button
                  size="sm"
                  kind="quiet"
                  className="text-accent"
                  disabled={forking}
                  title={say("A new run with the same settings, which begins with these weights.")}
                  aria-label={say("Fork from epoch {epoch}, step {step}", { epoch: checkpoint.epoch, step: checkpoint.step })}
                  onClick={() => onFork(checkpoint)}
                >
                  {say("Fork")}
                </Button>
                <Button
                  size="sm"
                  kind="quiet"
                  className="text-accent"
                  disabled={opening}
                  aria-label={say("Open epoch {epoch}, step {step}, as a model", { epoch: checkpoint.epoch, step: checkpoint.step })}
                  title={say("A new model with this graph, which begins with these weights: change it, and train it further.")}
                  onClick={() => onOpen(checkpoint)}
                >
                  {say("Open")}
                </Button>
              </>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
});
