"use client";

import { useQuery } from "@tanstack/react-query";
import { Failing, Loading } from "../ui/States.tsx";
import { TopBar } from "../ui/TopBar.tsx";
import { useTRPC } from "../ui/trpc.ts";
import { DatasetCard } from "./DatasetCard.tsx";
import { isPreparing } from "./tasks.ts";

/** All data sets of the workspace. */
export function DatasetList() {
  const trpc = useTRPC();
  const me = useQuery(trpc.workspace.me.queryOptions());
  const datasets = useQuery(trpc.datasets.list.queryOptions(undefined, { refetchInterval: (query) => (query.state.data?.some((d) => isPreparing(d.status)) ? 1500 : false) }));
  return (
    <>
      <TopBar place={[{ label: me.data?.org.name ?? "Workspace", href: "/" }, { label: "Data" }]} />
      <main className="mx-auto max-w-6xl px-4 py-6">
        <h1 className="mb-4 text-title font-semibold">Data</h1>
        {datasets.isPending && <Loading label="Loading data sets" className="h-40" />}
        {datasets.isError && <Failing what="The data sets" error={datasets.error} onRetry={() => void datasets.refetch()} />}
        <div className="grid gap-3 sm:grid-cols-2 lg:grid-cols-3">
          {datasets.data?.map((dataset) => (
            <DatasetCard key={dataset.id} dataset={dataset} />
          ))}
        </div>
      </main>
    </>
  );
}
