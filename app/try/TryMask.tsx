"use client";

import { useMemo, useState } from "react";
import { say } from "../../core/language/say.ts";
import { classColourText, UNKNOWN_CLASS } from "../ui/classColours.ts";
import { formatPercent } from "../ui/format.ts";
import { toBase64 } from "../ui/inflate.ts";
import { SampleImage } from "../ui/SampleImage.tsx";
import { Failing, Loading } from "../ui/States.tsx";
import { decodeTensor } from "../ui/tensorBytes.ts";
import { ModelState } from "./ModelState.tsx";
import { SampleGrid } from "./SampleGrid.tsx";
import { useOnnx, usePrediction } from "./usePrediction.ts";
import { type Sample, type TryRun, useValidationSamples } from "./useValidationSamples.ts";

/** A validation picture, and the class of each of its pixels as the network finds it here. */
export function TryMask({ run, artifactId }: { run: TryRun; artifactId: string }) {
  const { classes, inputShape } = run.dataset;
  const loaded = useOnnx(artifactId, inputShape);
  const samples = useValidationSamples(run);
  const [picked, setPicked] = useState<Sample | null>(null);
  const [strength, setStrength] = useState(0.6);
  const sample = picked ?? samples.data?.samples[0];
  const input = useMemo(() => (sample && samples.data ? Array.from(decodeTensor(sample.input, samples.data.dtype)) : null), [sample, samples.data]);
  const { output, problem } = usePrediction(loaded.state === "ready" ? loaded.model : null, input);
  const pixels = inputShape.slice(1).reduce((product, size) => product * size, 1);
  const found = useMemo(() => (output ? classesOf(output, pixels) : null), [output, pixels]);

  if (samples.error) return <Failing what={say("The samples")} error={samples.error} onRetry={() => void samples.refetch()} />;
  if (!samples.data || !sample) return <Loading label={say("Loading samples")} className="h-60" />;
  const { dtype, shape } = samples.data;
  const picture = { bytes: sample.input, dtype, shape, strength };
  const share = found ? agreement(found, sample.target) : null;
  return (
    <div className="space-y-3">
      <ModelState loaded={loaded} problem={problem} />
      <div className="grid grid-cols-2 gap-2">
        {(["found", "true"] as const).map((which) => (
          <figure key={which}>
            <SampleImage
              {...picture}
              muted
              mask={which === "true" ? toBase64(sample.target) : found && toBase64(found)}
              label={say("Validation row {row}, {which} mask", { row: sample.row, which })}
              className="rounded-lg border border-line2"
            />
            <figcaption className="pt-0.5 text-sm text-ink2">{which}</figcaption>
          </figure>
        ))}
      </div>
      <div className="flex min-h-8 flex-wrap items-center justify-between gap-2">
        <span role="status" className="font-semibold">
          {share !== null && say("{share} of the pixels right", { share: formatPercent(share) })}
        </span>
        <label className="flex items-center gap-2 text-sm text-ink2">
          {say("Opacity")}
          <input type="range" min={0} max={1} step={0.05} value={strength} onChange={(event) => setStrength(Number(event.target.value))} className="w-20 accent-accent" />
        </label>
      </div>
      {found && (
        <ul aria-label={say("Classes found")} className="flex flex-wrap gap-x-3 gap-y-1">
          {classes.map((name, index) => {
            const own = found.reduce((sum, one) => sum + Number(one === index), 0) / found.length;
            return own === 0 ? null : (
              <li key={name} className="flex items-center gap-1.5">
                <span aria-hidden className="size-2.5 rounded-[2px] border border-line2" style={index === 0 ? undefined : { background: classColourText(index) }} />
                {name} <span className="figures text-ink2">{formatPercent(own)}</span>
              </li>
            );
          })}
        </ul>
      )}
      <SampleGrid samples={samples.data} picked={sample} onPick={setPicked} />
    </div>
  );
}

/** The class with the highest score of each pixel, out of scores [classes, height, width]; of one score alone, whether it is above 0. */
export function classesOf(scores: readonly number[], pixels: number): Uint8Array {
  const classes = Math.floor(scores.length / pixels);
  return Uint8Array.from({ length: pixels }, (_, pixel) => {
    if (classes <= 1) return Number((scores[pixel] ?? 0) > 0);
    let best = 0;
    for (let one = 1; one < classes; one++) if ((scores[one * pixels + pixel] ?? 0) > (scores[best * pixels + pixel] ?? 0)) best = one;
    return best;
  });
}

function agreement(found: Uint8Array, truth: readonly number[]): number {
  const known = truth.filter((one) => one !== UNKNOWN_CLASS).length;
  return truth.reduce((right, one, pixel) => right + Number(one !== UNKNOWN_CLASS && found[pixel] === one), 0) / Math.max(1, known);
}
