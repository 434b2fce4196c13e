import { say } from "../../core/language/say.ts";
import { Button } from "../ui/Button.tsx";
import { Progress } from "../ui/Progress.tsx";

/** A file on its way, which can be stopped. */
export function Underway({ text, share, onCancel }: { text: string; share: number | null; onCancel: () => void }) {
  return (
    <div className="flex min-h-32 flex-col items-center justify-center gap-3 rounded-xl border border-line px-5 py-5 text-center">
      <Progress text={text} share={share} />
      <Button onClick={onCancel}>{say("Cancel")}</Button>
    </div>
  );
}
