import { formatBytes, formatDuration } from "../ui/format.ts";
import type { Run } from "./run.ts";

/** What was foretold when the run was started, beside what came. */
export function ForecastTable({ run }: { run: Run }) {
  const { forecast, peakBytes, epoch, elapsedMs } = run;
  if (!forecast || (peakBytes === null && epoch === 0)) return null;
  return (
    <section aria-label="Foretold and actual">
      <h3 className="pb-1 font-semibold">Foretold and actual</h3>
      <table className="w-full text-right tabular-nums">
        <thead>
          <tr className="text-sm text-ink2">
            <td />
            <th className="font-normal">foretold</th>
            <th className="font-normal">actual</th>
          </tr>
        </thead>
        <tbody>
          <tr>
            <th className="text-left font-normal text-ink2">An epoch</th>
            <td>{forecast.epochMs === null ? "not measured" : formatDuration(forecast.epochMs)}</td>
            <td>{epoch > 0 ? formatDuration(elapsedMs / epoch) : "–"}</td>
          </tr>
          <tr>
            <th className="text-left font-normal text-ink2">Memory</th>
            <td>{`${forecast.measured ? "" : "about "}${formatBytes(forecast.peakBytes)}`}</td>
            <td>{peakBytes === null ? "–" : formatBytes(peakBytes)}</td>
          </tr>
        </tbody>
      </table>
    </section>
  );
}
