import { type Connection, type FinalConnectionState, type OnConnectStart, useReactFlow } from "@xyflow/react";
import { useCallback } from "react";
import { canConnect } from "./connect.ts";
import { nodeAt } from "./dropTarget.ts";
import { connectEnds, deleteWire, rewire, wireInto } from "./edits.ts";
import { screenOf } from "./pointer.ts";
import { useStudio } from "./useStudio.ts";
import type { FlowEdge } from "./WireEdge.tsx";

export const onConnect = (wire: Connection) => connectEnds(ends(wire).from, ends(wire).to);
export const onConnectStart: OnConnectStart = (_, { nodeId, handleId, handleType }) =>
  useStudio.setState({ wiring: nodeId === null || handleType === null ? null : { node: nodeId, port: handleId ?? "", type: handleType } });
export const onReconnect = (edge: FlowEdge, wire: Connection) => rewire(edge.id, ends(wire).from, ends(wire).to);
export const onReconnectEnd = (_: unknown, edge: FlowEdge, __: unknown, state: FinalConnectionState) => {
  // An end that is let go over nothing takes its wire with it.
  if (!state.isValid && !state.toHandle) deleteWire(edge.id);
};
export const isValidConnection = (wire: Connection | FlowEdge) => canConnect(ends(wire).from, ends(wire).to) === null;

/** Lets a wire go: over a port it is React Flow's, over a node it goes into the input it must mean, over nothing layers are offered that could take it. */
export function useConnectEnd(): (event: MouseEvent | TouchEvent, state: FinalConnectionState) => void {
  const { screenToFlowPosition } = useReactFlow();
  return useCallback(
    (event: MouseEvent | TouchEvent, state: FinalConnectionState) => {
      useStudio.setState({ wiring: null });
      if (state.isValid || !state.fromHandle || state.fromHandle.type !== "source") return;
      const screen = screenOf(event);
      if (!screen) return;
      const from = { node: state.fromHandle.nodeId, port: state.fromHandle.id ?? "" };
      const over = nodeAt(screen);
      // Let go over a node: into the input it must mean. Over nothing: offer layers that could take it.
      if (over !== null) {
        if (over !== from.node) wireInto(from, over);
      } else if (!state.toHandle) useStudio.setState({ quickAdd: { screen, at: screenToFlowPosition(screen), from } });
    },
    [screenToFlowPosition],
  );
}

function ends(wire: Connection | FlowEdge): { from: { node: string; port: string }; to: { node: string; port: string } } {
  return { from: { node: wire.source, port: wire.sourceHandle ?? "" }, to: { node: wire.target, port: wire.targetHandle ?? "" } };
}
