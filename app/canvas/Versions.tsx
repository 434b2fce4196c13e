"use client";

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { printDate } from "../../core/language/numbers.ts";
import { say } from "../../core/language/say.ts";
import { useMayChange } from "../account/useRole.ts";
import { Button } from "../ui/Button.tsx";
import { Dialog } from "../ui/Dialog.tsx";
import { TextInput } from "../ui/Field.tsx";
import { notify } from "../ui/Notices.tsx";
import { Failing } from "../ui/States.tsx";
import { useTRPC, useTRPCClient } from "../ui/trpc.ts";
import { saveNow } from "./useAutosave.ts";
import { edit } from "./useGraph.ts";
import { useStudio } from "./useStudio.ts";

const day = (iso: string) => printDate(new Date(iso), { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });

/** What the model can go back to: versions with names, and those that runs froze. Each can be compared with the drawing, and restored as one step. */
export default function Versions({ modelId }: { modelId: string }) {
  const open = useStudio((s) => s.versionsShown);
  const trpc = useTRPC();
  const client = useTRPCClient();
  const queryClient = useQueryClient();
  const mayChange = useMayChange();
  const [name, setName] = useState("");
  const versions = useQuery(trpc.models.versions.queryOptions({ modelId }, { enabled: open }));
  const refresh = () => queryClient.invalidateQueries(trpc.models.versions.queryFilter({ modelId }));
  const failed = (error: { message: string }) => notify(error.message, { tone: "bad" });
  const forget = useMutation(trpc.models.forgetVersion.mutationOptions({ onSuccess: refresh, onError: failed }));
  const keep = useMutation({
    async mutationFn(wanted: string) {
      if (!(await saveNow())) throw new Error(say("The drawing is not saved yet; try again in a moment."));
      return client.models.nameVersion.mutate({ modelId, name: wanted });
    },
    async onSuccess() {
      setName("");
      await refresh();
    },
    onError: failed,
  });
  const show = (shown: boolean) => useStudio.setState({ versionsShown: shown });
  const read = (versionId: string) => client.models.version.query({ modelId, versionId });
  async function compare(versionId: string, title: string): Promise<void> {
    try {
      const { graph } = await read(versionId);
      useStudio.setState({ compare: { title, graph } });
      show(false);
    } catch (error) {
      failed(error as Error);
    }
  }
  async function restore(versionId: string, title: string): Promise<void> {
    try {
      const { graph } = await read(versionId);
      edit(() => graph);
      useStudio.setState({ compare: null });
      show(false);
      notify(say("{title} is back on the canvas. Undo brings back what was there.", { title }));
    } catch (error) {
      failed(error as Error);
    }
  }
  const row = (key: string, versionId: string, title: string, about: string, end?: React.ReactNode) => (
    <li key={key} className="flex flex-wrap items-center gap-x-3 gap-y-1 border-t border-line py-2 first:border-t-0">
      <span className="min-w-32 flex-1">
        <span className="block truncate font-semibold">{title}</span>
        <span className="text-ink2">{about}</span>
      </span>
      <Button size="sm" aria-label={say("Compare with {title}", { title })} onClick={() => void compare(versionId, title)}>
        {say("Compare")}
      </Button>
      {mayChange && (
        <Button size="sm" aria-label={say("Restore {title}", { title })} onClick={() => void restore(versionId, title)}>
          {say("Restore")}
        </Button>
      )}
      {mayChange && end}
    </li>
  );
  return (
    <Dialog title={say("Versions")} open={open} onOpen={show}>
      <form
        className={mayChange ? "flex gap-2 border-b border-line p-4" : "hidden"}
        onSubmit={(event) => {
          event.preventDefault();
          if (name.trim() !== "") keep.mutate(name.trim());
        }}
      >
        <TextInput
          aria-label={say("Name of this version")}
          placeholder={say("Name of this version")}
          maxLength={120}
          className="flex-1"
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
        <Button kind="primary" type="submit" aria-disabled={name.trim() === "" || keep.isPending}>
          {say("Keep")}
        </Button>
      </form>
      <div className="p-4">
        {versions.isError && <Failing what={say("The versions")} error={versions.error} onRetry={() => void versions.refetch()} />}
        {versions.data && versions.data.named.length + versions.data.frozen.length === 0 && (
          <p className="text-ink2">
            {say("No version yet.")} {mayChange && say("Give the drawing a name to come back to it; every run keeps its own, too.")}
          </p>
        )}
        <ul>
          {versions.data?.named.map(({ id, versionId, name: title, byName, createdAt }) =>
            row(
              id,
              versionId,
              title,
              `${byName}, ${day(createdAt)}`,
              <Button size="sm" aria-label={say("Let go of {title}", { title })} onClick={() => forget.mutate({ modelId, namedId: id })}>
                {say("Let go")}
              </Button>,
            ),
          )}
          {versions.data?.frozen.map(({ id, number, runs, createdAt }) =>
            row(id, id, say("Version {number}", { number }), `${runs.map((run) => say("run {number}", { number: run.number })).join(", ")}, ${day(createdAt)}`),
          )}
        </ul>
      </div>
    </Dialog>
  );
}
