"use client";

import { useState } from "react";
import { say } from "../../../core/language/say.ts";
import { readColumn } from "../../../core/runs/view.ts";
import { Switch } from "../../ui/Field.tsx";
import { formatCount } from "../../ui/format.ts";
import { cellText, settingTitle } from "../table/columns.ts";
import type { Compared } from "./ComparePage.tsx";
import type { ShownRun } from "./OverlayChart.tsx";

/** So many runs have a column each; of more, each setting says which values there are. */
const MOST_COLUMNS = 8;

/** Settings of all runs beside each other; those that differ first, and alone if so wished. */
export function SettingsDiff({ runs, looks }: { runs: readonly Compared[]; looks: ReadonlyMap<string, ShownRun> }) {
  const [all, setAll] = useState(false);
  const keys = [...new Set(runs.flatMap(({ settings }) => Object.keys(settings)))].sort();
  const rows = [
    { key: "model", title: say("Model"), values: runs.map((run) => `${run.modelName} v${run.modelVersion}`) },
    { key: "data", title: say("Data set"), values: runs.map((run) => run.datasetName) },
    ...keys.map((key) => {
      const column = readColumn(key);
      return { key, title: settingTitle(key), values: runs.map((run) => (column ? (cellText(run, column) ?? "–") : "–")) };
    }),
  ].map((row) => ({ ...row, distinct: new Set(row.values).size }));
  const shown = rows.filter(({ distinct }) => all || distinct > 1).sort((a, b) => Number(b.distinct > 1) - Number(a.distinct > 1));
  const columns = runs.length <= MOST_COLUMNS;
  return (
    <section aria-label={say("Settings")} className="space-y-2.5">
      <p className="flex items-center gap-2 text-ink2">
        <Switch aria-label={say("Show settings that are the same")} checked={all} onChecked={setAll} /> {say("Also those that are the same everywhere")}
      </p>
      {shown.length === 0 ? (
        <p className="text-ink2">{say("All of these runs have the same settings, model and data.")}</p>
      ) : (
        <div className="overflow-x-auto rounded-xl border border-line bg-raise">
          <table className="w-full border-collapse">
            <thead>
              <tr className="border-b border-line text-left text-sm text-ink2">
                <th scope="col" className="h-8 px-3.5 font-normal">
                  {say("Setting")}
                </th>
                {columns ? (
                  runs.map((run) => (
                    <th key={run.id} scope="col" className="px-2.5 font-normal whitespace-nowrap">
                      <span aria-hidden className="mr-1.5 inline-block size-2 rounded-[2px]" style={{ background: looks.get(run.id)?.colour }} />
                      {looks.get(run.id)?.name}
                    </th>
                  ))
                ) : (
                  <th scope="col" className="px-2.5 font-normal">
                    {say("Values, and how many runs have them")}
                  </th>
                )}
              </tr>
            </thead>
            <tbody>
              {shown.map(({ key, title, values, distinct }) => (
                <tr key={key} className="border-b border-line last:border-b-0">
                  <th scope="row" title={key} className="h-8 px-3.5 text-left font-normal whitespace-nowrap text-ink2">
                    {title}
                  </th>
                  {columns ? (
                    values.map((value, at) => (
                      <td key={runs[at]?.id} className="px-2.5">
                        <span className={distinct > 1 ? "figures rounded-sm bg-warn-soft px-1 py-px" : "figures"}>{value}</span>
                      </td>
                    ))
                  ) : (
                    <td className="px-2.5">
                      <span className="figures wrap-anywhere">{sayCounts(values)}</span>
                    </td>
                  )}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

function sayCounts(values: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  const sorted = [...counts].sort((a, b) => b[1] - a[1]);
  const said = sorted.slice(0, 6).map(([value, count]) => `${value} (${formatCount(count)})`);
  return sorted.length > 6 ? say("{said} and {count} other values", { said: said.join(", "), count: formatCount(sorted.length - 6) }) : said.join(", ");
}
