"use client";

import { say } from "../../../core/language/say.ts";
import type { RunSettings } from "../../../core/training/settings.ts";
import { Button } from "../../ui/Button.tsx";
import { printNumber } from "../../ui/Field.tsx";
import { type Answers, useTRPCClient } from "../../ui/trpc.ts";
import { useMeasured } from "./useMeasured.ts";
import { changeSettings, complain } from "./useTraining.ts";

type Search = Answers["runs"]["findLr"];

const W = 276;
const H = 90;

/** Looks for a learning rate on a throw-away copy of the model, draws the losses that it saw, and offers the rate that they suggest. */
export function LrFinder({ modelId, settings, whyNot }: { modelId: string; settings: RunSettings; whyNot: string | null }) {
  const client = useTRPCClient();
  const { measuring, answer: search, measure } = useMeasured(() => client.runs.findLr.mutate({ modelId, settings }), say("No learning rate was found."));
  const suggestion = search?.suggestion;
  return (
    <div className="py-[3px]">
      <div className="flex justify-end gap-2">
        {suggestion && (
          <Button
            size="sm"
            kind="primary"
            disabled={settings.lr === suggestion.lr}
            onClick={() => {
              complain(say("Learning rate"), null);
              changeSettings({ lr: suggestion.lr });
            }}
          >
            {say("Use {lr}", { lr: printNumber(suggestion.lr) })}
          </Button>
        )}
        <Button
          size="sm"
          disabled={measuring || whyNot !== null}
          title={say("Trains a throw-away copy for some steps under a rising rate. Nothing of it is kept.")}
          onClick={measure}
        >
          {measuring ? say("Looking") : say("Find a rate")}
        </Button>
      </div>
      {search && <LrCurve search={search} />}
    </div>
  );
}

/** Smoothed losses over the logarithm of the rate, and where on it the suggestion lies. */
function LrCurve({ search: { smoothed, suggestion } }: { search: Search }) {
  const [first, last] = [smoothed[0], smoothed.at(-1)];
  if (!first || !last || smoothed.length < 2) return <p className="text-sm text-ink2">{say("The loss was not finite from the first step on.")}</p>;
  const lowest = Math.min(...smoothed.map(({ loss }) => loss));
  // What diverges at the end must not press the rest flat.
  const highest = Math.max(first.loss, lowest + 1.5 * (first.loss - lowest), lowest + 1e-9);
  const x = (lr: number) => (Math.log(lr / first.lr) / Math.log(last.lr / first.lr)) * W;
  const y = (loss: number) => 4 + (1 - (Math.min(loss, highest) - lowest) / (highest - lowest)) * (H - 8);
  const path = smoothed.map(({ lr, loss }, i) => `${i === 0 ? "M" : "L"}${x(lr).toFixed(1)} ${y(loss).toFixed(1)}`).join("");
  return (
    <figure className="py-1.5">
      <svg
        viewBox={`0 0 ${W} ${H}`}
        role="img"
        aria-label={
          suggestion
            ? say("Training loss over learning rates from {lr} to {lr2}; suggested is {lr3}", {
                lr: printNumber(first.lr),
                lr2: printNumber(round(last.lr)),
                lr3: printNumber(suggestion.lr),
              })
            : say("Training loss over learning rates from {lr} to {lr2}", { lr: printNumber(first.lr), lr2: printNumber(round(last.lr)) })
        }
        className="block w-full"
      >
        <path d={`M0 ${H - 3.5}H${W}`} stroke="var(--line)" />
        <path d={path} fill="none" stroke="var(--series-1)" strokeWidth="1.5" strokeLinejoin="round" />
        {suggestion && <path d={`M${x(suggestion.lr).toFixed(1)} 0V${H}`} stroke="var(--accent)" strokeDasharray="3 2" />}
      </svg>
      <figcaption className="text-sm text-ink2">
        <span className="figures flex justify-between">
          <span>{printNumber(first.lr)}</span>
          <span>{printNumber(round(last.lr))}</span>
        </span>
        {suggestion
          ? say("Suggested: {lr}, where the smoothed loss falls most steeply, but at most a tenth of {lowest}, where it was lowest.", {
              lr: printNumber(suggestion.lr),
              lowest: printNumber(round(suggestion.lowest)),
            })
          : say("The loss fell at no rate, so none is suggested. Look at the loss and the network first.")}
      </figcaption>
    </figure>
  );
}

const round = (value: number) => Number(value.toPrecision(2));
