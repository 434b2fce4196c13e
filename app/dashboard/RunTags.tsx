"use client";

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Lock, Plus, X } from "lucide-react";
import { useState } from "react";
import { say } from "../../core/language/say.ts";
import { useMayChange } from "../account/useRole.ts";
import { cx } from "../ui/cx.ts";
import { TextArea, TextInput } from "../ui/Field.tsx";
import { notify } from "../ui/Notices.tsx";
import { Popover } from "../ui/Popover.tsx";
import { useTRPC } from "../ui/trpc.ts";
import type { Run } from "./run.ts";
import { useOrganize } from "./table/Selection.tsx";

/** What people say of a run: tags, notes, and that it must not be deleted. */
export function RunTags({ run }: { run: Run }) {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const organize = useOrganize();
  const mayChange = useMayChange();
  const [tag, setTag] = useState("");
  const [open, setOpen] = useState(false);
  const [notes, setNotes] = useState<string | null>(null);
  const save = useMutation(
    trpc.runs.setNotes.mutationOptions({
      onSuccess: () => void queryClient.invalidateQueries({ queryKey: trpc.runs.get.queryKey({ runId: run.id }) }),
      onError: (error) => notify(say("The notes could not be kept: {message}", { message: error.message }), { tone: "bad" }),
    }),
  );
  const change = (add: string[], remove: string[]) => organize.mutate({ runIds: [run.id], action: { kind: "tag", add, remove } });
  const written = notes ?? run.notes;
  return (
    <section aria-label={say("Tags and notes")} className="flex flex-wrap items-center gap-1.5">
      {run.locked && (
        <span className="inline-flex h-5 items-center gap-1 rounded-full border border-line2 px-2 text-xs text-ink2" title={say("A locked run is not deleted.")}>
          <Lock size={11} aria-hidden /> {say("Locked")}
        </span>
      )}
      {run.tags.map((known) => (
        <span key={known} className="inline-flex h-5 max-w-48 items-center gap-1 rounded-full border border-line2 pr-0.5 pl-2 text-xs text-ink2">
          <span className={cx("truncate", !mayChange && "pr-1.5")}>{known}</span>
          <button
            type="button"
            hidden={!mayChange}
            aria-label={say("Take away the tag {known}", { known })}
            className="grid size-4 place-items-center rounded-full hover:bg-hover hover:text-ink"
            onClick={() => change([], [known])}
          >
            <X size={10} />
          </button>
        </span>
      ))}
      {!mayChange && run.notes && <p className="max-w-prose text-sm whitespace-pre-line text-ink2">{run.notes}</p>}
      {mayChange && (
        <Popover
          label={say("Tag and notes")}
          open={open}
          onOpen={(next) => {
            setOpen(next);
            if (!next && notes !== null && notes !== run.notes) save.mutate({ runId: run.id, notes });
            if (!next) setNotes(null);
          }}
          className="w-80 space-y-2.5"
          trigger={
            <button
              type="button"
              className="inline-flex h-5 max-w-[min(24rem,100%)] items-center gap-1 rounded-full border border-dashed border-line2 px-2 text-xs text-ink2 hover:border-ink3 hover:text-ink"
            >
              <Plus size={11} aria-hidden className="shrink-0" /> <span className="truncate">{run.notes ? run.notes.split("\n")[0] : say("Tag or note")}</span>
            </button>
          }
        >
          <form
            onSubmit={(event) => {
              event.preventDefault();
              if (tag.trim() !== "") change([tag.trim()], []);
              setTag("");
            }}
          >
            <TextInput aria-label={say("New tag")} placeholder={say("A tag, then Enter")} maxLength={40} value={tag} onChange={(event) => setTag(event.target.value)} />
          </form>
          <TextArea
            aria-label={say("Notes")}
            placeholder={say("Notes: what was tried here, and what came of it")}
            maxLength={10_000}
            value={written}
            onChange={(event) => setNotes(event.target.value)}
          />
          <p className="text-sm text-ink2">{say("Notes are kept when this closes.")}</p>
        </Popover>
      )}
    </section>
  );
}
