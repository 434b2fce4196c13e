"use client";

import { Background, BackgroundVariant, ConnectionLineType, type EdgeChange, type NodeChange, ReactFlow, SelectionMode, useReactFlow, useStore, useStoreApi } from "@xyflow/react";
import { type FocusEvent, lazy, type MouseEvent, Suspense, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { flushSync } from "react-dom";
import { say } from "../../core/language/say.ts";
import { useMayChange } from "../account/useRole.ts";
import { Say } from "../ui/Say.tsx";
import "@xyflow/react/dist/base.css";
import "./canvas.css";
import "./furniture.css";
import type { Node } from "../../core/graph/document.ts";
import { ContextMenu } from "../ui/Menu.tsx";
import { notify } from "../ui/Notices.tsx";
import { BodyMap, type MapBox } from "./BodyMap.tsx";
import { Breadcrumb } from "./Breadcrumb.tsx";
import { CanvasTools } from "./CanvasTools.tsx";
import { type MenuFor, menuItems, pointAt } from "./canvasMenu.ts";
import { useChecked } from "./checked.ts";
import { isClip } from "./clip.ts";
import { enterBody, pasteClip } from "./edits.ts";
import { FrameNode, NoteNode } from "./Furniture.tsx";
import { type AnyNode, moveTo, useFlowEdges, useFlowNodes } from "./flow.ts";
import { isOpen, isWanted, useFolds } from "./folds.ts";
import { addDot } from "./furnitureEdits.ts";
import { LayerNode } from "./LayerNode.tsx";
import { measured } from "./measured.ts";
import { Overview } from "./Overview.tsx";
import { FAR_ZOOM, liveNodes, nodeIn, PICTURE_FROM, type Picture, pictureOf, wireIn } from "./overview.ts";
import { PeopleOnCanvas } from "./People.tsx";
import { ProblemPopover } from "./ProblemPopover.tsx";
import { useCoarsePointer } from "./pointer.ts";
import { SnapLines } from "./SnapLines.tsx";
import { applySelection, marqueeOf, useMarqueeInPicture } from "./selecting.ts";
import { MAX_ZOOM, MIN_ZOOM, setPointer, useCanvasHandle } from "./useCanvasHandle.ts";
import { useDrag } from "./useDrag.ts";
import { bodyAt, select, selectNodes, useGraph } from "./useGraph.ts";
import { pointAt as tellPointer } from "./usePeople.ts";
import { type Point, useStudio } from "./useStudio.ts";
import { createViewer, type NodeView } from "./view.ts";
import { type FlowEdge, WireEdge } from "./WireEdge.tsx";
import { isValidConnection, onConnect, onConnectStart, onReconnect, onReconnectEnd, useConnectEnd } from "./wiring.ts";

const Pulse = lazy(() => import("./pulse/Pulse.tsx"));
const CompareMarks = lazy(() => import("./CompareMarks.tsx"));
const HelpCard = lazy(() => import("./help/HelpCard.tsx"));
const PreviewBar = lazy(() => import("./preview/PreviewBar.tsx"));

const nodeTypes = { layer: LayerNode, note: NoteNode, frame: FrameNode };
const edgeTypes = { wire: WireEdge };

/*
 * What React Flow is given must stay the same object from frame to frame: whatever is another function or list is written into its store, which asks every
 * node and wire again, and a handler that changed draws all of them anew.
 */
const SEVERAL_KEYS = ["Shift", "Control", "Meta"];
const MIDDLE_BUTTON = [1];
const ORIGIN: [number, number] = [0.5, 0];
const GRID: [number, number] = [8, 8];
const PRO = { hideAttribution: true };
const NOTHING: readonly never[] = [];

function onNodeClick(event: MouseEvent, node: AnyNode): void {
  // A plain click means this node, also where it is one of several that are selected.
  if (!event.shiftKey && !event.metaKey && !event.ctrlKey && !useStudio.getState().several) selectNodes([node.id]);
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
  const store = useStoreApi<AnyNode, FlowEdge>();
  const far = useStore((s) => s.transform[2] < FAR_ZOOM);
  const isPicture = far && views.nodes.length > PICTURE_FROM;
  const sizes = useMeasured();
  const picture = useMemo(() => {
    void sizes;
    return views.nodes.length > PICTURE_FROM ? pictureOf(views.nodes, views.edges, new Map(body.nodes.map((node) => [node.id, node]))) : null;
  }, [views, body, sizes]);
  const [hovered, setHovered] = useState<string | null>(null);
  const renaming = useStudio((s) => s.renaming);
  const drawn = useMemo(() => {
    if (!isPicture) return views.nodes;
    const live = liveNodes(selection.nodes, hovered, renaming);
    return views.nodes.filter(({ id }) => live.has(id));
  }, [isPicture, views, selection, hovered, renaming]);
  const settled = useFlowNodes(drawn, views.furniture, body.nodes, selection.nodes, sizes, views.nodes.length > PICTURE_FROM);
  /** The picture that stands for the nodes while it does. */
  const shown = useRef<Picture | null>(null);
  shown.current = isPicture ? picture : null;
  const { dragged, lines, onMoves, onNodeDragStart, onNodeDrag, onNodeDragStop } = useDrag(shown);
  const nodes = useMemo(() => (dragged ? settled.map((node) => moveTo(node, dragged.get(node.id))) : settled), [settled, dragged]);
  const edges = useFlowEdges(isPicture ? NOTHING : views.edges, selection.edges);
  const boxes = useMapBoxes(views, body.nodes, sizes, minimap);
  const coarse = useCoarsePointer();
  const several = useStudio((s) => s.several) && coarse;
  useEffect(() => store.setState({ multiSelectionActive: several }), [store, several]);
  const [menuFor, setMenuFor] = useState<MenuFor>("canvas");
  const { screenToFlowPosition } = useReactFlow();
  const inPicture = useCallback(
    (screen: Point): { node: string | null; wire: string | null } => {
      const at = screenToFlowPosition(screen, { snapToGrid: false });
      const node = shown.current ? nodeIn(shown.current, at) : null;
      return { node, wire: shown.current && node === null ? wireIn(shown.current, at, store.getState().transform[2]) : null };
    },
    [screenToFlowPosition, store],
  );
  useMarqueeInPicture(shown);
  const wrapper = useRef<HTMLDivElement>(null);
  /** Where a finger or pen was put down last; a long touch tells no event of its own. */
  const touched = useRef<(Point & { target: EventTarget }) | null>(null);
  const opened = `${modelId} ${scope.map((step) => `${step.node} ${step.role}`).join(" ")}`;
  // Another body is another drawing, though its nodes may have the same ids.
  useLayoutEffect(() => measured.forget(opened), [opened]);
  useCanvasHandle(wrapper, opened);

  const onNodesChange = useCallback(
    (changes: NodeChange<AnyNode>[]) => {
      applySelection(changes, "nodes", marqueeOf(store.getState()));
      onMoves(changes);
      const sizes = changes.flatMap((change) => (change.type === "dimensions" && change.dimensions ? [[change.id, change.dimensions] as const] : []));
      if (sizes.length > 0) measured.remember(sizes);
    },
    [store, onMoves],
  );
  const onEdgesChange = useCallback((changes: EdgeChange<FlowEdge>[]) => applySelection(changes, "edges"), []);
  const onPaneClick = useCallback(
    ({ clientX, clientY }: MouseEvent) => {
      useStudio.setState({ problemAt: null, helpAt: null });
      if (!shown.current) return;
      const { node, wire } = inPicture({ x: clientX, y: clientY });
      // A tap comes without a pointer that was over the node before.
      select({ nodes: new Set(node === null ? [] : [node]), edges: new Set(wire === null ? [] : [wire]) });
    },
    [inPicture],
  );
  // While the view moves it is one picture that is only pushed about; at rest it is drawn sharply again.
  const onMoveStart = useCallback(() => wrapper.current?.setAttribute("data-moving", ""), []);
  const onMoveEnd = useCallback(() => wrapper.current?.removeAttribute("data-moving"), []);
  const onEdgeDoubleClick = useCallback(
    (event: MouseEvent, edge: FlowEdge) => addDot(edge.id, screenToFlowPosition({ x: event.clientX, y: event.clientY })),
    [screenToFlowPosition],
  );
  const onConnectEnd = useConnectEnd();

  function onDoubleClick(event: MouseEvent): void {
    if (!(event.target instanceof Element) || !event.target.classList.contains("react-flow__pane")) return;
    const screen = { x: event.clientX, y: event.clientY };
    const { wire } = inPicture(screen);
    if (wire !== null) addDot(wire, screenToFlowPosition(screen));
    else useStudio.setState({ quickAdd: { screen, at: screenToFlowPosition(screen), from: null } });
  }

  /** The Tab key walks over nodes; the one it reaches is selected, so that every command works without a pointer. */
  function onFocus(event: FocusEvent): void {
    if (!(event.target instanceof Element) || !event.target.matches(".react-flow__node:focus-visible")) return;
    const id = event.target.getAttribute("data-id");
    if (id !== null && !useGraph.getState().selection.nodes.has(id)) selectNodes([id]);
  }

  return (
    <ContextMenu items={() => menuItems(menuFor)} onOpen={() => touched.current && setMenuFor(pointAt(touched.current.target, inPicture(touched.current)))}>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the canvas is React Flow's; this only listens in. */}
      <div
        ref={wrapper}
        className="studio-canvas relative h-full w-full"
        data-far={far || undefined}
        onDoubleClick={onDoubleClick}
        onFocusCapture={onFocus}
        onPointerMove={(event) => {
          const at = { x: event.clientX, y: event.clientY };
          setPointer(at);
          tellPointer(screenToFlowPosition(at, { snapToGrid: false }));
          if (!shown.current || event.buttons !== 0) return;
          const { node } = inPicture(at);
          // There before the button goes down.
          if (node !== hovered) flushSync(() => setHovered(node));
        }}
        onPointerLeave={(event) => {
          setPointer(null);
          tellPointer(null);
          // A node that is dragged past the edge stays in the page, or its drag would end there.
          if (event.buttons === 0) setHovered(null);
        }}
        onDragOver={(event) => event.dataTransfer.types.includes("Files") && event.preventDefault()}
        onDrop={(event) => {
          const [file] = event.dataTransfer.files;
          if (!file) return;
          event.preventDefault();
          void file.text().then((text) => {
            if (!isClip(text)) notify(say("This file holds no nodes of Tensorloom."));
            else pasteClip(text);
          });
        }}
        onContextMenuCapture={({ target, clientX, clientY }) => setMenuFor(pointAt(target, inPicture({ x: clientX, y: clientY })))}
        onPointerDownCapture={(event) => {
          touched.current = event.pointerType === "mouse" ? null : { x: event.clientX, y: event.clientY, target: event.target };
          // What is selected beside the page does not hear that another node is taken hold of.
          const id = shown.current && event.target instanceof Element ? event.target.closest(".react-flow__node")?.getAttribute("data-id") : null;
          if (id && !event.shiftKey && !event.metaKey && !event.ctrlKey && !selection.nodes.has(id)) selectNodes([id]);
        }}
      >
        <ReactFlow
          key={opened}
          aria-label={say("Canvas")}
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
          selectionOnDrag={!coarse || several}
          selectionMode={SelectionMode.Partial}
          panOnDrag={several ? false : coarse ? true : MIDDLE_BUTTON}
          zoomOnDoubleClick={false}
          disableKeyboardA11y
          elevateEdgesOnSelect={false}
          // A zone that shows its inside is wider, and its middle stays over the others'.
          nodeOrigin={ORIGIN}
          snapToGrid
          snapGrid={GRID}
          minZoom={MIN_ZOOM}
          maxZoom={MAX_ZOOM}
          nodeDragThreshold={3}
          onlyRenderVisibleElements={nodes.length > PICTURE_FROM}
          proOptions={PRO}
        >
          <Background variant={BackgroundVariant.Dots} gap={24} size={1.4} />
          {minimap && <BodyMap boxes={boxes} />}
          {isPicture && picture && <Overview picture={picture} dragged={dragged} selection={selection} />}
          <SnapLines lines={lines} />
          <PeopleOnCanvas />
          <ProblemPopover />
          <Suspense>
            {comparing && <CompareMarks />}
            {helping && <HelpCard />}
          </Suspense>
          <div className="pointer-events-none absolute inset-x-3 top-3 z-10 flex flex-wrap items-start gap-2 md:right-40 [&>*]:pointer-events-auto">
            <CanvasTools touch={coarse} />
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
              <Say text="Nothing here yet. Add a layer from the left, or press {kbd} and type its name." with={{ kbd: <kbd className="figures">/</kbd> }} />
            </p>
          </div>
        )}
      </div>
    </ContextMenu>
  );
}

/** What the map shows. */
function useMapBoxes({ nodes }: { nodes: readonly NodeView[] }, places: readonly Node[], sizes: number, wanted: boolean): MapBox[] {
  return useMemo(() => {
    void sizes;
    if (!wanted) return [];
    const bad = new Set(nodes.flatMap(({ id, severity }) => (severity === "error" ? [id] : [])));
    return places.flatMap((node) => {
      if (node.type === "frame") return [];
      const { x, y } = measured.cornerOf(node);
      return [{ left: x, top: y, ...measured.sizeOf(node), bad: bad.has(node.id) }];
    });
  }, [nodes, places, sizes, wanted]);
}

/** Counts up whenever nodes were measured anew. */
function useMeasured(): number {
  const [version, setVersion] = useState(0);
  useEffect(() => measured.subscribe(() => setVersion((n) => n + 1)), []);
  return version;
}
