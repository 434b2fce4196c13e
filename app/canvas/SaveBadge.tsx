"use client";

import { say } from "../../core/language/say.ts";
import { Badge } from "../ui/Badge.tsx";
import { Tip } from "../ui/Tip.tsx";
import { saveNow } from "./useAutosave.ts";
import { useStudio } from "./useStudio.ts";

/** Whether the work is safe, in a word. */
export function SaveBadge() {
  const save = useStudio((s) => s.save);
  const revision = useStudio((s) => s.revision);
  return (
    <span role="status" aria-label={say("Save state")} className="shrink-0">
      {save.kind === "failed" ? (
        <Tip text={say("{message} Your work is kept in this browser until it can be saved.", { message: save.message })}>
          <button type="button" onClick={() => void saveNow()}>
            <Badge tone="bad">{say("not saved, trying again")}</Badge>
          </button>
        </Tip>
      ) : (
        <button type="button" title={say("Versions")} className="rounded-full hover:bg-hover" onClick={() => useStudio.setState({ versionsShown: true })}>
          <Badge>
            <span className="max-lg:hidden">{say("v{revision}", { revision })} · </span>
            {save.kind === "saved" ? say("saved") : save.kind === "saving" ? say("saving") : say("unsaved")}
          </Badge>
        </button>
      )}
    </span>
  );
}
