import { say } from "../../language/say.ts";
import type { DerivedMetric } from "../records.ts";
import { averageOf } from "./average.ts";
import { pixelConfusion } from "./pixelConfusion.ts";

/** As torchmetrics' MulticlassJaccardIndex(average="macro"): over all rows together; a class that is neither there nor found is left out. */
export const meanIou: DerivedMetric = {
  name: "mean_iou",
  title: "Mean IoU",
  doc: "How well what was found lies over what is there: the share of both that they have in common, the mean over the classes.",
  formula: "IoU of a class = right / (there + found − right)",
  use: say("The usual figure for segmentation: each class counts the same, however small it is."),
  isShare: true,
  from: pixelConfusion.name,
  better: "higher",
  of: (counts, [classes = 0]) => averageOf("macro", counts, classes, ({ right, actual, predicted }) => [right, actual + predicted - right]),
};
