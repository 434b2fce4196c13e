"use client";

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
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
      <TopBar place={[{ label: "Installation" }]} />
      <main className="mx-auto max-w-5xl space-y-4 px-4 py-6">
        <h1 className="text-title font-semibold">Installation</h1>
        <Health />
        <Tabs
          label="Installation"
          value={tab}
          onValue={setTab}
          tabs={[
            { id: "machines", title: "Machines", content: <Machines /> },
            { id: "organizations", title: "Organizations", content: <Organizations /> },
            { id: "users", title: "People", content: <Users /> },
          ]}
        />
      </main>
    </>
  );
}

function Health() {
  const trpc = useTRPC();
  const health = useQuery(trpc.operator.health.queryOptions(undefined, { refetchInterval: 5_000 }));
  if (health.isPending) return <Loading label="Loading the state of the installation" className="h-28" />;
  if (health.isError) return <Failing what="The state of the installation" error={health.error} onRetry={() => void health.refetch()} />;
  const { database, disk, runs, users, organizations, uptimeMs, mail, signUp, auth } = health.data;
  return (
    <div className="grid gap-3 sm:grid-cols-3">
      <Panel title="Work">
        <dl className="px-3.5 pb-3">
          <Line name="Training">{runs.running}</Line>
          <Line name="Waiting">{runs.queued}</Line>
          <Line name="Laid aside">{runs.paused}</Line>
        </dl>
      </Panel>
      <Panel title="Storage">
        <dl className="px-3.5 pb-3">
          <Line name="Disk free">{disk ? `${formatBytes(disk.freeBytes)} of ${formatBytes(disk.sizeBytes)}` : "not known"}</Line>
          <Line name="Database">{formatBytes(database.sizeBytes)}</Line>
          <Line name="Connections">
            {database.connections} of {database.connectionLimit}
          </Line>
        </dl>
      </Panel>
      <Panel title="Server">
        <dl className="px-3.5 pb-3">
          <Line name="Up for">{formatDuration(uptimeMs)}</Line>
          <Line name="People, organizations">
            {users}, {organizations}
          </Line>
          <Line name="Sign-up, mail" plain>
            {auth === "local" ? "local" : signUp}, {mail ? "on" : "off"}
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
      {agents.isPending && <Loading label="Loading machines" className="h-28" />}
      {agents.isError && <Failing what="The machines" error={agents.error} onRetry={() => void agents.refetch()} />}
      {agents.data?.length === 0 && <Empty title="No machine trains">Runs wait until an agent reports: docs/hosting.md says how to start one on a further machine.</Empty>}
      {agents.data?.map((agent) => (
        <Panel
          key={agent.name}
          title={
            <span className="flex items-center gap-2">
              {agent.name}
              {agent.alive ? (
                agent.draining ? (
                  <Badge tone="warn">Takes no new runs</Badge>
                ) : (
                  <Badge tone="accent">Working</Badge>
                )
              ) : (
                <Badge tone="bad">Silent since {formatAgo(agent.seenAt)}</Badge>
              )}
            </span>
          }
          end={
            <span className="flex gap-2">
              {!agent.alive && (
                <Button size="sm" onClick={() => forget.mutate({ name: agent.name })}>
                  Take off the list
                </Button>
              )}
              <Button
                size="sm"
                title={agent.draining ? "It takes runs from the queue again." : "It takes no new runs; those under way go on."}
                disabled={drain.isPending}
                onClick={() => drain.mutate({ name: agent.name, draining: !agent.draining })}
              >
                {agent.draining ? "Take runs again" : "Drain"}
              </Button>
            </span>
          }
        >
          <dl className="grid gap-x-8 px-3.5 pb-3 sm:grid-cols-2">
            <Line name="Training">
              {agent.running} of {agent.maxRuns}
            </Line>
            <Line name="Load, cores">{agent.machine ? `${agent.machine.load.toFixed(2)}, ${agent.machine.cores}` : "–"}</Line>
            <Line name="Memory free">{agent.machine ? `${formatBytes(agent.machine.freeMemoryBytes)} of ${formatBytes(agent.machine.memoryBytes)}` : "–"}</Line>
            <Line name="Disk free">{agent.machine?.diskFreeBytes ? formatBytes(agent.machine.diskFreeBytes) : "–"}</Line>
            <Line name="Devices" plain>
              {agent.engine?.devices.join(", ") ?? "not told yet"}
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
      <TextInput aria-label="Find an organization" placeholder="Find an organization" className="max-w-xs" value={search} onChange={(event) => setSearch(event.target.value)} />
      {list.isPending && <Loading label="Loading organizations" className="h-28" />}
      {list.isError && <Failing what="The organizations" error={list.error} onRetry={() => void list.refetch()} />}
      {list.data && (
        <ul className="rounded-xl border border-line bg-raise px-3.5 py-1">
          {list.data.organizations.map((one) => (
            <li key={one.id} className="flex min-h-10 items-center gap-3 border-t border-line py-1 first:border-t-0">
              <span className="min-w-0 flex-1 truncate">
                {one.name} <span className="text-ink2">{one.people === 1 ? "1 person" : `${one.people} people`}</span>
              </span>
              <span className="figures max-sm:hidden">
                {formatBytes(one.storedBytes)}
                {one.storageLimitBytes !== null && ` of ${formatBytes(one.storageLimitBytes)}`}
              </span>
              <Button size="sm" onClick={() => setChanging(one)}>
                Quotas
              </Button>
            </li>
          ))}
        </ul>
      )}
      {list.data?.next && <p className="text-ink2">More than these: search by name.</p>}
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
    <Dialog title={`Quotas of ${organization.name}`} open onOpen={(open) => !open && onClose()} width="max-w-sm">
      <form
        className="space-y-3 p-4"
        onSubmit={(event) => {
          event.preventDefault();
          const bytes = number(gib);
          set.mutate({ orgId: organization.id, storageLimitBytes: bytes === null ? null : Math.round(bytes * 2 ** 30), maxRunning: number(running), maxQueued: number(queued) });
        }}
      >
        <p className="text-ink2">A field left empty gives the installation's own number.</p>
        <LabelledInput label="Storage, GiB" type="number" min={0} step="any" value={gib} onChange={(event) => setGib(event.target.value)} />
        <LabelledInput label="Runs training at once" type="number" min={0} max={10_000} value={running} onChange={(event) => setRunning(event.target.value)} />
        <LabelledInput label="Runs waiting" type="number" min={0} max={10_000} value={queued} onChange={(event) => setQueued(event.target.value)} />
        <Button type="submit" kind="primary" disabled={set.isPending}>
          Save
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
      <TextInput aria-label="Find a person" placeholder="Find a name or address" className="max-w-xs" value={search} onChange={(event) => setSearch(event.target.value)} />
      {link.data && (
        <div className="rounded-xl border border-line bg-raise pt-3.5">
          <ShownOnce
            label="Link for a new password"
            text={link.data.url}
            words="Hand this link over: it sets a new password, once, within an hour. It is shown only now."
            onClose={() => link.reset()}
          />
        </div>
      )}
      {list.isPending && <Loading label="Loading people" className="h-28" />}
      {list.isError && <Failing what="The people" error={list.error} onRetry={() => void list.refetch()} />}
      {list.data && (
        <ul className="rounded-xl border border-line bg-raise px-3.5 py-1">
          {list.data.users.map((user) => (
            <li key={user.id} className="flex min-h-10 flex-wrap items-center gap-x-3 gap-y-1 border-t border-line py-1.5 first:border-t-0">
              <span className="min-w-0 flex-1">
                <span className="block truncate">
                  {user.name} <span className="text-ink2">{user.email ?? "no account"}</span>
                </span>
                <span className="block truncate text-sm text-ink2">
                  {user.organizations.map(({ name, role }) => `${name} (${role})`).join(", ") || "in no organization"}
                  {user.twoFactor && " · second factor"}
                  {user.seenAt && ` · here ${formatAgo(user.seenAt)}`}
                </span>
              </span>
              {user.isOperator && <Badge tone="accent">Looks after this</Badge>}
              {user.disabled && <Badge tone="bad">Closed</Badge>}
              {user.email !== null && (
                <Button size="sm" disabled={link.isPending} onClick={() => link.mutate({ userId: user.id })}>
                  Password link
                </Button>
              )}
              {!user.isOperator && (
                <Button
                  size="sm"
                  kind={user.disabled ? "plain" : "danger"}
                  disabled={setDisabled.isPending}
                  onClick={() => setDisabled.mutate({ userId: user.id, disabled: !user.disabled })}
                >
                  {user.disabled ? "Open again" : "Close"}
                </Button>
              )}
            </li>
          ))}
        </ul>
      )}
      {list.data?.next && <p className="text-ink2">More than these: search by name or address.</p>}
    </div>
  );
}
