import { exportKeras, type KerasOptions, KerasUnsupported } from "../../core/export/keras.ts";
import type { Graph } from "../../core/graph/document.ts";

/** The Keras script of a sound graph, or the nodes that Keras has nothing for, each with the reason. */
export function kerasCode(graph: Graph, options: KerasOptions): { code: string } | { missing: KerasUnsupported["layers"] } {
  try {
    return { code: exportKeras(graph, options) };
  } catch (error) {
    if (error instanceof KerasUnsupported) return { missing: error.layers };
    throw error;
  }
}
