"use client";

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { printDate } from "../../core/language/numbers.ts";
import { say } from "../../core/language/say.ts";
import { ShownOnce } from "../organization/ShownOnce.tsx";
import { Button } from "../ui/Button.tsx";
import { Dialog } from "../ui/Dialog.tsx";
import { Field, Select, Switch } from "../ui/Field.tsx";
import { formatAgo } from "../ui/format.ts";
import { notify } from "../ui/Notices.tsx";
import { type Questions, useTRPC } from "../ui/trpc.ts";

type What = Questions["shares"]["create"]["what"];

/** Makes links to one thing, and lists and revokes those there are. `charts` are curves that can be shared alone. */
export default function ShareDialog({
  of,
  charts = [],
  open,
  onOpen,
}: {
  of: { modelId: string } | { runId: string };
  charts?: readonly string[];
  open: boolean;
  onOpen: (open: boolean) => void;
}) {
  const trpc = useTRPC();
  const queries = useQueryClient();
  const [what, setWhat] = useState("all");
  const [mayFork, setMayFork] = useState(false);
  const [days, setDays] = useState("30");
  const links = useQuery(trpc.shares.list.queryOptions(of, { enabled: open }));
  const refresh = () => void queries.invalidateQueries({ queryKey: trpc.shares.list.queryKey(of) });
  const fail = (error: { message: string }) => notify(error.message, { tone: "bad" });
  const create = useMutation(trpc.shares.create.mutationOptions({ onSuccess: refresh, onError: fail }));
  const revoke = useMutation(trpc.shares.revoke.mutationOptions({ onSuccess: refresh, onError: fail }));
  const shared: What =
    "modelId" in of
      ? { kind: "model", ...of }
      : what === "all"
        ? { kind: "run", ...of }
        : { kind: "chart", ...of, keys: charts.filter((key) => key.slice(key.indexOf("/") + 1) === what) };
  return (
    <Dialog title={say("Share by link")} open={open} onOpen={onOpen} width="max-w-md">
      <div className="space-y-3 py-4">
        <form
          className="px-4"
          onSubmit={(event) => {
            event.preventDefault();
            create.mutate({ what: shared, mayFork: shared.kind !== "chart" && mayFork, days: days === "" ? null : Number(days) });
          }}
        >
          <p className="mb-2 text-ink2">
            {"modelId" in of
              ? say("Whoever holds the link sees the drawing as it is, without signing in. Data, weights and people's names are not shown.")
              : say("Whoever holds the link sees the figures and curves, without signing in. Data, weights and people's names are not shown.")}
          </p>
          {charts.length > 0 && (
            <Field label={say("What")}>
              {(ids) => (
                <Select {...ids} value={what} onChange={(event) => setWhat(event.target.value)}>
                  <option value="all">{say("The whole run")}</option>
                  {[...new Set(charts.map((key) => key.slice(key.indexOf("/") + 1)))].map((name) => (
                    <option key={name} value={name}>
                      {say("Only the chart of {name}", { name })}
                    </option>
                  ))}
                </Select>
              )}
            </Field>
          )}
          {shared.kind !== "chart" && <Field label={say("Let people take a copy")}>{(ids) => <Switch {...ids} checked={mayFork} onChecked={setMayFork} />}</Field>}
          <Field label={say("Ends after")}>
            {(ids) => (
              <Select {...ids} value={days} onChange={(event) => setDays(event.target.value)}>
                <option value="1">{say("1 day")}</option>
                <option value="30">{say("30 days")}</option>
                <option value="365">{say("a year")}</option>
                <option value="">{say("never")}</option>
              </Select>
            )}
          </Field>
          <Button type="submit" kind="primary" className="mt-2" disabled={create.isPending}>
            {say("Make a link")}
          </Button>
        </form>
        {create.data && <ShownOnce label={say("Link")} text={create.data.url} words={say("The link is shown only now.")} onClose={() => create.reset()} />}
        {links.data && links.data.length > 0 && (
          <ul aria-label={say("Links")} className="px-4">
            {links.data.map((link) => (
              <li key={link.id} className="flex min-h-9 items-center gap-3 border-t border-line py-1">
                <span className="min-w-0 flex-1 truncate">
                  {link.kind === "chart" ? link.keys.join(", ") : link.mayFork ? say("To look and copy") : say("To look")}
                  <span className="text-ink2">
                    {" "}
                    ·{" "}
                    {say("made {createdAt}{over}", {
                      createdAt: formatAgo(link.createdAt),
                      over: link.isOver
                        ? say(" · over")
                        : link.expiresAt
                          ? say(" · until {day}", { day: printDate(new Date(link.expiresAt), { day: "numeric", month: "short" }) })
                          : "",
                    })}
                  </span>
                </span>
                <Button size="sm" kind="danger" disabled={revoke.isPending} onClick={() => revoke.mutate({ linkId: link.id })}>
                  {say("Revoke")}
                </Button>
              </li>
            ))}
          </ul>
        )}
      </div>
    </Dialog>
  );
}
