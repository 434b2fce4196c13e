"use client";

import { create } from "zustand";
import type { RunSettings } from "../../../core/training/settings.ts";
import { usePurpose } from "../checked.ts";

type TrainingState = {
  settings: RunSettings | null;
  /** A run is being put into the queue. */
  starting: boolean;
  /** Fields whose text is no value yet, with what is wrong; a run cannot start over them. */
  complaints: { readonly [field: string]: string };
};

/** What Train will do. */
export const useTraining = create<TrainingState>(() => ({ settings: null, starting: false, complaints: {} }));

export function openSettings(settings: RunSettings | null): void {
  useTraining.setState({ settings, starting: false, complaints: {} });
  usePurpose.setState({ losses: settings });
}

export function changeSettings(patch: Partial<RunSettings>): void {
  const { settings } = useTraining.getState();
  if (!settings) return;
  useTraining.setState({ settings: { ...settings, ...patch } });
  if (patch.loss ?? patch.lossParams ?? patch.extraLosses ?? patch.expressionMetrics ?? patch.furtherOptimizers) usePurpose.setState({ losses: { ...settings, ...patch } });
}

export function complain(field: string, problem: string | null): void {
  useTraining.setState(({ complaints }) => {
    const { [field]: _, ...rest } = complaints;
    return { complaints: problem === null ? rest : { ...rest, [field]: problem } };
  });
}
