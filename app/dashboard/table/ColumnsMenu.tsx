"use client";

import { useQuery } from "@tanstack/react-query";
import { ArrowDown, ArrowUp, Columns3, X } from "lucide-react";
import { useState } from "react";
import { say } from "../../../core/language/say.ts";
import { STATS } from "../../../core/runs/view.ts";
import { Button, IconButton } from "../../ui/Button.tsx";
import { Dialog } from "../../ui/Dialog.tsx";
import { TextInput } from "../../ui/Field.tsx";
import { useTRPC } from "../../ui/trpc.ts";
import { columnTitle } from "./columns.ts";

/** Which columns the table has, and in which order. */
export function ColumnsMenu({ columns, onColumns }: { columns: readonly string[]; onColumns: (columns: string[] | null) => void }) {
  const trpc = useTRPC();
  const [open, setOpen] = useState(false);
  const [search, setSearch] = useState("");
  const { data } = useQuery(trpc.runs.columns.queryOptions(undefined, { enabled: open, staleTime: 30_000 }));
  const groups = [
    { title: say("The run"), ids: ["state", "model", "data", "creator", "created", "took", "epochs", "steps", "tags", "notes", "locked"] },
    { title: say("Metrics"), ids: data?.metrics.flatMap((key) => STATS.map((stat) => `${key}:${stat}`)) ?? [] },
    { title: say("Settings"), ids: data?.settings ?? [] },
  ];
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const move = (index: number, by: number) => {
    const next = [...columns];
    const [moved] = next.splice(index, 1);
    if (moved !== undefined) next.splice(index + by, 0, moved);
    onColumns(next);
  };
  return (
    <>
      <Button onClick={() => setOpen(true)}>
        <Columns3 size={13} /> {say("Columns")}
      </Button>
      <Dialog title={say("Columns")} open={open} onOpen={setOpen} width="max-w-2xl">
        <div className="grid gap-4 p-4 sm:grid-cols-2">
          <section aria-label={say("Shown columns")}>
            <h3 className="section-name pb-1.5">{say("Shown, from left to right")}</h3>
            <ol className="space-y-1">
              {columns.map((id, index) => (
                <li key={id} className="flex h-8 items-center gap-1 rounded-md border border-line bg-raise pr-1 pl-2.5">
                  <span className="min-w-0 flex-1 truncate" title={id}>
                    {columnTitle(id)}
                  </span>
                  <IconButton label={say("Move {id} to the left", { id: columnTitle(id) })} className="size-6" disabled={index === 0} onClick={() => move(index, -1)}>
                    <ArrowUp size={13} />
                  </IconButton>
                  <IconButton
                    label={say("Move {id} to the right", { id: columnTitle(id) })}
                    className="size-6"
                    disabled={index === columns.length - 1}
                    onClick={() => move(index, 1)}
                  >
                    <ArrowDown size={13} />
                  </IconButton>
                  <IconButton label={say("Hide {id}", { id: columnTitle(id) })} className="size-6" onClick={() => onColumns(columns.filter((other) => other !== id))}>
                    <X size={13} />
                  </IconButton>
                </li>
              ))}
            </ol>
            <Button size="sm" className="mt-2" onClick={() => onColumns(null)}>
              {say("Back to the usual ones")}
            </Button>
          </section>
          <section aria-label={say("All columns")} className="min-w-0">
            <TextInput type="search" aria-label={say("Find columns")} placeholder={say("Find a column")} value={search} onChange={(event) => setSearch(event.target.value)} />
            <div className="mt-2 max-h-[46dvh] space-y-3 overflow-y-auto">
              {groups.map(({ title, ids }) => {
                const found = ids.filter((id) => words.every((word) => `${columnTitle(id)} ${id}`.toLowerCase().includes(word)));
                return (
                  found.length > 0 && (
                    <fieldset key={title}>
                      <legend className="section-name pb-1">{title}</legend>
                      {found.map((id) => (
                        <label key={id} className="flex h-7 items-center gap-2 rounded-md px-1 hover:bg-hover">
                          <input
                            type="checkbox"
                            className="accent-accent"
                            checked={columns.includes(id)}
                            disabled={!columns.includes(id) && columns.length >= 60}
                            onChange={(event) => onColumns(event.target.checked ? [...columns, id] : columns.filter((other) => other !== id))}
                          />
                          <span className="min-w-0 flex-1 truncate">{columnTitle(id)}</span>
                        </label>
                      ))}
                    </fieldset>
                  )
                );
              })}
            </div>
          </section>
        </div>
      </Dialog>
    </>
  );
}
