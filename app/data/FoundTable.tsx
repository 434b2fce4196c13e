import type { ReactNode } from "react";
import { cx } from "../ui/cx.ts";

/**
 * What was found in a file, part by part, each with what it is taken for. On a phone the rows are blocks of two columns, so that no choice lies
 * out of sight; what is marked `wide` takes a line of its own there.
 */
export function FoundTable({ label, titles, children }: { label: string; titles: readonly string[]; children: ReactNode }) {
  return (
    <div className="overflow-auto rounded-lg border border-line sm:max-h-[38dvh]">
      <table aria-label={label} className="w-full border-collapse text-left max-sm:block">
        <thead className="max-sm:sr-only">
          <tr>
            {titles.map((title) => (
              <th key={title} scope="col" className="section-name sticky top-0 z-10 bg-panel px-3 py-1.5">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody className="max-sm:block">{children}</tbody>
      </table>
    </div>
  );
}

/** A part of what was found; `chosen` where it is what is predicted, or used at all. */
export function FoundRow({ chosen = false, children }: { chosen?: boolean; children: ReactNode }) {
  return (
    <tr
      className={cx(
        "border-t border-line align-top max-sm:grid max-sm:grid-cols-[minmax(0,2fr)_minmax(0,3fr)] max-sm:items-start max-sm:py-1 max-sm:first:border-t-0",
        chosen && "bg-accent-soft",
      )}
    >
      {children}
    </tr>
  );
}

/** How a cell stands in such a row. */
export const found = {
  name: "px-3 py-1.5 font-medium sm:max-w-44",
  choice: "px-3 py-1.5",
  wide: "px-3 py-1.5 max-sm:col-span-2 max-sm:py-0.5 max-sm:empty:hidden",
};
