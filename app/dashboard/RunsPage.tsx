"use client";

import { useQuery } from "@tanstack/react-query";
import { ButtonLink } from "../ui/Button.tsx";
import { formatCount } from "../ui/format.ts";
import { Empty, Failing, Loading } from "../ui/States.tsx";
import { TopBar } from "../ui/TopBar.tsx";
import { useTRPC } from "../ui/trpc.ts";
import { RunTable } from "./RunTable.tsx";
import { isActive } from "./run.ts";
import { useRuns } from "./useRuns.ts";

/** All runs of a model, or of the whole organization. */
export function RunsPage({ modelId }: { modelId?: string }) {
  const trpc = useTRPC();
  const model = useQuery(trpc.models.get.queryOptions({ modelId: modelId ?? "" }, { enabled: modelId !== undefined }));
  const { runs, error, refetch } = useRuns(modelId);
  const active = runs?.filter(({ status }) => isActive(status)).length ?? 0;

  return (
    <div className="flex min-h-dvh flex-col">
      <TopBar
        place={
          modelId
            ? [{ label: model.data?.project.name ?? "…", href: "/" }, { label: model.data?.name ?? "…", href: `/models/${modelId}` }, { label: "Runs" }]
            : [{ label: "Home", href: "/" }, { label: "Runs" }]
        }
        modelId={modelId}
        room="runs"
      />
      <main className="mx-auto w-full max-w-6xl space-y-3 p-3 md:p-5">
        <header className="flex items-baseline gap-3">
          <h1 className="text-title font-semibold">Runs</h1>
          {runs && runs.length > 0 && (
            <p className="text-ink2 tabular-nums">
              {formatCount(runs.length)}
              {active > 0 && `, ${active} going on`}
            </p>
          )}
        </header>
        {model.error ? (
          <Failing what="This model" error={model.error} onRetry={() => void model.refetch()} />
        ) : error && !runs ? (
          <Failing what="The runs" error={error} onRetry={() => void refetch()} />
        ) : !runs ? (
          <Loading label="Loading runs" className="h-72" />
        ) : runs.length === 0 ? (
          <Empty
            title="No runs yet"
            action={
              <ButtonLink kind="primary" href={modelId ? `/models/${modelId}` : "/"}>
                {modelId ? "Open the studio" : "Choose a model"}
              </ButtonLink>
            }
          >
            A run trains a model on its data and keeps everything that decided the numbers: graph, data set, settings and seed. Press Train in the studio to start one.
          </Empty>
        ) : (
          <RunTable runs={runs} showModel={modelId === undefined} />
        )}
      </main>
    </div>
  );
}
