"use client";

import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { say } from "../../core/language/say.ts";
import { Say } from "../ui/Say.tsx";
import { useTRPC } from "../ui/trpc.ts";
import { Door, DoorForm, InLink, LabelledInput } from "./Door.tsx";
import { NewPassword } from "./NewPassword.tsx";

/** Asks for a link by mail. The answer is the same whether there is such an account. */
export function Forgot() {
  const trpc = useTRPC();
  const [email, setEmail] = useState("");
  const ask = useMutation(trpc.account.requestReset.mutationOptions());
  return (
    <Door title={say("Forgot the password")} foot={<InLink href="/sign-in">{say("Back to sign-in")}</InLink>}>
      {ask.isSuccess ? (
        <p className="text-ink2">{say("If there is an account with this address, a link is on its way. It works once, within an hour.")}</p>
      ) : (
        <DoorForm action={say("Mail me a link")} busy={ask.isPending} problem={ask.error?.message ?? null} onSubmit={() => ask.mutate({ email })}>
          <LabelledInput label={say("E-mail")} type="email" autoComplete="username" required value={email} onChange={(event) => setEmail(event.target.value)} />
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
    <Door title={say("A new password")} foot={<InLink href="/sign-in">{say("Back to sign-in")}</InLink>}>
      {use.isSuccess ? (
        <p className="text-ink2">
          <Say text="The new password holds, and every browser that was signed in is out. <link>Sign in</link>" with={{ link: <InLink href="/sign-in" /> }} />
        </p>
      ) : (
        <DoorForm action={say("Set the password")} busy={use.isPending} problem={use.error?.message ?? null} onSubmit={() => use.mutate({ kind: "reset", secret, password })}>
          <NewPassword label={say("New password")} value={password} onValue={setPassword} />
        </DoorForm>
      )}
    </Door>
  );
}

export function Verify({ secret }: { secret: string }) {
  const trpc = useTRPC();
  const use = useMutation(trpc.account.useLink.mutationOptions());
  return (
    <Door title={say("Confirm your address")}>
      {use.isSuccess ? (
        <p className="text-ink2">
          <Say text="Your address is confirmed. <link>Go on</link>" with={{ link: <InLink href="/" /> }} />
        </p>
      ) : (
        // A click, since mail scanners look at links.
        <DoorForm action={say("Confirm")} busy={use.isPending} problem={use.error?.message ?? null} onSubmit={() => use.mutate({ kind: "verify", secret })}>
          {null}
        </DoorForm>
      )}
    </Door>
  );
}
