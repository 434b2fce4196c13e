"use client";

import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { type Answers, isRefusal, refusalCode, useTRPC, useTRPCClient } from "../ui/trpc.ts";
import { Autosave } from "./autosave.ts";
import { drafts } from "./drafts.ts";
import { openFolds } from "./folds.ts";
import { edit, openGraph, useGraph } from "./useGraph.ts";
import { useStudio } from "./useStudio.ts";

/** The model as it was when the studio was opened. */
export type OpenedModel = Answers["models"]["get"];

let current: Autosave | null = null;

/** Puts a model on the canvas, with what this browser still has of unsaved work on it, and saves it while it is edited. */
export function useAutosave(model: OpenedModel): void {
  const client = useTRPCClient();
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  useEffect(() => {
    const modelId = model.id;
    // Unsaved work goes on from its own revision; if the server has moved on since, the first save finds out.
    const draft = drafts.read(modelId);
    const autosave = new Autosave({
      modelId,
      revision: draft?.revision ?? model.revision,
      graph: model.graph,
      save: (revision, graph) => client.models.save.mutate({ modelId, revision, graph }),
      load: () => client.models.get.query({ modelId }),
      isConflict: (error) => refusalCode(error) === "GRAPH_CONFLICT",
      isRefusal,
      drafts,
      onState: (save) => useStudio.setState({ save }),
      onRevision: (revision) => useStudio.setState({ revision }),
    });
    current = autosave;
    openGraph(modelId, model.graph);
    openFolds(modelId);
    useStudio.setState({ save: { kind: "saved" }, revision: model.revision, name: model.name });
    const unsubscribe = useGraph.subscribe((state) => {
      if (state.modelId === modelId) autosave.change(state.graph);
    });
    // As an edit, so that one can step back to what the server has.
    if (draft) edit(() => draft.graph);
    const onHide = () => {
      if (document.visibilityState === "hidden") void autosave.flush();
    };
    document.addEventListener("visibilitychange", onHide);
    return () => {
      document.removeEventListener("visibilitychange", onHide);
      unsubscribe();
      autosave.close();
      if (current === autosave) current = null;
      // The next page that asks for this model gets it as it is now.
      void queryClient.invalidateQueries(trpc.models.get.queryFilter({ modelId }));
      void queryClient.invalidateQueries(trpc.projects.list.queryFilter());
    };
  }, [model, client, trpc, queryClient]);
}

/** Brings unsaved work to the server now; false when that did not succeed. */
export async function saveNow(): Promise<boolean> {
  return (await current?.flush()) ?? false;
}

/** Answers a conflict. Theirs replaces the drawing as one step that can be undone; mine replaces what the server has. */
export function resolveConflict(keep: "mine" | "theirs"): void {
  const autosave = current;
  if (autosave?.state.kind !== "conflict") return;
  const { theirs } = autosave.state;
  autosave.resolve(theirs, keep === "mine");
  useStudio.setState({ revision: theirs.revision });
  if (keep === "theirs") edit(() => theirs.graph);
}
