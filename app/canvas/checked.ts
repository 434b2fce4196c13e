import { create } from "zustand";
import type { Manifest } from "../../core/data/manifest.ts";
import { type Checked, checkGraph } from "../../core/graph/check.ts";
import type { Graph } from "../../core/graph/document.ts";
import { objectiveOf } from "../../core/training/objective.ts";
import type { RunSettings } from "../../core/training/settings.ts";
import { useGraph } from "./useGraph.ts";

type Losses = Pick<RunSettings, "loss" | "lossParams" | "extraLosses" | "expressionMetrics" | "furtherOptimizers">;
/** Compared by identity: losses that did not change stay the same object. */
type Purpose = { losses: Losses | null; data: Manifest | null };

/** What the model on the canvas is to learn, as far as it is decided: problems depend on it too. */
export const usePurpose = create<Purpose>(() => ({ losses: null, data: null }));

const known = new WeakMap<Graph, { purpose: Purpose; checked: Checked }>();
const plain: Purpose = { losses: null, data: null };

/** What the checker says of a graph. Asked once for each graph and purpose, since graphs never change. */
export function checked(graph: Graph, purpose: Purpose = plain): Checked {
  const before = known.get(graph);
  if (before && before.purpose.losses === purpose.losses && before.purpose.data === purpose.data) return before.checked;
  const result = checkGraph(graph, { ...(purpose.losses ? objectiveOf(purpose.losses) : {}), ...(purpose.data ? { data: purpose.data } : {}) });
  known.set(graph, { purpose, checked: result });
  return result;
}

/** What the checker says of the graph on the canvas, and of what it is to learn. */
export function useChecked(): Checked {
  const graph = useGraph((state) => state.graph);
  const purpose = usePurpose();
  return checked(graph, purpose);
}

/** The same, outside of components. */
export function currentChecked(): Checked {
  return checked(useGraph.getState().graph, usePurpose.getState());
}
