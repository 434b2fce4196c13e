"use client";

import { useRouter } from "next/navigation";
import { useEffect } from "react";
import { say } from "../../core/language/say.ts";
import { notify } from "../ui/Notices.tsx";
import { isRefusal, useTRPCClient } from "../ui/trpc.ts";

const ASK_EVERY_MS = 5_000;

/** Tells a person on whatever page that one of their runs finished or failed. Mounted once; says nothing of the run whose page is open. */
export function Endings() {
  const client = useTRPCClient();
  const router = useRouter();
  useEffect(() => {
    let since: string | undefined;
    let over = false;
    let timer: ReturnType<typeof setTimeout>;
    async function ask(): Promise<void> {
      try {
        const { now, endings } = await client.runs.endings.query(since === undefined ? {} : { since });
        since = now;
        if (over) return;
        for (const { id, number, modelName, status, message } of endings.toReversed()) {
          if (location.pathname === `/runs/${id}`) continue;
          notify(
            status === "failed"
              ? say("Run {number} of {modelName} failed. {message}", { number, modelName, message: message ?? "" })
              : say("Run {number} of {modelName} has finished.", { number, modelName }),
            {
              ...(status === "failed" ? { tone: "bad" as const } : {}),
              action: { label: say("Open"), run: () => router.push(`/runs/${id}`) },
            },
          );
        }
      } catch (error) {
        // Nobody is signed in here: there is nothing to tell.
        if (isRefusal(error)) return;
      }
      if (!over) timer = setTimeout(() => void ask(), ASK_EVERY_MS);
    }
    void ask();
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [client, router]);
  return null;
}
