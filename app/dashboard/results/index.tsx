"use client";

import type { ComponentType } from "react";
import type { Task } from "../../../core/data/manifest.ts";
import type { Run } from "../run.ts";
import { Autoencoder } from "./Autoencoder.tsx";
import { Classification } from "./Classification.tsx";
import { Forecasts } from "./Forecasts.tsx";
import { Regression } from "./Regression.tsx";
import { Segmentation } from "./Segmentation.tsx";
import { Written } from "./Written.tsx";

/** What the results of each task look like. One file a kind of answer. */
const panels: { readonly [Id in Task]: ComponentType<{ run: Run }> } = {
  "image-classification": Classification,
  "tabular-classification": Classification,
  "text-classification": Classification,
  "text-regression": Regression,
  "tabular-regression": Regression,
  "semantic-segmentation": Segmentation,
  autoencoder: Autoencoder,
  "language-model": Written,
  forecasting: Forecasts,
};

/** What the last evaluation of a run found. */
export function TaskResults({ run }: { run: Run }) {
  if (!run.evaluation || run.dataset.task === null) return null;
  const Panel = panels[run.dataset.task];
  return <Panel run={run} />;
}
