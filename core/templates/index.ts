import { isClassification, LENGTHS_INPUT, type Manifest } from "../data/manifest.ts";
import type { Graph } from "../graph/document.ts";
import { adaptiveComputation } from "./adaptiveComputation.ts";
import { earlyExitCnn } from "./earlyExitCnn.ts";
import { gateLstm } from "./gateLstm.ts";
import { lenet5 } from "./lenet5.ts";
import { logisticRegression } from "./logisticRegression.ts";
import { mlp } from "./mlp.ts";
import { nameLstm } from "./nameLstm.ts";
import { resnetSmall } from "./resnetSmall.ts";
import { routedExperts } from "./routedExperts.ts";
import { type Step, sketch } from "./sketch.ts";
import { tabularEmbedding } from "./tabularEmbedding.ts";
import { tabularMlp } from "./tabularMlp.ts";
import type { Template } from "./template.ts";

export type { Template } from "./template.ts";

/** What can be started from, simplest first. */
export const templates: readonly Template[] = [
  logisticRegression,
  mlp,
  lenet5,
  resnetSmall,
  tabularMlp,
  tabularEmbedding,
  nameLstm,
  gateLstm,
  earlyExitCnn,
  adaptiveComputation,
  routedExperts,
];

export function findTemplate(id: string): Template | undefined {
  return templates.find((template) => template.id === id);
}

/**
 * What a model begins as on a data set. A table gets a small network that trains as it stands; else the samples come in at the top,
 * predictions leave below, and all between is yet to be drawn.
 */
export function starterGraph({ task, classes, splits, text }: Pick<Manifest, "task" | "classes" | "splits" | "text">): Graph {
  const { input, lengths } = splits.train;
  const s = sketch();
  const shape = lengths ? ["T", ...input.shape.slice(1)] : input.shape;
  const first: Step = ["input", "input", { shape, ...(text ? { dtype: "int64" } : {}) }];
  if (task === "tabular-classification" || task === "tabular-regression") {
    const outputs = isClassification(task) ? classes.length : 1;
    s.stack(
      [
        first,
        ["fc1", "linear", { out_features: 64 }],
        ["relu1", "relu"],
        ["fc2", "linear", { out_features: 32 }],
        ["relu2", "relu"],
        ["fc3", "linear", { out_features: outputs }],
        ["output", "output"],
      ],
      { column: 0, row: 0 },
    );
    return s.graph();
  }
  s.put(first, { column: 0, row: 0 });
  if (lengths) s.put(["lengths", "input", { shape: [], dtype: "int64" }, LENGTHS_INPUT], { column: 1, row: 0 });
  s.put(["output", "output"], { column: 0, row: 4 });
  return s.graph();
}
