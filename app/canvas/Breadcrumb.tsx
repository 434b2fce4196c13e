"use client";

import { ChevronRight } from "lucide-react";
import { Fragment } from "react";
import { countInstances, instanceAround } from "../../core/graph/definitions.ts";
import { say } from "../../core/language/say.ts";
import { Button } from "../ui/Button.tsx";
import { cx } from "../ui/cx.ts";
import { detachAround } from "./blockEdits.ts";
import { titleOf } from "./names.ts";
import { bodyAt, goTo, useGraph } from "./useGraph.ts";
import { useStudio } from "./useStudio.ts";

/** The way into the zone that is on the canvas, with its sibling bodies beside it. Nothing on the model's own canvas. */
export function Breadcrumb() {
  const graph = useGraph((s) => s.graph);
  const scope = useGraph((s) => s.scope);
  const name = useStudio((s) => s.name);
  if (scope.length === 0) return null;
  const around = instanceAround(graph, scope);
  const definition = around && graph.definitions?.[around.definition];
  const count = around ? countInstances(graph, around.definition) : 0;
  return (
    <>
      <nav aria-label={say("Where")} className="flex h-8 max-w-full items-center gap-1 overflow-x-auto rounded-lg border border-line bg-panel px-1">
        <button type="button" className="rounded-md px-1.5 py-0.5 text-ink2 hover:bg-hover hover:text-ink" onClick={() => goTo([])}>
          {name}
        </button>
        {scope.map((step, depth) => {
          const node = bodyAt(graph, scope.slice(0, depth)).nodes.find((n) => n.id === step.node);
          const roles = Object.keys(node?.bodies ?? {});
          const here = depth === scope.length - 1;
          return (
            <Fragment key={depth}>
              <ChevronRight size={12} aria-hidden className="shrink-0 text-ink3" />
              <span className="px-1 whitespace-nowrap text-ink2">{node ? titleOf(node, graph.definitions) : step.node}</span>
              {roles.length > 1 && (
                <span className="flex rounded-md bg-bg p-px">
                  {roles.map((role) => (
                    <button
                      key={role}
                      type="button"
                      aria-current={here && role === step.role ? "location" : undefined}
                      className={cx("rounded-[5px] px-2 py-0.5", role === step.role ? "bg-raise font-semibold text-ink" : "text-ink2 hover:text-ink")}
                      onClick={() => goTo([...scope.slice(0, depth), { node: step.node, role }])}
                    >
                      {role.replaceAll("_", " ")}
                    </button>
                  ))}
                </span>
              )}
            </Fragment>
          );
        })}
      </nav>
      {definition && count > 1 && (
        <div role="note" className="flex h-8 max-w-full items-center gap-2 rounded-lg border border-line bg-accent-soft pr-1 pl-2.5">
          <span className="min-w-0 truncate">{say("Changes here reach all {count} copies of {name}", { count, name: definition.name })}</span>
          <Button size="sm" kind="quiet" onClick={detachAround}>
            {say("Make this one independent")}
          </Button>
        </div>
      )}
    </>
  );
}
