import type { MissingRule } from "../../core/data/table.ts";
import { say } from "../../core/language/say.ts";

/** What can stand for a missing cell. */
export const ruleTitles: Record<MissingRule, string> = {
  median: say("Median"),
  "most-frequent": say("Most frequent"),
  "own-category": say("Own category"),
  "leave-out": say("Row left out"),
};
