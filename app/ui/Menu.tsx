"use client";

import { ChevronRight } from "lucide-react";
import { ContextMenu as RadixContext, DropdownMenu as RadixDropdown } from "radix-ui";
import type { ReactNode } from "react";
import { cx } from "./cx.ts";

/** One line of a menu, a line that opens more lines, or a rule between groups. */
export type MenuItem = MenuLine | { label: string; items: MenuLine[]; disabled?: boolean } | "rule";
type MenuLine = { label: string; run: () => void; shortcut?: string; disabled?: boolean; danger?: boolean; checked?: boolean };

const surface = "appear z-50 min-w-44 rounded-lg border border-line2 bg-raise p-1 shadow-float";
const row = "flex h-7 cursor-default select-none items-center gap-6 rounded-md px-2 outline-none data-[disabled]:text-ink3 data-[highlighted]:bg-hover";

function Row({ item }: { item: MenuLine }) {
  return (
    <>
      <span className={cx("flex-1", item.danger && !item.disabled && "text-bad")}>{item.label}</span>
      {item.checked && (
        <span aria-hidden className="text-accent">
          ✓
        </span>
      )}
      {item.shortcut && <kbd className="figures text-ink3">{item.shortcut}</kbd>}
    </>
  );
}

/** Opens below `children`, which must be one button. */
export function Menu({ items, children, align = "start" }: { items: MenuItem[]; children: ReactNode; align?: "start" | "end" }) {
  return (
    <RadixDropdown.Root modal={false}>
      <RadixDropdown.Trigger asChild>{children}</RadixDropdown.Trigger>
      <RadixDropdown.Portal>
        <RadixDropdown.Content align={align} sideOffset={4} collisionPadding={8} className={surface}>
          {items.map((item, index) =>
            item === "rule" ? (
              <RadixDropdown.Separator key={index} className="my-1 h-px bg-line" />
            ) : "items" in item ? (
              <RadixDropdown.Group key={item.label}>
                <RadixDropdown.Label className="section-name px-2 pt-1.5 pb-0.5">{item.label}</RadixDropdown.Label>
                {item.items.map((inner) => (
                  <RadixDropdown.Item key={inner.label} disabled={inner.disabled} onSelect={inner.run} className={row}>
                    <Row item={inner} />
                  </RadixDropdown.Item>
                ))}
              </RadixDropdown.Group>
            ) : (
              <RadixDropdown.Item key={item.label} disabled={item.disabled} onSelect={item.run} className={row}>
                <Row item={item} />
              </RadixDropdown.Item>
            ),
          )}
        </RadixDropdown.Content>
      </RadixDropdown.Portal>
    </RadixDropdown.Root>
  );
}

/** Opens where the pointer is, on a right click or a long touch inside `children`. `onOpen` is told before it shows; `items` is asked while it does. */
export function ContextMenu({ items, children, onOpen }: { items: () => MenuItem[]; children: ReactNode; onOpen?: () => void }) {
  return (
    <RadixContext.Root modal={false} onOpenChange={(open) => open && onOpen?.()}>
      <RadixContext.Trigger asChild>{children}</RadixContext.Trigger>
      <RadixContext.Portal>
        {/* The finger that opened it is lifted like a click on what lies below, which then has the focus. */}
        <RadixContext.Content collisionPadding={8} className={surface} onFocusOutside={(event) => event.preventDefault()}>
          <ContextRows of={items} />
        </RadixContext.Content>
      </RadixContext.Portal>
    </RadixContext.Root>
  );
}

/** Only drawn, and so only asked for, while the menu is open. */
function ContextRows({ of }: { of: () => MenuItem[] }) {
  return of().map((item, index) =>
    item === "rule" ? (
      <RadixContext.Separator key={index} className="my-1 h-px bg-line" />
    ) : "items" in item ? (
      <RadixContext.Sub key={item.label}>
        <RadixContext.SubTrigger disabled={item.disabled} className={row}>
          <span className="flex-1">{item.label}</span>
          <ChevronRight size={12} aria-hidden className="text-ink3" />
        </RadixContext.SubTrigger>
        <RadixContext.Portal>
          <RadixContext.SubContent collisionPadding={8} sideOffset={2} className={surface}>
            {item.items.map((inner) => (
              <RadixContext.Item key={inner.label} disabled={inner.disabled} onSelect={inner.run} className={row}>
                <Row item={inner} />
              </RadixContext.Item>
            ))}
          </RadixContext.SubContent>
        </RadixContext.Portal>
      </RadixContext.Sub>
    ) : (
      <RadixContext.Item key={item.label} disabled={item.disabled} onSelect={item.run} className={row}>
        <Row item={item} />
      </RadixContext.Item>
    ),
  );
}
