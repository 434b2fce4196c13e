"use client";

import { useMemo, useState } from "react";
import { say } from "../../core/language/say.ts";
import { toProbabilities } from "../../core/training/probability.ts";
import { chosenOption, type Feature, featuresOf, featureTitle } from "../dashboard/features.ts";
import { targetText } from "../data/targetText.ts";
import { Field, NumberInput, Select } from "../ui/Field.tsx";
import { formatMetric } from "../ui/format.ts";
import { Failing, Loading } from "../ui/States.tsx";
import { decodeTensor } from "../ui/tensorBytes.ts";
import { Bars } from "./Bars.tsx";
import { ModelState } from "./ModelState.tsx";
import { StartFrom } from "./StartFrom.tsx";
import { useOnnx, usePrediction } from "./usePrediction.ts";
import { type TryRun, useValidationSamples } from "./useValidationSamples.ts";

/** A row of the held-back part, field by field to be changed, and what the network predicts of it. */
export function TryRow({ run, artifactId }: { run: TryRun; artifactId: string }) {
  const { columns, classes, inputShape } = run.dataset;
  const loaded = useOnnx(artifactId, inputShape);
  const samples = useValidationSamples(run);
  const features = useMemo(() => featuresOf(columns), [columns]);
  const [edited, setEdited] = useState<readonly number[] | null>(null);
  const [picked, setPicked] = useState(0);
  const sample = samples.data?.samples[picked];
  const start = useMemo(() => (sample && samples.data ? Array.from(decodeTensor(sample.input, samples.data.dtype)) : null), [sample, samples.data]);
  const values = edited ?? start;
  const { output, problem } = usePrediction(loaded.state === "ready" ? loaded.model : null, values);
  const chances = output && classes.length > 0 ? toProbabilities(output, classes.length) : null;
  const truth = sample && !edited ? targetText(sample.target, classes) : null;

  if (samples.error) return <Failing what={say("The samples")} error={samples.error} onRetry={() => void samples.refetch()} />;
  if (!samples.data || !values) return <Loading label={say("Loading samples")} className="h-60" />;

  function set(index: number, value: number): void {
    if (values) setEdited(values.map((old, at) => (at === index ? value : old)));
  }

  return (
    <div className="space-y-3">
      <ModelState loaded={loaded} problem={problem} />
      <div>
        <StartFrom
          samples={samples.data.samples}
          picked={edited ? null : picked}
          nameOf={({ row, target }) => say("validation row {row} ({target})", { row, target: targetText(target, classes) })}
          onPick={(index) => {
            setEdited(null);
            setPicked(index);
          }}
        />
        {features.map((feature) => (
          <FeatureField key={feature.name} feature={feature} values={values} onNumber={set} onChoice={(choice) => setEdited(choose(values, feature, choice))} />
        ))}
      </div>
      {classes.length > 0 ? (
        <>
          {truth && <p className="text-ink2">{say("True is {truth}.", { truth })}</p>}
          <Bars classes={classes} chances={chances} />
        </>
      ) : (
        <p className="flex items-baseline gap-2">
          <span className="text-ink2">{say("It predicts")}</span>
          <output aria-label={say("Prediction")} className="text-figure font-semibold tabular-nums">
            {formatMetric(output?.[0])}
          </output>
          {truth && <span className="text-ink2">{say("true is {truth}", { truth })}</span>}
        </p>
      )}
    </div>
  );
}

function FeatureField({
  feature,
  values,
  onNumber,
  onChoice,
}: {
  feature: Feature;
  values: readonly number[];
  onNumber: (index: number, value: number) => void;
  onChoice: (label: string) => void;
}) {
  return (
    <Field label={featureTitle(feature.name)}>
      {(ids) =>
        feature.kind === "number" ? (
          <NumberInput {...ids} value={Number((values[feature.index] ?? 0).toPrecision(7))} onValue={(value) => onNumber(feature.index, value)} />
        ) : (
          <Select {...ids} value={chosenOption(feature, values) ?? ""} onChange={(event) => onChoice(event.target.value)}>
            {chosenOption(feature, values) === null && <option value="">{say("none")}</option>}
            {feature.options.map(({ label }) => (
              <option key={label} value={label}>
                {label}
              </option>
            ))}
          </Select>
        )
      }
    </Field>
  );
}

/** The row with one option of a feature set and its others cleared. */
function choose(values: readonly number[], feature: Feature, label: string): number[] {
  const next = [...values];
  if (feature.kind === "choice") for (const option of feature.options) next[option.index] = option.label === label ? 1 : 0;
  return next;
}
