"use client";

import { useStore } from "@xyflow/react";
import { BoxSelect, Frame, Maximize, Minus, Plus, Redo2, Rows3, StickyNote, Undo2 } from "lucide-react";
import { say } from "../../core/language/say.ts";
import { IconButton } from "../ui/Button.tsx";
import { Tip } from "../ui/Tip.tsx";
import { commands } from "./commands.ts";
import { isMac, printKeys } from "./keys.ts";
import { useGraph } from "./useGraph.ts";
import { keysOf } from "./useKeys.ts";
import { useStudio } from "./useStudio.ts";

const ICONS = { undo: Undo2, redo: Redo2, "zoom-out": Minus, "zoom-in": Plus, fit: Maximize, tidy: Rows3, note: StickyNote, frame: Frame };

/** The commands one wants at hand, as buttons over the canvas. */
export function CanvasTools({ touch }: { touch: boolean }) {
  const canUndo = useGraph((s) => s.past.length > 0);
  const canRedo = useGraph((s) => s.future.length > 0);
  const percent = useStore((s) => Math.round(s.transform[2] * 100));
  const several = useStudio((s) => s.several);
  const button = (id: keyof typeof ICONS, disabled = false) => {
    const command = commands.find((c) => c.id === id);
    const Icon = ICONS[id];
    return (
      <Tip key={id} text={command?.title} shortcut={printKeys((command && keysOf(command)[0]) ?? "", isMac())}>
        <IconButton label={command?.title ?? id} disabled={disabled} onClick={() => command?.run()}>
          <Icon size={15} />
        </IconButton>
      </Tip>
    );
  };
  return (
    <div role="toolbar" aria-label={say("Canvas")} className="flex shrink-0 items-center rounded-lg border border-line bg-panel p-px">
      {button("undo", !canUndo)}
      {button("redo", !canRedo)}
      <span aria-hidden className="mx-1 h-4 w-px bg-line" />
      {button("zoom-out")}
      <span className="figures w-9 text-center text-ink2">
        <span className="sr-only">{say("Zoom")} </span>
        {percent}%
      </span>
      {button("zoom-in")}
      {button("fit")}
      {button("tidy")}
      <span aria-hidden className="mx-1 h-4 w-px bg-line" />
      {button("note")}
      {button("frame")}
      {touch && (
        <IconButton label={say("Select several")} aria-pressed={several} onClick={() => useStudio.setState({ several: !several })}>
          <BoxSelect size={15} />
        </IconButton>
      )}
    </div>
  );
}
