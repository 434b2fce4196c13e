"use client";

import { X } from "lucide-react";
import { pathOf } from "../../../core/graph/path.ts";
import { say } from "../../../core/language/say.ts";
import { usePurpose } from "../checked.ts";
import { useGraph } from "../useGraph.ts";
import { hidePreview, usePreview } from "./usePreview.ts";
import { type Names, ValueView } from "./ValueView.tsx";

/** What a node makes of the chosen row, beside it. Nothing while previews are off. */
export function NodePreview({ id, title }: { id: string; title: string }) {
  const on = usePreview((s) => s.on);
  return on ? <Shown id={id} title={title} /> : null;
}

function Shown({ id, title }: { id: string; title: string }) {
  const scope = useGraph((s) => s.scope);
  const path = pathOf(scope, id);
  const hidden = usePreview((s) => s.hidden.has(path));
  const value = usePreview((s) => s.values.get(path)?.[0]?.small);
  const failure = usePreview((s) => s.failures.get(path));
  const names = useNames();
  if (hidden || (!value && failure === undefined)) return null;
  return (
    <div className="node-preview nodrag nopan" data-failed={failure !== undefined || undefined}>
      {failure !== undefined ? (
        <p role="alert" title={failure}>
          {failure}
        </p>
      ) : (
        value && <ValueView picture={value} names={names} size="small" label={say("What {title} gives: {shape}", { title, shape: value.shape.join("×") })} />
      )}
      {value?.view.kind === "image" && value.view.shown < value.view.channels && !value.view.natural && (
        <span className="node-preview-more">+{value.view.channels - value.view.shown}</span>
      )}
      <button
        type="button"
        aria-label={say("Hide the preview of {title}", { title })}
        onClick={(event) => {
          event.stopPropagation();
          hidePreview(path, true);
        }}
      >
        <X size={10} aria-hidden />
      </button>
    </div>
  );
}

const NO_CLASSES: readonly string[] = [];

/** How the data set names classes and reads tokens. */
export function useNames(): Names {
  const data = usePurpose((s) => s.data);
  return { classes: data?.classes ?? NO_CLASSES, text: data?.text ?? null };
}
