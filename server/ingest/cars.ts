import { say } from "../../core/language/say.ts";
import type { BuiltinDataset } from "./source.ts";
import { prepareTable } from "./table.ts";
import { readVegaTable } from "./vega.ts";

/** Fuel economy of 406 cars, model years 1970 to 1982. */
export const cars: BuiltinDataset = {
  id: "cars",
  name: "Fuel economy of cars",
  description: say("Miles per gallon of cars from 1970 to 1982, from engine, weight, year and origin: 392 complete rows."),
  async prepare() {
    const rows = await readVegaTable("cars");
    const { rowsLeftOut, ...table } = prepareTable(rows, {
      numeric: [
        ...["Cylinders", "Displacement", "Horsepower", "Weight_in_lbs", "Acceleration"].map((column) => ({ column })),
        { column: "Year", read: (cell) => (typeof cell === "string" && /^\d{4}-/.test(cell) ? Number(cell.slice(0, 4)) : null) },
      ],
      categorical: [{ column: "Origin", values: ["Europe", "Japan", "USA"] }],
      target: { kind: "number", column: "Miles_per_Gallon" },
      seed: 1982,
    });
    return {
      ...table,
      source: `StatLib, Carnegie Mellon University, 1983; from the npm package vega-datasets 3.2.1. ${rowsLeftOut} of ${rows.length} rows have a missing value and are left out`,
      licence: "Distributed by StatLib for educational and scientific purposes",
    };
  },
};
