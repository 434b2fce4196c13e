"use client";

import { useMemo, useState } from "react";
import { decodeText, encodeText, splitText, UNKNOWN } from "../../core/data/text.ts";
import { say } from "../../core/language/say.ts";
import { argmax, toProbabilities } from "../../core/training/probability.ts";
import type { Run } from "../dashboard/run.ts";
import { targetText } from "../data/targetText.ts";
import { Button } from "../ui/Button.tsx";
import { Field, TextInput } from "../ui/Field.tsx";
import { formatMetric } from "../ui/format.ts";
import { decodeTensor } from "../ui/tensorBytes.ts";
import { Bars } from "./Bars.tsx";
import { ModelState } from "./ModelState.tsx";
import { useOnnx, usePrediction } from "./usePrediction.ts";
import { type TryRun, useValidationSamples } from "./useValidationSamples.ts";

/** What is written, and what the network says of it. */
export function TryText({ run, text, artifactId }: { run: TryRun; text: NonNullable<Run["dataset"]["text"]>; artifactId: string }) {
  const { classes, inputShape } = run.dataset;
  const loaded = useOnnx(artifactId, null);
  const samples = useValidationSamples(run);
  const [written, setWritten] = useState("");
  const longest = inputShape[0] ?? 1;
  const input = useMemo(() => {
    const numbers = encodeText(written.trim(), text);
    return numbers.length > 0 ? numbers : null;
  }, [written, text]);
  const read = text.unit === "pieces" ? written.trim().split(/\s+/) : splitText(written.trim(), text);
  const unknown = [...new Set(read.filter((piece) => encodeText(piece, text).includes(UNKNOWN)))];
  const { output, problem } = usePrediction(loaded.state === "ready" ? loaded.model : null, input);
  const chances = output && classes.length > 0 ? toProbabilities(output, classes.length) : null;
  const answer = chances ? argmax(chances) : -1;
  return (
    <div className="space-y-3">
      <ModelState loaded={loaded} problem={problem} />
      <Field
        label={say("Write something")}
        hint={
          unknown.length > 0
            ? say("Not in its vocabulary: {unknown}", { unknown: unknown.join(" ") })
            : input && input.length > longest
              ? say("Longer than anything it learned from, which ends at {longest}.", { longest })
              : undefined
        }
      >
        {(ids) => <TextInput {...ids} value={written} maxLength={2_000} onChange={(event) => setWritten(event.target.value)} />}
      </Field>
      <p role="status" className="min-h-5 font-semibold">
        {answer >= 0
          ? say("It says {answer}", { answer: classes[answer] ?? answer })
          : classes.length === 0 && output && say("It says {output}", { output: formatMetric(output[0]) })}
      </p>
      {classes.length > 0 && <Bars classes={classes} chances={chances} />}
      {samples.data && (
        <fieldset className="pt-1">
          <legend className="section-name pb-1.5 text-ink2">{say("Or take a validation sample")}</legend>
          <div className="flex flex-wrap gap-1.5">
            {samples.data.samples.map((sample) => {
              const words = decodeText(decodeTensor(sample.input, samples.data.dtype), text);
              return (
                <Button
                  key={sample.row}
                  size="sm"
                  aria-pressed={written === words}
                  title={say("True is {target}", { target: targetText(sample.target, classes) })}
                  onClick={() => setWritten(words)}
                >
                  {words}
                </Button>
              );
            })}
          </div>
        </fieldset>
      )}
    </div>
  );
}
