"use client";

import { useEffect } from "react";
import { pathOf } from "../../core/graph/path.ts";
import { currentChecked } from "./checked.ts";
import { commands, innerScope } from "./commands.ts";
import { fixProblem, pasteClip } from "./edits.ts";
import { isMac, isTyping, matchesKeys } from "./keys.ts";
import { goTo, leave, useGraph } from "./useGraph.ts";
import { keysOf, openKeys } from "./useKeys.ts";
import { useStudio } from "./useStudio.ts";

/** What a focused control does with a key itself, before it could be a command. */
function belongsToControl(event: KeyboardEvent): boolean {
  const target = event.target instanceof Element ? event.target : null;
  if (event.key === "Enter" || event.key === " ") return !event.ctrlKey && !event.metaKey && target?.closest("button, a, summary, [role=switch]") != null;
  if (event.key.startsWith("Arrow")) return !event.altKey && target?.closest("[role=tab], [role=radio], [role=menu]") != null;
  return false;
}

/** With a problem told beside its node, Tab takes the first fix. */
function fixByTab(event: KeyboardEvent): boolean {
  const { problemAt } = useStudio.getState();
  if (event.key !== "Tab" || event.shiftKey || problemAt === null) return false;
  const path = pathOf(useGraph.getState().scope, problemAt);
  const problem = currentChecked().problems.find((p) => p.node === path);
  const [fix] = problem?.fixes ?? [];
  if (!problem || !fix) return false;
  fixProblem(problem, fix);
  return true;
}

/** Whether the pointer chose what is selected. Who walks over the nodes by Tab must get past a block, not into it. */
let isPointed = false;

/** Tab goes into the block or zone that was clicked, and out of one again where nothing is selected. */
function goByTab(event: KeyboardEvent): boolean {
  if (event.key !== "Tab" || event.shiftKey || event.ctrlKey || event.metaKey || event.altKey) return false;
  const { selection, scope } = useGraph.getState();
  const isFree = selection.nodes.size === 0 && selection.edges.size === 0 && scope.length > 0;
  const inner = innerScope();
  if (!isPointed || !(inner || isFree)) {
    isPointed = false;
    return false;
  }
  if (inner) goTo(inner);
  else leave();
  return true;
}

/** Listens for the keys of all commands while the studio is open. Letters typed into fields stay letters. */
export function useShortcuts(): void {
  useEffect(() => {
    const mac = isMac();
    openKeys();
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.isComposing || useStudio.getState().keysShown || useStudio.getState().asking !== null) return;
      const typing = isTyping(event.target);
      // A field that is only just opening will take what is typed; none of it is a command.
      if (useStudio.getState().quickAdd !== null && !typing && event.key.length === 1) return event.preventDefault();
      if (!typing && (fixByTab(event) || goByTab(event))) return event.preventDefault();
      if (typing && event.key === "Escape" && event.target instanceof HTMLElement) return event.target.blur();
      if (belongsToControl(event)) return;
      const meant = commands.filter((c) => (c.everywhere || !typing) && keysOf(c).some((keys) => matchesKeys(event, keys, mac)));
      // A key may mean one thing with a node selected and another without.
      const command = meant.find((c) => c.isReady?.() !== false) ?? meant[0];
      if (!command) return;
      // The browser's own effect of the key would only be in the way, even where the command has nothing to do.
      if (!command.keepDefault) event.preventDefault();
      if (!command.keepDefault && command.isReady?.() !== false) command.run();
    };
    const onPaste = (event: ClipboardEvent) => {
      if (isTyping(event.target)) return;
      event.preventDefault();
      pasteClip(event.clipboardData?.getData("text/plain"));
    };
    const onPointerDown = ({ target }: PointerEvent) => {
      isPointed = target instanceof Element && target.closest(".studio-canvas") !== null;
    };
    window.addEventListener("keydown", onKeyDown);
    window.addEventListener("paste", onPaste);
    window.addEventListener("pointerdown", onPointerDown, true);
    return () => {
      window.removeEventListener("keydown", onKeyDown);
      window.removeEventListener("paste", onPaste);
      window.removeEventListener("pointerdown", onPointerDown, true);
    };
  }, []);
}
