"use client";

import { Tabs as Radix } from "radix-ui";
import type { ReactNode } from "react";
import { cx } from "./cx.ts";

/** Panels of one place, one shown at a time, with an underlined name each. */
export function Tabs({
  label,
  tabs,
  value,
  onValue,
  className,
  end,
}: {
  label: string;
  tabs: { id: string; title: ReactNode; content: ReactNode }[];
  value: string;
  onValue: (id: string) => void;
  className?: string;
  /** Stands at the end of the row of names. */
  end?: ReactNode;
}) {
  return (
    <Radix.Root value={value} onValueChange={onValue} className={cx("flex min-h-0 flex-col", className)}>
      <div className="flex shrink-0 items-center border-b border-line px-3.5">
        <Radix.List aria-label={label} className="-mx-1.5 flex min-w-0 flex-1 gap-1 overflow-x-auto">
          {tabs.map((tab) => (
            <Radix.Trigger
              key={tab.id}
              value={tab.id}
              className="-mb-px h-10 shrink-0 truncate border-b-2 px-1.5 border-transparent text-ink2 -outline-offset-2 hover:text-ink data-[state=active]:border-accent data-[state=active]:font-semibold data-[state=active]:text-ink"
            >
              {tab.title}
            </Radix.Trigger>
          ))}
        </Radix.List>
        {end}
      </div>
      {tabs.map((tab) => (
        <Radix.Content key={tab.id} value={tab.id} tabIndex={-1} className="min-h-0 flex-1 overflow-y-auto outline-none">
          {tab.content}
        </Radix.Content>
      ))}
    </Radix.Root>
  );
}
