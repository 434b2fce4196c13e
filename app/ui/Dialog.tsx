"use client";

import { X } from "lucide-react";
import { Dialog as Radix } from "radix-ui";
import type { ReactNode } from "react";
import { say } from "../../core/language/say.ts";
import { Button, IconButton } from "./Button.tsx";
import { cx } from "./cx.ts";

/** Something to read or answer before going on, over the page. */
export function Dialog({
  title,
  open,
  onOpen,
  width = "max-w-lg",
  children,
}: {
  title: string;
  open: boolean;
  onOpen: (open: boolean) => void;
  width?: string;
  children: ReactNode;
}) {
  return (
    <Radix.Root open={open} onOpenChange={onOpen}>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-40 bg-[#1c1b1940]" />
        <Radix.Content
          aria-describedby={undefined}
          // The dialog itself takes the focus: the first control in it is only the one that closes it.
          onOpenAutoFocus={(event) => {
            event.preventDefault();
            if (event.currentTarget instanceof HTMLElement) event.currentTarget.focus();
          }}
          className={cx(
            "appear fixed top-3 left-1/2 z-40 flex max-h-[calc(100dvh-24px)] w-[calc(100vw-24px)] -translate-x-1/2 flex-col rounded-xl border border-line2 bg-panel shadow-float outline-none sm:top-[12vh] sm:max-h-[76dvh]",
            width,
          )}
        >
          <header className="flex h-12 shrink-0 items-center justify-between border-b border-line pr-2 pl-4">
            <Radix.Title className="text-base font-semibold">{title}</Radix.Title>
            <Radix.Close asChild>
              <IconButton label={say("Close")}>
                <X size={16} />
              </IconButton>
            </Radix.Close>
          </header>
          <div className="min-h-0 flex-1 overflow-y-auto">{children}</div>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

/** Asks once more before something that cannot be undone. */
export function Confirm({
  title,
  text,
  action,
  open,
  onOpen,
  onConfirm,
}: {
  title: string;
  text: ReactNode;
  action: string;
  open: boolean;
  onOpen: (open: boolean) => void;
  onConfirm: () => void;
}) {
  return (
    <Dialog title={title} open={open} onOpen={onOpen} width="max-w-sm">
      <div className="space-y-4 p-4">
        <p className="text-ink2">{text}</p>
        <div className="flex justify-end gap-2">
          <Button onClick={() => onOpen(false)}>{say("Keep it")}</Button>
          <Button
            kind="danger"
            onClick={() => {
              onOpen(false);
              onConfirm();
            }}
          >
            {action}
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
