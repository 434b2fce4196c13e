"use client";

import { Tooltip } from "radix-ui";
import type { ReactNode } from "react";

/** A short sentence beside what the pointer or the focus is on. Never the only place where something is said. */
export function Tip({ text, shortcut, side = "bottom", children }: { text: ReactNode; shortcut?: string; side?: "top" | "bottom" | "left" | "right"; children: ReactNode }) {
  if (!text) return <>{children}</>;
  return (
    <Tooltip.Root>
      <Tooltip.Trigger asChild>{children}</Tooltip.Trigger>
      <Tooltip.Portal>
        <Tooltip.Content side={side} sideOffset={6} collisionPadding={8} className="appear z-50 max-w-72 rounded-md bg-ink px-2 py-1 text-sm text-bg">
          {text}
          {shortcut && <kbd className="figures ml-2 opacity-85">{shortcut}</kbd>}
        </Tooltip.Content>
      </Tooltip.Portal>
    </Tooltip.Root>
  );
}
