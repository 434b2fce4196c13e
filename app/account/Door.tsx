"use client";

import Link from "next/link";
import { type ComponentProps, type FormEvent, type ReactNode, useId } from "react";
import { say } from "../../core/language/say.ts";
import { Button } from "../ui/Button.tsx";
import { TextInput } from "../ui/Field.tsx";
import { Logo } from "../ui/Logo.tsx";

/** A page before one is inside: one thing to do, in the middle. */
export function Door({ title, children, foot }: { title: string; children: ReactNode; foot?: ReactNode }) {
  return (
    <main className="mx-auto flex min-h-dvh w-full max-w-sm flex-col justify-center gap-5 px-4 py-10">
      <Link href="/" aria-label={say("Tensorloom home")} className="self-start rounded-sm text-ink">
        <Logo />
      </Link>
      <section className="rounded-xl border border-line bg-raise p-5">
        <h1 className="mb-3 text-title font-semibold">{title}</h1>
        {children}
      </section>
      {foot && <div className="space-y-1 text-ink2">{foot}</div>}
    </main>
  );
}

/** A name above its field, and what is wrong with it below. */
export function LabelledInput({ label, hint, ...rest }: { label: string; hint?: ReactNode } & ComponentProps<"input">) {
  const id = useId();
  return (
    <div className="space-y-1">
      <label htmlFor={id} className="block text-ink2">
        {label}
      </label>
      <TextInput id={id} aria-describedby={hint ? `${id}-hint` : undefined} className="h-8" {...rest} />
      {hint && (
        <p id={`${id}-hint`} className="text-sm text-ink2">
          {hint}
        </p>
      )}
    </div>
  );
}

/** Fields, what is wrong, and the one button. */
export function DoorForm({ action, busy, problem, onSubmit, children }: { action: string; busy: boolean; problem: string | null; onSubmit: () => void; children: ReactNode }) {
  return (
    <form
      className="space-y-3"
      onSubmit={(event: FormEvent) => {
        event.preventDefault();
        onSubmit();
      }}
    >
      {children}
      {problem && (
        <p role="alert" className="rounded-md bg-bad-soft px-2.5 py-2 text-bad">
          {problem}
        </p>
      )}
      <Button type="submit" kind="primary" disabled={busy} className="h-8 w-full">
        {action}
      </Button>
    </form>
  );
}

/** A link in a sentence. */
export function InLink({ href, children }: { href: string; children?: ReactNode }) {
  return (
    <Link href={href} className="font-medium text-accent hover:underline">
      {children}
    </Link>
  );
}

/** Goes inside with everything read anew: what the pages remember belonged to whoever was here before. */
export function goInside(path = "/"): void {
  window.location.assign(path);
}
