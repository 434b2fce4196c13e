import type { Manifest, Task } from "../data/manifest.ts";
import type { Graph } from "../graph/document.ts";
import type { ProgramBuilder, Value } from "../layers/kit.ts";
import type { LossName } from "../training/losses/index.ts";
import type { MetricRecord } from "../training/records.ts";
import type { RunSettings } from "../training/settings.ts";

/** One kind of task, said once in a file of its own; `tasks/index.ts` is the list. Recipes, losses on offer, metrics, starters and pages derive from it. */
export type TaskRecord = {
  id: Task;
  title: string;
  /** What a row is to a person. */
  input: "image" | "table" | "text" | "series";
  /** What its targets are: one of the classes, measured values, or values from 0 to 1. */
  learns: "classes" | "values" | "shares";
  loss: LossName;
  /** In the order shown; those are taken that fit the output. */
  metrics: readonly MetricRecord[];
  /** Further metrics, which need to know the data set. */
  metricsOf?(data: Manifest): readonly MetricRecord[];
  /** Whether the network goes on with a text: it is let to after each epoch. */
  writes?: true;
  /** The metric by which the best checkpoint is chosen; null: the loss. */
  judgedBy: string | null;
  /** The metric that a run is known by in lists, where none judges it. */
  knownBy?: string;
  /** How many validation rows show their predictions while a run goes. */
  samples: number;
  /**
   * Where a whole picture is predicted: its bytes, whole numbers from 0 to 255, out of what metrics read. They are kept of the sample rows in
   * place of the output, which would be too large to be sent after each epoch.
   */
  show?(b: ProgramBuilder, values: { y: Value; target: Value }): Value;
  /** The Output whose numbers are drawn as a map of many validation rows, where a graph has one of this name. */
  points?: string;
  /** What a data set made for another task is to this one; null where it is nothing. Absent: the task takes data sets of its own alone. */
  from?(data: Manifest): Manifest | null;
  /** What trains well before anybody has tuned anything, for this many training rows. */
  recipe(rows: number): Pick<RunSettings, "batchSize" | "epochs" | "lr"> & Partial<RunSettings>;
  /** What a model begins as on a data set. */
  starter(data: StarterData): Graph;
};

export type StarterData = Pick<Manifest, "task" | "classes" | "splits" | "text" | "preprocess">;

/** A batch of the wanted size, or of all rows where there are fewer. */
export const atMost = (batchSize: number, rows: number): number => Math.max(1, Math.min(batchSize, rows));
