"use client";

import { useQuery } from "@tanstack/react-query";
import { say } from "../../core/language/say.ts";
import { useMayChange } from "../account/useRole.ts";
import { ButtonLink } from "../ui/Button.tsx";
import { Failing, Loading } from "../ui/States.tsx";
import { TopBar } from "../ui/TopBar.tsx";
import { useTRPC } from "../ui/trpc.ts";
import { DatasetView } from "./DatasetView.tsx";
import { DeleteDataset } from "./DeleteDataset.tsx";
import { NewModel } from "./NewModel.tsx";
import { isPreparing } from "./status.ts";

/** One data set on its own page, outside of any model. */
export function DatasetPage({ datasetId }: { datasetId: string }) {
  const mayChange = useMayChange();
  const trpc = useTRPC();
  const me = useQuery(trpc.workspace.me.queryOptions());
  const dataset = useQuery(
    trpc.datasets.get.queryOptions({ datasetId }, { refetchInterval: (query) => (query.state.data && isPreparing(query.state.data.status) ? 1500 : false) }),
  );
  return (
    <>
      <TopBar
        place={[{ label: me.data?.org.name ?? say("Workspace"), href: "/" }, { label: say("Data"), href: "/data" }, { label: dataset.data?.name ?? "…" }]}
        actions={mayChange && dataset.data?.status === "ready" && <NewModel datasetId={datasetId} />}
      />
      <main className="mx-auto max-w-6xl px-4 py-6">
        {dataset.isPending && <Loading label={say("Loading the data set")} className="h-96" />}
        {dataset.isError && <Failing what={say("This data set")} error={dataset.error} onRetry={() => void dataset.refetch()} />}
        {dataset.data && mayChange && (
          <div className="mb-3 flex justify-end gap-2 empty:hidden sm:float-right sm:mb-0">
            {dataset.data.builtin === null && <DeleteDataset dataset={dataset.data} />}
            {dataset.data.status === "ready" && dataset.data.manifest?.task === "image-classification" && (
              <ButtonLink href={`/finetune?data=${datasetId}`}>{say("Fine-tune on it")}</ButtonLink>
            )}
          </div>
        )}
        {dataset.data && <DatasetView dataset={dataset.data} />}
      </main>
    </>
  );
}
