import type { ReactNode } from "react";
import { cx } from "./cx.ts";

/** A bordered area of a page with a name. Panels are never put into panels. */
export function Panel({ title, end, className, children }: { title?: ReactNode; end?: ReactNode; className?: string; children: ReactNode }) {
  return (
    <section className={cx("min-w-0 rounded-xl border border-line bg-raise", className)}>
      {title !== undefined && (
        <header className="flex items-center justify-between gap-3 px-3.5 pt-2.5 pb-1">
          <h2 className="font-semibold">{title}</h2>
          {end && <div className="text-ink2">{end}</div>}
        </header>
      )}
      {children}
    </section>
  );
}

/** A name and a figure on one line, as in `Parameters  81,610`. `plain` sets it in the text's face. */
export function Line({ name, children, plain }: { name: ReactNode; children: ReactNode; plain?: boolean }) {
  return (
    <div className="flex items-baseline justify-between gap-3 py-[2px]">
      <dt className="text-ink2">{name}</dt>
      <dd className={cx("min-w-0 truncate text-right", plain ? "tabular-nums" : "figures")}>{children}</dd>
    </div>
  );
}
