import { say } from "../../core/language/say.ts";
import { formatBytes, formatDuration } from "../ui/format.ts";
import type { Run } from "./run.ts";

/** What was foretold when the run was started, beside what came. */
export function ForecastTable({ run }: { run: Run }) {
  const { forecast, peakBytes, epoch, elapsedMs } = run;
  if (!forecast || (peakBytes === null && epoch === 0)) return null;
  return (
    <section aria-label={say("Foretold and actual")}>
      <h3 className="pb-1 font-semibold">{say("Foretold and actual")}</h3>
      <table className="w-full text-right tabular-nums">
        <thead>
          <tr className="text-sm text-ink2">
            <td />
            <th className="font-normal">{say("foretold")}</th>
            <th className="font-normal">{say("actual")}</th>
          </tr>
        </thead>
        <tbody>
          <tr>
            <th className="text-left font-normal text-ink2">{say("An epoch")}</th>
            <td>{forecast.epochMs === null ? say("not measured") : formatDuration(forecast.epochMs)}</td>
            <td>{epoch > 0 ? formatDuration(elapsedMs / epoch) : "–"}</td>
          </tr>
          <tr>
            <th className="text-left font-normal text-ink2">{say("Memory")}</th>
            <td>{forecast.measured ? formatBytes(forecast.peakBytes) : say("about {memory}", { memory: formatBytes(forecast.peakBytes) })}</td>
            <td>{peakBytes === null ? "–" : formatBytes(peakBytes)}</td>
          </tr>
        </tbody>
      </table>
    </section>
  );
}
