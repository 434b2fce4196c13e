"use client";

import { say } from "../../../core/language/say.ts";
import type { RunSettings } from "../../../core/training/settings.ts";
import { Button } from "../../ui/Button.tsx";
import { formatBytes, formatCount, formatDuration } from "../../ui/format.ts";
import { useTRPCClient } from "../../ui/trpc.ts";
import { useMeasured } from "./useMeasured.ts";
import { changeSettings, complain } from "./useTraining.ts";

/** Measures batches that double, shows what was measured, and offers the one from which on throughput no longer gains. */
export function BatchFinder({ modelId, settings, whyNot }: { modelId: string; settings: RunSettings; whyNot: string | null }) {
  const client = useTRPCClient();
  const { measuring, answer: search, measure } = useMeasured(() => client.runs.findBatch.mutate({ modelId, settings }), say("No batch size was found."));
  return (
    <div className="py-[3px]">
      <div className="flex justify-end gap-2">
        {search && (
          <Button
            size="sm"
            kind="primary"
            disabled={settings.batchSize === search.suggested}
            onClick={() => {
              complain(say("Batch size"), null);
              changeSettings({ batchSize: search.suggested });
            }}
          >
            {say("Use {suggested}", { suggested: search.suggested })}
          </Button>
        )}
        <Button size="sm" disabled={measuring || whyNot !== null} title={say("Measures some steps at each size. Nothing of it is kept.")} onClick={measure}>
          {measuring ? say("Measuring") : say("Find a batch size")}
        </Button>
      </div>
      {search && (
        <figure className="py-1.5">
          <table className="w-full text-right text-sm tabular-nums">
            <thead>
              <tr className="text-ink2">
                <th className="text-left font-normal">{say("Batch")}</th>
                <th className="font-normal">{say("Rows per s")}</th>
                <th className="font-normal">{say("Step")}</th>
                <th className="font-normal">{say("Memory")}</th>
              </tr>
            </thead>
            <tbody>
              {search.measured.map(({ batchSize, samplesPerSecond, stepMs, peakBytes }) => (
                <tr key={batchSize} className={batchSize === search.suggested ? "font-semibold text-accent" : undefined}>
                  <td className="text-left">{batchSize}</td>
                  <td>{formatCount(Math.round(samplesPerSecond))}</td>
                  <td>{formatDuration(stepMs)}</td>
                  <td>{formatBytes(peakBytes)}</td>
                </tr>
              ))}
            </tbody>
          </table>
          <figcaption className="pt-1 text-sm text-ink2">
            {say("{why} A larger batch takes fewer steps an epoch, so it may want a higher learning rate.", { why: search.why })}
          </figcaption>
        </figure>
      )}
    </div>
  );
}
