"use client";

import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { Graph } from "../../core/graph/document.ts";
import { withoutFurniture } from "../../core/graph/furniture.ts";
import { printFixed } from "../../core/language/numbers.ts";
import { say } from "../../core/language/say.ts";
import { findLayer } from "../../core/layers/index.ts";
import { type Look, lookAt, measures } from "../../core/training/look.ts";
import { cx } from "../ui/cx.ts";
import { formatCount } from "../ui/format.ts";
import { useTRPC } from "../ui/trpc.ts";

/** What the nodes did in the last step that was looked at, as figures; a node's own row opens how they came about. */
export function NodeTable({ graph, look, runId, sizes }: { graph: Graph; look: Look; runId: string; sizes: { readonly [symbol: string]: number } }) {
  const [opened, setOpened] = useState<string | null>(null);
  const rows = withoutFurniture(graph).nodes.flatMap((node) => {
    const own = lookAt(look, node.id);
    return own ? [{ id: node.id, title: node.name || findLayer(node.type)?.title || node.type, values: measures.map((measure) => measure.of(own, look)) }] : [];
  });
  if (rows.length === 0) return null;
  const columns = measures.map((_, at) => rows.flatMap(({ values }) => values[at] ?? []));
  const batch = Object.entries(sizes).map(([symbol, size]) => `${symbol} ${formatCount(size)}`);
  return (
    <div className="space-y-1">
      <table className="w-full text-sm">
        <caption className="pb-1 text-left text-ink2">
          {say("Step {step}, {stepMs} ms", { step: formatCount(look.step), stepMs: printFixed(look.stepMs, look.stepMs < 10 ? 2 : 0) })}
          {batch.length > 0 && `, ${batch.join(", ")}`}
        </caption>
        <thead>
          <tr className="text-ink3">
            <th scope="col" className="text-left font-normal">
              {say("Node")}
            </th>
            {measures.map(({ id, title, doc }) => (
              <th key={id} scope="col" title={doc} className="text-right font-normal">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ id, title, values }) => (
            <tr key={id} className="border-line border-t">
              <th scope="row" className="max-w-24 truncate py-1 text-left font-normal">
                <button
                  type="button"
                  aria-expanded={opened === id}
                  className="max-w-full truncate hover:underline"
                  title={title}
                  onClick={() => setOpened(opened === id ? null : id)}
                >
                  {title}
                </button>
              </th>
              {measures.map((measure, at) => {
                const value = values[at] ?? null;
                const remark = value === null ? null : measure.remark(value, columns[at] ?? []);
                return (
                  <td key={measure.id} title={remark ?? undefined} className={cx("figures text-right", remark !== null && "text-warn")}>
                    {value === null ? <span className="text-ink3">–</span> : measure.print(value)}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
      {opened !== null && <History runId={runId} node={opened} title={rows.find(({ id }) => id === opened)?.title ?? opened} look={look} />}
    </div>
  );
}

const WIDTH = 300;
const HEIGHT = 34;

/** How a node's figures have gone since the run began, one small curve for each. */
function History({ runId, node, title, look }: { runId: string; node: string; title: string; look: Look }) {
  const trpc = useTRPC();
  const { data, error } = useQuery(
    // Asked again where a look has come since.
    trpc.runs.looks.queryOptions(
      { runId, node },
      { placeholderData: (before) => before, refetchInterval: ({ state }) => ((state.data?.at(-1)?.step ?? 0) < look.step ? 1_500 : false) },
    ),
  );
  if (error) return <p className="text-sm text-bad">{say("How {title} came here could not be read.", { title })}</p>;
  if (!data) return <p className="breathe text-sm text-ink2">{say("Reading how {title} came here", { title })}</p>;
  return (
    <section aria-label={say("{title} over time", { title })} className="space-y-1.5 rounded-md bg-sunk px-2.5 py-2">
      <h3 className="text-sm font-semibold">{say("{title}, step by step", { title })}</h3>
      {measures.map((measure) => {
        const points = data.flatMap((one): [number, number][] => {
          const value = measure.of(one, { ...look, stepMs: one.stepMs });
          return value === null || !Number.isFinite(value) ? [] : [[one.step, value]];
        });
        const last = points.at(-1);
        if (!last || points.length < 2) return null;
        return (
          <figure key={measure.id}>
            <figcaption className="flex justify-between text-sm text-ink2">
              {measure.title}
              <span className="figures">{measure.print(last[1])}</span>
            </figcaption>
            <svg
              viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
              role="img"
              aria-label={say("{measure} of {title} from {first} to {last}", {
                measure: measure.title,
                title,
                first: measure.print(points[0]?.[1] ?? 0),
                last: measure.print(last[1]),
              })}
              className="block w-full"
            >
              <path d={lineOf(points)} fill="none" stroke="var(--glow)" strokeWidth={1.5} strokeLinejoin="round" />
            </svg>
          </figure>
        );
      })}
      {data.length < 2 && <p className="text-sm text-ink2">{say("One step was looked at so far.")}</p>}
    </section>
  );
}

/** A line through the points that fills the picture. */
function lineOf(points: readonly [number, number][]): string {
  const [steps, values] = [points.map(([step]) => step), points.map(([, value]) => value)];
  const [from, to, low, high] = [Math.min(...steps), Math.max(...steps), Math.min(...values), Math.max(...values)];
  const x = (step: number) => ((step - from) / Math.max(1, to - from)) * WIDTH;
  const y = (value: number) => 2 + (HEIGHT - 4) * (high === low ? 0.5 : 1 - (value - low) / (high - low));
  return points.map(([step, value], i) => `${i === 0 ? "M" : "L"}${x(step).toFixed(1)} ${y(value).toFixed(1)}`).join("");
}
