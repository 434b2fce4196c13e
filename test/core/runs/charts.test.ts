import fc from "fast-check";
import { expect, test } from "vitest";
import { mergeCharts, moveChart, placeCharts, readCharts, writeCharts } from "../../../core/runs/charts.ts";

const place = fc.record({ id: fc.string({ minLength: 1, maxLength: 20 }), wide: fc.boolean(), tall: fc.integer({ min: 0, max: 3 }), hidden: fc.boolean() });
const layout = fc.uniqueArray(place, { selector: ({ id }) => id, maxLength: 12 });

test("a layout comes back from an address as it was", () => {
  fc.assert(
    fc.property(layout, (given) => {
      const params = new URLSearchParams({ charts: writeCharts(given) });
      expect(readCharts(new URLSearchParams(params.toString()).get("charts") ?? "")).toEqual(given);
    }),
  );
  expect(readCharts("")).toEqual([]);
  expect(readCharts("loss.w2,loss,,lr.x").map(({ id, wide, tall }) => [id, wide, tall])).toEqual([
    ["loss", true, 2],
    ["lr", false, 0],
  ]);
});

test("charts stand as the layout says, new ones behind; a move takes none away", () => {
  fc.assert(
    fc.property(layout, fc.uniqueArray(fc.string({ minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 8 }), fc.nat(), fc.nat(), (kept, ids, a, b) => {
      const places = placeCharts(ids, kept);
      expect(places.map(({ id }) => id).sort()).toEqual([...ids].sort());
      const [from, to] = [places[a % places.length]?.id ?? "", places[b % places.length]?.id ?? ""];
      const moved = moveChart(places, from, to);
      expect(moved.map(({ id }) => id).sort()).toEqual([...ids].sort());
      expect(moved.findIndex(({ id }) => id === from)).toBe(places.findIndex(({ id }) => id === to));
      // What another run has stays where it was put.
      const merged = mergeCharts(kept, moved);
      for (const { id } of kept) expect(merged.some((one) => one.id === id)).toBe(true);
    }),
  );
});
