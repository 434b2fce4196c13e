"use client";

import { useState } from "react";
import { encodeText, UNKNOWN } from "../../../core/data/text.ts";
import { say } from "../../../core/language/say.ts";
import { Button } from "../../ui/Button.tsx";
import type { Run } from "../run.ts";

/** More of what was written earlier is shown at a click. */
const SHOWN = 4;

/** What a language model went on with after its evaluations, the latest first: its first words are noise, and order grows in them. */
export function Written({ run: { texts, settings, dataset } }: { run: Run }) {
  const [showsAll, setShowsAll] = useState(false);
  const { prompt, temperature } = settings.writing;
  // A prompt of which nothing is known was not used.
  const isKnown = dataset.text !== null && encodeText(prompt, dataset.text).some((token) => token !== UNKNOWN);
  const [latest, ...earlier] = [...texts].reverse();
  if (!latest) return <p className="text-ink2">{say("What it writes stands here after the first epoch.")}</p>;
  const shown = showsAll ? earlier : earlier.slice(0, SHOWN);
  return (
    <section aria-label={say("What it writes")} className="space-y-2">
      <header className="flex items-baseline justify-between gap-3">
        <h3 className="section-name text-ink2">{say("What it writes")}</h3>
        <span className="text-xs text-ink2">{temperature === 0 ? say("always the likeliest") : say("temperature {temperature}", { temperature })}</span>
      </header>
      <Passage epoch={latest.epoch} text={latest.text} prompt={isKnown ? prompt : ""} />
      {shown.map(({ step, epoch, text }) => (
        <Passage key={step} epoch={epoch} text={text} prompt={isKnown ? prompt : ""} isEarlier />
      ))}
      {shown.length < earlier.length && (
        <Button size="sm" onClick={() => setShowsAll(true)}>
          {say("{count} earlier", { count: earlier.length - shown.length })}
        </Button>
      )}
    </section>
  );
}

function Passage({ epoch, text, prompt, isEarlier = false }: { epoch: number; text: string; prompt: string; isEarlier?: boolean }) {
  const asked = text.startsWith(prompt) ? prompt : "";
  return (
    <article aria-label={say("After epoch {epoch}", { epoch })} className="rounded-md border border-line2 bg-raise px-2.5 py-2">
      <p className="pb-0.5 text-xs text-ink2">{say("after epoch {epoch}", { epoch })}</p>
      <p className={isEarlier ? "line-clamp-3 text-ink2 [overflow-wrap:anywhere] whitespace-pre-wrap" : "[overflow-wrap:anywhere] whitespace-pre-wrap"}>
        {asked && <span className="text-accent">{asked}</span>}
        {text.slice(asked.length)}
      </p>
    </article>
  );
}
