"use client";

import { useQuery } from "@tanstack/react-query";
import { ArrowRight } from "lucide-react";
import Link from "next/link";
import type { ReactNode } from "react";
import { say } from "../../core/language/say.ts";
import { cx } from "../ui/cx.ts";
import { type Answers, useTRPC } from "../ui/trpc.ts";

type Line = Answers["runs"]["lineage"]["run"];

/** Where a run's weights came from and which runs went on from them, as a line from left to right. Nothing where it stands alone. */
export function Lineage({ runId }: { runId: string }) {
  const trpc = useTRPC();
  const { data } = useQuery(trpc.runs.lineage.queryOptions({ runId }));
  if (!data || (data.weights === null && data.ancestors.length === 0 && data.descendants.length === 0)) return null;
  const { weights, ancestors, run, descendants } = data;
  return (
    <section aria-label={say("Where its weights come from")}>
      <h3 className="section-name pb-1.5 text-ink2">{say("Where its weights come from")}</h3>
      <ol className="flex flex-wrap items-center gap-1.5">
        <Step>
          <span className="block rounded-md border border-dashed border-line2 px-2 py-1 text-ink2">{weights ?? say("Drawn at random")}</span>
        </Step>
        {ancestors.map((one) => (
          <Step key={one.id} arrow>
            <Chip run={one} />
          </Step>
        ))}
        <Step arrow>
          <Chip run={run} isThis />
        </Step>
        {descendants.length > 0 && (
          <Step arrow>
            <ul className="space-y-1.5 border-l border-line2 pl-2">
              {descendants.map((one) => (
                <li key={one.id}>
                  <Chip run={one} />
                </li>
              ))}
            </ul>
          </Step>
        )}
      </ol>
    </section>
  );
}

function Step({ arrow = false, children }: { arrow?: boolean; children: ReactNode }) {
  return (
    <li className="flex min-w-0 items-center gap-1.5">
      {arrow && <ArrowRight size={13} aria-hidden className="shrink-0 text-ink3" />}
      {children}
    </li>
  );
}

function Chip({ run: { id, number, model, dataset }, isThis = false }: { run: Line; isThis?: boolean }) {
  const words = (
    <>
      <span className="block truncate font-medium">{say("{model}, run {number}", { model, number })}</span>
      <span className="block truncate text-sm text-ink2">{say("on {dataset}", { dataset })}</span>
    </>
  );
  const look = cx("block max-w-56 min-w-0 rounded-md border px-2 py-1", isThis ? "border-accent bg-accent-soft" : "border-line2 hover:border-ink3");
  return isThis ? (
    <span aria-current="page" className={look}>
      {words}
    </span>
  ) : (
    <Link href={`/runs/${id}`} className={look}>
      {words}
    </Link>
  );
}
