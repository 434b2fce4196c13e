import type { MissingRule } from "../../core/data/table.ts";

/** What can stand for a missing cell. */
export const ruleTitles: Record<MissingRule, string> = { median: "Median", "most-frequent": "Most frequent", "own-category": "Own category", "leave-out": "Row left out" };
