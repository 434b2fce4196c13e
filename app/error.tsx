"use client";

import { say } from "../core/language/say.ts";
import { Button } from "./ui/Button.tsx";
import { TopBar } from "./ui/TopBar.tsx";

/** A fault of ours, in any page. Work on a drawing is in the browser's own storage and comes back with the page. */
export default function PageError({ error, reset }: { error: Error & { digest?: string }; reset: () => void }) {
  return (
    <>
      <TopBar place={[{ label: "Tensorloom", href: "/" }, { label: say("Something broke") }]} />
      <main role="alert" className="mx-auto flex max-w-lg flex-col items-start gap-2 px-4 py-24">
        <h1 className="text-title font-semibold">{say("This page broke")}</h1>
        <p className="text-ink2">{say("That is a fault of ours, not of what you did. Your drawing is kept in this browser; training goes on in any case.")}</p>
        <pre className="max-w-full overflow-x-auto rounded-md bg-sunk p-2.5 font-mono text-xs">{error.message}</pre>
        <Button className="mt-2" onClick={reset}>
          {say("Open it again")}
        </Button>
      </main>
    </>
  );
}
