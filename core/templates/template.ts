import type { Manifest } from "../data/manifest.ts";
import type { Graph } from "../graph/document.ts";
import type { RunSettings } from "../training/settings.ts";

/** A model to start from. */
export type Template = {
  id: string;
  title: string;
  /** One or two sentences: what it is, and what to expect of it. */
  doc: string;
  /** What it learns; stands in `settings` too where its data set was made for another task. */
  task: Manifest["task"];
  /** Id of the built-in data set it is made for. */
  datasetBuiltin: string;
  graph: Graph;
  /** What it trains better with than the defaults. */
  settings?: Partial<RunSettings>;
};
