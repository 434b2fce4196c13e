"use client";

import { Download } from "lucide-react";
import { datasetArrays } from "../../core/data/datasetArrays.ts";
import type { Manifest } from "../../core/data/manifest.ts";
import { say } from "../../core/language/say.ts";
import { ButtonLink } from "../ui/Button.tsx";
import { Panel } from "../ui/Panel.tsx";

/** The data set for NumPy: all of it as one `.npz`, or one array as `.npy`. */
export function TakeAlong({ datasetId, manifest }: { datasetId: string; manifest: Manifest }) {
  const address = `/api/datasets/${datasetId}`;
  return (
    <Panel
      title={say("For NumPy")}
      end={
        <ButtonLink size="sm" href={address} prefetch={false} download aria-label={say("Download the data set as npz")}>
          {say(".npz")}
        </ButtonLink>
      }
    >
      <ul className="px-3.5 pb-3">
        {datasetArrays(manifest).flatMap((array) =>
          "file" in array
            ? [
                <li key={array.name}>
                  <a href={`${address}/${array.name}`} download className="-mx-1.5 flex min-h-6 items-center justify-between gap-3 rounded-md px-1.5 hover:bg-hover">
                    <span className="truncate">
                      <span className="sr-only">{say("Download")} </span>
                      <code className="font-mono text-sm">{array.name}</code>
                    </span>
                    <span className="figures flex min-w-0 items-center gap-1.5 text-ink2">
                      <span className="truncate">
                        {array.dtype} [{array.shape.join(", ")}]
                      </span>
                      <Download size={12} aria-hidden className="shrink-0" />
                    </span>
                  </a>
                </li>,
              ]
            : [],
        )}
      </ul>
    </Panel>
  );
}
