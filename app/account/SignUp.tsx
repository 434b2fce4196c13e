"use client";

import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Failing, Loading } from "../ui/States.tsx";
import { useTRPC } from "../ui/trpc.ts";
import { Door, DoorForm, goInside, InLink, LabelledInput } from "./Door.tsx";

/** The fields of a new account. With an invitation the address is given. */
function SignUpForm({ invitation, email: given, action }: { invitation?: string; email?: string; action: string }) {
  const trpc = useTRPC();
  const [name, setName] = useState("");
  const [email, setEmail] = useState(given ?? "");
  const [password, setPassword] = useState("");
  const signUp = useMutation(trpc.account.signUp.mutationOptions({ onSuccess: () => goInside() }));
  return (
    <DoorForm
      action={action}
      busy={signUp.isPending}
      problem={signUp.error?.message ?? null}
      onSubmit={() => signUp.mutate({ name, email, password, ...(invitation ? { invitation } : {}) })}
    >
      <LabelledInput label="Your name" autoComplete="name" required maxLength={120} value={name} onChange={(event) => setName(event.target.value)} />
      <LabelledInput label="E-mail" type="email" autoComplete="username" required readOnly={given !== undefined} value={email} onChange={(event) => setEmail(event.target.value)} />
      <LabelledInput
        label="Password"
        type="password"
        autoComplete="new-password"
        required
        hint="At least 10 characters. Four words make a good one."
        value={password}
        onChange={(event) => setPassword(event.target.value)}
      />
    </DoorForm>
  );
}

/** A new account; where there is work without one, it becomes the account's. */
export function SignUp() {
  const trpc = useTRPC();
  const doors = useQuery(trpc.account.doors.queryOptions());
  const closed = doors.data && doors.data.signUp === "invited" && !doors.data.claimable;
  return (
    <Door
      title="Make an account"
      foot={
        <p>
          Have one? <InLink href="/sign-in">Sign in</InLink>
        </p>
      }
    >
      {doors.isPending && <Loading label="Loading" className="h-40" />}
      {closed && <p className="text-ink2">Accounts are made by invitation here: ask somebody of the organization for a link.</p>}
      {doors.data && !closed && (
        <>
          {doors.data.claimable && (
            <p className="mb-3 text-ink2">Everything in this workspace stays: models, data and runs become your account's. From then on one signs in here.</p>
          )}
          <SignUpForm action="Make the account" />
        </>
      )}
    </Door>
  );
}

/** An invitation, as whoever holds its link sees it. */
export function Join({ secret }: { secret: string }) {
  const trpc = useTRPC();
  const invitation = useQuery(trpc.account.invitation.queryOptions({ secret }));
  const me = useQuery(trpc.account.me.queryOptions());
  const accept = useMutation(trpc.account.acceptInvitation.mutationOptions({ onSuccess: () => goInside() }));
  const isMine = invitation.data !== undefined && me.data?.email === invitation.data.email;
  return (
    <Door title={invitation.data ? `Join ${invitation.data.organization}` : "Invitation"}>
      {invitation.isPending && <Loading label="Loading the invitation" className="h-40" />}
      {invitation.isError && <Failing what="The invitation" error={invitation.error} onRetry={() => void invitation.refetch()} />}
      {invitation.data && (
        <>
          <p className="mb-3 text-ink2">
            {invitation.data.invitedBy ?? "Somebody"} invites <span className="text-ink">{invitation.data.email}</span> as {invitation.data.role}.
          </p>
          {isMine ? (
            <DoorForm action="Join" busy={accept.isPending} problem={accept.error?.message ?? null} onSubmit={() => accept.mutate({ secret })}>
              {null}
            </DoorForm>
          ) : invitation.data.hasAccount ? (
            <p>
              There is an account with this address: <InLink href={`/sign-in?join=${secret}`}>sign in with it</InLink> to join.
            </p>
          ) : (
            <SignUpForm invitation={secret} email={invitation.data.email} action="Make the account and join" />
          )}
        </>
      )}
    </Door>
  );
}
