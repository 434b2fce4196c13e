"use client";

import { say } from "../../core/language/say.ts";
import { Button } from "../ui/Button.tsx";
import { TextInput } from "../ui/Field.tsx";
import { notify } from "../ui/Notices.tsx";

/** A secret that is shown now and never again, with the button that takes it along. */
export function ShownOnce({ label, text, words, onClose }: { label: string; text: string; words: string; onClose: () => void }) {
  return (
    <div className="mx-3.5 mb-3.5 space-y-2 rounded-md bg-accent-soft p-3">
      <p>{words}</p>
      <div className="flex gap-2">
        <TextInput aria-label={label} readOnly value={text} className="font-mono text-sm" onFocus={(event) => event.currentTarget.select()} />
        <Button
          onClick={() =>
            void navigator.clipboard.writeText(text).then(
              () => notify(say("Copied.")),
              () => notify(say("The browser did not allow copying: select the text and copy it."), { tone: "bad" }),
            )
          }
        >
          {say("Copy")}
        </Button>
        <Button kind="quiet" onClick={onClose}>
          {say("Done")}
        </Button>
      </div>
    </div>
  );
}
