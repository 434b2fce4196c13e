import { z } from "zod";
import { Graph } from "../../core/graph/document.ts";
import type { DraftStore } from "./autosave.ts";

/** Before models were documents, a draft was a graph alone. */
const Draft = z.object({ epoch: z.string().default(""), update: z.base64().default(""), graph: Graph });
const key = (modelId: string) => `tensorloom.draft.${modelId}`;

/** Unsaved work in the browser's local storage, so that it outlives a crash, a closed tab and a server that is away. */
export const drafts: DraftStore = {
  read(modelId) {
    try {
      const parsed = Draft.safeParse(JSON.parse(localStorage.getItem(key(modelId)) ?? "null"));
      return parsed.success ? parsed.data : null;
    } catch {
      return null;
    }
  },
  write(modelId, draft) {
    try {
      localStorage.setItem(key(modelId), JSON.stringify(draft));
    } catch {
      // Storage may be full or forbidden. The work is still on the canvas, and on its way to the server.
    }
  },
  clear(modelId) {
    try {
      localStorage.removeItem(key(modelId));
    } catch {
      // As above: a draft that cannot be removed was not written either.
    }
  },
};
