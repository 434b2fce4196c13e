import { describe, expect, it } from "vitest";
import { repeatSeason, timeOf, usualSeason } from "../../../core/data/series.ts";
import { births } from "../../../server/ingest/births.ts";
import { examineDataset } from "../../../server/ingest/health.ts";
import { prepareSeries } from "../../../server/ingest/series.ts";
import { momentsOf } from "../../../server/ingest/table.ts";
import { writeDataset } from "../../../server/ingest/write.ts";
import { readTargets } from "../../../server/trainer/evaluation.ts";
import { temporaryFiles } from "../world.ts";

const measured = (values: number[]) => ({ name: "sales", start: 0, stepDays: 1, filled: 0, values: Float32Array.from(values) });
/** A week's pattern that rises by one each week. */
const weekly = Array.from({ length: 140 }, (_, day) => [5, 1, 2, 3, 4, 9, 8][day % 7] as number).map((value, day) => value + Math.floor(day / 7));
const plan = { context: 14, horizon: 7, season: 7 };

describe("a series to be forecast", () => {
  it("is windows over one array, of which no training window reaches what is held back, and every held value is forecast", () => {
    const { splits, series, preprocess } = prepareSeries(measured(weekly), plan, 0.1);
    const known = 140 - 14;
    expect(series).toMatchObject({ length: 140, held: 14, season: 7 });
    const { train, validation } = splits;
    expect((train.target.window?.first ?? 0) + (train.target.window?.rows ?? 0) - 1 + 7).toBe(known);
    expect(validation.target.window?.first).toBe(known);
    expect((validation.target.window?.first ?? 0) + (validation.target.window?.rows ?? 0) - 1 + 7).toBe(140);
    // Of what is held back nothing is known.
    expect({ mean: preprocess.mean[0], std: preprocess.std[0] }).toEqual(momentsOf(weekly.slice(0, known)));
  });

  it("says what repeating the last season gets, the yardstick of a forecast", () => {
    const { series } = prepareSeries(measured(weekly), plan, 0.1);
    // One week later everything is one higher.
    expect(series?.scale).toBeCloseTo(1, 6);
    expect(series?.naive.mae).toBeCloseTo(1, 6);
    expect(series?.naive.rmse).toBeCloseTo(1, 6);
    expect(repeatSeason([1, 2, 3], 5, 2)).toEqual([2, 3, 2, 3, 2]);
  });

  it("is refused where it is too short, always the same, or the season longer than what is shown", () => {
    expect(() => prepareSeries(measured(weekly.slice(0, 25)), plan, 0.2)).toThrow(/Of 25 values, 18 are for training, but a window takes 21/);
    expect(() => prepareSeries(measured(Array(200).fill(3)), plan, 0.1)).toThrow(/there is nothing to forecast/);
    expect(() => prepareSeries(measured(weekly), { ...plan, season: 20 }, 0.1)).toThrow(/does not fit into the 14 values/);
  });

  it("keeps what is far off in view, by the day it was measured", async () => {
    const files = temporaryFiles();
    const id = "00000000-0000-7000-8000-000000000022";
    const { manifest } = await writeDataset(files, id, {
      ...prepareSeries(measured(weekly.map((value, day) => (day === 70 ? 1_000 : value))), plan, 0.1),
      source: "",
      licence: "",
    });
    expect((await examineDataset(files, id, manifest)).outliers).toMatchObject([{ column: "sales", count: 1, first: [{ split: "train", name: "1970-03-12", value: 1_000 }] }]);
    expect(await readTargets(files, id, manifest.splits.validation, [0])).toEqual([weekly.slice(126, 133)]);
  });

  it("has a usual season by how far its values lie apart, and each value its time", () => {
    expect([1 / 24, 1, 7, 30.4, 365].map(usualSeason)).toEqual([24, 7, 52, 12, 1]);
    expect(timeOf({ start: -365, stepDays: 1 }, 1)).toBe("1969-01-02");
    expect(timeOf({ start: 0, stepDays: 1 / 24 }, 25)).toBe("1970-01-02 01:00");
  });

  it("births: 7,305 days, and the last weeks' pattern is 322 births off", async () => {
    const { series, splits } = await births.prepare();
    expect([series?.length, series?.held, splits.train.input.window?.rows, splits.validation.input.window?.rows]).toEqual([7_305, 731, 6_505, 718]);
    expect(series?.naive.mae).toBeCloseTo(322.43, 1);
  });
});
