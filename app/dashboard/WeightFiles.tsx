"use client";

import { useMutation, useQuery } from "@tanstack/react-query";
import { Download as DownloadIcon } from "lucide-react";
import { useState } from "react";
import { writeNpy, writeNpz } from "../../core/export/npz.ts";
import { readSafetensors } from "../../core/export/safetensors.ts";
import type { Weights } from "../../core/export/tensor.ts";
import { say } from "../../core/language/say.ts";
import { Button } from "../ui/Button.tsx";
import { notify } from "../ui/Notices.tsx";
import { Failing, Loading } from "../ui/States.tsx";
import { saveFile } from "../ui/saveFile.ts";
import type { Artifact } from "./run.ts";

async function fetchWeights(id: string, signal?: AbortSignal): Promise<Weights> {
  const response = await fetch(`/api/artifacts/${id}`, signal ? { signal } : {});
  if (!response.ok) throw new Error(say("The weights could not be fetched ({status}).", { status: response.status }));
  return readSafetensors(new Uint8Array(await response.arrayBuffer())).tensors;
}

/** Makes an `.npz` in this page and gives it to the person. */
export function DownloadNpz({ fileName, label, disabled, make }: { fileName: string; label: string; disabled?: boolean; make: () => Weights | Promise<Weights> }) {
  const work = useMutation({
    mutationFn: async () => saveFile(fileName, new Blob([writeNpz(await make()).slice()], { type: "application/zip" })),
    onError: (error) => notify(say("The .npz file could not be made. {message}", { message: error.message }), { tone: "bad" }),
  });
  return (
    <Button size="sm" disabled={disabled || work.isPending} aria-label={label} onClick={() => work.mutate()}>
      {work.isPending ? say("Writing") : say(".npz")}
    </Button>
  );
}

/** All weights of a file for NumPy. */
export function WeightsNpz({ artifact }: { artifact: Artifact | undefined }) {
  const ready = artifact !== undefined && artifact.refusal === null;
  return (
    <DownloadNpz
      fileName={(artifact?.fileName ?? "weights").replace(/\.safetensors$/, ".npz")}
      label={say("Download npz")}
      disabled={!ready}
      make={() => (artifact ? fetchWeights(artifact.id) : new Map())}
    />
  );
}

/** Every weight by its name, each to be taken along by itself. */
export function WeightList({ artifact }: { artifact: Artifact }) {
  const [open, setOpen] = useState(false);
  const weights = useQuery({
    queryKey: ["artifact-weights", artifact.id],
    queryFn: ({ signal }) => fetchWeights(artifact.id, signal),
    enabled: open,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 60_000,
  });
  return (
    <div className="pt-2">
      <Button size="sm" kind="quiet" className="-ml-2" aria-expanded={open} onClick={() => setOpen(!open)}>
        {open ? say("Hide the weights") : say("One weight as .npy")}
      </Button>
      {open && weights.isPending && <Loading label={say("Loading the weights")} className="mt-2 h-24" />}
      {open && weights.error && <Failing what={say("The weights")} error={weights.error} onRetry={() => void weights.refetch()} />}
      {open && weights.data && (
        <ul className="mt-1 max-h-72 overflow-y-auto rounded-lg border border-line">
          {[...weights.data].map(([name, tensor]) => (
            <li key={name} className="border-t border-line first:border-t-0">
              <button
                type="button"
                aria-label={say("Download {name} as npy", { name })}
                className="flex w-full items-baseline justify-between gap-3 px-2.5 py-1 text-left hover:bg-hover"
                onClick={() => saveFile(`${name}.npy`, new Blob([writeNpy(tensor).slice()]))}
              >
                <span className="truncate font-mono text-sm">{name}</span>
                <span className="figures flex shrink-0 items-center gap-1.5 text-ink2">
                  {tensor.dtype} [{tensor.shape.join(", ")}]
                  <DownloadIcon size={12} aria-hidden />
                </span>
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
