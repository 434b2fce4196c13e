"use client";

import { Badge } from "../ui/Badge.tsx";
import { Button } from "../ui/Button.tsx";
import { Tip } from "../ui/Tip.tsx";
import { resolveConflict, saveNow } from "./useAutosave.ts";
import { useStudio } from "./useStudio.ts";

/** Whether the work is safe, in a word. */
export function SaveBadge() {
  const save = useStudio((s) => s.save);
  const revision = useStudio((s) => s.revision);
  return (
    <span role="status" aria-label="Save state" className="shrink-0">
      {save.kind === "failed" ? (
        <Tip text={`${save.message} Your work is kept in this browser until it can be saved.`}>
          <button type="button" onClick={() => void saveNow()}>
            <Badge tone="bad">not saved, trying again</Badge>
          </button>
        </Tip>
      ) : save.kind === "conflict" ? (
        <Badge tone="warn">changed elsewhere</Badge>
      ) : (
        <Badge>
          <span className="max-lg:hidden">v{revision} · </span>
          {save.kind === "saved" ? "saved" : save.kind === "saving" ? "saving" : "unsaved"}
        </Badge>
      )}
    </span>
  );
}

/** Asks which version stays when two were edited at once. Neither answer loses work that cannot be brought back. */
export function ConflictBar() {
  const save = useStudio((s) => s.save);
  if (save.kind !== "conflict") return null;
  return (
    <div role="alert" className="flex flex-wrap items-center gap-x-4 gap-y-2 border-b border-line bg-warn-soft px-3.5 py-2">
      <p className="min-w-0 flex-1">
        <b className="font-semibold">This model was changed elsewhere</b>, in another tab or by somebody else. Your drawing is kept here until you choose.
      </p>
      <Button size="sm" onClick={() => resolveConflict("theirs")}>
        Take their version
      </Button>
      <Button size="sm" onClick={() => resolveConflict("mine")}>
        Keep mine
      </Button>
    </div>
  );
}
