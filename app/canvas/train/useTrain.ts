"use client";

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useRouter } from "next/navigation";
import { useCallback, useEffect, useRef } from "react";
import { say } from "../../../core/language/say.ts";
import { dataFor } from "../../../core/tasks/index.ts";
import { isPreparing } from "../../data/status.ts";
import { notify } from "../../ui/Notices.tsx";
import { type Answers, useTRPC, useTRPCClient } from "../../ui/trpc.ts";
import { currentChecked, useChecked, usePurpose } from "../checked.ts";
import { showProblem } from "../Drawer.tsx";
import { type OpenedModel, saveNow } from "../useAutosave.ts";
import { whyNotTrain } from "./readiness.ts";
import { settingsFor } from "./settings.ts";
import { openSettings, useTraining } from "./useTraining.ts";

type Dataset = Answers["datasets"]["list"][number];

export type Training = {
  datasets: readonly Dataset[] | undefined;
  dataset: Dataset | undefined /** Whether the machine that trains has a CUDA device; null while that is not known. */;
  cuda: boolean | null;
  whyNot: string | null;
  starting: boolean;
  train: () => Promise<void>;
};

/** Everything behind the Train button: the settings and their saving, the data set they name, and the start of a run. */
export function useTrain(model: OpenedModel): Training {
  const trpc = useTRPC();
  const client = useTRPCClient();
  const queryClient = useQueryClient();
  const router = useRouter();
  const settings = useTraining((s) => s.settings);
  const starting = useTraining((s) => s.starting);
  const complaints = useTraining((s) => s.complaints);
  const { problems } = useChecked();
  const datasets = useQuery(trpc.datasets.list.queryOptions(undefined, { refetchInterval: (query) => (query.state.data?.some((d) => isPreparing(d.status)) ? 1500 : false) }));
  const status = useQuery(trpc.workspace.status.queryOptions(undefined, { refetchInterval: 15_000 }));
  const dataset = datasets.data?.find((d) => d.id === settings?.datasetId);

  // The manifest says what comes in and what is to be predicted; problems depend on it.
  const manifest = useQuery(trpc.datasets.get.queryOptions({ datasetId: dataset?.id ?? "" }, { enabled: dataset?.status === "ready", staleTime: Infinity })).data?.manifest ?? null;
  const task = settings?.task;
  useEffect(() => usePurpose.setState({ data: manifest && dataFor(manifest, task) }), [manifest, task]);

  // Settings open once for each model: as they were left, else the recipe for its data set.
  const opened = useRef<string | null>(null);
  useEffect(() => {
    if (opened.current === model.id || !datasets.data) return;
    const wanted = datasets.data.find((d) => d.id === (model.settings?.datasetId ?? model.datasetId));
    if (model.settings === null && wanted && wanted.task === null) return; // still being prepared
    opened.current = model.id;
    openSettings(model.settings ?? (wanted?.task ? settingsFor({ id: wanted.id, task: wanted.task, rows: wanted.rows }, null) : null));
  }, [model, datasets.data]);

  const saved = useRef(model.settings);
  const saveSettings = useCallback(async () => {
    const { settings: now } = useTraining.getState();
    if (!now || now === saved.current) return;
    const before = saved.current;
    saved.current = now;
    try {
      await client.models.saveSettings.mutate({ modelId: model.id, settings: now });
      void queryClient.invalidateQueries(trpc.models.record.queryFilter({ modelId: model.id }), { cancelRefetch: false });
    } catch {
      // Settings are sent along with every run; these are only for the next visit, and go with the next change.
      saved.current = before;
    }
  }, [client, model.id, queryClient, trpc]);
  useEffect(() => {
    if (opened.current !== model.id || settings === null) return;
    // What was only opened needs no saving.
    if (saved.current === null || settings === model.settings) {
      saved.current ??= settings;
      return;
    }
    const timer = setTimeout(() => void saveSettings(), 800);
    return () => clearTimeout(timer);
  }, [settings, model, saveSettings]);

  const whyNot = datasets.isPending ? say("Data sets are being loaded.") : whyNotTrain({ problems, dataset: dataset ?? null, complaints, starting });

  const train = useCallback(async () => {
    const { settings: order, starting: busy } = useTraining.getState();
    const first = currentChecked().problems.find((problem) => problem.severity === "error");
    if (whyNot !== null || !order || busy) {
      if (!busy) notify(whyNot ?? say("Choose a data set in the training settings."));
      if (first) showProblem(first);
      return;
    }
    useTraining.setState({ starting: true });
    try {
      if (!(await saveNow())) throw new Error(say("The drawing could not be saved, so it was not started."));
      await saveSettings();
      const { runId } = await client.runs.start.mutate({ modelId: model.id, settings: order, idempotencyKey: freshKey() });
      void queryClient.invalidateQueries(trpc.runs.list.queryFilter());
      // Still starting until the run's page is here: a second press must not be a second run.
      router.push(`/runs/${runId}`);
    } catch (error) {
      notify(say("Training did not start. {message}", { message: error instanceof Error ? error.message : "" }), { tone: "bad" });
      useTraining.setState({ starting: false });
    }
  }, [whyNot, client, model.id, queryClient, router, saveSettings, trpc]);

  return { datasets: datasets.data, dataset, cuda: status.data?.engine?.cuda ?? null, whyNot, starting, train };
}

/** A name for this one press of the button, so that a repeated request starts no second run. Works without HTTPS too. */
function freshKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
