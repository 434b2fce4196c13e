"use client";

import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { printDate } from "../../core/language/numbers.ts";
import { say } from "../../core/language/say.ts";
import { cx } from "../ui/cx.ts";
import { Failing, Loading } from "../ui/States.tsx";
import { useTRPC } from "../ui/trpc.ts";

/** What happened, in words and in order. New lines come by themselves; the view follows them while it stands at the end. */
export function RunLog({ runId }: { runId: string }) {
  const trpc = useTRPC();
  const log = useQuery(trpc.runs.log.queryOptions({ runId }));
  const end = useRef<HTMLDivElement>(null);
  const follows = useRef(true);
  const count = log.data?.length ?? 0;

  useEffect(() => {
    if (follows.current) end.current?.scrollIntoView({ block: "nearest" });
  }, [count]);
  useEffect(() => {
    if (!end.current) return;
    const observer = new IntersectionObserver(([entry]) => {
      follows.current = entry?.isIntersecting ?? true;
    });
    observer.observe(end.current);
    return () => observer.disconnect();
  }, [log.isSuccess]);

  if (log.error) return <Failing what={say("The log")} error={log.error} onRetry={() => void log.refetch()} />;
  if (log.isPending) return <Loading label={say("Loading the log")} className="h-40" />;
  if (log.data.length === 0) return <p className="text-ink2">{say("Nothing has happened yet.")}</p>;
  return (
    <>
      <ol role="log" aria-label={say("Log of the run")} className="space-y-1">
        {log.data.map(({ id, at, level, message }) => (
          <li key={id} className="grid grid-cols-[56px_minmax(0,1fr)] gap-2">
            <time dateTime={at} title={printDate(new Date(at), { dateStyle: "short", timeStyle: "medium" })} className="figures pt-px leading-[19px] text-ink2">
              {printDate(new Date(at), { timeStyle: "medium" })}
            </time>
            <span className={cx("break-words", level === "warn" && "text-warn", level === "error" && "text-bad")}>{message}</span>
          </li>
        ))}
      </ol>
      <div ref={end} className="h-px" />
    </>
  );
}
