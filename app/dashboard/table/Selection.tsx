"use client";

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useRouter } from "next/navigation";
import { useState } from "react";
import { say } from "../../../core/language/say.ts";
import { useMayChange } from "../../account/useRole.ts";
import { Button } from "../../ui/Button.tsx";
import { Confirm } from "../../ui/Dialog.tsx";
import { TextInput } from "../../ui/Field.tsx";
import { formatCount } from "../../ui/format.ts";
import { Menu } from "../../ui/Menu.tsx";
import { notify } from "../../ui/Notices.tsx";
import { Popover } from "../../ui/Popover.tsx";
import { type Questions, useTRPC } from "../../ui/trpc.ts";

/** As many runs as can be looked at side by side. */
const MOST_COMPARED = 200;
const MOST_AT_ONCE = 1000;

type Action = Questions["runs"]["organize"]["action"];

/** Does one thing to many runs, says what came of it, and offers the way back where there is one. */
export function useOrganize() {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const refresh = () => {
    for (const filter of [trpc.runs.list.pathFilter(), trpc.runs.count.pathFilter(), trpc.runs.groups.pathFilter(), trpc.runs.tags.pathFilter(), trpc.runs.get.pathFilter()])
      void queryClient.invalidateQueries(filter);
  };
  const organize = useMutation(
    trpc.runs.organize.mutationOptions({
      onSuccess: ({ changed, refused }, { action, runIds }) => {
        refresh();
        const [first, ...others] = refused;
        const done = say("{count} {n, plural, one {run} other {runs}}", { count: formatCount(changed), n: changed });
        const words: { [kind in Action["kind"]]: string } = {
          trash: say("{done} moved to the trash", { done }),
          restore: say("{done} restored", { done }),
          delete: say("{done} deleted for good", { done }),
          cancel: say("{done} cancelled", { done }),
          move: changed === 0 ? say("They are in that project already") : say("{done} moved; a run gets a new number in its new place", { done }),
          lock: action.kind === "lock" && action.locked ? say("{done} locked", { done }) : say("{done} unlocked", { done }),
          tag: say("{done} tagged", { done }),
        };
        const refusal = first
          ? others.length > 0
            ? say(" Run {number} stayed as it was: {reason} And so did {count} more.", { number: first.number, reason: first.reason, count: others.length })
            : say(" Run {number} stayed as it was: {reason}", { number: first.number, reason: first.reason })
          : "";
        const undone = new Set(refused.map(({ runId }) => runId));
        const back = runIds.filter((id) => !undone.has(id));
        notify(`${words[action.kind]}.${refusal}`, {
          ...(first ? { tone: "bad" as const } : {}),
          ...(action.kind === "trash" && changed > 0 ? { action: { label: say("Undo"), run: () => organize.mutate({ runIds: back, action: { kind: "restore" } }) } } : {}),
        });
      },
      onError: (error) => notify(say("That could not be done: {message}", { message: error.message }), { tone: "bad" }),
    }),
  );
  return organize;
}

/** What can be done with the runs that are ticked. */
export function Selection({ ids, trash, onClear }: { ids: readonly string[]; trash: boolean; onClear: () => void }) {
  const router = useRouter();
  const organize = useOrganize();
  const mayChange = useMayChange();
  const [confirming, setConfirming] = useState(false);
  const act = (action: Action) => organize.mutate({ runIds: ids.slice(0, MOST_AT_ONCE), action }, { onSuccess: () => action.kind !== "tag" && onClear() });
  const busy = organize.isPending;
  return (
    <section
      aria-label={say("Ticked runs")}
      data-foot
      className="appear fixed inset-x-3 bottom-3 z-20 mx-auto flex w-fit max-w-full flex-wrap items-center gap-2 rounded-xl border border-line2 bg-raise p-2 pl-3.5 shadow-float"
    >
      <p className="pr-1 tabular-nums">
        {say("{count} ticked", { count: formatCount(ids.length) })}
        {ids.length > MOST_AT_ONCE && say(", the first {MOST_AT_ONCE} are changed", { MOST_AT_ONCE: formatCount(MOST_AT_ONCE) })}
      </p>
      {trash ? (
        mayChange && (
          <>
            <Button kind="primary" disabled={busy} onClick={() => act({ kind: "restore" })}>
              {say("Restore")}
            </Button>
            <Button kind="danger" disabled={busy} onClick={() => setConfirming(true)}>
              {say("Delete for good")}
            </Button>
          </>
        )
      ) : (
        <>
          <Button
            kind="primary"
            disabled={ids.length < 2 || ids.length > MOST_COMPARED}
            title={ids.length > MOST_COMPARED ? say("At most {MOST_COMPARED} runs are compared at once.", { MOST_COMPARED }) : undefined}
            onClick={() => router.push(`/runs/compare?runs=${ids.join()}`)}
          >
            {say("Compare")}
          </Button>
          {mayChange && (
            <>
              <TagButton disabled={busy} onTag={(add, remove) => act({ kind: "tag", add, remove })} />
              <Button disabled={busy} onClick={() => act({ kind: "trash" })}>
                {say("Move to trash")}
              </Button>
              <MoveButton disabled={busy} onMove={(projectId) => act({ kind: "move", projectId })} />
              <Menu
                align="end"
                items={[
                  { label: say("Lock, so that none is deleted"), run: () => act({ kind: "lock", locked: true }) },
                  { label: say("Unlock"), run: () => act({ kind: "lock", locked: false }) },
                  "rule",
                  { label: say("Cancel those that go on"), danger: true, run: () => act({ kind: "cancel" }) },
                ]}
              >
                <Button disabled={busy}>{say("More")}</Button>
              </Menu>
            </>
          )}
        </>
      )}
      <Button kind="quiet" onClick={onClear}>
        {say("Clear")}
      </Button>
      <Confirm
        title={say("Delete {count} {n, plural, one {run} other {runs}} for good?", { count: formatCount(ids.length), n: ids.length })}
        text={say("Their metrics, logs, checkpoints and exports go with them. This cannot be undone.")}
        action={say("Delete for good")}
        open={confirming}
        onOpen={setConfirming}
        onConfirm={() => act({ kind: "delete" })}
      />
    </section>
  );
}

function MoveButton({ disabled, onMove }: { disabled: boolean; onMove: (projectId: string) => void }) {
  const trpc = useTRPC();
  const [open, setOpen] = useState(false);
  const projects = useQuery(trpc.projects.list.queryOptions(undefined, { enabled: open }));
  return (
    <Popover label={say("Move the runs to a project")} open={open} onOpen={setOpen} className="w-64" trigger={<Button disabled={disabled}>{say("Move")}</Button>}>
      <p className="pb-2 text-ink2">{say("Each goes to the model of its own name there; where there is none, a copy is made.")}</p>
      {projects.error ? (
        <p className="text-bad">{say("The projects could not be loaded.")}</p>
      ) : (
        <ul aria-label={say("Projects")} className="max-h-56 overflow-y-auto">
          {projects.data?.map(({ id, name }) => (
            <li key={id}>
              <button
                type="button"
                className="h-7 w-full truncate rounded-md px-2 text-left hover:bg-hover"
                title={name}
                onClick={() => {
                  setOpen(false);
                  onMove(id);
                }}
              >
                {name}
              </button>
            </li>
          ))}
        </ul>
      )}
    </Popover>
  );
}

function TagButton({ disabled, onTag }: { disabled: boolean; onTag: (add: string[], remove: string[]) => void }) {
  const trpc = useTRPC();
  const [open, setOpen] = useState(false);
  const [text, setText] = useState("");
  const tags = useQuery(trpc.runs.tags.queryOptions(undefined, { enabled: open }));
  const tag = text.trim().slice(0, 40);
  const done = (add: string[], remove: string[]) => {
    onTag(add, remove);
    setText("");
    setOpen(false);
  };
  return (
    <Popover label={say("Tag the runs")} open={open} onOpen={setOpen} className="w-60" trigger={<Button disabled={disabled}>{say("Tag")}</Button>}>
      <form
        className="space-y-2"
        onSubmit={(event) => {
          event.preventDefault();
          if (tag !== "") done([tag], []);
        }}
      >
        <TextInput aria-label={say("Tag")} placeholder={say("A tag")} maxLength={40} autoFocus value={text} onChange={(event) => setText(event.target.value)} />
        <div className="flex gap-2">
          <Button type="submit" kind="primary" className="flex-1" disabled={tag === ""}>
            {say("Add")}
          </Button>
          <Button className="flex-1" disabled={tag === ""} onClick={() => done([], [tag])}>
            {say("Take away")}
          </Button>
        </div>
        {tags.data && tags.data.length > 0 && (
          <ul aria-label={say("Tags in use")} className="flex flex-wrap gap-1 pt-1">
            {tags.data.slice(0, 20).map((known) => (
              <li key={known.tag}>
                <button type="button" className="h-5 rounded-full border border-line2 px-2 text-xs text-ink2 hover:border-ink3 hover:text-ink" onClick={() => setText(known.tag)}>
                  {known.tag}
                </button>
              </li>
            ))}
          </ul>
        )}
      </form>
    </Popover>
  );
}
