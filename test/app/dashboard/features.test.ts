import { expect, test } from "vitest";
import { chosenOption, featuresOf, featureTitle } from "../../../app/dashboard/features.ts";

const columns = ["bill_length_mm", "island=Biscoe", "island=Dream", "body_mass_g"];

test("one-hot columns are one feature again, in place, with their column numbers", () => {
  expect(featuresOf(columns)).toEqual([
    { kind: "number", name: "bill_length_mm", index: 0 },
    {
      kind: "choice",
      name: "island",
      options: [
        { label: "Biscoe", index: 1 },
        { label: "Dream", index: 2 },
      ],
    },
    { kind: "number", name: "body_mass_g", index: 3 },
  ]);
});

test("the chosen option is the column that is set; a row of none has none", () => {
  const island = featuresOf(columns)[1];
  if (island?.kind !== "choice") throw new Error("island is a choice");
  expect(chosenOption(island, [39.1, 0, 1, 3750])).toBe("Dream");
  expect(chosenOption(island, [39.1, 0, 0, 3750])).toBeNull();
});

test("names are written as words", () => {
  expect(featureTitle("bill_length_mm")).toBe("bill length mm");
});
