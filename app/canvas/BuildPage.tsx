"use client";

import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useSyncExternalStore } from "react";
import type { NodePath } from "../../core/graph/path.ts";
import { useTRPC } from "../ui/trpc.ts";
import { Opening } from "./Opening.tsx";

const loadStudio = () => import("./Studio.tsx");
const Studio = lazy(loadStudio);
// On its way while the model is asked for; on the server there is nothing to draw on.
if (typeof window !== "undefined") void loadStudio();

const never = () => () => {};

/** The page of the Build room: it has a head at once, and the studio as soon as its program and the model are here. `show`: the node that it opens at. */
export function BuildPage({ modelId, show }: { modelId: string; show: NodePath | null }) {
  const trpc = useTRPC();
  const isInBrowser = useSyncExternalStore(
    never,
    () => true,
    () => false,
  );
  const model = useQuery(trpc.models.record.queryOptions({ modelId }));
  // A cached answer may be older than what the other rooms have made of the model.
  const fresh = model.isFetchedAfterMount ? model.data : undefined;
  if (!isInBrowser || (!fresh && model.isError)) return <Opening modelId={modelId} error={model.isError ? model.error : null} onRetry={() => void model.refetch()} />;
  return (
    <Suspense fallback={<Opening modelId={modelId} />}>
      <Studio key={modelId} modelId={modelId} model={fresh ?? null} show={show} />
    </Suspense>
  );
}
