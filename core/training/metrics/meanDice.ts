import { say } from "../../language/say.ts";
import type { DerivedMetric } from "../records.ts";
import { averageOf } from "./average.ts";
import { pixelConfusion } from "./pixelConfusion.ts";

/** As torchmetrics' DiceScore(average="macro", aggregation_level="global"): over all rows together; a class that is neither there nor found is left out. */
export const meanDice: DerivedMetric = {
  name: "mean_dice",
  title: "Dice",
  doc: "The overlap of what was found with what is there, against the size of both, the mean over the classes. F1 of pixels by another name.",
  formula: "Dice of a class = 2 · right / (there + found)",
  use: say("In medicine the usual figure. It orders networks as IoU does, and reads a little higher."),
  isShare: true,
  from: pixelConfusion.name,
  better: "higher",
  of: (counts, [classes = 0]) => averageOf("macro", counts, classes, ({ right, actual, predicted }) => [2 * right, actual + predicted]),
};
