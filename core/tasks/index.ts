import type { Manifest, Task } from "../data/manifest.ts";
import { sayRecord } from "../language/records.ts";
import { autoencoder } from "./autoencoder.ts";
import { forecasting } from "./forecasting.ts";
import { imageClassification } from "./imageClassification.ts";
import { languageModel } from "./languageModel.ts";
import { semanticSegmentation } from "./semanticSegmentation.ts";
import { tabularClassification } from "./tabularClassification.ts";
import { tabularRegression } from "./tabularRegression.ts";
import type { TaskRecord } from "./task.ts";
import { textClassification } from "./textClassification.ts";
import { textRegression } from "./textRegression.ts";

const records: { readonly [Id in Task]: TaskRecord } = {
  "image-classification": imageClassification,
  "tabular-classification": tabularClassification,
  "tabular-regression": tabularRegression,
  "text-classification": textClassification,
  "text-regression": textRegression,
  "language-model": languageModel,
  forecasting,
  "semantic-segmentation": semanticSegmentation,
  autoencoder,
};

/** The tasks, in the order offered. */
export const tasks: readonly TaskRecord[] = Object.values(records).map(sayRecord);

/** What a task means. */
export function taskNamed(task: Task): TaskRecord {
  return sayRecord(records[task]);
}

/** What can be learned from a data set: what it was made for, then what else. */
export function tasksOf(data: Manifest): Task[] {
  return [data.task, ...tasks.filter(({ id, from }) => id !== data.task && from?.(data)).map(({ id }) => id)];
}

/** A data set as a task sees it, its own where none is said; null where the task cannot be learned from it. */
export function dataFor(data: Manifest, task: Task | undefined): Manifest | null {
  return task === undefined || task === data.task ? data : (taskNamed(task).from?.(data) ?? null);
}
