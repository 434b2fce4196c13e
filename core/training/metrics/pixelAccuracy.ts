import { say } from "../../language/say.ts";
import type { DerivedMetric } from "../records.ts";
import { countsByClass } from "./confusion.ts";
import { pixelConfusion } from "./pixelConfusion.ts";

export const pixelAccuracy: DerivedMetric = {
  name: "pixel_accuracy",
  title: "Pixel accuracy",
  doc: "The share of pixels whose highest score is that of the right class.",
  formula: "pixel accuracy = right / pixels",
  use: say("Easy to read, but where most of a picture is background it flatters: look at mean IoU."),
  isShare: true,
  from: pixelConfusion.name,
  better: "higher",
  of(counts, [classes = 0]) {
    const each = countsByClass(counts, classes);
    const pixels = each.reduce((sum, { actual }) => sum + actual, 0);
    return pixels > 0 ? each.reduce((sum, { right }) => sum + right, 0) / pixels : null;
  },
};
