"use client";

import { useQuery } from "@tanstack/react-query";
import { ChevronLeft, ChevronRight, Dices, Eye, Shuffle } from "lucide-react";
import { useEffect } from "react";
import { say } from "../../../core/language/say.ts";
import { useMayChange } from "../../account/useRole.ts";
import { targetText } from "../../data/targetText.ts";
import { IconButton } from "../../ui/Button.tsx";
import { formatCount } from "../../ui/format.ts";
import { Segments } from "../../ui/Segments.tsx";
import { Tip } from "../../ui/Tip.tsx";
import { useTRPC } from "../../ui/trpc.ts";
import { usePurpose } from "../checked.ts";
import { useTraining } from "../train/useTraining.ts";
import { togglePreview, usePreview } from "./usePreview.ts";
import { usePreviewing } from "./usePreviewing.ts";

const WHEN = [
  { id: "training", title: say("In training") },
  { id: "use", title: say("In use") },
] as const;

/** Turns previews on, and chooses the row that flows through the drawing. */
export default function PreviewBar() {
  // The server computes it, which is for those who may train.
  return useMayChange() ? <Bar /> : null;
}

function Bar() {
  usePreviewing();
  const on = usePreview((s) => s.on);
  return (
    <div role="toolbar" aria-label={say("Preview")} className="flex min-h-[30px] flex-wrap items-center rounded-lg border border-line bg-panel p-px">
      <Tip text={on ? say("Hide what flows") : say("Send a sample through: every node shows what it gives")}>
        <IconButton label={say("Preview")} aria-pressed={on} onClick={togglePreview}>
          <Eye size={15} />
        </IconButton>
      </Tip>
      {on && <Chosen />}
    </div>
  );
}

function Chosen() {
  const data = usePurpose((s) => s.data);
  const datasetId = useTraining((s) => s.settings?.datasetId);
  const { split, row, training, problem, busy } = usePreview();
  const rows = data?.splits[split].rows ?? 0;
  const go = (to: number) => rows > 0 && usePreview.setState({ row: ((to % rows) + rows) % rows });
  // Another data set may have fewer rows.
  useEffect(() => {
    if (rows > 0 && row >= rows) usePreview.setState({ row: 0 });
  }, [row, rows]);
  if (!data || !datasetId) return <p className="px-2 text-ink2">{say("Choose a data set in the settings first.")}</p>;
  return (
    <>
      <IconButton label={say("Previous sample")} onClick={() => go(row - 1)}>
        <ChevronLeft size={15} />
      </IconButton>
      <input
        aria-label={say("Sample of {rows}", { rows: formatCount(rows) })}
        inputMode="numeric"
        key={row}
        defaultValue={row}
        className="figures h-6 w-14 rounded-md border border-line2 bg-raise text-center"
        onKeyDown={(event) => event.key === "Enter" && event.currentTarget.blur()}
        onBlur={(event) => {
          const to = Number(event.target.value);
          if (Number.isInteger(to) && to >= 0 && to < rows) go(to);
          else event.target.value = String(row);
        }}
      />
      <IconButton label={say("Next sample")} onClick={() => go(row + 1)}>
        <ChevronRight size={15} />
      </IconButton>
      <Tip text={say("Any of {rows} training samples", { rows: formatCount(rows) })}>
        <IconButton label={say("Random sample")} onClick={() => go(Math.floor(Math.random() * rows))}>
          <Shuffle size={14} />
        </IconButton>
      </Tip>
      <Target datasetId={datasetId} split={split} row={row} classes={data.classes} name={data.targetName} />
      <span aria-hidden className="mx-1 h-4 w-px bg-line" />
      <Segments label={say("Seen")} options={WHEN} value={training ? "training" : "use"} onValue={(when) => usePreview.setState({ training: when === "training" })} />
      {training && (
        <Tip text={say("Draw other augmentations, noise and dropout")}>
          <IconButton label={say("Draw again")} onClick={() => usePreview.setState(({ draw }) => ({ draw: draw + 1 }))}>
            <Dices size={15} />
          </IconButton>
        </Tip>
      )}
      <span role="status" aria-busy={busy} className={problem === null ? "px-2 text-sm text-ink2" : "px-2 text-sm text-bad"}>
        {problem ?? <From />}
      </span>
    </>
  );
}

/** What is right for the row. */
function Target({ datasetId, split, row, classes, name }: { datasetId: string; split: "train" | "validation"; row: number; classes: readonly string[]; name: string }) {
  const trpc = useTRPC();
  const sample = useQuery(
    trpc.datasets.samples.queryOptions({ datasetId, split, rows: [row], side: 16 }, { staleTime: Number.POSITIVE_INFINITY, placeholderData: (before) => before }),
  );
  const target = sample.data?.samples[0]?.target ?? [];
  if (target.length === 0 || target.length > 4) return null;
  return (
    <span className="max-w-40 truncate px-1.5" title={`${name}: ${targetText(target, classes)}`}>
      {targetText(target, classes)}
    </span>
  );
}

/** With which weights. */
function From() {
  const weights = usePreview((s) => s.weights);
  if (weights === null) return say("Starting the engine");
  const { from, matched, total } = weights;
  if (total === 0) return say("No weights");
  if (from.kind === "fresh") return say("Fresh weights");
  const whose =
    from.kind === "run"
      ? say("Weights of run {number}, step {step}", { number: from.number, step: formatCount(from.step) })
      : say("Weights of {fileName}", { fileName: from.fileName });
  return matched === total ? whose : say("{whose}: {matched} of {total} fit, the others are fresh", { whose, matched, total });
}
