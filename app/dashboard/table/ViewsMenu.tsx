"use client";

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Bookmark } from "lucide-react";
import { useState } from "react";
import { say } from "../../../core/language/say.ts";
import { readView, type View, writeView } from "../../../core/runs/view.ts";
import { useMayChange } from "../../account/useRole.ts";
import { Button } from "../../ui/Button.tsx";
import { Dialog } from "../../ui/Dialog.tsx";
import { TextInput } from "../../ui/Field.tsx";
import { Menu } from "../../ui/Menu.tsx";
import { notify } from "../../ui/Notices.tsx";
import { useTRPC } from "../../ui/trpc.ts";

/** Views that were kept under a name, for everybody of the organization. */
export function ViewsMenu({ view, onView }: { view: View; onView: (view: View) => void }) {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const [naming, setNaming] = useState(false);
  const [name, setName] = useState("");
  const mayChange = useMayChange();
  const views = useQuery(trpc.runViews.list.queryOptions());
  const here = writeView(view).toString();
  const known = views.data?.find((one) => one.view === here);
  const refresh = () => void queryClient.invalidateQueries(trpc.runViews.list.queryFilter());
  const failed = (error: { message: string }) => notify(say("The view could not be kept: {message}", { message: error.message }), { tone: "bad" });
  const save = useMutation(trpc.runViews.save.mutationOptions({ onSuccess: refresh, onError: failed }));
  const remove = useMutation(trpc.runViews.delete.mutationOptions({ onSuccess: refresh, onError: failed }));
  return (
    <>
      <Menu
        items={[
          ...(views.data?.map((one) => ({ label: one.name, checked: one.id === known?.id, run: () => onView(readView(new URLSearchParams(one.view))) })) ?? []),
          ...(views.data?.length ? ["rule" as const] : []),
          ...(mayChange ? [{ label: say("Keep this view…"), run: () => setNaming(true) }] : []),
          { label: say("Back to all runs"), run: () => onView(readView(new URLSearchParams())) },
          ...(mayChange && known ? [{ label: say("Delete “{name}”", { name: known.name }), danger: true, run: () => remove.mutate({ viewId: known.id }) }] : []),
        ]}
      >
        <Button>
          <Bookmark size={13} /> <span className="max-w-40 truncate">{known?.name ?? say("Views")}</span>
        </Button>
      </Menu>
      <Dialog title={say("Keep this view")} open={naming} onOpen={setNaming} width="max-w-sm">
        <form
          className="space-y-3 p-4"
          onSubmit={(event) => {
            event.preventDefault();
            if (name.trim() === "") return;
            save.mutate({ name, view: here });
            setNaming(false);
            setName("");
          }}
        >
          <p className="text-ink2">{say("Filters, order, columns and groups are kept under this name for everybody here.")}</p>
          <TextInput aria-label={say("Name of the view")} placeholder={say("Best of this week")} maxLength={120} value={name} onChange={(event) => setName(event.target.value)} />
          {views.data?.some((one) => one.name === name.trim()) && <p className="text-sm text-warn">{say("There is a view of this name: it will be replaced.")}</p>}
          <Button type="submit" kind="primary" className="w-full" disabled={name.trim() === ""}>
            {say("Keep")}
          </Button>
        </form>
      </Dialog>
    </>
  );
}
