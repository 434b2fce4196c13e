"use client";

import { memo, useState } from "react";
import { say } from "../../../core/language/say.ts";
import { type ClassScore, scoreClasses } from "../../../core/training/perClass.ts";
import { cx } from "../../ui/cx.ts";
import { formatCount, formatPercent } from "../../ui/format.ts";

type Key = "index" | "rows" | "precision" | "recall" | "f1";
const HEADS: readonly { key: Key; title: string }[] = [
  { key: "index", title: say("Class") },
  { key: "rows", title: say("Rows") },
  { key: "precision", title: say("Precision") },
  { key: "recall", title: say("Recall") },
  { key: "f1", title: say("F1") },
];

/** How well each class is known, in any order: the worst ones first is what one looks for. */
export const PerClass = memo(function PerClass({ counts, classes }: { counts: readonly (readonly number[])[]; classes: readonly string[] }) {
  const [by, setBy] = useState<Key>("index");
  const keyOf = (score: ClassScore) => score[by] ?? Number.POSITIVE_INFINITY;
  const scores = scoreClasses(counts).sort((a, b) => (by === "rows" ? keyOf(b) - keyOf(a) : keyOf(a) - keyOf(b)) || a.index - b.index);
  return (
    <section aria-label={say("Per class")}>
      <h3 className="section-name pb-1 text-ink2">{say("Per class")}</h3>
      <div className="max-h-72 overflow-y-auto">
        <table className="w-full">
          <thead className="sticky top-0 bg-panel">
            <tr>
              {HEADS.map(({ key, title }) => (
                <th
                  key={key}
                  scope="col"
                  aria-sort={by === key ? (key === "rows" ? "descending" : "ascending") : undefined}
                  className={cx("pb-0.5 font-normal", key === "index" ? "text-left" : "text-right")}
                >
                  <button type="button" onClick={() => setBy(key)} className={cx("text-sm hover:text-ink", by === key ? "font-semibold text-ink" : "text-ink2")}>
                    {title}
                  </button>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {scores.map(({ index, rows, precision, recall, f1 }) => (
              <tr key={index} className="border-t border-line">
                <th scope="row" className="max-w-24 truncate py-0.5 text-left font-normal" title={classes[index]}>
                  {classes[index] ?? index}
                </th>
                <td className="figures text-right">{formatCount(rows)}</td>
                <td className="figures text-right">{formatPercent(precision)}</td>
                <td className="figures text-right">{formatPercent(recall)}</td>
                <td className="figures text-right">{formatPercent(f1)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
});
