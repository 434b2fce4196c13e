"use client";

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { say } from "../../core/language/say.ts";
import { useMayChange } from "../account/useRole.ts";
import { settingsFor } from "../canvas/train/settings.ts";
import { Button } from "../ui/Button.tsx";
import { Select } from "../ui/Field.tsx";
import { notify } from "../ui/Notices.tsx";
import { Empty, Failing, Loading } from "../ui/States.tsx";
import { TopBar } from "../ui/TopBar.tsx";
import { useTRPC } from "../ui/trpc.ts";
import { AddData } from "./AddData.tsx";
import { DatasetView } from "./DatasetView.tsx";
import { isPreparing } from "./status.ts";

/** The Data room of a model: which data set it learns from, and what is in it. */
export function ModelData({ modelId }: { modelId: string }) {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const model = useQuery(trpc.models.record.queryOptions({ modelId }));
  const datasets = useQuery(trpc.datasets.list.queryOptions(undefined, { refetchInterval: (query) => (query.state.data?.some((d) => isPreparing(d.status)) ? 1500 : false) }));
  const mayChange = useMayChange();
  const [adding, setAdding] = useState(false);
  const datasetId = model.data?.settings?.datasetId ?? model.data?.datasetId ?? null;
  const dataset = useQuery(trpc.datasets.get.queryOptions({ datasetId: datasetId ?? "" }, { enabled: datasetId !== null }));
  const choose = useMutation(
    trpc.models.saveSettings.mutationOptions({
      onSuccess: () => queryClient.invalidateQueries(trpc.models.record.queryFilter({ modelId })),
      onError: (error) => notify(say("The data set could not be changed. {message}", { message: error.message }), { tone: "bad" }),
    }),
  );

  function pick(id: string): void {
    const chosen = queryClient.getQueryData(trpc.datasets.list.queryKey())?.find((d) => d.id === id);
    if (!model.data || !chosen?.task) return;
    choose.mutate({ modelId, settings: settingsFor({ id: chosen.id, task: chosen.task, rows: chosen.rows }, model.data.settings) });
  }

  // Pictures are read in the background: they are chosen as soon as they are there.
  const [awaitedId, setAwaitedId] = useState<string | null>(null);
  const awaited = datasets.data?.find(({ id }) => id === awaitedId);
  useEffect(() => {
    if (!awaited || isPreparing(awaited.status)) return;
    setAwaitedId(null);
    if (awaited.status === "ready") pick(awaited.id);
    else notify(say("{name} could not be read. {message}", { name: awaited.name, message: awaited.failure?.message ?? "" }), { tone: "bad" });
  });

  return (
    <>
      <TopBar place={[{ label: model.data?.project.name ?? "…", href: "/" }, { label: model.data?.name ?? "…" }]} modelId={modelId} room="data" />
      <main className="mx-auto max-w-6xl px-4 py-6">
        {model.isError && <Failing what={say("This model")} error={model.error} onRetry={() => void model.refetch()} />}
        {(model.isPending || datasets.isPending) && <Loading label={say("Loading the model's data")} className="h-96" />}
        {datasets.data && model.data && (
          <div className="mb-5 flex max-w-md items-center gap-3">
            <label htmlFor="model-dataset" className="shrink-0 text-ink2">
              {say("This model learns from")}
            </label>
            <Select id="model-dataset" value={datasetId ?? ""} onChange={(event) => pick(event.target.value)} disabled={choose.isPending || !mayChange}>
              {datasetId === null && <option value="">{say("Choose a data set")}</option>}
              {datasets.data.map((d) => (
                <option key={d.id} value={d.id} disabled={d.status !== "ready"}>
                  {d.name}
                  {isPreparing(d.status) ? say(" (preparing)") : d.status === "failed" ? say(" (failed)") : ""}
                </option>
              ))}
            </Select>
            {mayChange && <Button onClick={() => setAdding(true)}>{say("Add data")}</Button>}
            <AddData
              open={adding}
              onOpen={setAdding}
              dropped={null}
              onAdded={(id) => {
                setAdding(false);
                setAwaitedId(id);
              }}
            />
          </div>
        )}
        {model.data && datasetId === null && <Empty title={say("No data set yet")}>{say("Choose what this model learns from; its samples and classes then stand here.")}</Empty>}
        {datasetId !== null && dataset.isPending && <Loading label={say("Loading the data set")} className="h-96" />}
        {dataset.isError && <Failing what={say("This data set")} error={dataset.error} onRetry={() => void dataset.refetch()} />}
        {dataset.data && <DatasetView dataset={dataset.data} />}
      </main>
    </>
  );
}
