"use client";

import { Badge } from "../ui/Badge.tsx";
import { Tip } from "../ui/Tip.tsx";
import { saveNow } from "./useAutosave.ts";
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
      ) : (
        <button type="button" title="Versions" className="rounded-full hover:bg-hover" onClick={() => useStudio.setState({ versionsShown: true })}>
          <Badge>
            <span className="max-lg:hidden">v{revision} · </span>
            {save.kind === "saved" ? "saved" : save.kind === "saving" ? "saving" : "unsaved"}
          </Badge>
        </button>
      )}
    </span>
  );
}
