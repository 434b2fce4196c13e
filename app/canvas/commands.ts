import { SIDES } from "../../core/graph/arrange.ts";
import { definitionOf } from "../../core/graph/definitions.ts";
import type { Node } from "../../core/graph/document.ts";
import { FURNITURE_COLORS, isFurniture } from "../../core/graph/furniture.ts";
import { say } from "../../core/language/say.ts";
import { findLayer, layers } from "../../core/layers/index.ts";
import { alignSelection, copyLink, detachSelection, distributeSelection, exportSelection, pasteWithWires, pinSelection } from "./arranging.ts";
import { defineBlock, detachBlock, groupSelection, ungroupSelection, unpackNode } from "./blockEdits.ts";
import { readClip } from "./clip.ts";
import { connectSelection, copySelection, cutSelection, deleteSelection, duplicateSelection, freezeSelection, nudgeSelection, pasteClip, selectAll, tidy } from "./edits.ts";
import { addDot, addFrame, addNote, bypassSelection, paintSelection } from "./furnitureEdits.ts";
import type { Keys } from "./keys.ts";
import { bodyAt, goTo, leave, redo, select, undo, useGraph } from "./useGraph.ts";
import { useStudio } from "./useStudio.ts";

/** Something a person can do to the canvas, said once: shortcuts, the `?` sheet and the context menu are drawn from this list. */
export type Command = {
  id: string;
  title: string;
  group: "Edit" | "Arrange" | "Go" | "See" | "Train";
  keys: readonly Keys[];
  /** Whether it would do anything now. */
  isReady?: () => boolean;
  run: () => void;
  /** Stands in the context menu of: a node, a wire, the empty canvas. */
  menu?: readonly ("node" | "wire" | "canvas")[];
  /** Works while typing in a field, too. */
  everywhere?: boolean;
  /** The key's own effect stays (the browser pastes, and the paste event does the work). */
  keepDefault?: boolean;
  danger?: boolean;
  /** The line of the context menu under which it stands. */
  under?: string;
  /** Stands in the context menu only while it would do something. */
  rare?: boolean;
};

const selected = () => useGraph.getState().selection;
const hasNodes = () => selected().nodes.size > 0;
const hasAny = () => hasNodes() || selected().edges.size > 0;
const selectedNodes = () => {
  const { graph, scope, selection } = useGraph.getState();
  return bodyAt(graph, scope).nodes.filter(({ id }) => selection.nodes.has(id));
};
/** Whether a node's layer is written as a graph of others. */
const isComposed = (node: Node | undefined) => {
  const layer = node && findLayer(node.type);
  return layer?.compose !== undefined && !layer.bodies;
};
/** The selected wire, if exactly a wire is. */
const onlyWire = () => (selected().nodes.size === 0 && selected().edges.size === 1 ? [...selected().edges][0] : undefined);
const onlyNode = () => (selected().nodes.size === 1 ? [...selected().nodes][0] : undefined);

/** The selected node, if exactly one is. */
function theNode() {
  const { graph, scope } = useGraph.getState();
  const id = onlyNode();
  return id === undefined ? undefined : bodyAt(graph, scope).nodes.find((node) => node.id === id);
}

/** A selected block, and whether it is one of several that share a definition. */
function theBlock(shared: boolean) {
  const node = theNode();
  const isShared = definitionOf(node, useGraph.getState().graph.definitions) !== undefined;
  return node?.type === "block" && isShared === shared ? node : undefined;
}

/** The selected zone's first body, if exactly a zone is selected. */
export function innerScope() {
  const { scope } = useGraph.getState();
  const node = theNode();
  const role = Object.keys(node?.bodies ?? {})[0];
  return node && role !== undefined ? [...scope, { node: node.id, role }] : null;
}

/** Closes what is open, one thing at a time: a popover, a panel, the selection, then the zone one is in. */
function stepBack(): void {
  const studio = useStudio.getState();
  if (studio.quickAdd) useStudio.setState({ quickAdd: null });
  else if (studio.compare) useStudio.setState({ compare: null });
  else if (studio.helpAt !== null) useStudio.setState({ helpAt: null });
  else if (studio.problemAt !== null) useStudio.setState({ problemAt: null });
  else if (studio.sheet) useStudio.setState({ sheet: null });
  else if (hasAny()) select({ nodes: new Set(), edges: new Set() });
  else if (studio.panel === "train") useStudio.setState({ panel: "inspect" });
  else leave();
}

const nudges = (
  [
    ["ArrowUp", 0, -1],
    ["ArrowDown", 0, 1],
    ["ArrowLeft", -1, 0],
    ["ArrowRight", 1, 0],
  ] as const
).flatMap(([key, x, y]): Command[] => [
  {
    id: `nudge-${key}`,
    title: say("Move {key}", { key: key.slice(5).toLowerCase() }),
    group: "Edit",
    keys: [key],
    isReady: hasNodes,
    run: () => nudgeSelection({ x: x * 8, y: y * 8 }),
  },
  {
    id: `nudge-far-${key}`,
    title: say("Move far {key}", { key: key.slice(5).toLowerCase() }),
    group: "Edit",
    keys: [`Shift+${key}`],
    isReady: hasNodes,
    run: () => nudgeSelection({ x: x * 48, y: y * 48 }),
  },
]);

/** The line of the context menu under which the zones stand that a selection can be put into. */
export const PUT_INTO = say("Put into");

/** Layers that hold others, so that a selection can be put into one. */
const holders = layers.filter((layer) => layer.bodies && layer.type !== "block");

const SIDE_TITLES = {
  left: say("Align left"),
  center: say("Align middles across"),
  right: say("Align right"),
  top: say("Align tops"),
  middle: say("Align middles down"),
  bottom: say("Align bottoms"),
};
const SIDE_KEYS = {
  left: ["Alt+Shift+ArrowLeft"],
  center: ["Alt+Shift+C"],
  right: ["Alt+Shift+ArrowRight"],
  top: ["Alt+Shift+ArrowUp"],
  middle: ["Alt+Shift+M"],
  bottom: ["Alt+Shift+ArrowDown"],
};

export const commands: readonly Command[] = [
  { id: "undo", title: say("Undo"), group: "Edit", keys: ["Mod+Z"], isReady: () => useGraph.getState().past.length > 0, run: undo, menu: ["canvas"] },
  { id: "redo", title: say("Redo"), group: "Edit", keys: ["Mod+Shift+Z", "Mod+Y"], isReady: () => useGraph.getState().future.length > 0, run: redo, menu: ["canvas"] },
  { id: "cut", title: say("Cut"), group: "Edit", keys: ["Mod+X"], isReady: hasNodes, run: cutSelection, menu: ["node"] },
  { id: "copy", title: say("Copy"), group: "Edit", keys: ["Mod+C"], isReady: hasNodes, run: copySelection, menu: ["node"] },
  { id: "paste", title: say("Paste"), group: "Edit", keys: ["Mod+V"], isReady: () => readClip() !== null, run: () => pasteClip(), menu: ["canvas"], keepDefault: true },
  {
    id: "paste-wired",
    title: say("Paste with its wires"),
    group: "Edit",
    keys: ["Mod+Shift+V"],
    isReady: () => readClip() !== null,
    run: pasteWithWires,
    menu: ["canvas"],
  },
  { id: "duplicate", title: say("Duplicate"), group: "Edit", keys: ["Mod+D"], isReady: hasNodes, run: duplicateSelection, menu: ["node"] },
  { id: "delete", title: say("Delete"), group: "Edit", keys: ["Delete", "Backspace"], isReady: hasAny, run: deleteSelection, menu: ["node", "wire"], danger: true },
  {
    id: "rename",
    title: say("Rename"),
    group: "Edit",
    keys: ["Enter", "F2"],
    isReady: () => onlyNode() !== undefined,
    run: () => useStudio.setState({ renaming: onlyNode() ?? null }),
    menu: ["node"],
  },
  { id: "connect", title: say("Wire two nodes"), group: "Edit", keys: ["W"], isReady: () => selected().nodes.size === 2, run: connectSelection, menu: ["node"] },
  {
    id: "bypass",
    title: say("Bypass, or bring back"),
    group: "Edit",
    keys: ["Mod+B"],
    isReady: () => selectedNodes().some((node) => !isFurniture(node)),
    run: bypassSelection,
    menu: ["node"],
  },
  {
    id: "freeze",
    title: say("Freeze, or thaw"),
    group: "Edit",
    keys: ["K"],
    isReady: () => selectedNodes().some((node) => !isFurniture(node)),
    run: freezeSelection,
    menu: ["node"],
  },
  { id: "dot", title: say("Put a dot on the wire"), group: "Edit", keys: ["R"], isReady: () => onlyWire() !== undefined, run: () => addDot(onlyWire() ?? ""), menu: ["wire"] },
  { id: "note", title: say("Add a note"), group: "Edit", keys: ["N"], run: addNote, menu: ["canvas"] },
  { id: "frame", title: say("Draw a frame"), group: "Edit", keys: ["Shift+F"], run: addFrame, menu: ["node", "canvas"] },
  ...FURNITURE_COLORS.map(
    (color): Command => ({
      id: `paint-${color}`,
      title: color[0]?.toUpperCase() + color.slice(1),
      group: "Edit",
      keys: [],
      isReady: () => selectedNodes().some(isFurniture),
      run: () => paintSelection(color),
      menu: ["node"],
      under: say("Color"),
      rare: true,
    }),
  ),
  { id: "group", title: say("Group into a block"), group: "Edit", keys: ["Mod+G"], isReady: hasNodes, run: () => groupSelection(), menu: ["node"] },
  {
    id: "ungroup",
    title: say("Ungroup"),
    group: "Edit",
    keys: ["Mod+Shift+G"],
    isReady: () => selectedNodes().some(({ type }) => type === "block"),
    run: ungroupSelection,
    menu: ["node"],
    rare: true,
  },
  ...holders.map(
    ({ type, title }): Command => ({ id: `into-${type}`, title, group: "Edit", keys: [], isReady: hasNodes, run: () => groupSelection(type), menu: ["node"], under: PUT_INTO }),
  ),
  {
    id: "reuse",
    title: say("Make it reusable"),
    group: "Edit",
    keys: [],
    isReady: () => theBlock(false) !== undefined,
    run: () => defineBlock(theBlock(false)?.id ?? ""),
    menu: ["node"],
    rare: true,
  },
  {
    id: "detach",
    title: say("Make it independent"),
    group: "Edit",
    keys: [],
    isReady: () => theBlock(true) !== undefined,
    run: () => detachBlock(theBlock(true)?.id ?? ""),
    menu: ["node"],
    rare: true,
  },
  {
    id: "unpack",
    title: say("Open as a block"),
    group: "Edit",
    keys: [],
    isReady: () => isComposed(theNode()),
    run: () => unpackNode(theNode()?.id ?? ""),
    menu: ["node"],
    rare: true,
  },
  { id: "select-all", title: say("Select all"), group: "Edit", keys: ["Mod+A"], run: selectAll, menu: ["canvas"] },
  ...nudges,
  { id: "take-out", title: say("Take out of its wires"), group: "Edit", keys: ["Alt+D"], isReady: hasNodes, run: detachSelection, menu: ["node"] },
  {
    id: "wire-from",
    title: say("Wire from…"),
    group: "Edit",
    keys: ["C"],
    isReady: () => theNode() !== undefined,
    run: () => useStudio.setState({ asking: "wire" }),
    menu: ["node"],
  },
  { id: "export-selection", title: say("Save the selection as a file"), group: "Edit", keys: ["Mod+Shift+E"], isReady: hasNodes, run: exportSelection, menu: ["node"] },

  ...SIDES.map(
    (side): Command => ({
      id: `align-${side}`,
      title: SIDE_TITLES[side],
      group: "Arrange",
      keys: SIDE_KEYS[side],
      isReady: () => selected().nodes.size > 1,
      run: () => alignSelection(side),
      menu: ["node"],
      under: say("Arrange"),
      rare: true,
    }),
  ),
  {
    id: "spread-x",
    title: say("Same gaps across"),
    group: "Arrange",
    keys: ["Alt+Shift+H"],
    isReady: () => selected().nodes.size > 2,
    run: () => distributeSelection("x"),
    menu: ["node"],
    under: say("Arrange"),
    rare: true,
  },
  {
    id: "spread-y",
    title: say("Same gaps down"),
    group: "Arrange",
    keys: ["Alt+Shift+V"],
    isReady: () => selected().nodes.size > 2,
    run: () => distributeSelection("y"),
    menu: ["node"],
    under: say("Arrange"),
    rare: true,
  },
  { id: "pin", title: say("Pin, or let go"), group: "Arrange", keys: ["P"], isReady: hasNodes, run: pinSelection, menu: ["node"] },
  { id: "tidy", title: say("Tidy up"), group: "Arrange", keys: ["T"], run: () => void tidy(), menu: ["canvas"] },

  { id: "commands", title: say("Do something"), group: "Go", keys: ["Mod+K"], run: () => useStudio.setState({ asking: "commands" }), everywhere: true },
  { id: "find-node", title: say("Find a node"), group: "Go", keys: ["Mod+F"], run: () => useStudio.setState({ asking: "find" }), everywhere: true, menu: ["canvas"] },
  { id: "find-layer", title: say("Find a layer"), group: "Go", keys: ["/"], run: () => focusPalette() },
  { id: "add-here", title: say("Add a layer at the pointer"), group: "Go", keys: ["A"], run: () => useStudio.getState().canvas?.addAtPointer() },
  { id: "outline", title: say("Layers, or outline"), group: "Go", keys: ["O"], run: switchShelf },
  { id: "link", title: say("Copy a link to this graph"), group: "Go", keys: ["L"], run: () => void copyLink(), menu: ["canvas"] },
  { id: "versions", title: say("Versions"), group: "Go", keys: ["V"], run: () => useStudio.setState({ versionsShown: true }), menu: ["canvas"] },
  { id: "params", title: say("Go to its parameters"), group: "Go", keys: ["Mod+I"], isReady: () => onlyNode() !== undefined, run: focusParams, everywhere: true, menu: ["node"] },
  { id: "enter", title: say("Open the block or zone"), group: "Go", keys: ["E"], isReady: () => innerScope() !== null, run: () => goTo(innerScope() ?? []), menu: ["node"] },
  { id: "back", title: say("Step back"), group: "Go", keys: ["Escape"], run: stepBack },

  { id: "fit", title: say("Fit to view"), group: "See", keys: ["F"], run: () => useStudio.getState().canvas?.fit(), menu: ["canvas"] },
  {
    id: "fit-selection",
    title: say("Fit the selection to view"),
    group: "See",
    keys: ["."],
    isReady: hasNodes,
    run: () => useStudio.getState().canvas?.fit(selected().nodes),
    menu: ["node"],
  },
  { id: "zoom-in", title: say("Zoom in"), group: "See", keys: ["+", "="], run: () => useStudio.getState().canvas?.zoom(1.25) },
  { id: "zoom-out", title: say("Zoom out"), group: "See", keys: ["-"], run: () => useStudio.getState().canvas?.zoom(0.8) },
  { id: "minimap", title: say("Show or hide the map"), group: "See", keys: ["M"], run: () => useStudio.setState(({ minimap }) => ({ minimap: !minimap })) },
  { id: "drawer", title: say("Show or hide Before you train"), group: "See", keys: ["B"], run: () => useStudio.setState(({ drawer }) => ({ drawer: !drawer })) },
  {
    id: "help",
    title: say("Explain the layer"),
    group: "See",
    keys: ["?", "F1"],
    isReady: () => findLayer(theNode()?.type ?? "") !== undefined,
    run: () => useStudio.setState({ helpAt: theNode()?.id ?? null, problemAt: null }),
    menu: ["node"],
  },
  { id: "keys", title: say("All shortcuts"), group: "See", keys: ["?", "Mod+/"], run: () => useStudio.setState({ keysShown: true }) },

  { id: "save", title: say("Save now"), group: "Train", keys: ["Mod+S"], run: () => void useStudio.getState().actions?.save(), everywhere: true },
  { id: "settings", title: say("Training settings"), group: "Train", keys: ["S"], run: () => useStudio.setState({ panel: "train", sheet: "panel" }) },
  { id: "train", title: say("Train"), group: "Train", keys: ["Mod+Enter"], run: () => void useStudio.getState().actions?.train(), everywhere: true },
];

/** The palette's search field; it is the one place that a command must reach in the page. */
export const PALETTE_SEARCH_ID = "palette-search";

/** The selected node's parameters. */
export const PARAMS_ID = "node-params";

/** The outline's place in the page. */
export const OUTLINE_ID = "outline-tree";

/** Shows the outline and goes into it, or goes back to the layers. */
function switchShelf(): void {
  const shelf = useStudio.getState().shelf === "outline" ? "layers" : "outline";
  useStudio.setState({ shelf, sheet: "palette" });
  if (shelf === "outline") requestAnimationFrame(() => document.querySelector<HTMLElement>(`#${OUTLINE_ID} [tabindex="0"]`)?.focus());
}

function focusParams(): void {
  useStudio.setState({ panel: "inspect", tab: "node", sheet: "panel" });
  focusOn(`#${PARAMS_ID} :is(input, select, textarea, [role="switch"])`);
}

/** Goes into a field: at once where it is seen, so that no letter typed next is lost, and else once it is shown. */
function focusOn(selector: string): void {
  const focus = () => {
    const field = document.querySelector<HTMLElement>(selector);
    field?.focus();
    if (field instanceof HTMLInputElement) field.select();
    return field !== null && field === document.activeElement;
  };
  if (!focus()) requestAnimationFrame(focus);
}

function focusPalette(): void {
  useStudio.setState({ sheet: "palette", shelf: "layers" });
  focusOn(`#${PALETTE_SEARCH_ID}`);
}
