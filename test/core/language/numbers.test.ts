import { afterEach, expect, test } from "vitest";
import { formatTick } from "../../../app/dashboard/figures.ts";
import { formatCount, formatMetric, formatPercent, formatShort } from "../../../app/ui/format.ts";
import { printDate } from "../../../core/language/numbers.ts";

afterEach(() => {
  globalThis.tensorloomLanguage = undefined;
});

const day = new Date(2026, 2, 12, 14, 2);
const figures = () => [
  formatCount(81_610),
  formatShort(6_170),
  formatMetric(0.034),
  formatMetric(1.2e-5),
  formatPercent(0.991),
  formatTick(0.5, "value"),
  printDate(day, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" }),
];

test("figures and days are written as the language writes them, and English as ever", () => {
  expect(figures()).toEqual(["81,610", "6.2k", "0.034", "1.2e-5", "99.1%", "0.5", "12 Mar, 14:02"]);
  globalThis.tensorloomLanguage = { code: "de", texts: {} };
  expect(figures()).toEqual(["81.610", "6,2k", "0,034", "1,2e-5", "99,1%", "0,5", "12. März, 14:02"]);
  globalThis.tensorloomLanguage = { code: "en-XA", texts: {} };
  expect(figures()).toEqual(["81,610", "6.2k", "0.034", "1.2e-5", "99.1%", "0.5", "12 Mar, 14:02"]);
});
