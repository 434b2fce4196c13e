"use client";

import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { say } from "../../core/language/say.ts";
import { Button } from "../ui/Button.tsx";
import { Say } from "../ui/Say.tsx";
import { refusalCode, useTRPC } from "../ui/trpc.ts";
import { Door, DoorForm, goInside, InLink, LabelledInput } from "./Door.tsx";

/** Address, password, and where there is one, the second factor; other ways in below. `join` is an invitation to take up afterwards. */
export function SignIn({ problem: told, join }: { problem: string | null; join: string | null }) {
  const trpc = useTRPC();
  const doors = useQuery(trpc.account.doors.queryOptions());
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const signIn = useMutation(trpc.account.signIn.mutationOptions({ onSuccess: () => goInside(join ? `/join/${join}` : "/") }));
  const guest = useMutation(trpc.account.guest.mutationOptions({ onSuccess: () => goInside() }));
  const [needsCode, setNeedsCode] = useState(false);
  const refused = signIn.error && refusalCode(signIn.error) !== "TWO_FACTOR_NEEDED" ? signIn.error.message : null;
  return (
    <Door
      title={say("Sign in")}
      foot={
        <>
          {(doors.data?.signUp === "open" || doors.data?.claimable) && (
            <p>
              <Say text="No account yet? <link>Make one</link>" with={{ link: <InLink href="/sign-up" /> }} />
            </p>
          )}
          {doors.data?.signUp === "invited" && !doors.data.claimable && (
            <p>{say("Accounts are made by invitation here. The owner's first way in is the link that is printed where the server was started.")}</p>
          )}
        </>
      }
    >
      <DoorForm
        action={needsCode ? say("Confirm") : say("Sign in")}
        busy={signIn.isPending}
        problem={refused ?? guest.error?.message ?? told}
        onSubmit={() =>
          signIn.mutate(
            { email, password, ...(code ? { code } : {}) },
            {
              onError: (error) => {
                if (refusalCode(error) === "TWO_FACTOR_NEEDED") setNeedsCode(true);
              },
            },
          )
        }
      >
        {needsCode ? (
          <LabelledInput
            label={say("Code")}
            hint={say("Six digits of your authenticator app, or one of your recovery codes.")}
            value={code}
            autoFocus
            autoComplete="one-time-code"
            required
            onChange={(event) => setCode(event.target.value)}
          />
        ) : (
          <>
            <LabelledInput label={say("E-mail")} type="email" autoComplete="username" required value={email} onChange={(event) => setEmail(event.target.value)} />
            <LabelledInput
              label={say("Password")}
              type="password"
              autoComplete="current-password"
              required
              value={password}
              onChange={(event) => setPassword(event.target.value)}
            />
          </>
        )}
      </DoorForm>
      {!needsCode && (
        <div className="mt-3 space-y-2">
          {doors.data?.mail && (
            <p className="text-right">
              <InLink href="/forgot">{say("Forgot the password?")}</InLink>
            </p>
          )}
          {doors.data?.providers.map(({ id, title }) => (
            <Button key={id} className="h-8 w-full" onClick={() => window.location.assign(`/api/oauth/${id}/start${join ? `?join=${join}` : ""}`)}>
              {say("Sign in with {title}", { title })}
            </Button>
          ))}
          {doors.data?.guests && (
            <Button kind="quiet" className="h-8 w-full" disabled={guest.isPending} onClick={() => guest.mutate()}>
              {say("Look around without an account")}
            </Button>
          )}
        </div>
      )}
    </Door>
  );
}
