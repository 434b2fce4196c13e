"use client";

import { say } from "../../../core/language/say.ts";
import type { RunSettings } from "../../../core/training/settings.ts";
import { Field, NumberInput, TextInput } from "../../ui/Field.tsx";
import { changeSettings, complain } from "./useTraining.ts";

/** What a language model goes on with after each epoch, to be read on the run's page. */
export function Writing({ writing }: { writing: RunSettings["writing"] }) {
  const change = (part: Partial<RunSettings["writing"]>) => changeSettings({ writing: { ...writing, ...part } });
  return (
    <>
      <h3 className="section-name pt-4 pb-1">{say("Text after each epoch")}</h3>
      <Field label={say("Begins with")} hint={writing.prompt === "" ? say("Empty: with the token that it has seen most.") : undefined}>
        {(ids) => <TextInput {...ids} maxLength={500} value={writing.prompt} onChange={(event) => change({ prompt: event.target.value })} />}
      </Field>
      <Field label={say("Tokens")}>
        {(ids) => (
          <NumberInput
            {...ids}
            whole
            min={1}
            max={1_000}
            value={writing.tokens}
            onValue={(tokens) => change({ tokens })}
            onProblem={(problem) => complain(say("Tokens"), problem)}
          />
        )}
      </Field>
      <Field label={say("Temperature")} doc={say("Low: it writes what is likeliest. High: it dares more. 0: always the likeliest.")}>
        {(ids) => (
          <NumberInput
            {...ids}
            min={0}
            max={5}
            step={0.1}
            value={writing.temperature}
            onValue={(temperature) => change({ temperature })}
            onProblem={(problem) => complain(say("Temperature"), problem)}
          />
        )}
      </Field>
    </>
  );
}
