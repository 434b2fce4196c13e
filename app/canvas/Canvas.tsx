"use client";

import {
  Background,
  BackgroundVariant,
  type Connection,
  ConnectionLineType,
  type EdgeChange,
  type FinalConnectionState,
  MiniMap,
  type NodeChange,
  type OnConnectStart,
  type OnNodeDrag,
  ReactFlow,
  SelectionMode,
  useReactFlow,
  useStore,
  useStoreApi,
} from "@xyflow/react";
import { type FocusEvent, lazy, type MouseEvent, Suspense, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { useMayChange } from "../account/useRole.ts";
import "@xyflow/react/dist/base.css";
import "./canvas.css";
import "./furniture.css";
import type { SnapLine } from "../../core/graph/arrange.ts";
import { boxOf, carryInside, isFurniture } from "../../core/graph/furniture.ts";
import { NODE_SIZE } from "../../core/graph/layout.ts";
import { ContextMenu, type MenuItem } from "../ui/Menu.tsx";
import { notify } from "../ui/Notices.tsx";
import { detach, insertInto, isLoose, shakeTeller, snapDragged } from "./arranging.ts";
import { Breadcrumb } from "./Breadcrumb.tsx";
import { CanvasTools } from "./CanvasTools.tsx";
import { useChecked } from "./checked.ts";
import { isClip } from "./clip.ts";
import { commands } from "./commands.ts";
import { canConnect } from "./connect.ts";
import { markWireAt, nodeAt } from "./dropTarget.ts";
import { connectEnds, deleteWire, enterBody, moveNodes, pasteClip, rewire, wireInto } from "./edits.ts";
import { type FlowFurniture, FrameNode, NoteNode } from "./Furniture.tsx";
import { isOpen, isWanted, useFolds } from "./folds.ts";
import { addDot } from "./furnitureEdits.ts";
import { isMac, printKeys } from "./keys.ts";
import { type FlowNode, LayerNode } from "./LayerNode.tsx";
import { measured } from "./measured.ts";
import { PeopleOnCanvas } from "./People.tsx";
import { ProblemPopover } from "./ProblemPopover.tsx";
import { SnapLines } from "./SnapLines.tsx";
import { bodyAt, nothing, select, selectNodes, useGraph } from "./useGraph.ts";
import { keysOf } from "./useKeys.ts";
import { pointAt as tellPointer } from "./usePeople.ts";
import { type CanvasHandle, type Point, useStudio } from "./useStudio.ts";
import { createViewer, type FurnitureView, type NodeView } from "./view.ts";
import { type FlowEdge, WireEdge } from "./WireEdge.tsx";

const Pulse = lazy(() => import("./pulse/Pulse.tsx"));
const CompareMarks = lazy(() => import("./CompareMarks.tsx"));
const HelpCard = lazy(() => import("./help/HelpCard.tsx"));
const PreviewBar = lazy(() => import("./preview/PreviewBar.tsx"));

const nodeTypes = { layer: LayerNode, note: NoteNode, frame: FrameNode };
type AnyNode = FlowNode | FlowFurniture;
const edgeTypes = { wire: WireEdge };
/** Where the pointer is on the screen, while it is over the canvas. */
let pointer: Point | null = null;

const { width: WIDTH, height: HEIGHT } = NODE_SIZE;
/** What is selected is raised by 1,000, and a frame stays behind even then. */
const BEHIND = -2000;
/** Beyond this many nodes only those in view are kept in the page. */
const VIRTUAL_FROM = 150;

/*
 * What React Flow is given must stay the same object from frame to frame: whatever is another function or list is written into its store, which asks every
 * node and wire again, and a handler that changed draws all of them anew.
 */
const SEVERAL_KEYS = ["Shift", "Control", "Meta"];
const MIDDLE_BUTTON = [1];
const ORIGIN: [number, number] = [0.5, 0];
const GRID: [number, number] = [8, 8];
const PRO = { hideAttribution: true };
const MAP = { width: 128, height: 84, margin: 12 };

function mapColor(node: AnyNode): string {
  return node.type === "frame" ? "transparent" : "severity" in node.data && node.data.severity === "error" ? "var(--bad)" : "var(--line2)";
}

function onNodeClick(event: MouseEvent, node: AnyNode): void {
  // A plain click means this node, also where it is one of several that are selected.
  if (!event.shiftKey && !event.metaKey && !event.ctrlKey) selectNodes([node.id]);
  useStudio.setState(({ helpAt }) => ({ problemAt: "severity" in node.data && node.data.severity ? node.id : null, helpAt: helpAt === node.id ? helpAt : null }));
}

function onNodeDoubleClick({ target }: MouseEvent, node: AnyNode): void {
  // On the drawing of a body: into that one.
  const role = target instanceof Element ? target.closest("[data-role]")?.getAttribute("data-role") : null;
  const bodies = "bodies" in node.data ? node.data.bodies : [];
  const inside = bodies.find((body) => body.role === role) ?? bodies[0];
  if (inside) enterBody(node.id, inside.role);
  else useStudio.setState({ renaming: node.id });
}

const onPaneClick = () => useStudio.setState({ problemAt: null, helpAt: null });
const onConnect = (wire: Connection) => connectEnds(ends(wire).from, ends(wire).to);
const onConnectStart: OnConnectStart = (_, { nodeId, handleId, handleType }) =>
  useStudio.setState({ wiring: nodeId === null || handleType === null ? null : { node: nodeId, port: handleId ?? "", type: handleType } });
const onReconnect = (edge: FlowEdge, wire: Connection) => rewire(edge.id, ends(wire).from, ends(wire).to);
const onReconnectEnd = (_: unknown, edge: FlowEdge, __: unknown, state: FinalConnectionState) => {
  // An end that is let go over nothing takes its wire with it.
  if (!state.isValid && !state.toHandle) deleteWire(edge.id);
};
const isValidConnection = (wire: Connection | FlowEdge) => canConnect(ends(wire).from, ends(wire).to) === null;

/** The drawing of the body that is open, and everything that the pointer can do to it. */
export function Canvas() {
  const graph = useGraph((s) => s.graph);
  const modelId = useGraph((s) => s.modelId);
  const mayChange = useMayChange();
  const scope = useGraph((s) => s.scope);
  const selection = useGraph((s) => s.selection);
  const minimap = useStudio((s) => s.minimap);
  const comparing = useStudio((s) => s.compare !== null);
  const helping = useStudio((s) => s.helpAt !== null);
  const checked = useChecked();
  const [viewBody] = useState(createViewer);
  const body = bodyAt(graph, scope);
  const folds = useFolds();
  const views = useMemo(
    () => viewBody(body, scope, checked, { graph, isOpen: (path) => isOpen(folds, path), isWanted: (path) => isWanted(folds, path) }),
    [viewBody, body, scope, checked, graph, folds],
  );
  const [dragged, setDragged] = useState<ReadonlyMap<string, Point> | null>(null);
  const settled = useFlowNodes(views.nodes, views.furniture, body.nodes, selection.nodes);
  const nodes = useMemo(() => (dragged ? settled.map((node) => moveTo(node, dragged.get(node.id))) : settled), [settled, dragged]);
  const edges = useFlowEdges(views.edges, selection.edges);
  const coarse = useCoarsePointer();
  const far = useStore((s) => s.transform[2] < 0.42);
  const [menuFor, setMenuFor] = useState<"node" | "wire" | "canvas">("canvas");
  const { screenToFlowPosition } = useReactFlow();
  const wrapper = useRef<HTMLDivElement>(null);
  /** Where a finger or pen was put down last; a long touch tells no event of its own. */
  const touched = useRef<EventTarget | null>(null);
  const opened = `${modelId} ${scope.map((step) => `${step.node} ${step.role}`).join(" ")}`;
  // Another body is another drawing, though its nodes may have the same ids.
  useLayoutEffect(() => measured.forget(opened), [opened]);
  useCanvasHandle(wrapper, opened);

  const [lines, setLines] = useState<readonly SnapLine[]>([]);
  /** Where lines have drawn the nodes that are being dragged. */
  const snapped = useRef<ReadonlyMap<string, Point>>(new Map());
  const shaken = useRef(shakeTeller());
  const store = useStoreApi<AnyNode, FlowEdge>();
  const onNodesChange = useCallback(
    (changes: NodeChange<AnyNode>[]) => {
      applySelection(changes, "nodes", marqueeOf(store.getState()));
      const moves = changes.flatMap((change) =>
        change.type === "position" && change.dragging && change.position ? [[change.id, fromFlow(change.id, change.position)] as const] : [],
      );
      if (moves.length > 0) {
        const drawn = snapDragged(new Map(moves), store.getState().transform[2]);
        snapped.current = drawn.moves;
        setLines(drawn.lines);
        setDragged((before) => carryInside(currentBody(), new Map([...(before ?? []), ...drawn.moves]), measured.sizeOf));
      }
      const sizes = changes.flatMap((change) => (change.type === "dimensions" && change.dimensions ? [[change.id, change.dimensions] as const] : []));
      if (sizes.length > 0) measured.remember(sizes);
    },
    [store],
  );
  const onEdgesChange = useCallback((changes: EdgeChange<FlowEdge>[]) => applySelection(changes, "edges"), []);

  const onNodeDragStart: OnNodeDrag<AnyNode> = useCallback((event, node, moved) => {
    shaken.current = shakeTeller();
    // With Alt the node leaves its wires behind.
    if (event.altKey) detach(new Set(moved.length > 0 ? moved.map(({ id }) => id) : [node.id]));
  }, []);
  const onNodeDrag: OnNodeDrag<AnyNode> = useCallback((event, _, moved) => {
    const screen = screenOf(event);
    if (screen && shaken.current(screen.x, event.timeStamp)) detach(new Set(moved.map(({ id }) => id)));
    markWireAt(screen && moved.length === 1 && isLoose(moved[0]?.id ?? "") ? screen : null);
  }, []);
  const onNodeDragStop: OnNodeDrag<AnyNode> = useCallback((event, _, moved) => {
    setDragged(null);
    setLines([]);
    const screen = screenOf(event);
    const [only] = moved;
    const wire = screen && only && moved.length === 1 && isLoose(only.id) ? markWireAt(screen) : null;
    markWireAt(null);
    if (wire === null || !only || !insertInto(wire, only.id)) moveNodes(new Map(moved.map((node) => [node.id, snapped.current.get(node.id) ?? fromFlow(node.id, node.position)])));
  }, []);
  // While the view moves it is one picture that is only pushed about; at rest it is drawn sharply again.
  const onMoveStart = useCallback(() => wrapper.current?.setAttribute("data-moving", ""), []);
  const onMoveEnd = useCallback(() => wrapper.current?.removeAttribute("data-moving"), []);
  const onEdgeDoubleClick = useCallback(
    (event: MouseEvent, edge: FlowEdge) => addDot(edge.id, screenToFlowPosition({ x: event.clientX, y: event.clientY })),
    [screenToFlowPosition],
  );
  const onConnectEnd = useCallback(
    (event: globalThis.MouseEvent | TouchEvent, state: FinalConnectionState) => {
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

  function onDoubleClick(event: MouseEvent): void {
    if (!(event.target instanceof Element) || !event.target.classList.contains("react-flow__pane")) return;
    const screen = { x: event.clientX, y: event.clientY };
    useStudio.setState({ quickAdd: { screen, at: screenToFlowPosition(screen), from: null } });
  }

  /** The Tab key walks over nodes; the one it reaches is selected, so that every command works without a pointer. */
  function onFocus(event: FocusEvent): void {
    if (!(event.target instanceof Element) || !event.target.matches(".react-flow__node:focus-visible")) return;
    const id = event.target.getAttribute("data-id");
    if (id !== null && !useGraph.getState().selection.nodes.has(id)) selectNodes([id]);
  }

  return (
    <ContextMenu items={menuItems(menuFor)} onOpen={() => touched.current && setMenuFor(pointAt(touched.current))}>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the canvas is React Flow's; this only listens in. */}
      <div
        ref={wrapper}
        className="studio-canvas relative h-full w-full"
        data-far={far || undefined}
        onDoubleClick={onDoubleClick}
        onFocusCapture={onFocus}
        onPointerMove={(event) => {
          pointer = { x: event.clientX, y: event.clientY };
          tellPointer(screenToFlowPosition(pointer, { snapToGrid: false }));
        }}
        onPointerLeave={() => {
          pointer = null;
          tellPointer(null);
        }}
        onDragOver={(event) => event.dataTransfer.types.includes("Files") && event.preventDefault()}
        onDrop={(event) => {
          const [file] = event.dataTransfer.files;
          if (!file) return;
          event.preventDefault();
          void file.text().then((text) => {
            if (!isClip(text)) notify("This file holds no nodes of Tensorloom.");
            else pasteClip(text);
          });
        }}
        onContextMenuCapture={({ target }) => setMenuFor(pointAt(target))}
        onPointerDownCapture={({ pointerType, target }) => {
          touched.current = pointerType === "mouse" ? null : target;
        }}
      >
        <ReactFlow
          key={opened}
          aria-label="Canvas"
          nodes={nodes}
          edges={edges}
          nodeTypes={nodeTypes}
          edgeTypes={edgeTypes}
          onNodesChange={onNodesChange}
          onEdgesChange={onEdgesChange}
          onNodeDragStart={onNodeDragStart}
          onNodeDrag={onNodeDrag}
          onNodeDragStop={onNodeDragStop}
          onNodeClick={onNodeClick}
          onNodeDoubleClick={onNodeDoubleClick}
          onMoveStart={onMoveStart}
          onMoveEnd={onMoveEnd}
          onPaneClick={onPaneClick}
          onEdgeDoubleClick={onEdgeDoubleClick}
          onConnect={onConnect}
          onConnectStart={onConnectStart}
          onConnectEnd={onConnectEnd}
          onReconnect={onReconnect}
          onReconnectEnd={onReconnectEnd}
          nodesDraggable={mayChange}
          nodesConnectable={mayChange}
          edgesReconnectable={mayChange}
          isValidConnection={isValidConnection}
          connectionLineType={ConnectionLineType.SmoothStep}
          connectionRadius={28}
          deleteKeyCode={null}
          selectionKeyCode={null}
          multiSelectionKeyCode={SEVERAL_KEYS}
          panActivationKeyCode="Space"
          selectionOnDrag={!coarse}
          selectionMode={SelectionMode.Partial}
          panOnDrag={coarse ? true : MIDDLE_BUTTON}
          zoomOnDoubleClick={false}
          disableKeyboardA11y
          elevateEdgesOnSelect={false}
          // A zone that shows its inside is wider, and its middle stays over the others'.
          nodeOrigin={ORIGIN}
          snapToGrid
          snapGrid={GRID}
          minZoom={0.1}
          maxZoom={2}
          nodeDragThreshold={3}
          onlyRenderVisibleElements={nodes.length > VIRTUAL_FROM}
          proOptions={PRO}
        >
          <Background variant={BackgroundVariant.Dots} gap={24} size={1.4} />
          {minimap && (
            <MiniMap
              className="overflow-hidden rounded-lg border border-line max-md:hidden"
              ariaLabel="Map"
              position="top-right"
              style={MAP}
              pannable
              zoomable
              nodeColor={mapColor}
              nodeBorderRadius={12}
              maskStrokeColor="var(--accent)"
              maskStrokeWidth={1.5}
            />
          )}
          <SnapLines lines={lines} />
          <PeopleOnCanvas />
          <ProblemPopover />
          <Suspense>
            {comparing && <CompareMarks />}
            {helping && <HelpCard />}
          </Suspense>
          <div className="pointer-events-none absolute inset-x-3 top-3 z-10 flex flex-wrap items-start gap-2 md:right-40 [&>*]:pointer-events-auto">
            <CanvasTools />
            <Suspense fallback={<div className="size-8 rounded-lg border border-line bg-panel" />}>
              <PreviewBar />
            </Suspense>
            {modelId !== null && (
              <Suspense>
                <Pulse modelId={modelId} />
              </Suspense>
            )}
            <Breadcrumb />
          </div>
        </ReactFlow>
        {body.nodes.length === 0 && (
          <div className="pointer-events-none absolute inset-0 flex items-center justify-center">
            <p className="max-w-72 text-center text-ink2">
              Nothing here yet. Add a layer from the left, or press <kbd className="figures">/</kbd> and type its name.
            </p>
          </div>
        )}
      </div>
    </ContextMenu>
  );
}

const currentBody = () => {
  const { graph, scope } = useGraph.getState();
  return bodyAt(graph, scope);
};

/** A node's place in the document is the left corner of a plain node; React Flow is told the middle. Notes and frames stand by their corner. */
const toFlow = ({ x, y }: Point): Point => ({ x: x + WIDTH / 2, y });
const fromFlow = (id: string, { x, y }: Point): Point => {
  const node = currentBody().nodes.find((other) => other.id === id);
  return { x: Math.round(node && isFurniture(node) ? x : x - WIDTH / 2), y: Math.round(y) };
};

/** The rectangle that is being drawn over the canvas to select what it meets. */
function marqueeOf({ userSelectionActive, userSelectionRect: rect, transform: [x, y, zoom] }: ReturnType<ReturnType<typeof useStoreApi<AnyNode, FlowEdge>>["getState"]>) {
  if (!userSelectionActive || !rect) return null;
  const [left, top] = [(rect.x - x) / zoom, (rect.y - y) / zoom];
  return { left, top, right: left + rect.width / zoom, bottom: top + rect.height / zoom };
}

function ends(wire: Connection | FlowEdge): { from: { node: string; port: string }; to: { node: string; port: string } } {
  return { from: { node: wire.source, port: wire.sourceHandle ?? "" }, to: { node: wire.target, port: wire.targetHandle ?? "" } };
}

/** Brings React Flow's changes of selection into the store. */
function applySelection(changes: (NodeChange<AnyNode> | EdgeChange<FlowEdge>)[], of: "nodes" | "edges", marquee: ReturnType<typeof marqueeOf> = null): void {
  const { selection } = useGraph.getState();
  const ids = new Set(selection[of]);
  let changed = false;
  for (const change of changes) {
    if (change.type !== "select" || (change.selected && marquee && !mayTake(change.id, marquee))) continue;
    changed = true;
    if (change.selected) ids.add(change.id);
    else ids.delete(change.id);
  }
  if (changed) select({ ...selection, [of]: ids });
}

/** Whether a marquee means this node: a frame only where it goes all around it, since whoever selects in a frame begins inside it. */
function mayTake(id: string, marquee: NonNullable<ReturnType<typeof marqueeOf>>): boolean {
  const node = currentBody().nodes.find((other) => other.id === id);
  if (node?.type !== "frame") return true;
  const box = boxOf(node);
  return box.left >= marquee.left && box.top >= marquee.top && box.right <= marquee.right && box.bottom <= marquee.bottom;
}

/** Where on the screen a mouse or the first finger is. */
function screenOf(event: object): Point | null {
  const at: unknown = "changedTouches" in event && event.changedTouches instanceof TouchList ? event.changedTouches[0] : event;
  return typeof at === "object" && at !== null && "clientX" in at && "clientY" in at ? { x: Number(at.clientX), y: Number(at.clientY) } : null;
}

/** What a right click means; a node that is not selected becomes the selection first. */
function pointAt(at: EventTarget): "node" | "wire" | "canvas" {
  const target = at instanceof Element ? at : null;
  const node = target?.closest(".react-flow__node")?.getAttribute("data-id");
  const edge = target?.closest(".react-flow__edge")?.getAttribute("data-id");
  const { selection } = useGraph.getState();
  if (node) {
    if (!selection.nodes.has(node)) selectNodes([node]);
    return "node";
  }
  if (edge) {
    if (!selection.edges.has(edge)) select({ nodes: new Set(), edges: new Set([edge]) });
    return "wire";
  }
  select(nothing);
  return "canvas";
}

function menuItems(of: "node" | "wire" | "canvas"): MenuItem[] {
  const mac = isMac();
  const items: MenuItem[] = [];
  const last: MenuItem[] = [];
  for (const command of commands) {
    if (!command.menu?.includes(of) || (command.rare && command.isReady?.() === false)) continue;
    const line = { label: command.title, run: command.run, shortcut: printKeys(keysOf(command)[0] ?? "", mac), disabled: command.isReady?.() === false, danger: command.danger };
    const under = items.find((item) => item !== "rule" && "items" in item && item.label === command.under);
    if (under && under !== "rule" && "items" in under) under.items.push(line);
    else if (command.danger) last.push(line);
    else items.push(command.under === undefined ? line : { label: command.under, items: [line] });
  }
  return last.length > 0 ? [...items, "rule", ...last] : items;
}

/** The same node at another place of the document. */
function moveTo(node: AnyNode, at: Point | undefined): AnyNode {
  return at ? { ...node, position: node.type === "layer" ? toFlow(at) : at } : node;
}

function useFlowNodes(views: readonly NodeView[], furniture: readonly FurnitureView[], places: readonly { id: string; at: Point }[], selected: ReadonlySet<string>): AnyNode[] {
  const before = useRef(new Map<string, AnyNode>());
  const [version, setVersion] = useState(0);
  useEffect(() => measured.subscribe(() => setVersion((n) => n + 1)), []);
  return useMemo(() => {
    void version; // sizes changed
    const at = new Map(places.map((node) => [node.id, node.at]));
    const next = new Map<string, AnyNode>();
    for (const view of furniture) {
      const old = before.current.get(view.id);
      const position = at.get(view.id) ?? { x: 0, y: 0 };
      const size = measured.get(view.id);
      const isSelected = selected.has(view.id);
      const same = old && old.data === view && old.position === position && old.selected === isSelected && old.measured === size;
      next.set(
        view.id,
        same
          ? old
          : {
              id: view.id,
              type: view.type,
              position,
              data: view,
              selected: isSelected,
              measured: size,
              origin: [0, 0],
              initialWidth: view.width,
              initialHeight: view.height,
              ariaLabel: view.label,
              // A frame lies behind wires and nodes, and only its title and grip can be taken.
              ...(view.type === "frame" ? { zIndex: BEHIND, style: { pointerEvents: "none" } } : {}),
            },
      );
    }
    for (const view of views) {
      const old = before.current.get(view.id);
      const position = toFlow(at.get(view.id) ?? { x: 0, y: 0 });
      const size = measured.get(view.id);
      const isSelected = selected.has(view.id);
      const same = old && old.data === view && old.position.x === position.x && old.position.y === position.y && old.selected === isSelected && old.measured === size;
      next.set(
        view.id,
        same ? old : { id: view.id, type: "layer", position, data: view, selected: isSelected, measured: size, initialWidth: WIDTH, initialHeight: HEIGHT, ariaLabel: view.label },
      );
    }
    before.current = next;
    return [...next.values()];
  }, [views, furniture, places, selected, version]);
}

function useFlowEdges(views: ReturnType<ReturnType<typeof createViewer>>["edges"], selected: ReadonlySet<string>): FlowEdge[] {
  const before = useRef(new Map<string, FlowEdge>());
  return useMemo(() => {
    const next = new Map<string, FlowEdge>();
    for (const view of views) {
      const old = before.current.get(view.id);
      const isSelected = selected.has(view.id);
      const same = old && old.data === view && old.selected === isSelected;
      next.set(
        view.id,
        same
          ? old
          : {
              id: view.id,
              type: "wire",
              source: view.from,
              sourceHandle: view.fromPort,
              target: view.to,
              targetHandle: view.toPort,
              data: view,
              selected: isSelected,
              ariaLabel: view.label,
            },
      );
    }
    before.current = next;
    return [...next.values()];
  }, [views, selected]);
}

function useCoarsePointer(): boolean {
  const [coarse, setCoarse] = useState(false);
  useEffect(() => {
    const query = matchMedia("(pointer: coarse)");
    const listen = () => setCoarse(query.matches);
    listen();
    query.addEventListener("change", listen);
    return () => query.removeEventListener("change", listen);
  }, []);
  return coarse;
}

/** Space around the drawing, and below it what the drawer covers. */
const MARGIN = 48;
/** A tall drawing opens at a size that can be read, from its top, rather than whole and tiny. */
const OPENING_ZOOM = 0.8;

/** Offers the view to commands. Whenever another body is opened, shows it whole (or its beginning), then the node that is selected in it. */
function useCanvasHandle(wrapper: React.RefObject<HTMLDivElement | null>, opened: string): void {
  const flow = useReactFlow();
  const store = useStoreApi();
  useEffect(() => {
    const frame = (minZoom: number, duration: number) => {
      const { width, height } = store.getState();
      const { graph, scope } = useGraph.getState();
      const nodes = bodyAt(graph, scope).nodes;
      if (nodes.length === 0 || width === 0) return;
      const below = document.getElementById("before-you-train")?.offsetHeight ?? 0;
      const sizes = nodes.map((node) => ({ ...measured.cornerOf(node), ...measured.sizeOf(node) }));
      const left = Math.min(...sizes.map((n) => n.x));
      const top = Math.min(...sizes.map((n) => n.y));
      const right = Math.max(...sizes.map((n) => n.x + n.width));
      const bottom = Math.max(...sizes.map((n) => n.y + n.height));
      const room = { x: Math.max(80, width - MARGIN * 2), y: Math.max(80, height - below - MARGIN * 2) };
      const zoom = Math.min(1, Math.max(minZoom, Math.min(room.x / (right - left), room.y / (bottom - top))));
      const fits = (bottom - top) * zoom <= room.y;
      void flow.setViewport(
        { zoom, x: width / 2 - ((left + right) / 2) * zoom, y: fits ? MARGIN + room.y / 2 - ((top + bottom) / 2) * zoom : MARGIN + 8 - top * zoom },
        { duration: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : duration },
      );
    };
    const canvas: CanvasHandle = {
      fit: () => frame(0.1, 150),
      zoom: (factor) => void flow.zoomTo(flow.getZoom() * factor, { duration: 100 }),
      center: () => {
        const box = wrapper.current?.getBoundingClientRect();
        return box ? flow.screenToFlowPosition({ x: box.x + box.width / 2, y: box.y + box.height / 3 }) : { x: 0, y: 0 };
      },
      at: (screen) => (wrapper.current?.contains(document.elementFromPoint(screen.x, screen.y)) ? flow.screenToFlowPosition(screen) : null),
      glide: () => {
        wrapper.current?.setAttribute("data-gliding", "");
        setTimeout(() => wrapper.current?.removeAttribute("data-gliding"), 220);
      },
      addAtPointer: () => {
        const box = wrapper.current?.getBoundingClientRect();
        const screen = pointer ?? (box ? { x: box.x + box.width / 2, y: box.y + box.height / 3 } : { x: 0, y: 0 });
        useStudio.setState({ quickAdd: { screen, at: flow.screenToFlowPosition(screen), from: null } });
      },
      reveal: (id) => {
        const node = flow.getInternalNode(id);
        const { width, height, transform } = store.getState();
        const { graph, scope } = useGraph.getState();
        const at = node?.internals.positionAbsolute ?? bodyAt(graph, scope).nodes.find((n) => n.id === id)?.at;
        if (!at) return;
        const below = document.getElementById("before-you-train")?.offsetHeight ?? 0;
        const x = at.x * transform[2] + transform[0];
        const y = at.y * transform[2] + transform[1];
        const inView = x > 0 && y > 0 && x + WIDTH * transform[2] < width && y + HEIGHT * transform[2] < height - below - 16;
        if (!inView) void flow.setCenter(at.x + WIDTH / 2, at.y + HEIGHT / 2 + below / 2 / transform[2], { zoom: transform[2], duration: 120 });
      },
    };
    useStudio.setState({ canvas });
    // The first sizes are known one frame after the nodes are there.
    const timer = requestAnimationFrame(() => {
      frame(OPENING_ZOOM, 0);
      const [id, ...more] = useGraph.getState().selection.nodes;
      if (id !== undefined && more.length === 0) canvas.reveal(id);
    });
    return () => {
      cancelAnimationFrame(timer);
      useStudio.setState({ canvas: null });
    };
  }, [flow, store, wrapper, opened]);
}
