import type { MissingRule } from "../../core/data/table.ts";

/** What can stand for a missing cell. */
export const ruleTitles: Record<MissingRule, string> = { median: "Median", "most-frequent": "Most frequent", "own-category": "Own category", "leave-out": "Row left out" };

/** True while ingest has yet to do, or is doing, its work. */
export function isPreparing(status: string): boolean {
  return status === "queued" || status === "ingesting";
}
