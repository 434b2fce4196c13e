"use client";

import type { ReactNode } from "react";
import { say } from "../../core/language/say.ts";
import { Button, ButtonLink } from "./Button.tsx";
import { cx } from "./cx.ts";
import { isRefusal } from "./trpc.ts";

/** Nothing here yet: says what will stand here and how to get it. */
export function Empty({ title, children, action }: { title: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <div className="flex flex-col items-start gap-2 rounded-xl border border-dashed border-line2 px-5 py-6">
      <p className="font-semibold">{title}</p>
      {children && <p className="max-w-prose text-ink2">{children}</p>}
      {action && <div className="pt-1">{action}</div>}
    </div>
  );
}

/** Something did not come. Says what was wanted, why it failed, and offers to try again where that can help. */
export function Failing({ what, error, onRetry }: { what: string; error: unknown; onRetry?: () => void }) {
  const refused = isRefusal(error);
  return (
    <div role="alert" className="flex flex-col items-start gap-2 rounded-xl border border-bad bg-raise px-5 py-5">
      <p className="font-semibold">{say("{what} could not be loaded.", { what })}</p>
      <p className="max-w-prose text-ink2">{refused && error instanceof Error ? error.message : say("The server did not answer. It may be restarting; your work is kept.")}</p>
      {refused ? (
        <ButtonLink size="sm" href="/">
          {say("All models")}
        </ButtonLink>
      ) : (
        onRetry && (
          <Button size="sm" onClick={onRetry}>
            {say("Try again")}
          </Button>
        )
      )}
    </div>
  );
}

/** The outline of what is being loaded, in its place and size, so that nothing jumps when it comes. */
export function Loading({ label, className }: { label: string; className?: string }) {
  return <div role="status" aria-label={label} className={cx("breathe rounded-lg bg-sunk", className ?? "h-24")} />;
}
