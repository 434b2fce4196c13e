"use client";

import { useInfiniteQuery } from "@tanstack/react-query";
import Link from "next/link";
import { printDate } from "../../core/language/numbers.ts";
import { sayRole } from "../../core/language/roles.ts";
import { say } from "../../core/language/say.ts";
import { Badge } from "../ui/Badge.tsx";
import { Button } from "../ui/Button.tsx";
import { formatAgo } from "../ui/format.ts";
import { Empty, Failing, Loading } from "../ui/States.tsx";
import { type Answers, useTRPC } from "../ui/trpc.ts";
import { trailWords } from "./trailWords.ts";

type Event = Answers["organization"]["activity"]["events"][number];

const PLACES: { [kind: string]: string } = { model: "/models", run: "/runs", dataset: "/data" };

/** The activity of an organization, or its whole audit log, newest first. */
export function Trail({ kind }: { kind: "activity" | "audit" }) {
  const trpc = useTRPC();
  const options = { getNextPageParam: (page: { next: string | null }) => page.next ?? undefined, initialCursor: undefined };
  const activity = useInfiniteQuery({ ...trpc.organization.activity.infiniteQueryOptions({}, options), enabled: kind === "activity" });
  const audit = useInfiniteQuery({ ...trpc.organization.audit.infiniteQueryOptions({}, options), enabled: kind === "audit" });
  const query = kind === "activity" ? activity : audit;
  const events = query.data?.pages.flatMap((page) => page.events) ?? [];
  return (
    <div className="pt-4">
      {query.isPending && <Loading label={say("Loading what happened")} className="h-40" />}
      {query.isError && <Failing what={say("What happened")} error={query.error} onRetry={() => void query.refetch()} />}
      {query.isSuccess && events.length === 0 && <Empty title={say("Nothing happened yet")}>{say("Models, data and runs that people make or change are listed here.")}</Empty>}
      {events.length > 0 && (
        <ol aria-label={kind === "audit" ? say("Audit log") : say("Activity")} className="rounded-xl border border-line bg-raise px-3.5 py-1">
          {events.map((event) => (
            <li key={event.id} className="flex min-h-9 items-center gap-3 border-t border-line py-1 first:border-t-0">
              <span className="min-w-0 flex-1 break-words sm:truncate">
                <Sentence event={event} />
              </span>
              {event.byToken && <Badge>{say("by token")}</Badge>}
              <time dateTime={event.at} title={printDate(new Date(event.at), { dateStyle: "short", timeStyle: "medium" })} className="shrink-0 text-ink2">
                {formatAgo(event.at)}
              </time>
            </li>
          ))}
        </ol>
      )}
      {query.hasNextPage && (
        <Button className="mt-3" disabled={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          {say("Show older")}
        </Button>
      )}
    </div>
  );
}

function Sentence({ event: { by, action, subject, details } }: { event: Event }) {
  const place = subject?.kind ? PLACES[subject.kind] : undefined;
  const name = subject?.name ?? details.email ?? details.name;
  return (
    <>
      <span className="font-medium">{by}</span> {trailWords[action] ?? action}{" "}
      {name &&
        (place && subject ? (
          <Link href={`${place}/${subject.id}`} className="text-accent underline underline-offset-2">
            {name}
          </Link>
        ) : (
          <span>{name}</span>
        ))}
      {details.role && <span className="text-ink2"> {say("as {role}", { role: sayRole(String(details.role)) })}</span>}
    </>
  );
}
