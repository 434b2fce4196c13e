"use client";

import { useState } from "react";
import { say } from "../../../core/language/say.ts";
import { notify } from "../../ui/Notices.tsx";
import { saveNow } from "../useAutosave.ts";

/** A measurement of the drawing as it stands, asked for by a button: saves first, keeps the last answer, and says why there is none. */
export function useMeasured<Answer>(ask: () => Promise<Answer>, failed: string): { measuring: boolean; answer: Answer | null; measure: () => void } {
  const [measuring, setMeasuring] = useState(false);
  const [answer, setAnswer] = useState<Answer | null>(null);

  async function measure(): Promise<void> {
    setMeasuring(true);
    try {
      if (!(await saveNow())) throw new Error(say("The drawing could not be saved."));
      setAnswer(await ask());
    } catch (error) {
      notify(`${failed} ${error instanceof Error ? error.message : ""}`, { tone: "bad" });
    } finally {
      setMeasuring(false);
    }
  }

  return { measuring, answer, measure: () => void measure() };
}
