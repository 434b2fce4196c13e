"use client";

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { printFixed } from "../../core/language/numbers.ts";
import { sayRole } from "../../core/language/roles.ts";
import { say } from "../../core/language/say.ts";
import { LabelledInput } from "../account/Door.tsx";
import { ShownOnce } from "../organization/ShownOnce.tsx";
import { Badge } from "../ui/Badge.tsx";
import { Button } from "../ui/Button.tsx";
import { Dialog } from "../ui/Dialog.tsx";
import { TextInput } from "../ui/Field.tsx";
import { formatAgo, formatBytes, formatDuration } from "../ui/format.ts";
import { notify } from "../ui/Notices.tsx";
import { Line, Panel } from "../ui/Panel.tsx";
import { Empty, Failing, Loading } from "../ui/States.tsx";
import { Tabs } from "../ui/Tabs.tsx";
import { TopBar } from "../ui/TopBar.tsx";
import { type Answers, useTRPC } from "../ui/trpc.ts";

/** The whole installation: how it is, the machines that train, people and organizations. */
export function AdminPage() {
  const [tab, setTab] = useState("machines");
  return (
    <>
      <TopBar place={[{ label: say("Installation") }]} />
      <main className="mx-auto max-w-5xl space-y-4 px-4 py-6">
        <h1 className="text-title font-semibold">{say("Installation")}</h1>
        <Health />
        <Tabs
          label={say("Installation")}
          value={tab}
          onValue={setTab}
          tabs={[
            { id: "machines", title: say("Machines"), content: <Machines /> },
            { id: "organizations", title: say("Organizations"), content: <Organizations /> },
            { id: "users", title: say("People"), content: <Users /> },
          ]}
        />
      </main>
    </>
  );
}

function Health() {
  const trpc = useTRPC();
  const health = useQuery(trpc.operator.health.queryOptions(undefined, { refetchInterval: 5_000 }));
  if (health.isPending) return <Loading label={say("Loading the state of the installation")} className="h-28" />;
  if (health.isError) return <Failing what={say("The state of the installation")} error={health.error} onRetry={() => void health.refetch()} />;
  const { database, disk, store, runs, users, organizations, uptimeMs, mail, signUp, auth } = health.data;
  return (
    <div className="grid gap-3 sm:grid-cols-3">
      <Panel title={say("Work")}>
        <dl className="px-3.5 pb-3">
          <Line name={say("Training")}>{runs.running}</Line>
          <Line name={say("Waiting")}>{runs.queued}</Line>
          <Line name={say("Laid aside")}>{runs.paused}</Line>
        </dl>
      </Panel>
      <Panel title={say("Storage")}>
        <dl className="px-3.5 pb-3">
          <Line name={say("Disk free")}>
            {disk ? say("{freeBytes} of {sizeBytes}", { freeBytes: formatBytes(disk.freeBytes), sizeBytes: formatBytes(disk.sizeBytes) }) : say("not known")}
          </Line>
          {store.bucket !== null && (
            <Line name={say("Bucket {bucket}", { bucket: store.bucket })} plain>
              {store.answers ? say("answers") : <span className="text-bad">{say("does not answer")}</span>}
            </Line>
          )}
          <Line name={say("Database")}>{formatBytes(database.sizeBytes)}</Line>
          <Line name={say("Connections")}>{say("{connections} of {connectionLimit}", { connections: database.connections, connectionLimit: database.connectionLimit })}</Line>
        </dl>
      </Panel>
      <Panel title={say("Server")}>
        <dl className="px-3.5 pb-3">
          <Line name={say("Up for")}>{formatDuration(uptimeMs)}</Line>
          <Line name={say("People, organizations")}>
            {users}, {organizations}
          </Line>
          <Line name={say("Sign-up, mail")} plain>
            {auth === "local" ? say("local") : signUp}, {mail ? say("on") : say("off")}
          </Line>
        </dl>
      </Panel>
    </div>
  );
}

function useChanged() {
  const trpc = useTRPC();
  const queries = useQueryClient();
  return {
    onSuccess: () => void queries.invalidateQueries({ queryKey: trpc.operator.pathKey() }),
    onError: (error: { message: string }) => notify(error.message, { tone: "bad" as const }),
  };
}

function Machines() {
  const trpc = useTRPC();
  const agents = useQuery(trpc.operator.agents.queryOptions(undefined, { refetchInterval: 3_000 }));
  const changed = useChanged();
  const drain = useMutation(trpc.operator.drain.mutationOptions(changed));
  const forget = useMutation(trpc.operator.forgetAgent.mutationOptions(changed));
  return (
    <div className="space-y-3 pt-4">
      {agents.isPending && <Loading label={say("Loading machines")} className="h-28" />}
      {agents.isError && <Failing what={say("The machines")} error={agents.error} onRetry={() => void agents.refetch()} />}
      {agents.data?.length === 0 && (
        <Empty title={say("No machine trains")}>{say("Runs wait until an agent reports: docs/hosting.md says how to start one on a further machine.")}</Empty>
      )}
      {agents.data?.map((agent) => (
        <Panel
          key={agent.name}
          title={
            <span className="flex items-center gap-2">
              {agent.name}
              {agent.alive ? (
                agent.draining ? (
                  <Badge tone="warn">{say("Takes no new runs")}</Badge>
                ) : (
                  <Badge tone="accent">{say("Working")}</Badge>
                )
              ) : (
                <Badge tone="bad">{say("Silent since {seenAt}", { seenAt: formatAgo(agent.seenAt) })}</Badge>
              )}
            </span>
          }
          end={
            <span className="flex gap-2">
              {!agent.alive && (
                <Button size="sm" onClick={() => forget.mutate({ name: agent.name })}>
                  {say("Take off the list")}
                </Button>
              )}
              <Button
                size="sm"
                title={agent.draining ? say("It takes runs from the queue again.") : say("It takes no new runs; those under way go on.")}
                disabled={drain.isPending}
                onClick={() => drain.mutate({ name: agent.name, draining: !agent.draining })}
              >
                {agent.draining ? say("Take runs again") : say("Drain")}
              </Button>
            </span>
          }
        >
          <dl className="grid gap-x-8 px-3.5 pb-3 sm:grid-cols-2">
            <Line name={say("Training")}>{say("{running} of {maxRuns}", { running: agent.running, maxRuns: agent.maxRuns })}</Line>
            <Line name={say("Load, cores")}>{agent.machine ? `${printFixed(agent.machine.load, 2)}, ${agent.machine.cores}` : "–"}</Line>
            <Line name={say("Memory free")}>
              {agent.machine
                ? say("{freeMemoryBytes} of {memoryBytes}", { freeMemoryBytes: formatBytes(agent.machine.freeMemoryBytes), memoryBytes: formatBytes(agent.machine.memoryBytes) })
                : "–"}
            </Line>
            <Line name={say("Disk free")}>{agent.machine?.diskFreeBytes ? formatBytes(agent.machine.diskFreeBytes) : "–"}</Line>
            <Line name={say("Devices")} plain>
              {agent.engine?.devices.join(", ") ?? say("not told yet")}
            </Line>
            <Line name="libtorch">{agent.engine?.libtorch ?? "–"}</Line>
          </dl>
        </Panel>
      ))}
    </div>
  );
}

type Organization = Answers["operator"]["organizations"]["organizations"][number];

function Organizations() {
  const trpc = useTRPC();
  const [search, setSearch] = useState("");
  const list = useQuery(trpc.operator.organizations.queryOptions({ search }));
  const [changing, setChanging] = useState<Organization | null>(null);
  return (
    <div className="space-y-3 pt-4">
      <TextInput
        aria-label={say("Find an organization")}
        placeholder={say("Find an organization")}
        className="max-w-xs"
        value={search}
        onChange={(event) => setSearch(event.target.value)}
      />
      {list.isPending && <Loading label={say("Loading organizations")} className="h-28" />}
      {list.isError && <Failing what={say("The organizations")} error={list.error} onRetry={() => void list.refetch()} />}
      {list.data && (
        <ul className="rounded-xl border border-line bg-raise px-3.5 py-1">
          {list.data.organizations.map((one) => (
            <li key={one.id} className="flex min-h-10 items-center gap-3 border-t border-line py-1 first:border-t-0">
              <span className="min-w-0 flex-1 [overflow-wrap:anywhere]">
                {one.name} <span className="text-ink2">{one.people === 1 ? say("1 person") : say("{people} people", { people: one.people })}</span>
              </span>
              <span className="figures max-sm:hidden">
                {formatBytes(one.storedBytes)}
                {one.storageLimitBytes !== null && say(" of {storageLimitBytes}", { storageLimitBytes: formatBytes(one.storageLimitBytes) })}
              </span>
              <Button size="sm" onClick={() => setChanging(one)}>
                {say("Quotas")}
              </Button>
            </li>
          ))}
        </ul>
      )}
      {list.data?.next && <p className="text-ink2">{say("More than these: search by name.")}</p>}
      {changing && <Quotas key={changing.id} organization={changing} onClose={() => setChanging(null)} />}
    </div>
  );
}

function Quotas({ organization, onClose }: { organization: Organization; onClose: () => void }) {
  const trpc = useTRPC();
  const changed = useChanged();
  const [gib, setGib] = useState(organization.storageLimitBytes === null ? "" : String(organization.storageLimitBytes / 2 ** 30));
  const [running, setRunning] = useState(organization.maxRunning?.toString() ?? "");
  const [queued, setQueued] = useState(organization.maxQueued?.toString() ?? "");
  const set = useMutation(
    trpc.operator.setQuota.mutationOptions({
      ...changed,
      onSuccess: () => {
        changed.onSuccess();
        onClose();
      },
    }),
  );
  const number = (text: string) => (text.trim() === "" ? null : Number(text));
  return (
    <Dialog title={say("Quotas of {name}", { name: organization.name })} open onOpen={(open) => !open && onClose()} width="max-w-sm">
      <form
        className="space-y-3 p-4"
        onSubmit={(event) => {
          event.preventDefault();
          const bytes = number(gib);
          set.mutate({ orgId: organization.id, storageLimitBytes: bytes === null ? null : Math.round(bytes * 2 ** 30), maxRunning: number(running), maxQueued: number(queued) });
        }}
      >
        <p className="text-ink2">{say("A field left empty gives the installation's own number.")}</p>
        <LabelledInput label={say("Storage, GiB")} type="number" min={0} step="any" value={gib} onChange={(event) => setGib(event.target.value)} />
        <LabelledInput label={say("Runs training at once")} type="number" min={0} max={10_000} value={running} onChange={(event) => setRunning(event.target.value)} />
        <LabelledInput label={say("Runs waiting")} type="number" min={0} max={10_000} value={queued} onChange={(event) => setQueued(event.target.value)} />
        <Button type="submit" kind="primary" disabled={set.isPending}>
          {say("Save")}
        </Button>
      </form>
    </Dialog>
  );
}

function Users() {
  const trpc = useTRPC();
  const [search, setSearch] = useState("");
  const list = useQuery(trpc.operator.users.queryOptions({ search }));
  const changed = useChanged();
  const setDisabled = useMutation(trpc.operator.setDisabled.mutationOptions(changed));
  const link = useMutation(trpc.operator.resetLink.mutationOptions({ onError: changed.onError }));
  return (
    <div className="space-y-3 pt-4">
      <TextInput
        aria-label={say("Find a person")}
        placeholder={say("Find a name or address")}
        className="max-w-xs"
        value={search}
        onChange={(event) => setSearch(event.target.value)}
      />
      {link.data && (
        <div className="rounded-xl border border-line bg-raise pt-3.5">
          <ShownOnce
            label={say("Link for a new password")}
            text={link.data.url}
            words={say("Hand this link over: it sets a new password, once, within an hour. It is shown only now.")}
            onClose={() => link.reset()}
          />
        </div>
      )}
      {list.isPending && <Loading label={say("Loading people")} className="h-28" />}
      {list.isError && <Failing what={say("The people")} error={list.error} onRetry={() => void list.refetch()} />}
      {list.data && (
        <ul className="rounded-xl border border-line bg-raise px-3.5 py-1">
          {list.data.users.map((user) => (
            <li key={user.id} className="flex min-h-10 flex-wrap items-center gap-x-3 gap-y-1 border-t border-line py-1.5 first:border-t-0">
              <span className="min-w-0 flex-1">
                <span className="block [overflow-wrap:anywhere]">
                  {user.name} <span className="text-ink2">{user.email ?? say("no account")}</span>
                </span>
                <span className="block text-sm text-ink2 [overflow-wrap:anywhere]">
                  {user.organizations.map(({ name, role }) => `${name} (${sayRole(role)})`).join(", ") || say("in no organization")}
                  {user.twoFactor && say(" · second factor")}
                  {user.seenAt && say(" · here {seenAt}", { seenAt: formatAgo(user.seenAt) })}
                </span>
              </span>
              {user.isOperator && <Badge tone="accent">{say("Looks after this")}</Badge>}
              {user.disabled && <Badge tone="bad">{say("Closed")}</Badge>}
              {user.email !== null && (
                <Button size="sm" disabled={link.isPending} onClick={() => link.mutate({ userId: user.id })}>
                  {say("Password link")}
                </Button>
              )}
              {!user.isOperator && (
                <Button
                  size="sm"
                  kind={user.disabled ? "plain" : "danger"}
                  disabled={setDisabled.isPending}
                  onClick={() => setDisabled.mutate({ userId: user.id, disabled: !user.disabled })}
                >
                  {user.disabled ? say("Open again") : say("Close")}
                </Button>
              )}
            </li>
          ))}
        </ul>
      )}
      {list.data?.next && <p className="text-ink2">{say("More than these: search by name or address.")}</p>}
    </div>
  );
}
