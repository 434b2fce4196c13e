"use client";

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { say } from "../../core/language/say.ts";
import { useMayChange } from "../account/useRole.ts";
import { notify } from "../ui/Notices.tsx";
import { useTRPC } from "../ui/trpc.ts";
import { useStudio } from "./useStudio.ts";

/** The model's name; a click lets one change it. */
export function ModelName({ modelId }: { modelId: string }) {
  const name = useStudio((s) => s.name);
  const [editing, setEditing] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (editing) field.current?.select();
  }, [editing]);
  const mayChange = useMayChange();
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const rename = useMutation(
    trpc.models.rename.mutationOptions({
      onSuccess: () => Promise.all([queryClient.invalidateQueries(trpc.projects.list.queryFilter()), queryClient.invalidateQueries(trpc.models.record.queryFilter({ modelId }))]),
      onError: (error) => notify(say("The name was not kept. {message}", { message: error.message }), { tone: "bad" }),
    }),
  );
  function done(value: string): void {
    setEditing(false);
    const wanted = value.trim();
    if (wanted === "" || wanted === name) return;
    useStudio.setState({ name: wanted });
    rename.mutate({ modelId, name: wanted });
  }
  if (!mayChange) return <span className="truncate font-semibold">{name}</span>;
  if (!editing) {
    return (
      <button type="button" title={say("Rename")} className="max-w-full truncate rounded-sm font-semibold hover:bg-hover" onClick={() => setEditing(true)}>
        {name}
      </button>
    );
  }
  return (
    <input
      ref={field}
      aria-label={say("Model name")}
      defaultValue={name}
      maxLength={120}
      className="w-56 max-w-full rounded-sm border border-accent bg-raise px-1 font-semibold outline-none"
      onBlur={(event) => done(event.target.value)}
      onKeyDown={(event) => {
        if (event.key === "Enter") done(event.currentTarget.value);
        if (event.key === "Escape") setEditing(false);
      }}
    />
  );
}
