import type { Task } from "../data/manifest.ts";
import { imageClassification } from "./imageClassification.ts";
import { tabularClassification } from "./tabularClassification.ts";
import { tabularRegression } from "./tabularRegression.ts";
import type { TaskRecord } from "./task.ts";
import { textClassification } from "./textClassification.ts";

const records: { readonly [Id in Task]: TaskRecord } = {
  "image-classification": imageClassification,
  "tabular-classification": tabularClassification,
  "tabular-regression": tabularRegression,
  "text-classification": textClassification,
};

/** The tasks, in the order offered. */
export const tasks: readonly TaskRecord[] = Object.values(records);

/** What a task means. */
export function taskNamed(task: Task): TaskRecord {
  return records[task];
}
