import { say } from "../../core/language/say.ts";
import { LabelledInput } from "./Door.tsx";

/** Where a password is chosen; the server refuses what is shorter than its hint says. */
export function NewPassword({ label, value, onValue }: { label: string; value: string; onValue: (value: string) => void }) {
  return (
    <LabelledInput
      label={label}
      type="password"
      autoComplete="new-password"
      required
      hint={say("At least 10 characters. Four words make a good one.")}
      value={value}
      onChange={(event) => onValue(event.target.value)}
    />
  );
}
