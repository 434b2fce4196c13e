import type { MenuItem } from "../ui/Menu.tsx";
import { commands } from "./commands.ts";
import { isMac, printKeys } from "./keys.ts";
import { nothing, select, selectNodes, useGraph } from "./useGraph.ts";
import { keysOf } from "./useKeys.ts";

/** What a menu of the canvas is about. */
export type MenuFor = "node" | "wire" | "canvas";

/** What a right click means; a node that is not selected becomes the selection first. */
export function pointAt(at: EventTarget, painted: { node: string | null; wire: string | null }): MenuFor {
  const target = at instanceof Element ? at : null;
  const node = target?.closest(".react-flow__node")?.getAttribute("data-id") ?? painted.node;
  const edge = target?.closest(".react-flow__edge")?.getAttribute("data-id") ?? painted.wire;
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

export function menuItems(of: MenuFor): MenuItem[] {
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
