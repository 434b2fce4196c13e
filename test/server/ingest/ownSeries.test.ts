import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { timeOf } from "../../../core/data/series.ts";
import { guessPlan, type TablePlan } from "../../../core/data/table.ts";
import { prepareOwnTable } from "../../../server/ingest/ownTable.ts";
import { inspectTable } from "../../../server/ingest/tableFacts.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tensorloom-series-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function prepare(rows: string[], change: (plan: TablePlan) => Partial<TablePlan> = () => ({}), header = "day,shop,sold") {
  const file = join(folder, "sales.csv");
  await writeFile(file, `${header}\n${rows.join("\n")}\n`);
  const facts = await inspectTable(file, "sales.csv", {});
  const plan = guessPlan(facts.form, facts.columns);
  return { plan, prepared: await prepareOwnTable(file, "sales.csv", { ...plan, ...change(plan) }) };
}

const dayOf = (at: number) => new Date(Date.UTC(2023, 0, 1 + at)).toISOString().slice(0, 10);
const soldOn = (at: number) => 100 + 10 * (at % 7) + at;
const days = Array.from({ length: 200 }, (_, at) => `${dayOf(at)},north,${soldOn(at)}`);

describe("a table with a column of times", () => {
  it("is taken for a series: its time, season, and how far it looks back and ahead", async () => {
    const { plan, prepared } = await prepare(days);
    expect(plan).toMatchObject({ task: "forecasting", target: 2, series: { time: 0, season: 7, horizon: 10, context: 40 }, split: { validationShare: 0.1 } });
    const { series, splits } = prepared;
    expect(series).toMatchObject({ name: "sold", length: 200, held: 20, stepDays: 1, filled: 0 });
    expect(series && timeOf(series, 199)).toBe(dayOf(199));
    expect(Array.from(splits.train.input.data.slice(0, 3), Number)).toEqual([soldOn(0), soldOn(1), soldOn(2)]);
  });

  it.each([
    ["months", (at: number) => `${1960 + Math.floor(at / 12)}-${String(1 + (at % 12)).padStart(2, "0")}-01`, 12],
    ["hours", (at: number) => new Date(Date.UTC(2024, 1, 1, at)).toISOString().slice(0, 19), 24],
  ])("of %s has their season, and each value its own time", async (_, time, season) => {
    const { plan, prepared } = await prepare(
      Array.from({ length: 300 }, (__, at) => `${time(at)},north,${soldOn(at)}`),
      () => ({}),
    );
    expect([plan.task, plan.series?.season]).toEqual(["forecasting", season]);
    const { series } = prepared;
    expect(series && timeOf(series, 100)).toBe(
      time(100)
        .replace("T", " ")
        .slice(0, season === 24 ? 16 : 10),
    );
  });

  it("comes into the order of time, and gaps are drawn between their neighbours and counted", async () => {
    const shuffled = days.filter((_, at) => at !== 50).map((row, at) => (at === 90 ? row.replace(/\d+$/, "NA") : row));
    const { prepared } = await prepare([...shuffled.slice(100), ...shuffled.slice(0, 100)], () => ({
      task: "forecasting",
      target: 2,
      series: { time: 0, season: 7, horizon: 10, context: 40 },
    }));
    expect(prepared.series).toMatchObject({ length: 200, filled: 2, stepDays: 1 });
    const values = Array.from(prepared.splits.train.input.data, Number);
    expect(values[50]).toBeCloseTo((soldOn(49) + soldOn(51)) / 2, 3);
    expect(values.slice(0, 3)).toEqual([soldOn(0), soldOn(1), soldOn(2)]);
  });

  it("of days of business stays in their order, without a calendar", async () => {
    const business = days.filter((_, at) => at % 7 < 5);
    const { plan, prepared } = await prepare(business, () => ({ task: "forecasting", target: 2, series: { time: 0, season: 5, horizon: 5, context: 20 } }));
    // Beside one column of numbers, what are dates for?
    expect(plan).toMatchObject({ task: "forecasting", series: { time: 0 } });
    expect(prepared.series).toMatchObject({ length: business.length, stepDays: null, start: null, filled: 0 });
  });

  it.each<[string, string[], string, RegExp]>([
    ["two rows are of the same time", [...days, `${dayOf(3)},south,7`], "SERIES_TIME", /^Lines 5 and 202 are of the same time/],
    ["a time cannot be read", [...days, "yesterday,north,7"], "SERIES_TIME", /^Line 202: "yesterday" in column "day" is no date/],
    ["most values are missing", days.map((row, at) => (at % 3 === 1 ? row.replace(/\d+$/, "") : row)), "SERIES_GAPS", /more than a fifth/],
    ["it holds no number", days.map((row) => row.replace(/\d+$/, "none")), "DATASET_EMPTY", /holds no numbers/],
    ["it is too short", days.slice(0, 45), "DATASET_EMPTY", /a window takes 50/],
  ])("is refused where %s", async (_, rows, code, message) => {
    await expect(prepare(rows, () => ({ task: "forecasting", target: 2, series: { time: 0, season: 7, horizon: 10, context: 40 } }))).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
  });
});
