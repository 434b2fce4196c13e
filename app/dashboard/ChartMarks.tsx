import { memo } from "react";
import { say } from "../../core/language/say.ts";
import { formatCount } from "../ui/format.ts";
import { type ChartMark, MARKS, type MarkCluster } from "./marks.ts";

/** How many marks a tooltip says in words. */
const SAID = 5;

/** The sign of one kind of mark. */
export function MarkSign({ kind }: { kind: ChartMark["kind"] }) {
  return (
    <svg aria-hidden width={12} height={12} viewBox="-6 -6 12 12" className="shrink-0">
      <path d={MARKS[kind].path} fill={MARKS[kind].color} />
    </svg>
  );
}

/** Marks along the foot of a chart, with a thin line up; several close ones are one sign with their number. */
export const ChartMarks = memo(
  function ChartMarks({ clusters, top, height, width, pointed }: { clusters: readonly MarkCluster[]; top: number; height: number; width: number; pointed: MarkCluster | null }) {
    return (
      <svg
        aria-hidden
        className="pointer-events-none absolute inset-0"
        width={width}
        height={top + height + 12}
        data-mark-count={clusters.reduce((sum, { marks }) => sum + marks.length, 0)}
      >
        {clusters.map((cluster) => {
          const { x, marks } = cluster;
          const [first] = marks;
          if (!first) return null;
          const alike = marks.every(({ kind }) => kind === first.kind);
          const color = alike ? MARKS[first.kind].color : "var(--ink2)";
          const isPointed = cluster === pointed;
          return (
            <g key={first.step} transform={`translate(${x} ${top + height})`}>
              <line y1={-6} y2={-height} stroke={color} strokeOpacity={isPointed ? 0.9 : 0.35} strokeDasharray="1 3" />
              {marks.length === 1 ? (
                <path d={MARKS[first.kind].path} fill={color} stroke="var(--raise)" strokeWidth={isPointed ? 0.5 : 1.5} paintOrder="stroke" />
              ) : (
                <>
                  <rect x={-7} y={-6} width={14} height={12} rx={6} fill={color} stroke="var(--raise)" strokeWidth={1.5} paintOrder="stroke" />
                  <text y={3.2} textAnchor="middle" fontSize={9} fontWeight={600} fill="var(--raise)">
                    {marks.length > 99 ? "99" : marks.length}
                  </text>
                </>
              )}
            </g>
          );
        })}
      </svg>
    );
  },
  (a, b) =>
    a.width === b.width &&
    a.height === b.height &&
    a.pointed?.x === b.pointed?.x &&
    a.clusters.length === b.clusters.length &&
    a.clusters.every(({ x, marks }, at) => x === b.clusters[at]?.x && marks.length === b.clusters[at].marks.length && marks[0]?.kind === b.clusters[at].marks[0]?.kind),
);

/** What the marks of a cluster say, in words. */
export function MarkWords({ cluster }: { cluster: MarkCluster }) {
  return (
    <ul className="max-w-60 space-y-0.5">
      {cluster.marks.slice(0, SAID).map((mark, at) => (
        <li key={at} className="flex items-start gap-1.5">
          <span className="pt-1">
            <MarkSign kind={mark.kind} />
          </span>
          <span className="min-w-0">
            <span className="figures text-ink2">{formatCount(mark.step)}</span> {mark.text}
          </span>
        </li>
      ))}
      {cluster.marks.length > SAID && <li className="pl-[18px] text-ink2">{say("and {count} more; zoom in to read them", { count: cluster.marks.length - SAID })}</li>}
    </ul>
  );
}

/** Which signs stand for what, of those that are on the curves. */
export function MarkLegend({ marks }: { marks: readonly ChartMark[] }) {
  const counts = new Map<string, { kind: ChartMark["kind"]; count: number }>();
  for (const { kind } of marks) {
    const known = counts.get(MARKS[kind].word);
    counts.set(MARKS[kind].word, { kind, count: (known?.count ?? 0) + 1 });
  }
  if (counts.size === 0) return null;
  return (
    <ul aria-label={say("Marks on the curves")} className="flex flex-wrap items-center gap-x-3.5 gap-y-1 text-sm text-ink2">
      {[...counts].map(([word, { kind, count }]) => (
        <li key={word} className="flex items-center gap-1.5 whitespace-nowrap">
          <MarkSign kind={kind} />
          {word}
          {count > 1 && <span className="figures">{count}</span>}
        </li>
      ))}
    </ul>
  );
}
