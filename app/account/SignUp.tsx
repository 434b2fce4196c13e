"use client";

import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { sayRole } from "../../core/language/roles.ts";
import { say } from "../../core/language/say.ts";
import { Say } from "../ui/Say.tsx";
import { Failing, Loading } from "../ui/States.tsx";
import { useTRPC } from "../ui/trpc.ts";
import { Door, DoorForm, goInside, InLink, LabelledInput } from "./Door.tsx";
import { NewPassword } from "./NewPassword.tsx";

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
      <LabelledInput label={say("Your name")} autoComplete="name" required maxLength={120} value={name} onChange={(event) => setName(event.target.value)} />
      <LabelledInput
        label={say("E-mail")}
        type="email"
        autoComplete="username"
        required
        readOnly={given !== undefined}
        value={email}
        onChange={(event) => setEmail(event.target.value)}
      />
      <NewPassword label={say("Password")} value={password} onValue={setPassword} />
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
      title={say("Make an account")}
      foot={
        <p>
          <Say text="Have one? <link>Sign in</link>" with={{ link: <InLink href="/sign-in" /> }} />
        </p>
      }
    >
      {doors.isPending && <Loading label={say("Loading")} className="h-40" />}
      {closed && <p className="text-ink2">{say("Accounts are made by invitation here: ask somebody of the organization for a link.")}</p>}
      {doors.data && !closed && (
        <>
          {doors.data.claimable && (
            <p className="mb-3 text-ink2">{say("Everything in this workspace stays: models, data and runs become your account's. From then on one signs in here.")}</p>
          )}
          <SignUpForm action={say("Make the account")} />
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
    <Door title={invitation.data ? say("Join {organization}", { organization: invitation.data.organization }) : say("Invitation")}>
      {invitation.isPending && <Loading label={say("Loading the invitation")} className="h-40" />}
      {invitation.isError && <Failing what={say("The invitation")} error={invitation.error} onRetry={() => void invitation.refetch()} />}
      {invitation.data && (
        <>
          <p className="mb-3 text-ink2">
            <Say
              text="{invitedBy} invites {email} as {role}."
              with={{
                invitedBy: invitation.data.invitedBy ?? say("Somebody"),
                email: <span className="text-ink">{invitation.data.email}</span>,
                role: sayRole(invitation.data.role),
              }}
            />
          </p>
          {isMine ? (
            <DoorForm action={say("Join")} busy={accept.isPending} problem={accept.error?.message ?? null} onSubmit={() => accept.mutate({ secret })}>
              {null}
            </DoorForm>
          ) : invitation.data.hasAccount ? (
            <p>
              <Say text="There is an account with this address: <link>sign in with it</link> to join." with={{ link: <InLink href={`/sign-in?join=${secret}`} /> }} />
            </p>
          ) : (
            <SignUpForm invitation={secret} email={invitation.data.email} action={say("Make the account and join")} />
          )}
        </>
      )}
    </Door>
  );
}
