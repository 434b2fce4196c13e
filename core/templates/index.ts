import type { Manifest } from "../data/manifest.ts";
import type { Graph } from "../graph/document.ts";
import { lenet5 } from "./lenet5.ts";
import { logisticRegression } from "./logisticRegression.ts";
import { mlp } from "./mlp.ts";
import { resnetSmall } from "./resnetSmall.ts";
import { sketch } from "./sketch.ts";
import { tabularMlp } from "./tabularMlp.ts";
import type { Template } from "./template.ts";

export type { Template } from "./template.ts";

/** What can be started from, simplest first. */
export const templates: readonly Template[] = [logisticRegression, mlp, lenet5, resnetSmall, tabularMlp];

export function findTemplate(id: string): Template | undefined {
  return templates.find((template) => template.id === id);
}

/** A blank canvas for a data set: its samples come in at the top, predictions leave below, and all between is yet to be drawn. */
export function starterGraph(manifest: Pick<Manifest, "splits">): Graph {
  const s = sketch();
  s.put(["input", "input", { shape: manifest.splits.train.input.shape }], { column: 0, row: 0 });
  s.put(["output", "output"], { column: 0, row: 4 });
  return s.graph();
}
