"use client";

import { say } from "../../../core/language/say.ts";
import { type Measure, measures } from "../../../core/training/look.ts";
import { Segments } from "../../ui/Segments.tsx";
import type { Shown } from "./usePulse.ts";

const OFF = "off";
const OPTIONS = [{ id: OFF, title: say("Plain") }, ...measures.map(({ id, title }) => ({ id, title }))];

/** By what nodes glow. */
export function GlowChoice({ shown, onShown }: { shown: Shown; onShown: (shown: Shown) => void }) {
  return (
    <Segments
      label={say("What nodes show of the run")}
      options={OPTIONS}
      value={shown ?? OFF}
      onValue={(id) => onShown(measures.find((measure) => measure.id === id)?.id ?? null)}
    />
  );
}

/** What the colours mean. */
export function GlowLegend({ measure }: { measure: Measure }) {
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-1 text-sm text-ink2">
      <span className="flex items-center gap-1.5">
        {say("less")}
        <span aria-hidden className="glow-scale" />
        {say("more")}
      </span>
      <span className="flex items-center gap-1.5">
        <span aria-hidden className="size-2.5 rounded-full border-2 border-warn" />
        {say("worth a look")}
      </span>
      <span className="sr-only">{measure.doc}</span>
    </div>
  );
}
