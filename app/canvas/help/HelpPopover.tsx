"use client";

import { Popover } from "radix-ui";
import { lazy, type ReactNode, Suspense } from "react";
import { say } from "../../../core/language/say.ts";
import type { Layer } from "../../../core/layers/kit.ts";

const LayerHelp = lazy(async () => ({ default: (await import("./LayerHelp.tsx")).LayerHelp }));

/** Help on a layer beside the button that asks for it. */
export function HelpPopover({ layer, side, children }: { layer: Layer; side: "right" | "left"; children: ReactNode }) {
  return (
    <Popover.Root>
      <Popover.Trigger asChild>{children}</Popover.Trigger>
      <Popover.Portal>
        <Popover.Content
          side={side}
          align="start"
          sideOffset={40}
          collisionPadding={12}
          aria-label={say("About {title}", { title: layer.title })}
          className="appear z-50 max-h-[min(640px,var(--radix-popover-content-available-height))] w-[308px] overflow-y-auto rounded-xl border border-line2 bg-panel px-4 py-3.5 shadow-float outline-none"
        >
          <h2 className="pb-1.5 text-lg font-semibold">{layer.title}</h2>
          <Suspense>
            <LayerHelp layer={layer} />
          </Suspense>
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}
