import { say } from "../../core/language/say.ts";
import type { RunMark } from "../../core/training/marks.ts";

/** What is marked on a run's curves: what befell it, and where its best checkpoint stands. */
export type ChartMark = { step: number; kind: RunMark["kind"] | "best"; text: string };

/** How each kind of mark looks and what the legend calls it. Shapes tell them apart without colour. */
export const MARKS: { readonly [kind in ChartMark["kind"]]: { word: string; color: string; path: string } } = {
  knob: { word: say("setting changed"), color: "var(--accent)", path: "M0-4.5 4.5 0 0 4.5-4.5 0Z" },
  pause: { word: say("paused"), color: "var(--ink2)", path: "M-3.5-4H-1V4H-3.5ZM1-4H3.5V4H1Z" },
  breakpoint: { word: say("paused at a breakpoint"), color: "var(--bad)", path: "M-2-4.8H2L4.8-2V2L2 4.8H-2L-4.8 2V-2Z" },
  resume: { word: say("resumed"), color: "var(--ink2)", path: "M-3-4.5 4.5 0-3 4.5Z" },
  "early-stop": { word: say("stopped early"), color: "var(--warn)", path: "M-3.8-3.8H3.8V3.8H-3.8Z" },
  stop: { word: say("stopped by hand"), color: "var(--warn)", path: "M-3.8-3.8H3.8V3.8H-3.8Z" },
  "one-batch": { word: say("verdict on one batch"), color: "var(--series-2)", path: "M0-4.5A4.5 4.5 0 1 1-.01-4.5Z" },
  best: { word: say("best checkpoint"), color: "var(--series-3)", path: "M0-5 1.3-1.6 4.9-1.5 2 .7 3 4.2 0 2.1-3 4.2-2 .7-4.9-1.5-1.3-1.6Z" },
};

/** Marks that stand so close that they are drawn as one, at the place of the first. */
export type MarkCluster = { x: number; marks: ChartMark[] };

/** Puts marks in order, and those less than `gap` pixels apart together. Marks outside the range of steps are left out. */
export function clusterMarks(marks: readonly ChartMark[], range: readonly [number, number], toX: (step: number) => number, gap: number): MarkCluster[] {
  const clusters: MarkCluster[] = [];
  const inside = marks.filter(({ step }) => step >= range[0] && step <= range[1]).sort((a, b) => a.step - b.step);
  for (const mark of inside) {
    const x = toX(mark.step);
    const last = clusters.at(-1);
    if (last && x - last.x < gap) last.marks.push(mark);
    else clusters.push({ x, marks: [mark] });
  }
  return clusters;
}

/** The cluster that a pointer at `x` means, if one is within `reach` pixels. */
export function clusterAt(clusters: readonly MarkCluster[], x: number, reach: number): MarkCluster | null {
  let nearest: MarkCluster | null = null;
  for (const cluster of clusters) if (Math.abs(cluster.x - x) <= reach && (!nearest || Math.abs(cluster.x - x) < Math.abs(nearest.x - x))) nearest = cluster;
  return nearest;
}
