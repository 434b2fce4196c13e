"use client";

import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import * as Y from "yjs";
import { fromBase64 } from "../../core/data/base64.ts";
import type { Graph } from "../../core/graph/document.ts";
import { SharedGraph } from "../../core/graph/shared.ts";
import { type Answers, isRefusal, refusalCode, useTRPC, useTRPCClient } from "../ui/trpc.ts";
import { Autosave } from "./autosave.ts";
import { drafts } from "./drafts.ts";
import { openFolds } from "./folds.ts";
import { flushHistory, readHistory } from "./history.ts";
import { edit, openShared, useGraph } from "./useGraph.ts";
import { leavePeople, setPeople } from "./usePeople.ts";
import { useStudio } from "./useStudio.ts";

/** The model as it was when the studio was opened. */
export type OpenedModel = Answers["models"]["record"];

let current: Autosave | null = null;

/**
 * Opens a model's document on the canvas, with what this browser still has of unsaved work on it; brings edits to the server while they
 * are made, and what others do to the canvas. False until the document is here.
 */
export function useDocument(modelId: string): { isOpen: boolean; error: unknown } {
  const client = useTRPCClient();
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const [open, setOpen] = useState<{ modelId: string; error: unknown } | null>(null);
  useEffect(() => {
    const clientId = crypto.randomUUID();
    let autosave: Autosave | null = null;
    let shared: SharedGraph | null = null;

    function begin(epoch: string, update: string, unsaved: Graph | null): void {
      autosave?.close();
      const doc = new Y.Doc();
      Y.applyUpdate(doc, fromBase64(update));
      const opened = new SharedGraph(doc);
      const draft = drafts.read(modelId);
      const saving = new Autosave({
        modelId,
        shared: opened,
        push: (of, edits) => client.models.push.mutate({ modelId, epoch: of, update: edits }),
        isRefusal: (error) => isRefusal(error) && refusalCode(error) !== "GRAPH_CONFLICT",
        drafts,
        onState: (save) => useStudio.setState({ save }),
        onRevision: (revision) => useStudio.setState({ revision }),
      });
      [autosave, shared, current] = [saving, opened, saving];
      useStudio.setState({ save: { kind: "saved" } });
      openShared(modelId, opened, readHistory(modelId, epoch));
      // Work on a document that has begun anew goes on as an edit, so that one can step back to what the server has.
      if (draft?.epoch === epoch && draft.update !== "") saving.resume(draft.update);
      else if (draft ?? unsaved) edit(() => draft?.graph ?? unsaved ?? opened.graph);
    }

    const stream = client.models.watch.subscribe(
      { modelId, clientId },
      {
        onData({ epoch, revision, update, people }) {
          if (people) setPeople(people, clientId);
          if (update === undefined) return;
          if (!autosave || shared?.epoch !== epoch) {
            begin(epoch, update, autosave && !autosave.isClean ? useGraph.getState().graph : null);
            if (open?.modelId !== modelId) openFolds(modelId);
            setOpen({ modelId, error: null });
          } else autosave.receive(update);
          useStudio.setState({ revision });
        },
        // A cut connection is mended by the stream itself; this is a refusal.
        onError: (error) => setOpen((before) => (before?.modelId === modelId && before.error === null ? before : { modelId, error })),
      },
    );
    const leaving = leavePeople(client, modelId, clientId);
    const onHide = () => {
      if (document.visibilityState !== "hidden") return;
      flushHistory();
      void autosave?.flush();
    };
    document.addEventListener("visibilitychange", onHide);
    return () => {
      document.removeEventListener("visibilitychange", onHide);
      stream.unsubscribe();
      leaving();
      flushHistory();
      autosave?.close();
      if (current === autosave) current = null;
      // The next page that asks for this model gets it as it is now.
      void queryClient.invalidateQueries(trpc.models.record.queryFilter({ modelId }));
      void queryClient.invalidateQueries(trpc.projects.list.queryFilter());
    };
    // The document is opened once for a model.
  }, [modelId, client, trpc, queryClient]);
  return { isOpen: open?.modelId === modelId && open.error === null, error: open?.modelId === modelId ? open.error : null };
}

/** Brings unsaved work to the server now; false when that did not succeed. */
export async function saveNow(): Promise<boolean> {
  return (await current?.flush()) ?? false;
}
