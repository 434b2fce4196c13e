"use client";

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ComponentProps, useId, useState } from "react";
import { printDate } from "../../core/language/numbers.ts";
import { sayRole } from "../../core/language/roles.ts";
import { say } from "../../core/language/say.ts";
import { LabelledInput } from "../account/Door.tsx";
import { Badge } from "../ui/Badge.tsx";
import { Button } from "../ui/Button.tsx";
import { cx } from "../ui/cx.ts";
import { Confirm } from "../ui/Dialog.tsx";
import { Select } from "../ui/Field.tsx";
import { formatAgo, formatBytes } from "../ui/format.ts";
import { notify } from "../ui/Notices.tsx";
import { Panel } from "../ui/Panel.tsx";
import { Say } from "../ui/Say.tsx";
import { Empty, Failing, Loading } from "../ui/States.tsx";
import { Tabs } from "../ui/Tabs.tsx";
import { TopBar } from "../ui/TopBar.tsx";
import { type Answers, useTRPC } from "../ui/trpc.ts";
import { ShownOnce } from "./ShownOnce.tsx";
import { Trail } from "./Trail.tsx";

type Organization = Answers["organization"]["get"];
type Role = Organization["role"];
const ROLES: { role: Role; words: string }[] = [
  { role: "viewer", words: say("looks at everything, changes nothing") },
  { role: "member", words: say("builds, trains, adds data") },
  { role: "admin", words: say("and decides who is in") },
  { role: "owner", words: say("and hands the organization over") },
];
const RANK: Record<Role, number> = { viewer: 0, member: 1, admin: 2, owner: 3 };

/** A name above a list of choices. */
function LabelledSelect({ label, width, ...rest }: { label: string; width: string } & ComponentProps<typeof Select>) {
  const id = useId();
  return (
    <div className={cx("space-y-1", width)}>
      <label htmlFor={id} className="block text-ink2">
        {label}
      </label>
      <Select id={id} className="h-8" {...rest} />
    </div>
  );
}

/** The organization one is in: its people, its keys, what it uses, and what happened. What one's role does not allow is not shown. */
export function OrganizationPage() {
  const trpc = useTRPC();
  const org = useQuery(trpc.organization.get.queryOptions());
  const [tab, setTab] = useState("people");
  const isAdmin = org.data !== undefined && RANK[org.data.role] >= RANK.admin;
  return (
    <>
      <TopBar place={[{ label: org.data?.name ?? say("Organization") }]} />
      <main className="mx-auto max-w-4xl px-4 py-6">
        {org.isPending && <Loading label={say("Loading the organization")} className="h-60" />}
        {org.isError && <Failing what={say("The organization")} error={org.error} onRetry={() => void org.refetch()} />}
        {org.data && (
          <>
            <Head org={org.data} isAdmin={isAdmin} />
            <Tabs
              label={say("Organization")}
              value={tab}
              onValue={setTab}
              tabs={[
                { id: "people", title: say("People"), content: <People org={org.data} isAdmin={isAdmin} /> },
                { id: "tokens", title: say("API tokens"), content: <Tokens role={org.data.role} /> },
                { id: "usage", title: say("Usage"), content: <Usage org={org.data} /> },
                { id: "activity", title: say("Activity"), content: <Trail kind="activity" /> },
                ...(isAdmin ? [{ id: "audit", title: say("Audit log"), content: <Trail kind="audit" /> }] : []),
              ]}
            />
          </>
        )}
      </main>
    </>
  );
}

function useChanged(words?: string) {
  const trpc = useTRPC();
  const queries = useQueryClient();
  return {
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: trpc.organization.pathKey() });
      void queries.invalidateQueries({ queryKey: trpc.account.me.queryKey() });
      void queries.invalidateQueries({ queryKey: trpc.workspace.me.queryKey() });
      if (words) notify(words);
    },
    onError: (error: { message: string }) => notify(error.message, { tone: "bad" as const }),
  };
}

function Head({ org, isAdmin }: { org: Organization; isAdmin: boolean }) {
  const trpc = useTRPC();
  const [name, setName] = useState<string | null>(null);
  const changed = useChanged(say("The name is saved."));
  const rename = useMutation(
    trpc.organization.rename.mutationOptions({
      ...changed,
      onSuccess: () => {
        setName(null);
        changed.onSuccess();
      },
    }),
  );
  return (
    <div className="mb-4 flex min-h-8 flex-wrap items-center gap-3">
      {name === null ? (
        <>
          <h1 className="min-w-0 truncate text-title font-semibold">{org.name}</h1>
          <Badge>{say("You are {role}", { role: sayRole(org.role) })}</Badge>
          {isAdmin && (
            <Button size="sm" onClick={() => setName(org.name)}>
              {say("Rename")}
            </Button>
          )}
        </>
      ) : (
        <form
          className="flex items-end gap-2"
          onSubmit={(event) => {
            event.preventDefault();
            rename.mutate({ name });
          }}
        >
          <LabelledInput label={say("Name of the organization")} autoFocus maxLength={120} required value={name} onChange={(event) => setName(event.target.value)} />
          <Button type="submit" className="h-8" kind="primary" disabled={rename.isPending}>
            {say("Save")}
          </Button>
          <Button className="h-8" onClick={() => setName(null)}>
            {say("Cancel")}
          </Button>
        </form>
      )}
    </div>
  );
}

function People({ org, isAdmin }: { org: Organization; isAdmin: boolean }) {
  const trpc = useTRPC();
  const me = useQuery(trpc.account.me.queryOptions());
  const members = useQuery(trpc.organization.members.queryOptions());
  const invitations = useQuery(trpc.organization.invitations.queryOptions(undefined, { enabled: isAdmin }));
  const changed = useChanged();
  const setRole = useMutation(trpc.organization.setRole.mutationOptions(changed));
  const remove = useMutation(trpc.organization.remove.mutationOptions(changed));
  const leave = useMutation(trpc.organization.leave.mutationOptions({ ...changed, onSuccess: () => window.location.assign("/") }));
  const transfer = useMutation(trpc.organization.transfer.mutationOptions(changed));
  const revoke = useMutation(trpc.organization.revokeInvitation.mutationOptions(changed));
  const [asking, setAsking] = useState<{ title: string; text: string; action: string; run: () => void } | null>(null);
  return (
    <div className="space-y-4 pt-4">
      {isAdmin && <Invite role={org.role} />}
      <Panel
        title={say("People")}
        end={
          <Button
            size="sm"
            kind="quiet"
            onClick={() =>
              setAsking({
                title: say("Leave {name}?", { name: org.name }),
                text: say("What you made stays. Your API tokens here end. You come back only by a new invitation."),
                action: say("Leave"),
                run: () => leave.mutate(),
              })
            }
          >
            {say("Leave")}
          </Button>
        }
      >
        {members.isPending && <Loading label={say("Loading people")} className="m-3 h-24" />}
        {members.isError && <Failing what={say("The people")} error={members.error} onRetry={() => void members.refetch()} />}
        <ul className="px-3.5 pb-2">
          {members.data?.map((member) => {
            const isMe = member.email !== null && member.email === me.data?.email;
            const mayChange = isAdmin && !isMe && RANK[member.role] <= RANK[org.role];
            return (
              <li key={member.memberId} className="flex min-h-10 flex-wrap items-center gap-x-3 gap-y-1 border-t border-line py-1.5 first:border-t-0">
                {/* On a phone what may be done stands below the name, which would have no room beside it. */}
                <span className={cx("min-w-0 flex-1", mayChange && "max-sm:basis-full")}>
                  <span className="block [overflow-wrap:anywhere]">
                    {member.name} {isMe && <span className="text-ink2">{say("(you)")}</span>}
                  </span>
                  <span className="block text-sm text-ink2 [overflow-wrap:anywhere]">
                    {member.email ?? say("no account")}
                    {member.twoFactor && say(" · second factor")}
                    {member.seenAt && say(" · here {seenAt}", { seenAt: formatAgo(member.seenAt) })}
                  </span>
                </span>
                {mayChange ? (
                  <>
                    <span className="w-28">
                      <Select
                        aria-label={say("Role of {name}", { name: member.name })}
                        value={member.role}
                        disabled={setRole.isPending}
                        onChange={(event) => setRole.mutate({ memberId: member.memberId, role: event.target.value as Role })}
                      >
                        {ROLES.filter(({ role }) => RANK[role] <= RANK[org.role]).map(({ role }) => (
                          <option key={role} value={role}>
                            {sayRole(role)}
                          </option>
                        ))}
                      </Select>
                    </span>
                    {org.role === "owner" && (
                      <Button
                        size="sm"
                        onClick={() =>
                          setAsking({
                            title: say("Hand {name} over?", { name: org.name }),
                            text: say("{name} becomes owner, and you an admin. Only they can give it back.", { name: member.name }),
                            action: say("Hand it over"),
                            run: () => transfer.mutate({ memberId: member.memberId }),
                          })
                        }
                      >
                        {say("Hand over")}
                      </Button>
                    )}
                    <Button
                      size="sm"
                      kind="danger"
                      onClick={() =>
                        setAsking({
                          title: say("Remove {name}?", { name: member.name }),
                          text: say("They are out at once, with their API tokens. What they made stays."),
                          action: say("Remove"),
                          run: () => remove.mutate({ memberId: member.memberId }),
                        })
                      }
                    >
                      {say("Remove")}
                    </Button>
                  </>
                ) : (
                  <Badge>{sayRole(member.role)}</Badge>
                )}
              </li>
            );
          })}
        </ul>
      </Panel>
      {isAdmin && invitations.data && invitations.data.length > 0 && (
        <Panel title={say("Invited")}>
          <ul className="px-3.5 pb-2">
            {invitations.data.map((one) => (
              <li key={one.id} className="flex min-h-9 items-center gap-3 border-t border-line py-1 first:border-t-0">
                <span className="min-w-0 flex-1 [overflow-wrap:anywhere]">
                  {one.email} <span className="text-ink2">{say("as {role}", { role: sayRole(one.role) })}</span>
                </span>
                <span className="text-ink2 max-sm:hidden">
                  {one.mailed ? say("mailed") : say("by link")} · {formatAgo(one.createdAt)}
                </span>
                <Button size="sm" disabled={revoke.isPending} onClick={() => revoke.mutate({ invitationId: one.id })}>
                  {say("Take back")}
                </Button>
              </li>
            ))}
          </ul>
        </Panel>
      )}
      <Confirm
        open={asking !== null}
        onOpen={(open) => !open && setAsking(null)}
        title={asking?.title ?? ""}
        text={asking?.text ?? ""}
        action={asking?.action ?? ""}
        onConfirm={() => asking?.run()}
      />
    </div>
  );
}

function Invite({ role: own }: { role: Role }) {
  const trpc = useTRPC();
  const [email, setEmail] = useState("");
  const [role, setRole] = useState<Role>("member");
  const changed = useChanged();
  const invite = useMutation(
    trpc.organization.invite.mutationOptions({
      onSuccess: ({ link }) => {
        if (link === null) notify(say("An invitation was mailed to {email}.", { email }));
        setEmail("");
        changed.onSuccess();
      },
    }),
  );
  const link = invite.data?.link ?? null;
  return (
    <Panel title={say("Invite somebody")}>
      <form
        className="flex flex-wrap items-end gap-2 px-3.5 pt-1 pb-2"
        onSubmit={(event) => {
          event.preventDefault();
          invite.mutate({ email, role });
        }}
      >
        <div className="min-w-52 flex-1">
          <LabelledInput label={say("E-mail")} type="email" required value={email} onChange={(event) => setEmail(event.target.value)} />
        </div>
        <LabelledSelect label={say("Role")} width="w-32" value={role} onChange={(event) => setRole(event.target.value as Role)}>
          {ROLES.filter((one) => RANK[one.role] <= RANK[own]).map((one) => (
            <option key={one.role} value={one.role}>
              {sayRole(one.role)}
            </option>
          ))}
        </LabelledSelect>
        <Button type="submit" kind="primary" className="h-8" disabled={invite.isPending}>
          {say("Invite")}
        </Button>
      </form>
      <p className="px-3.5 pb-3 text-sm text-ink2">
        <Say text="A {role} {words}. The link works once, for this address, within 48 hours." with={{ role, words: ROLES.find((one) => one.role === role)?.words }} />
      </p>
      {invite.error && (
        <p role="alert" className="mx-3.5 mb-3 rounded-md bg-bad-soft px-2.5 py-2 text-bad">
          {invite.error.message}
        </p>
      )}
      {link && (
        <ShownOnce
          label={say("Invitation link")}
          text={link}
          words={say("No mail is set up, so hand this link over yourself. It is shown only now.")}
          onClose={() => invite.reset()}
        />
      )}
    </Panel>
  );
}

function Tokens({ role }: { role: Role }) {
  const trpc = useTRPC();
  const tokens = useQuery(trpc.organization.tokens.queryOptions());
  const changed = useChanged();
  const [name, setName] = useState("");
  const [scope, setScope] = useState<"read" | "write">("read");
  const [days, setDays] = useState("90");
  const create = useMutation(
    trpc.organization.createToken.mutationOptions({
      onSuccess: () => {
        setName("");
        changed.onSuccess();
      },
    }),
  );
  const revoke = useMutation(trpc.organization.revokeToken.mutationOptions(changed));
  return (
    <div className="space-y-4 pt-4">
      <Panel title={say("New token")}>
        <form
          className="flex flex-wrap items-end gap-2 px-3.5 pt-1 pb-2"
          onSubmit={(event) => {
            event.preventDefault();
            create.mutate({ name, scope, days: days === "" ? null : Number(days) });
          }}
        >
          <div className="min-w-44 flex-1">
            <LabelledInput label={say("What it is for")} required maxLength={120} value={name} onChange={(event) => setName(event.target.value)} />
          </div>
          <LabelledSelect label={say("Scope")} width="w-36" value={scope} onChange={(event) => setScope(event.target.value as "read" | "write")}>
            <option value="read">{say("read only")}</option>
            {role !== "viewer" && <option value="write">{say("read and write")}</option>}
          </LabelledSelect>
          <LabelledSelect label={say("Ends after")} width="w-28" value={days} onChange={(event) => setDays(event.target.value)}>
            <option value="7">{say("7 days")}</option>
            <option value="90">{say("90 days")}</option>
            <option value="365">{say("a year")}</option>
            <option value="">{say("never")}</option>
          </LabelledSelect>
          <Button type="submit" kind="primary" className="h-8" disabled={create.isPending}>
            {say("Make it")}
          </Button>
        </form>
        <p className="px-3.5 pb-3 text-sm text-ink2">
          {say("A token speaks for you in this organization, as a viewer or a member, never about people or keys. Send it as “Authorization: Bearer …”.")}
        </p>
        {create.error && (
          <p role="alert" className="mx-3.5 mb-3 rounded-md bg-bad-soft px-2.5 py-2 text-bad">
            {create.error.message}
          </p>
        )}
        {create.data && <ShownOnce label={say("API token")} text={create.data.token} words={say("It is shown only now, and kept nowhere.")} onClose={() => create.reset()} />}
      </Panel>
      {tokens.isPending && <Loading label={say("Loading tokens")} className="h-24" />}
      {tokens.isError && <Failing what={say("The tokens")} error={tokens.error} onRetry={() => void tokens.refetch()} />}
      {tokens.data?.length === 0 && <Empty title={say("No tokens yet")}>{say("Scripts and notebooks read runs and start them with a token instead of a password.")}</Empty>}
      {tokens.data && tokens.data.length > 0 && (
        <Panel title={say("Tokens")}>
          <ul className="px-3.5 pb-2">
            {tokens.data.map((token) => (
              <li key={token.id} className="flex min-h-10 items-center gap-3 border-t border-line py-1.5 first:border-t-0">
                <span className="min-w-0 flex-1">
                  <span className="block [overflow-wrap:anywhere]">{token.name}</span>
                  <span className="block text-sm text-ink2 [overflow-wrap:anywhere]">
                    …{token.lastFour} · {token.isMine ? say("yours") : token.of} ·{" "}
                    {token.lastUsedAt ? say("used {lastUsedAt}", { lastUsedAt: formatAgo(token.lastUsedAt) }) : say("never used")}
                    {token.expiresAt && say(" · ends {day}", { day: printDate(new Date(token.expiresAt), { day: "numeric", month: "short", year: "numeric" }) })}
                  </span>
                </span>
                <Badge tone={token.isOver ? "bad" : "plain"}>{token.isOver ? say("over") : token.scope}</Badge>
                <Button size="sm" kind="danger" disabled={revoke.isPending} onClick={() => revoke.mutate({ tokenId: token.id })}>
                  {say("Revoke")}
                </Button>
              </li>
            ))}
          </ul>
        </Panel>
      )}
    </div>
  );
}

function Usage({ org }: { org: Organization }) {
  const rows = [
    { name: say("Storage"), ...org.usage.storageBytes, print: formatBytes },
    { name: say("Runs training"), ...org.usage.running, print: String },
    { name: say("Runs waiting"), ...org.usage.queued, print: String },
  ];
  return (
    <div className="pt-4">
      <Panel title={say("What this organization uses")}>
        <ul className="space-y-3 px-3.5 pt-1 pb-3.5">
          {rows.map(({ name, used, limit, print }) => (
            <li key={name}>
              <div className="flex justify-between gap-3">
                <span className="text-ink2">{name}</span>
                <span className="figures">{say("{used} of {limit}", { used: print(used), limit: print(limit) })}</span>
              </div>
              <div aria-hidden className="mt-1 h-1.5 overflow-hidden rounded-full bg-sunk">
                <div className={used >= limit ? "h-full bg-bad" : "h-full bg-accent"} style={{ width: `${limit === 0 ? 100 : Math.min(100, (used / limit) * 100)}%` }} />
              </div>
            </li>
          ))}
        </ul>
        <p className="px-3.5 pb-3 text-sm text-ink2">{say("Data sets of one's own, checkpoints and exports count; those that come with the product do not.")}</p>
      </Panel>
    </div>
  );
}
