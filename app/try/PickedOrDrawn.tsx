"use client";

import { say } from "../../core/language/say.ts";
import { SampleImage } from "../ui/SampleImage.tsx";
import { DrawPad } from "./DrawPad.tsx";
import type { Stroke } from "./digit.ts";
import type { Sample, Samples } from "./useValidationSamples.ts";

/** The held-back picture that was chosen, or else a pad to draw one on. */
export function PickedOrDrawn({
  samples,
  picked,
  label,
  strokes,
  onStrokes,
}: {
  samples: Samples | undefined;
  picked: Sample | null;
  label: string;
  strokes: readonly Stroke[];
  onStrokes: (strokes: readonly Stroke[]) => void;
}) {
  return picked && samples ? (
    <SampleImage
      bytes={picked.input}
      dtype={samples.dtype}
      shape={samples.shape}
      label={say("Validation row {row}", { row: picked.row })}
      className="rounded-lg border border-line2"
    />
  ) : (
    <DrawPad label={label} strokes={strokes} onStrokes={onStrokes} />
  );
}
