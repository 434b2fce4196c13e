import { useDeferredValue, useMemo } from "react";
import type { memoryModel } from "../../../core/training/memory.ts";
import type { RunSettings } from "../../../core/training/settings.ts";
import { useLoaded } from "../../ui/useLoaded.ts";
import { usePurpose } from "../checked.ts";
import { useGraph } from "../useGraph.ts";

/** It lowers the whole drawing, with everything that takes. */
const loadMemoryModel = async () => (await import("../../../core/training/memory.ts")).memoryModel;

/** What training this drawing on its data would hold, by batch size; null while the drawing has problems or no data is chosen. */
export function useMemoryModel(settings: RunSettings | null): ReturnType<typeof memoryModel> | null {
  const graph = useDeferredValue(useGraph((s) => s.graph));
  const data = usePurpose((s) => s.data);
  const model = useLoaded(loadMemoryModel);
  return useMemo(() => {
    if (!settings || !data || !model) return null;
    try {
      return model(graph, settings, data);
    } catch {
      // The drawing's problems are said elsewhere; what it would take cannot be known yet.
      return null;
    }
  }, [graph, settings, data, model]);
}
