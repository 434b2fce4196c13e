"use client";

import { Popover as Radix } from "radix-ui";
import type { ReactNode } from "react";
import { cx } from "./cx.ts";

/** A small form that opens below one button, and closes by Escape or a click beside it. */
export function Popover({
  label,
  trigger,
  open,
  onOpen,
  align = "start",
  className,
  children,
}: {
  label: string;
  /** One button. */
  trigger: ReactNode;
  open?: boolean;
  onOpen?: (open: boolean) => void;
  align?: "start" | "end";
  className?: string;
  children: ReactNode;
}) {
  return (
    <Radix.Root open={open} onOpenChange={onOpen}>
      <Radix.Trigger asChild>{trigger}</Radix.Trigger>
      <Radix.Portal>
        <Radix.Content
          aria-label={label}
          align={align}
          sideOffset={4}
          collisionPadding={8}
          className={cx("appear z-40 rounded-lg border border-line2 bg-raise p-3 shadow-float outline-none", className)}
        >
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
