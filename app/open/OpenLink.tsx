"use client";

import { useMutation } from "@tanstack/react-query";
import { useRouter } from "next/navigation";
import { useEffect, useState } from "react";
import { say } from "../../core/language/say.ts";
import { useMayChange } from "../account/useRole.ts";
import { GraphDrawing } from "../canvas/GraphDrawing.tsx";
import { readLink } from "../canvas/link.ts";
import { Button, ButtonLink } from "../ui/Button.tsx";
import { notify } from "../ui/Notices.tsx";
import { TopBar } from "../ui/TopBar.tsx";
import { useTRPCClient } from "../ui/trpc.ts";

/** A network that came in a link: what it is, and a copy of one's own to work on. */
export function OpenLink() {
  const mayChange = useMayChange();
  const client = useTRPCClient();
  const router = useRouter();
  const [read, setRead] = useState<Awaited<ReturnType<typeof readLink>> | "reading">("reading");
  useEffect(() => {
    const look = () => void readLink(location.hash).then(setRead);
    look();
    window.addEventListener("hashchange", look);
    return () => window.removeEventListener("hashchange", look);
  }, []);
  const found = read !== "reading" && read && "graph" in read ? read : null;
  const open = useMutation({
    async mutationFn() {
      if (!found) throw new Error(say("There is no network in this link."));
      const { id } = await client.models.create.mutate({ name: found.name || say("From a link") });
      await client.models.save.mutate({ modelId: id, revision: 1, graph: found.graph });
      return id;
    },
    onSuccess: (id) => router.push(`/models/${id}`),
    onError: (error) => notify(say("The copy could not be made. {message}", { message: error.message }), { tone: "bad" }),
  });
  return (
    <div className="flex min-h-dvh flex-col">
      <TopBar place={[{ label: say("A shared network") }]} />
      <main className="mx-auto w-full max-w-xl p-6">
        {read === "reading" ? (
          <p role="status" className="breathe text-ink2">
            {say("Reading the link")}
          </p>
        ) : found ? (
          <section className="space-y-4">
            <h1 className="font-semibold text-[20px]">{found.name || say("A network")}</h1>
            <div className="rounded-lg border border-line bg-raise p-4">
              <GraphDrawing graph={found.graph} label={say("Drawing of {name}", { name: found.name || say("the network") })} />
            </div>
            <p className="text-ink2">{say("{count} nodes came in this link. Your copy is yours: nobody sees what you change.", { count: found.graph.nodes.length })}</p>
            {mayChange ? (
              <Button kind="primary" disabled={open.isPending} onClick={() => open.mutate()}>
                {say("Open a copy")}
              </Button>
            ) : (
              <p className="text-ink2">{say("You may look here. Taking a copy needs the role member: ask an admin of your organization.")}</p>
            )}
          </section>
        ) : (
          <section className="space-y-4">
            <h1 className="font-semibold text-[20px]">{say("No network in this link")}</h1>
            <p className="text-ink2">{say("It may have been cut when it was sent: ask for the whole link, up to its last letter.")}</p>
            <ButtonLink href="/">{say("Go to the start")}</ButtonLink>
          </section>
        )}
      </main>
    </div>
  );
}
