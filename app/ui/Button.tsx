import Link from "next/link";
import type { ComponentProps, ReactNode } from "react";
import { cx } from "./cx.ts";

type Look = {
  /** `primary` is the one next thing to do on a page. `plain` has a border, `quiet` none. */
  kind?: "primary" | "plain" | "quiet" | "danger";
  size?: "sm" | "md";
  /** A key to press instead, drawn small at the end. */
  shortcut?: string;
};

function look({ kind = "plain", size = "md" }: Look, className?: string): string {
  return cx(
    "inline-flex shrink-0 select-none items-center justify-center gap-1.5 rounded-md border font-medium whitespace-nowrap transition-colors duration-100",
    "disabled:cursor-not-allowed aria-disabled:cursor-not-allowed",
    size === "sm" ? "h-6 px-2 text-sm" : "h-7 px-3",
    kind === "primary" && "border-transparent bg-accent text-on-accent hover:bg-accent-strong disabled:bg-line2 disabled:text-ink2 aria-disabled:bg-line2 aria-disabled:text-ink2",
    kind === "plain" && "border-line2 bg-raise text-ink hover:bg-sunk disabled:text-ink3 disabled:hover:bg-raise",
    kind === "quiet" && "border-transparent text-ink2 hover:bg-hover hover:text-ink disabled:text-ink3 disabled:hover:bg-transparent",
    kind === "danger" && "border-line2 bg-raise text-bad hover:border-bad hover:bg-bad-soft disabled:text-ink3",
    className,
  );
}

function Content({ shortcut, children }: { shortcut?: string; children: ReactNode }) {
  return (
    <>
      {children}
      {shortcut && (
        <kbd aria-hidden className="figures opacity-85 max-sm:hidden">
          {shortcut}
        </kbd>
      )}
    </>
  );
}

export function Button({ kind, size, shortcut, className, children, ...rest }: Look & ComponentProps<"button">) {
  return (
    <button type="button" className={look({ kind, size }, className)} {...rest}>
      <Content shortcut={shortcut}>{children}</Content>
    </button>
  );
}

/** A link that looks like a button: it goes somewhere, and can be opened in a new tab. */
export function ButtonLink({ kind, size, shortcut, className, children, ...rest }: Look & ComponentProps<typeof Link>) {
  return (
    <Link className={look({ kind, size }, className)} {...rest}>
      <Content shortcut={shortcut}>{children}</Content>
    </Link>
  );
}

/** A square button with only a drawing; `label` is its name for everybody who cannot see it. */
export function IconButton({ label, className, children, ...rest }: { label: string } & ComponentProps<"button">) {
  return (
    <button
      type="button"
      aria-label={label}
      className={cx(
        "inline-flex size-7 shrink-0 items-center justify-center rounded-md text-ink2 transition-colors duration-100 hover:bg-hover hover:text-ink aria-pressed:bg-accent-soft aria-pressed:text-accent disabled:cursor-not-allowed disabled:text-ink3 disabled:opacity-60 disabled:hover:bg-transparent",
        className,
      )}
      {...rest}
    >
      {children}
    </button>
  );
}
