"use client";

import { useQueries } from "@tanstack/react-query";
import { memo, useMemo, useState } from "react";
import { checkGraph } from "../../../core/graph/check.ts";
import { type GraphDiff as Diff, diffGraphs, sayDiff } from "../../../core/graph/diff.ts";
import type { Graph, Node } from "../../../core/graph/document.ts";
import { say } from "../../../core/language/say.ts";
import { findLayer } from "../../../core/layers/index.ts";
import { readParams } from "../../../core/layers/params.ts";
import { categoryColor } from "../../canvas/categories.ts";
import { Select } from "../../ui/Field.tsx";
import { formatCount } from "../../ui/format.ts";
import { Failing, Loading } from "../../ui/States.tsx";
import { useTRPC } from "../../ui/trpc.ts";
import { formatFigure } from "../figures.ts";
import { metricTitle, unitOf } from "../run.ts";
import type { Compared } from "./ComparePage.tsx";

/** Two runs' frozen graphs as one drawing, what was added, removed and changed in it, and what that did to the results. */
export function GraphDiff({ runs }: { runs: readonly Compared[] }) {
  const trpc = useTRPC();
  // Beginning with two that differ, where there are such.
  const [first] = runs;
  const other = runs.find(({ graphHash }) => graphHash !== first?.graphHash) ?? runs[1];
  const [beforeId, setBefore] = useState(first?.id ?? "");
  const [afterId, setAfter] = useState(other?.id ?? "");
  const [before, after] = [runs.find(({ id }) => id === beforeId), runs.find(({ id }) => id === afterId)];
  const graphs = useQueries({
    queries: [beforeId, afterId].map((runId) => trpc.runs.graph.queryOptions({ runId }, { staleTime: Number.POSITIVE_INFINITY, enabled: runId !== "" })),
  });
  const [one, two] = [graphs[0]?.data, graphs[1]?.data];
  const diff = useMemo(() => (one && two ? diffGraphs(one, two) : null), [one, two]);
  const error = graphs.find((graph) => graph.error)?.error;
  const choose = (label: string, value: string, onValue: (id: string) => void) => (
    <div className="flex items-center gap-2 text-ink2">
      <span aria-hidden>{label}</span>
      <Select aria-label={label} className="w-52 max-w-52" value={value} onChange={(event) => onValue(event.target.value)}>
        {runs.map((run) => (
          <option key={run.id} value={run.id}>
            {say("{modelName}, run {number}", { modelName: run.modelName, number: run.number })}
          </option>
        ))}
      </Select>
    </div>
  );
  return (
    <section aria-label={say("Graphs")} className="space-y-3">
      <div className="flex flex-wrap items-center gap-3">
        {choose(say("From"), beforeId, setBefore)}
        {choose("to", afterId, setAfter)}
      </div>
      {error ? (
        <Failing what={say("The graphs")} error={error} onRetry={() => graphs.forEach((graph) => void graph.refetch())} />
      ) : !diff || !one || !two || !before || !after ? (
        <Loading label={say("Loading graphs")} className="h-96" />
      ) : (
        <div className="grid gap-4 lg:grid-cols-[minmax(0,1fr)_320px]">
          <DiffDrawing before={one} after={two} diff={diff} />
          <div className="space-y-4">
            <section aria-label={say("What changed")}>
              <h3 className="section-name pb-1">{say("What changed")}</h3>
              {diff.isSame ? (
                <p className="text-ink2">{say("Both runs trained the same graph.")}</p>
              ) : (
                <ul className="space-y-1">
                  {sayDiff(diff).map((line, at) => (
                    <li key={at} className={line.startsWith("Added") ? "text-accent" : line.startsWith("Removed") ? "text-bad" : undefined}>
                      {line}
                    </li>
                  ))}
                </ul>
              )}
            </section>
            <Outcome before={before} after={after} graphs={[one, two]} />
          </div>
        </div>
      )}
    </section>
  );
}

/** What became of the results, and of the network's size. */
function Outcome({ before, after, graphs }: { before: Compared; after: Compared; graphs: readonly [Graph, Graph] }) {
  const totals = useMemo(() => graphs.map((graph) => checkGraph(graph).totals), [graphs]);
  const keys = Object.keys(before.summary).filter((key) => key.startsWith("validation/") && key in after.summary);
  const settings = Object.keys({ ...before.settings, ...after.settings }).filter((key) => before.settings[key] !== after.settings[key] && key !== "settings.seed").length;
  return (
    <section aria-label={say("What it did")}>
      <h3 className="section-name pb-1">{say("What it did")}</h3>
      <table className="w-full">
        <thead>
          <tr className="text-left text-sm text-ink2">
            <th className="font-normal">{say("Best value")}</th>
            <th className="text-right font-normal">{say("from")}</th>
            <th className="text-right font-normal">{say("to")}</th>
            <th className="text-right font-normal">{say("change")}</th>
          </tr>
        </thead>
        <tbody>
          {keys.map((key) => {
            const [a, b] = [before.summary[key]?.best ?? null, after.summary[key]?.best ?? null];
            if (a === null || b === null) return null;
            const unit = unitOf(key);
            const change = b - a;
            // Of losses and errors less is better.
            const better = /loss|error|mae|mse|mape/.test(key) ? change < 0 : change > 0;
            return (
              <tr key={key}>
                <th scope="row" className="max-w-36 truncate text-left font-normal">
                  {metricTitle(key).replace("Validation ", "")}
                </th>
                <td className="figures text-right">{formatFigure(a, unit)}</td>
                <td className="figures text-right">{formatFigure(b, unit)}</td>
                <td className={`figures text-right ${change === 0 ? "text-ink2" : better ? "text-accent" : "text-bad"}`}>
                  {change < 0 ? "−" : "+"}
                  {formatFigure(Math.abs(change), unit)}
                </td>
              </tr>
            );
          })}
          <tr>
            <th scope="row" className="text-left font-normal">
              {say("Parameters")}
            </th>
            <td className="figures text-right">{formatCount(totals[0]?.parameters ?? 0)}</td>
            <td className="figures text-right">{formatCount(totals[1]?.parameters ?? 0)}</td>
            <td className="figures text-right text-ink2">{formatCount((totals[1]?.parameters ?? 0) - (totals[0]?.parameters ?? 0))}</td>
          </tr>
        </tbody>
      </table>
      {settings > 0 && (
        <p className="pt-2 text-sm text-ink2">
          {say("{settings, plural, one {One setting differs} other {# settings differ}} too, so the graph alone did not make this change.", { settings })}
        </p>
      )}
    </section>
  );
}

const WIDTH = 184;
const HEIGHT = 46;
const STATES = {
  added: { stroke: "var(--accent)", fill: "var(--accent-soft)", word: say("added") },
  removed: { stroke: "var(--bad)", fill: "var(--bad-soft)", word: say("removed") },
  changed: { stroke: "var(--warn)", fill: "var(--warn-soft)", word: say("changed") },
  same: { stroke: "var(--line2)", fill: "var(--raise)", word: say("the same") },
} as const;

type Box = { key: string; node: Node; state: keyof typeof STATES; x: number; y: number; note: string };

/** Both graphs in one: the later one where its nodes stand, and beside it what it no longer has. */
const DiffDrawing = memo(function DiffDrawing({ before, after, diff }: { before: Graph; after: Graph; diff: Diff }) {
  const { boxes, ends, view } = useMemo(() => place(before, after, diff), [before, after, diff]);
  return (
    <figure className="max-h-[70dvh] overflow-auto rounded-xl border border-line bg-bg p-3">
      <svg
        role="img"
        aria-label={say("Both graphs in one: {changes}", {
          changes: (["added", "removed", "changed"] as const)
            .map((state) => say("{count} nodes {state}", { count: boxes.filter((box) => box.state === state).length, state: STATES[state].word }))
            .join(", "),
        })}
        viewBox={`${view.x} ${view.y} ${view.width} ${view.height}`}
        style={{ width: view.width, maxWidth: "100%" }}
        className="mx-auto block"
      >
        {diff.edges
          .filter(({ path }) => !path.includes("/"))
          .map(({ state, edge }) => {
            const side = state === "removed" ? "before" : "after";
            const [from, to] = [ends.get(`${side} ${edge.from.node}`), ends.get(`${side} ${edge.to.node}`)];
            if (!from || !to) return null;
            const [x0, y0, x1, y1] = [from.x + WIDTH / 2, from.y + HEIGHT, to.x + WIDTH / 2, to.y];
            const bend = Math.max(16, Math.abs(y1 - y0) / 2);
            return (
              <path
                key={`${state} ${edge.id}`}
                d={`M${x0} ${y0} C${x0} ${y0 + bend} ${x1} ${y1 - bend} ${x1} ${y1}`}
                fill="none"
                stroke={STATES[state].stroke}
                strokeWidth={state === "same" ? 1.5 : 2}
                strokeDasharray={state === "removed" ? "5 4" : undefined}
              />
            );
          })}
        {boxes.map(({ key, node, state, x, y, note }) => {
          const layer = findLayer(node.type);
          const params = layer && readParams(layer.params, node.params);
          const line = note || (layer && params?.problems.length === 0 ? layer.summary(params.values) : "");
          return (
            <g key={key} transform={`translate(${x} ${y})`}>
              <title>{`${node.name || layer?.title || node.type}, ${STATES[state].word}${note ? `: ${note}` : ""}`}</title>
              <rect
                width={WIDTH}
                height={HEIGHT}
                rx={8}
                fill={STATES[state].fill}
                stroke={STATES[state].stroke}
                strokeWidth={state === "same" ? 1 : 1.75}
                strokeDasharray={state === "removed" ? "5 4" : undefined}
              />
              <rect x={6} y={8} width={3} height={HEIGHT - 16} rx={1.5} fill={categoryColor(layer?.category ?? null)} />
              <text x={17} y={line ? 19 : 27} fontSize={12.5} fontWeight={600} fill="var(--ink)">
                {clip(node.name || layer?.title || node.type, 18)}
              </text>
              {state !== "same" && (
                <text x={WIDTH - 9} y={19} fontSize={10} textAnchor="end" fill={STATES[state].stroke}>
                  {STATES[state].word}
                </text>
              )}
              {line && (
                <text x={17} y={35} fontSize={11.5} fill="var(--ink2)">
                  {clip(line, 27)}
                </text>
              )}
            </g>
          );
        })}
      </svg>
    </figure>
  );
});

function place(before: Graph, after: Graph, diff: Diff) {
  const boxes: Box[] = [];
  const ends = new Map<string, { x: number; y: number }>();
  const right = Math.max(0, ...after.nodes.map(({ at }) => at.x)) + WIDTH + 56;
  // What was removed stands at the height of whoever fed it, so that the eye finds where it was.
  const heightOf = new Map<string, number>();
  for (const entry of diff.nodes) {
    if (entry.state === "removed" || entry.afterPath.includes("/")) continue;
    const { at } = entry.after;
    const state = entry.state;
    const note =
      state === "changed"
        ? entry.changes.map((change) => (change.what === "param" ? `${change.name} ${JSON.stringify(change.before)} → ${JSON.stringify(change.after)}` : change.what)).join(", ") ||
          "inside"
        : "";
    boxes.push({ key: `after ${entry.after.id}`, node: entry.after, state, x: at.x, y: at.y, note });
    ends.set(`after ${entry.after.id}`, at);
    if (entry.state !== "added") {
      ends.set(`before ${entry.before.id}`, at);
      heightOf.set(entry.before.id, at.y);
    }
  }
  const taken: number[] = [];
  for (const entry of diff.nodes) {
    if (entry.state !== "removed" || entry.beforePath.includes("/")) continue;
    const { before: node } = entry;
    const feeder = before.edges.find(({ to }) => to.node === node.id)?.from.node;
    let y = (heightOf.get(feeder ?? "") ?? node.at.y - 96) + 96;
    while (taken.some((other) => Math.abs(other - y) < HEIGHT + 16)) y += HEIGHT + 24;
    taken.push(y);
    heightOf.set(node.id, y);
    boxes.push({ key: `before ${node.id}`, node, state: "removed", x: right, y, note: "" });
    ends.set(`before ${node.id}`, { x: right, y });
  }
  const xs = boxes.map(({ x }) => x);
  const ys = boxes.map(({ y }) => y);
  const [x, y] = [Math.min(0, ...xs) - 12, Math.min(0, ...ys) - 12];
  return { boxes, ends, view: { x, y, width: Math.max(0, ...xs) + WIDTH + 12 - x, height: Math.max(0, ...ys) + HEIGHT + 12 - y } };
}

const clip = (text: string, length: number) => (text.length > length ? `${text.slice(0, length - 1)}…` : text);
