"use client";

import { diffGraphs, sayDiff } from "../../core/graph/diff.ts";
import { say } from "../../core/language/say.ts";
import { Button } from "../ui/Button.tsx";
import { useGraph } from "./useGraph.ts";
import { useStudio } from "./useStudio.ts";

/** What differs between the drawing and the version that it is compared with, over the canvas. */
export default function CompareBar() {
  const compare = useStudio((s) => s.compare);
  const graph = useGraph((s) => s.graph);
  if (!compare) return null;
  const diff = diffGraphs(compare.graph, graph);
  const lines = sayDiff(diff);
  const count = (state: string) => diff.nodes.filter((node) => node.state === state).length;
  return (
    <section
      aria-label={say("Comparison")}
      className="absolute top-16 left-3 z-10 flex max-h-[40%] w-80 max-w-[calc(100%-24px)] flex-col rounded-lg border border-line2 bg-raise shadow-float"
    >
      <header className="flex items-center justify-between gap-2 px-3 pt-2">
        <h2 className="min-w-0 truncate font-semibold">{say("Since {title}", { title: compare.title })}</h2>
        <Button size="sm" onClick={() => useStudio.setState({ compare: null })}>
          {say("Done")}
        </Button>
      </header>
      <p className="px-3 text-ink2">
        {diff.isSame
          ? say("Nothing differs.")
          : say("{count} added, {count2} removed, {count3} changed", { count: count("added"), count2: count("removed"), count3: count("changed") })}
      </p>
      {lines.length > 0 && (
        <ul className="min-h-0 overflow-y-auto px-3 pt-1 pb-2">
          {lines.map((line, index) => (
            <li key={index}>{line}</li>
          ))}
        </ul>
      )}
    </section>
  );
}
