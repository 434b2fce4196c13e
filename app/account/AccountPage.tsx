"use client";

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { say } from "../../core/language/say.ts";
import { Badge } from "../ui/Badge.tsx";
import { Button, ButtonLink } from "../ui/Button.tsx";
import { Dialog } from "../ui/Dialog.tsx";
import { formatAgo } from "../ui/format.ts";
import { notify } from "../ui/Notices.tsx";
import { Panel } from "../ui/Panel.tsx";
import { Empty, Failing, Loading } from "../ui/States.tsx";
import { TopBar } from "../ui/TopBar.tsx";
import { type Answers, useTRPC } from "../ui/trpc.ts";
import { DoorForm, LabelledInput } from "./Door.tsx";
import { NewPassword } from "./NewPassword.tsx";

type Me = Answers["account"]["me"];

/** One's own account: name, password, second factor, and where one is signed in. */
export function AccountPage() {
  const trpc = useTRPC();
  const me = useQuery(trpc.account.me.queryOptions());
  return (
    <>
      <TopBar place={[{ label: say("Account") }]} />
      <main className="mx-auto max-w-3xl space-y-4 px-4 py-6">
        <h1 className="text-title font-semibold">{say("Account")}</h1>
        {me.isPending && <Loading label={say("Loading the account")} className="h-60" />}
        {me.isError && <Failing what={say("The account")} error={me.error} onRetry={() => void me.refetch()} />}
        {me.data &&
          (me.data.email === null ? (
            <Empty
              title={say("You work here without an account")}
              action={
                <ButtonLink kind="primary" href="/sign-up">
                  {say("Make an account")}
                </ButtonLink>
              }
            >
              {say("Whoever opens this page on this machine works in this workspace. An account makes it yours: everything in it stays, and from then on one signs in.")}
            </Empty>
          ) : (
            <>
              <Profile me={me.data} />
              <Password />
              <TwoFactor me={me.data} />
            </>
          ))}
        {me.data && <Sessions me={me.data} />}
      </main>
    </>
  );
}

function useRefresh(words: string) {
  const trpc = useTRPC();
  const queries = useQueryClient();
  return {
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: trpc.account.me.queryKey() });
      notify(words);
    },
    onError: (error: { message: string }) => notify(error.message, { tone: "bad" as const }),
  };
}

function Profile({ me }: { me: Me }) {
  const trpc = useTRPC();
  const [name, setName] = useState(me.name);
  const rename = useMutation(trpc.account.rename.mutationOptions(useRefresh(say("Your name is saved."))));
  const verify = useMutation(trpc.account.sendVerification.mutationOptions(useRefresh(say("A mail is on its way."))));
  return (
    <Panel title={say("You")}>
      <div className="grid grid-cols-1 gap-3 px-3.5 pt-1 pb-3.5 sm:grid-cols-2">
        <form
          className="flex items-end gap-2"
          onSubmit={(event) => {
            event.preventDefault();
            rename.mutate({ name });
          }}
        >
          <div className="min-w-0 flex-1">
            <LabelledInput label={say("Name")} maxLength={120} required value={name} onChange={(event) => setName(event.target.value)} />
          </div>
          <Button type="submit" className="h-8" disabled={rename.isPending || name === me.name}>
            {say("Save")}
          </Button>
        </form>
        <div className="space-y-1">
          <p className="text-ink2">{say("E-mail")}</p>
          <p className="flex h-8 items-center gap-2">
            <span className="min-w-0 truncate" title={me.email ?? undefined}>
              {me.email}
            </span>
            {me.verified ? (
              <Badge tone="accent">{say("Confirmed")}</Badge>
            ) : me.mail ? (
              <Button size="sm" disabled={verify.isPending} onClick={() => verify.mutate()}>
                {say("Confirm by mail")}
              </Button>
            ) : (
              <Badge>{say("Not confirmed")}</Badge>
            )}
          </p>
        </div>
      </div>
    </Panel>
  );
}

function Password() {
  const trpc = useTRPC();
  const [current, setCurrent] = useState("");
  const [password, setPassword] = useState("");
  const done = useRefresh(say("The new password holds. Every other browser is signed out."));
  const change = useMutation(
    trpc.account.changePassword.mutationOptions({
      onSuccess: () => {
        setCurrent("");
        setPassword("");
        done.onSuccess();
      },
    }),
  );
  return (
    <Panel title={say("Password")}>
      <div className="max-w-sm px-3.5 pt-1 pb-3.5">
        <DoorForm action={say("Change the password")} busy={change.isPending} problem={change.error?.message ?? null} onSubmit={() => change.mutate({ current, password })}>
          <LabelledInput
            label={say("Present password")}
            type="password"
            autoComplete="current-password"
            required
            value={current}
            onChange={(event) => setCurrent(event.target.value)}
          />
          <NewPassword label={say("New password")} value={password} onValue={setPassword} />
        </DoorForm>
      </div>
    </Panel>
  );
}

function TwoFactor({ me }: { me: Me }) {
  const trpc = useTRPC();
  const [open, setOpen] = useState(false);
  const [code, setCode] = useState("");
  const [password, setPassword] = useState("");
  const refresh = useRefresh(me.twoFactorSince === null ? say("From now on signing in asks for a code.") : say("Signing in asks for no code any more."));
  const begin = useMutation(trpc.account.beginTwoFactor.mutationOptions({ onError: refresh.onError, onSuccess: () => setOpen(true) }));
  const confirm = useMutation(trpc.account.confirmTwoFactor.mutationOptions({ onSuccess: refresh.onSuccess }));
  const end = useMutation(
    trpc.account.endTwoFactor.mutationOptions({
      onSuccess: () => {
        setOpen(false);
        refresh.onSuccess();
      },
    }),
  );
  const codes = confirm.data?.recoveryCodes;
  const close = (next: boolean) => {
    setOpen(next);
    if (next) return;
    setCode("");
    setPassword("");
    confirm.reset();
    end.reset();
  };
  return (
    <Panel
      title={say("Second factor")}
      end={
        me.twoFactorSince === null ? (
          <Button size="sm" disabled={begin.isPending} onClick={() => begin.mutate()}>
            {say("Set up")}
          </Button>
        ) : (
          <Button size="sm" kind="danger" onClick={() => setOpen(true)}>
            {say("End it")}
          </Button>
        )
      }
    >
      <p className="px-3.5 pb-3 text-ink2">
        {me.twoFactorSince === null
          ? say("With an authenticator app on your phone, a password alone lets nobody in.")
          : say("On since {twoFactorSince}; {recoveryCodes} recovery codes are left.", { twoFactorSince: formatAgo(me.twoFactorSince), recoveryCodes: me.recoveryCodes })}
      </p>
      <Dialog
        title={codes ? say("Recovery codes") : me.twoFactorSince === null ? say("Set up a second factor") : say("End the second factor")}
        open={open}
        onOpen={close}
        width="max-w-md"
      >
        <div className="space-y-3 p-4">
          {codes ? (
            <>
              <p className="text-ink2">{say("Each of these lets you in once if you lose your phone. They are shown only now: keep them somewhere safe.")}</p>
              <ul aria-label={say("Recovery codes")} className="grid grid-cols-2 gap-1 rounded-md bg-sunk p-3 font-mono text-sm">
                {codes.map((one) => (
                  <li key={one}>{one}</li>
                ))}
              </ul>
              <Button kind="primary" onClick={() => close(false)}>
                {say("I have kept them")}
              </Button>
            </>
          ) : me.twoFactorSince === null ? (
            begin.data && (
              <DoorForm action={say("Turn it on")} busy={confirm.isPending} problem={confirm.error?.message ?? null} onSubmit={() => confirm.mutate({ code })}>
                <p className="text-ink2">{say("Scan this with your authenticator app, then type the six digits that it shows.")}</p>
                <QrCode {...begin.data.qr} />
                <p className="font-mono text-sm break-all text-ink2">{begin.data.secret}</p>
                <LabelledInput label={say("Code")} autoComplete="one-time-code" inputMode="numeric" required value={code} onChange={(event) => setCode(event.target.value)} />
              </DoorForm>
            )
          ) : (
            <DoorForm action={say("End the second factor")} busy={end.isPending} problem={end.error?.message ?? null} onSubmit={() => end.mutate({ password, code })}>
              <LabelledInput
                label={say("Password")}
                type="password"
                autoComplete="current-password"
                required
                value={password}
                onChange={(event) => setPassword(event.target.value)}
              />
              <LabelledInput label={say("Code")} autoComplete="one-time-code" required value={code} onChange={(event) => setCode(event.target.value)} />
            </DoorForm>
          )}
        </div>
      </Dialog>
    </Panel>
  );
}

/** Black on white in both themes: cameras read nothing else. */
function QrCode({ size, rows }: { size: number; rows: string[] }) {
  return (
    <svg role="img" aria-label={say("QR code of the secret below")} viewBox={`0 0 ${size} ${size}`} className="size-44 rounded-md bg-[#ffffff]" shapeRendering="crispEdges">
      <path fill="#000000" d={rows.flatMap((row, y) => [...row].flatMap((dark, x) => (dark === "1" ? [`M${x} ${y}h1v1h-1z`] : []))).join("")} />
    </svg>
  );
}

const HOW: { [how: string]: string } = {
  local: say("on this machine"),
  link: say("by the owner's link"),
  password: say("by password"),
  guest: say("as a guest"),
  github: say("with GitHub"),
  google: say("with Google"),
  oidc: say("by single sign-on"),
};

/** `Firefox on Linux`, as far as a browser tells. */
function browserName(agent: string): string {
  const browser = /Edg\//.test(agent) ? "Edge" : /Firefox\//.test(agent) ? "Firefox" : /Chrome\//.test(agent) ? "Chrome" : /Safari\//.test(agent) ? "Safari" : say("A browser");
  const system = /Android/.test(agent)
    ? "Android"
    : /iPhone|iPad/.test(agent)
      ? "iOS"
      : /Windows/.test(agent)
        ? "Windows"
        : /Mac OS/.test(agent)
          ? "macOS"
          : /Linux/.test(agent)
            ? "Linux"
            : null;
  return system ? say("{browser} on {system}", { browser, system }) : browser;
}

function Sessions({ me }: { me: Me }) {
  const trpc = useTRPC();
  const refresh = useRefresh(say("Signed out there."));
  const end = useMutation(trpc.account.endSession.mutationOptions(refresh));
  const endOthers = useMutation(trpc.account.endOtherSessions.mutationOptions(refresh));
  return (
    <Panel
      title={say("Where you are signed in")}
      end={
        me.sessions.length > 1 && (
          <Button size="sm" disabled={endOthers.isPending} onClick={() => endOthers.mutate()}>
            {say("Sign out everywhere else")}
          </Button>
        )
      }
    >
      <ul className="px-3.5 pb-2">
        {me.sessions.map((session) => (
          <li key={session.id} className="flex min-h-9 items-center gap-3 border-t border-line py-1 first:border-t-0">
            <span className="min-w-0 flex-1 truncate">
              {browserName(session.userAgent)} <span className="text-ink2">{HOW[session.how] ?? ""}</span>
            </span>
            <span className="text-ink2">{formatAgo(session.seenAt)}</span>
            {session.isThis ? (
              <Badge tone="accent">{say("This one")}</Badge>
            ) : (
              <Button size="sm" disabled={end.isPending} onClick={() => end.mutate({ sessionId: session.id })}>
                {say("Sign out")}
              </Button>
            )}
          </li>
        ))}
      </ul>
    </Panel>
  );
}
