"use client";

import { say } from "../../../core/language/say.ts";
import { formatMetric } from "../../ui/format.ts";
import { toBase64 } from "../../ui/inflate.ts";
import { SampleImage } from "../../ui/SampleImage.tsx";
import { Failing, Loading } from "../../ui/States.tsx";
import { decodeTensor } from "../../ui/tensorBytes.ts";
import type { Run } from "../run.ts";
import { LatentMap } from "./LatentMap.tsx";
import { usePinned } from "./usePinned.ts";

/** What pictures become on their way through the network, and where they lie in its middle. */
export function Autoencoder({ run }: { run: Run }) {
  return (
    <>
      <Reconstructions run={run} />
      {run.evaluation?.latent && <LatentMap map={run.evaluation.latent} dataset={run.dataset} />}
    </>
  );
}

/** The same validation rows at every evaluation: what went in, and below it what came out. */
function Reconstructions({ run }: { run: Run }) {
  const { rows, samples, made } = usePinned(run);
  if (!run.evaluation || rows.length === 0) return null;
  return (
    <section aria-label={say("Reconstructions")}>
      <header className="flex items-baseline justify-between gap-3 pb-1.5">
        <h3 className="section-name text-ink2">{say("The same {count} samples", { count: rows.length })}</h3>
        <span className="text-xs text-ink2">{say("in above, out below, after epoch {epoch}", { epoch: run.evaluation.epoch })}</span>
      </header>
      {samples.error ? (
        <Failing what={say("The samples")} error={samples.error} onRetry={() => void samples.refetch()} />
      ) : samples.isPending || made === null ? (
        <Loading label={say("Loading samples")} className="h-60" />
      ) : (
        <ul className="grid grid-cols-4 gap-1.5">
          {samples.data.samples.map(({ row, input, name }, index) => {
            const { dtype, shape } = samples.data;
            const out = made[index];
            const error = out ? squaredError(decodeTensor(input, dtype), out) : null;
            const words = name ?? say("Row {row}", { row });
            return (
              <li key={row} title={words} className="min-w-0 overflow-hidden rounded-md border border-line2 bg-raise">
                <SampleImage bytes={input} dtype={dtype} shape={shape} label={say("{words}, as it is", { words })} />
                {out && <SampleImage bytes={toBase64(out)} dtype="uint8" shape={shape} label={say("{words}, rebuilt", { words })} className="border-t border-line2" />}
                <p className="figures truncate px-1.5 py-0.5 text-right text-ink2" title={say("Mean squared difference of the pixels, from 0 to 1")}>
                  {formatMetric(error)}
                </p>
              </li>
            );
          })}
        </ul>
      )}
    </section>
  );
}

/** The mean squared difference of two pictures whose pixels go from 0 to 255, as if they went from 0 to 1. */
function squaredError(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let at = 0; at < a.length; at++) sum += ((a[at] ?? 0) - (b[at] ?? 0)) ** 2;
  return sum / Math.max(1, a.length) / 255 ** 2;
}
