import type { Manifest } from "../../core/data/manifest.ts";

/** What a task is called on the screen. */
export const taskTitles: Record<Manifest["task"], string> = {
  "image-classification": "Image classification",
  "tabular-classification": "Tabular classification",
  "tabular-regression": "Tabular regression",
  "text-classification": "Text classification",
};

/** True while ingest has yet to do, or is doing, its work. */
export function isPreparing(status: string): boolean {
  return status === "queued" || status === "ingesting";
}
