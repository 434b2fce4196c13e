"use client";

import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useTRPC } from "../ui/trpc.ts";
import { Door, DoorForm, InLink, LabelledInput } from "./Door.tsx";

/** Asks for a link by mail. The answer is the same whether there is such an account. */
export function Forgot() {
  const trpc = useTRPC();
  const [email, setEmail] = useState("");
  const ask = useMutation(trpc.account.requestReset.mutationOptions());
  return (
    <Door title="Forgot the password" foot={<InLink href="/sign-in">Back to sign-in</InLink>}>
      {ask.isSuccess ? (
        <p className="text-ink2">If there is an account with this address, a link is on its way. It works once, within an hour.</p>
      ) : (
        <DoorForm action="Mail me a link" busy={ask.isPending} problem={ask.error?.message ?? null} onSubmit={() => ask.mutate({ email })}>
          <LabelledInput label="E-mail" type="email" autoComplete="username" required value={email} onChange={(event) => setEmail(event.target.value)} />
        </DoorForm>
      )}
    </Door>
  );
}

export function Reset({ secret }: { secret: string }) {
  const trpc = useTRPC();
  const [password, setPassword] = useState("");
  const use = useMutation(trpc.account.useLink.mutationOptions());
  return (
    <Door title="A new password" foot={<InLink href="/sign-in">Back to sign-in</InLink>}>
      {use.isSuccess ? (
        <p className="text-ink2">
          The new password holds, and every browser that was signed in is out. <InLink href="/sign-in">Sign in</InLink>
        </p>
      ) : (
        <DoorForm action="Set the password" busy={use.isPending} problem={use.error?.message ?? null} onSubmit={() => use.mutate({ kind: "reset", secret, password })}>
          <LabelledInput
            label="New password"
            type="password"
            autoComplete="new-password"
            required
            hint="At least 10 characters. Four words make a good one."
            value={password}
            onChange={(event) => setPassword(event.target.value)}
          />
        </DoorForm>
      )}
    </Door>
  );
}

export function Verify({ secret }: { secret: string }) {
  const trpc = useTRPC();
  const use = useMutation(trpc.account.useLink.mutationOptions());
  return (
    <Door title="Confirm your address">
      {use.isSuccess ? (
        <p className="text-ink2">
          Your address is confirmed. <InLink href="/">Go on</InLink>
        </p>
      ) : (
        // A click, since mail scanners look at links.
        <DoorForm action="Confirm" busy={use.isPending} problem={use.error?.message ?? null} onSubmit={() => use.mutate({ kind: "verify", secret })}>
          {null}
        </DoorForm>
      )}
    </Door>
  );
}
