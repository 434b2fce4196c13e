"use client";

import { useQuery } from "@tanstack/react-query";
import { useRouter } from "next/navigation";
import { say } from "../../core/language/say.ts";
import { Button } from "../ui/Button.tsx";
import { Failing, Loading } from "../ui/States.tsx";
import { TopBar } from "../ui/TopBar.tsx";
import { useTRPC } from "../ui/trpc.ts";
import { AddData } from "./AddData.tsx";
import { DatasetCard } from "./DatasetCard.tsx";
import { isPreparing } from "./status.ts";
import { useDataDrop } from "./useDataDrop.ts";

/** All data sets of the workspace. A file or folder that is dropped anywhere on the page is taken in. */
export function DatasetList() {
  const trpc = useTRPC();
  const router = useRouter();
  const { mayChange, add, page, dialog } = useDataDrop();
  const me = useQuery(trpc.workspace.me.queryOptions());
  const datasets = useQuery(trpc.datasets.list.queryOptions(undefined, { refetchInterval: (query) => (query.state.data?.some((d) => isPreparing(d.status)) ? 1500 : false) }));
  return (
    <>
      <TopBar place={[{ label: me.data?.org.name ?? say("Workspace"), href: "/" }, { label: say("Data") }]} />
      <main className="mx-auto min-h-[70dvh] max-w-6xl px-4 py-6" {...page}>
        <div className="mb-4 flex items-center justify-between gap-3">
          <h1 className="text-title font-semibold">{say("Data")}</h1>
          {mayChange && (
            <Button kind="primary" onClick={add}>
              {say("Add data")}
            </Button>
          )}
        </div>
        <AddData {...dialog} onAdded={(id) => router.push(`/data/${id}`)} />
        {datasets.isPending && <Loading label={say("Loading data sets")} className="h-40" />}
        {datasets.isError && <Failing what={say("The data sets")} error={datasets.error} onRetry={() => void datasets.refetch()} />}
        <div className="grid gap-3 sm:grid-cols-2 lg:grid-cols-3">
          {datasets.data?.map((dataset) => (
            <DatasetCard key={dataset.id} dataset={dataset} />
          ))}
        </div>
      </main>
    </>
  );
}
