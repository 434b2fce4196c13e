import { say } from "../../core/language/say.ts";
import type { BuiltinDataset } from "./source.ts";
import { prepareTable } from "./table.ts";
import { readVegaTable } from "./vega.ts";

/** 344 penguins of three species, as measured at Palmer Station. */
export const penguins: BuiltinDataset = {
  id: "penguins",
  name: "Palmer penguins",
  description: say("Three species of penguin told apart by beak, flipper, body mass, island and sex: 333 complete rows."),
  async prepare() {
    const rows = await readVegaTable("penguins");
    const { rowsLeftOut, ...table } = prepareTable(rows, {
      numeric: ["Beak Length (mm)", "Beak Depth (mm)", "Flipper Length (mm)", "Body Mass (g)"].map((column) => ({ column })),
      categorical: [
        { column: "Island", values: ["Biscoe", "Dream", "Torgersen"] },
        // One row says "."; like an empty cell, it counts as missing.
        { column: "Sex", values: ["FEMALE", "MALE"] },
      ],
      target: { kind: "class", column: "Species", values: ["Adelie", "Chinstrap", "Gentoo"] },
      seed: 2020,
    });
    return {
      ...table,
      source: `K. Gorman, Palmer Station LTER, and A. Horst, palmerpenguins; from the npm package vega-datasets 3.2.1. ${rowsLeftOut} of ${rows.length} rows have a missing value and are left out`,
      licence: "CC0 1.0",
    };
  },
};
