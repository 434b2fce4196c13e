"use client";

import { useOnViewportChange, useReactFlow, useStoreApi } from "@xyflow/react";
import { useCallback, useEffect, useRef } from "react";
import { pathOf } from "../../../core/graph/path.ts";
import { say } from "../../../core/language/say.ts";
import { isRefusal, refusalCode, useTRPCClient } from "../../ui/trpc.ts";
import { useTraining } from "../train/useTraining.ts";
import { useGraph } from "../useGraph.ts";
import { takeAnswer, usePreview } from "./usePreview.ts";

/** Previews are made of the nodes nearest to the middle; a person looks at no more at a time. */
const MOST_NODES = 48;
/** Below this zoom nobody can make them out. */
const LEAST_ZOOM = 0.42;
/** The database or the server is away: asked again after this. */
const AGAIN_MS = 3_000;

/** Keeps the previews of what is on the screen in step with the drawing: one question is under way at a time, and the newest drawing is next. */
export function usePreviewing(): void {
  const client = useTRPCClient();
  const on = usePreview((s) => s.on);
  const asked = useRef({ running: false, again: false });
  const visible = useVisibleNodes();

  const refresh = useCallback(async () => {
    const state = asked.current;
    if (state.running) {
      state.again = true;
      return;
    }
    state.running = true;
    do {
      state.again = false;
      const order = orderNow(visible());
      if (order === null) break;
      usePreview.setState({ busy: true });
      try {
        const answer = await client.preview.evaluate.mutate(order);
        if (usePreview.getState().on) takeAnswer(answer);
      } catch (error) {
        if (refusalCode(error) !== "PREVIEW_DROPPED")
          usePreview.setState({ problem: isRefusal(error) && error instanceof Error ? error.message : say("The server does not answer.") });
        if (!isRefusal(error)) setTimeout(() => void refresh(), AGAIN_MS);
      }
      usePreview.setState({ busy: false });
    } while (state.again);
    state.running = false;
  }, [client, visible]);

  useEffect(() => {
    if (!on) return;
    // Nodes that were just drawn are measured first.
    const soon = () => requestAnimationFrame(() => void refresh());
    soon();
    const stops = [
      useGraph.subscribe((now, before) => {
        if (now.graph !== before.graph || now.scope !== before.scope || now.selection !== before.selection) soon();
      }),
      useTraining.subscribe((now, before) => {
        const [a, b] = [now.settings, before.settings];
        if (a?.datasetId !== b?.datasetId || a?.task !== b?.task || a?.seed !== b?.seed) soon();
      }),
      usePreview.subscribe((now, before) => {
        if (now.row !== before.row || now.split !== before.split || now.training !== before.training || now.draw !== before.draw || now.hidden !== before.hidden) soon();
      }),
    ];
    return () => {
      for (const stop of stops) stop();
    };
  }, [on, refresh]);
  useOnViewportChange({ onEnd: () => void (on && refresh()) });
}

/** The ids of the nodes on the screen, the nearest to its middle first; none where they are too small to look at. */
function useVisibleNodes(): () => string[] {
  const { getNodes, getViewport } = useReactFlow();
  const store = useStoreApi();
  return useCallback(() => {
    const { x, y, zoom } = getViewport();
    if (zoom < LEAST_ZOOM) return [];
    const { width, height } = store.getState();
    const [middleX, middleY] = [(width / 2 - x) / zoom, (height / 2 - y) / zoom];
    return getNodes()
      .map((node) => ({ id: node.id, across: Math.abs(node.position.x - middleX) - 160, down: Math.abs(node.position.y + 26 - middleY) - 60 }))
      .filter(({ across, down }) => across < width / 2 / zoom && down < height / 2 / zoom)
      .sort((a, b) => a.across + a.down - b.across - b.down)
      .map(({ id }) => id);
  }, [getNodes, getViewport, store]);
}

function orderNow(visible: readonly string[]) {
  const { modelId, graph, scope, selection } = useGraph.getState();
  const { settings } = useTraining.getState();
  const { on, split, row, training, draw, hidden } = usePreview.getState();
  if (!on || modelId === null || !settings?.datasetId) return null;
  const [only] = selection.nodes.size === 1 ? selection.nodes : [];
  return {
    modelId,
    datasetId: settings.datasetId,
    ...(settings.task ? { task: settings.task } : {}),
    graph,
    split,
    row,
    seed: settings.seed,
    training,
    draw,
    paths: visible
      .map((id) => pathOf(scope, id))
      .filter((path) => !hidden.has(path))
      .slice(0, MOST_NODES),
    large: only === undefined ? null : pathOf(scope, only),
  };
}
