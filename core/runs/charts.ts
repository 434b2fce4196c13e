import { z } from "zod";
import { escapeSign, unescapeSign } from "./escape.ts";

/** How one chart of a run stands on its page: over both columns or one, and so much taller than the least (0 to 3 steps). */
const ChartPlace = z.strictObject({ id: z.string().min(1).max(200), wide: z.boolean(), tall: z.int().min(0).max(3), hidden: z.boolean() });
export type ChartPlace = z.infer<typeof ChartPlace>;

/** The charts of a project's runs in the order in which they were put; those that are not named follow as they come. */
export const ChartLayout = z.array(ChartPlace).max(200);
export type ChartLayout = z.infer<typeof ChartLayout>;

/** A layout as an address holds it: `loss.w1,lr.h,accuracy`; signs with a meaning are escaped in names. */
export function writeCharts(layout: ChartLayout): string {
  return layout
    .map(({ id, wide, tall, hidden }) => {
      const marks = `${wide ? "w" : ""}${hidden ? "h" : ""}${tall > 0 ? tall : ""}`;
      return id.replace(/[%,.]/g, escapeSign) + (marks && `.${marks}`);
    })
    .join();
}

/** What is not understood is left out: an old or mistyped link still opens. */
export function readCharts(text: string): ChartLayout {
  const seen = new Set<string>();
  return text.split(",").flatMap((part) => {
    const [name = "", marks = ""] = part.split(".");
    const read = ChartPlace.safeParse({
      id: name.replace(/%(25|2c|2e)/g, unescapeSign),
      wide: marks.includes("w"),
      hidden: marks.includes("h"),
      tall: Number(/[1-3]/.exec(marks)?.[0] ?? 0),
    });
    if (!read.success || seen.has(read.data.id) || seen.size >= 200) return [];
    seen.add(read.data.id);
    return [read.data];
  });
}

/** Every chart that there is, as the layout has it; what it does not know stands behind, as it came. */
export function placeCharts(ids: readonly string[], layout: ChartLayout): ChartPlace[] {
  const known = layout.filter(({ id }) => ids.includes(id));
  return [...known, ...ids.filter((id) => !known.some((place) => place.id === id)).map((id) => ({ id, wide: false, tall: 0, hidden: false }))];
}

/** Puts one chart where another stands; the others close up. */
export function moveChart(places: readonly ChartPlace[], id: string, to: string): ChartPlace[] {
  const [from, at] = [places.findIndex((place) => place.id === id), places.findIndex((place) => place.id === to)];
  const moved = places[from];
  return moved && at >= 0 ? places.toSpliced(from, 1).toSpliced(at, 0, moved) : [...places];
}

/** Charts of this layout that another run has not got keep their places. */
export function mergeCharts(layout: ChartLayout, places: readonly ChartPlace[]): ChartLayout {
  return [...places, ...layout.filter(({ id }) => !places.some((place) => place.id === id))].slice(0, 200);
}
