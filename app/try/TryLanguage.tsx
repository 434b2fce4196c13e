"use client";

import { useEffect, useRef, useState } from "react";
import { pickToken } from "../../core/data/language.ts";
import { decodeText, encodeText, PADDING, splitText, UNKNOWN } from "../../core/data/text.ts";
import { say } from "../../core/language/say.ts";
import { bodyInputs } from "../../core/layers/input.ts";
import type { Run } from "../dashboard/run.ts";
import { Button } from "../ui/Button.tsx";
import { Field, NumberInput, TextArea } from "../ui/Field.tsx";
import { ModelState } from "./ModelState.tsx";
import type { OnnxModel } from "./onnxModel.ts";
import { useOnnx } from "./usePrediction.ts";
import type { TryRun } from "./useValidationSamples.ts";

type Text = NonNullable<Run["dataset"]["text"]>;

/** A prompt that the network goes on with, token by token. */
export function TryLanguage({ run, text, artifactId }: { run: TryRun; text: Text; artifactId: string }) {
  const loaded = useOnnx(artifactId, null);
  const [prompt, setPrompt] = useState("");
  const [temperature, setTemperature] = useState(0.8);
  const [count, setCount] = useState(200);
  const [written, setWritten] = useState<{ prompt: string; more: string } | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [isWriting, setWriting] = useState(false);
  const stop = useRef<AbortController | null>(null);
  useEffect(() => () => stop.current?.abort(), []);
  const known = encodeText(prompt, text).filter((token) => token !== UNKNOWN);
  const unknown = prompt === "" ? [] : [...new Set(splitText(prompt, text).filter((piece) => encodeText(piece, text).includes(UNKNOWN)))];

  async function write(model: OnnxModel): Promise<void> {
    stop.current?.abort();
    const abort = new AbortController();
    stop.current = abort;
    const { signal } = abort;
    setWriting(true);
    setProblem(null);
    // Nothing to begin with: what the text has most often.
    const begin = known.length > 0 ? known : [mostFrequent(text)];
    const tokens = [...begin];
    try {
      for (let at = 0; at < count && !signal.aborted; at++) {
        tokens.push(pickToken(await scoreNext(model, tokens, contextOf(run)), temperature, Math.random));
        if (signal.aborted) break;
        setWritten({ prompt: decodeText(begin, text), more: decodeText(tokens, text).slice(decodeText(begin, text).length) });
      }
    } catch (error) {
      if (!signal.aborted) setProblem(error instanceof Error ? error.message : String(error));
    }
    if (stop.current === abort) setWriting(false);
  }

  return (
    <form
      className="space-y-3"
      onSubmit={(event) => {
        event.preventDefault();
        if (isWriting) {
          stop.current?.abort();
          setWriting(false);
        } else if (loaded.state === "ready") void write(loaded.model);
      }}
    >
      <ModelState loaded={loaded} problem={problem} />
      <div>
        <Field
          label={say("Begin with")}
          hint={unknown.length > 0 ? say("Not in its vocabulary, and passed over: {unknown}", { unknown: unknown.slice(0, 12).join(" ") }) : undefined}
        >
          {(ids) => (
            <TextArea
              {...ids}
              rows={3}
              maxLength={2_000}
              placeholder={say("The beginning of a sentence; it goes on from there.")}
              value={prompt}
              onChange={(event) => setPrompt(event.target.value)}
            />
          )}
        </Field>
        <Field label={say("Temperature")} doc={say("Low: it writes what is likeliest. High: it dares more. 0: always the likeliest.")}>
          {(ids) => <NumberInput {...ids} min={0} max={5} step={0.1} value={temperature} onValue={setTemperature} />}
        </Field>
        <Field label={say("Tokens")}>{(ids) => <NumberInput {...ids} whole min={1} max={1_000} value={count} onValue={setCount} />}</Field>
      </div>
      <Button type="submit" kind="primary" disabled={loaded.state !== "ready"}>
        {isWriting ? say("Stop") : say("Go on from there")}
      </Button>
      {written && (
        <section aria-label={say("What it writes")} className="rounded-md border border-line2 bg-raise px-2.5 py-2 [overflow-wrap:anywhere] whitespace-pre-wrap">
          <span className="text-accent">{written.prompt}</span>
          {written.more}
        </section>
      )}
    </form>
  );
}

/** How many tokens the network takes: any number up to `most`, or always `length`. */
type Context = { length: number | null; most: number };

function contextOf({ graph, dataset }: TryRun): Context {
  const [first] = bodyInputs(graph);
  const shape = first?.node.params.shape;
  const length = Array.isArray(shape) && typeof shape[0] === "number" ? shape[0] : null;
  return { length, most: length ?? dataset.inputShape[0] ?? 1 };
}

/** The scores of what comes after these tokens: of an output [tokens, steps] those of the text's last step. */
async function scoreNext(model: OnnxModel, tokens: readonly number[], { length, most }: Context): Promise<number[]> {
  const shown = tokens.slice(-most);
  const last = shown.length - 1;
  const steps = length ?? shown.length;
  const output = await model.predict([...shown, ...Array<number>(steps - shown.length).fill(PADDING)]);
  return Array.from({ length: Math.floor(output.length / steps) }, (_, token) => output[token * steps + last] ?? 0);
}

function mostFrequent({ counts = [] }: Text): number {
  let best = UNKNOWN + 1;
  for (let token = best; token < counts.length; token++) if ((counts[token] ?? 0) > (counts[best] ?? 0)) best = token;
  return best;
}
