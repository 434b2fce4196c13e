"use client";

import { TryForecast } from "./TryForecast.tsx";
import { TryLanguage } from "./TryLanguage.tsx";
import { TryMask } from "./TryMask.tsx";
import { TryPicture } from "./TryPicture.tsx";
import { TryRebuild } from "./TryRebuild.tsx";
import { TryRow } from "./TryRow.tsx";
import { TryText } from "./TryText.tsx";
import type { TryRun } from "./useValidationSamples.ts";

/** The run's own ONNX file, at work in this browser: what is drawn or filled in goes through it at once. */
export function TryIt({ run }: { run: TryRun }) {
  const onnx = run.artifacts.find(({ kind }) => kind === "onnx");
  if (!onnx) return null;
  if (run.dataset.task === "language-model" && run.dataset.text) return <TryLanguage run={run} text={run.dataset.text} artifactId={onnx.id} />;
  if (run.dataset.series) return <TryForecast run={run} series={run.dataset.series} artifactId={onnx.id} />;
  if (run.dataset.text) return <TryText run={run} text={run.dataset.text} artifactId={onnx.id} />;
  if (run.dataset.task === "semantic-segmentation") return <TryMask run={run} artifactId={onnx.id} />;
  if (run.dataset.task === "autoencoder") return <TryRebuild run={run} artifactId={onnx.id} />;
  return run.dataset.task === "image-classification" ? <TryPicture run={run} artifactId={onnx.id} /> : <TryRow run={run} artifactId={onnx.id} />;
}
