"use client";

import { ChevronDown } from "lucide-react";
import { Switch as RadixSwitch } from "radix-ui";
import { type ComponentProps, type ReactNode, useEffect, useId, useState } from "react";
import { say } from "../../core/language/say.ts";
import { cx } from "./cx.ts";

const box =
  "h-7 w-full min-w-0 rounded-md border border-line2 bg-raise px-2 text-ink transition-colors duration-100 hover:border-ink3 disabled:cursor-not-allowed disabled:bg-transparent disabled:text-ink3 aria-invalid:border-bad";

/**
 * One line of a form: its name at the left, its control at the right, what is wrong below. Hands the control its ids, so
 * that the name and the complaint are read out with it.
 */
export function Field({
  label,
  hint,
  problem,
  doc,
  mono,
  onRename,
  children,
}: {
  label: string;
  hint?: ReactNode;
  problem?: string | null;
  /** Said on hover over the name. */
  doc?: string;
  /** For parameter names, which are code. */
  mono?: boolean;
  /** Where the name is the person's own: a double click on it lets them write another. */
  onRename?: (name: string) => void;
  children: (ids: { id: string; "aria-describedby"?: string; "aria-invalid"?: true }) => ReactNode;
}) {
  const id = useId();
  const note = problem ?? hint;
  const [renaming, setRenaming] = useState(false);
  return (
    <div className="grid grid-cols-[minmax(0,5fr)_minmax(0,7fr)] items-center gap-x-3 gap-y-1 py-[3px]">
      {renaming ? (
        <input
          aria-label={say("Name of {label}", { label })}
          defaultValue={label}
          ref={(field) => field?.focus()}
          className="h-6 w-full min-w-0 rounded-sm border border-accent bg-raise px-1 font-mono text-sm outline-none"
          onBlur={(event) => {
            setRenaming(false);
            onRename?.(event.target.value.trim());
          }}
          onKeyDown={(event) => (event.key === "Enter" || event.key === "Escape") && event.currentTarget.blur()}
        />
      ) : (
        <label
          htmlFor={id}
          title={onRename ? say("{doc} Double-click to rename.", { doc: doc ?? "" }) : doc}
          onDoubleClick={onRename && (() => setRenaming(true))}
          className={cx("truncate text-ink2", mono && "font-mono text-sm tracking-tight")}
        >
          {label}
        </label>
      )}
      {children({ id, "aria-describedby": note ? `${id}-note` : undefined, "aria-invalid": problem ? true : undefined })}
      {note && (
        <p id={`${id}-note`} className={cx("col-span-2 text-sm", problem ? "text-bad" : "text-ink2")}>
          {note}
        </p>
      )}
    </div>
  );
}

export function TextInput({ className, ...rest }: ComponentProps<"input">) {
  return <input type="text" autoComplete="off" spellCheck={false} className={cx(box, className)} {...rest} />;
}

/** A field for a text of several lines; it grows with them. */
export function TextArea({ className, value, ...rest }: ComponentProps<"textarea"> & { value: string }) {
  const rows = Math.min(16, Math.max(2, value.split("\n").length));
  return <textarea autoComplete="off" spellCheck={false} rows={rows} className={cx(box, "h-auto resize-y py-1", className)} value={value} {...rest} />;
}

/**
 * A field for one value written as text. While it is being typed the text is the person's own; each text that `parse`
 * accepts is passed on at once, and leaving the field shows the value as it stands.
 */
export function ParsedInput<T>({
  value,
  print,
  parse,
  onValue,
  onProblem,
  step,
  className,
  ...rest
}: {
  value: T;
  print: (value: T) => string;
  /** The value, or why the text is none. */
  parse: (text: string) => { value: T } | { problem: string };
  onValue: (value: T) => void;
  onProblem?: (problem: string | null) => void;
  /** What the arrow keys do: the next value up (1) or down (-1). */
  step?: (value: T, direction: 1 | -1) => T;
} & Omit<ComponentProps<"input">, "value" | "onChange" | "step">) {
  const printed = print(value);
  const [draft, setDraft] = useState<string | null>(null);
  // A change from elsewhere (undo, a fix) shows at once, even while the field has the focus.
  useEffect(() => {
    setDraft((current) => {
      if (current === null) return null;
      const parsed = parse(current);
      return "value" in parsed && print(parsed.value) !== printed ? null : current;
    });
    // Only a changed value matters; parse and print may be new functions on each render.
  }, [printed]);

  function type(text: string): void {
    setDraft(text);
    const parsed = parse(text);
    if ("value" in parsed) {
      onProblem?.(null);
      if (print(parsed.value) !== printed) onValue(parsed.value);
    } else onProblem?.(parsed.problem);
  }

  return (
    <input
      type="text"
      autoComplete="off"
      spellCheck={false}
      className={cx(box, "tabular-nums", className)}
      value={draft ?? printed}
      onChange={(event) => type(event.target.value)}
      onBlur={() => {
        setDraft(null);
        onProblem?.(null);
      }}
      onKeyDown={(event) => {
        if (event.key === "Enter") setDraft(null);
        if (step && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
          event.preventDefault();
          setDraft(null);
          onProblem?.(null);
          onValue(step(value, event.key === "ArrowUp" ? 1 : -1));
        }
      }}
      {...rest}
    />
  );
}

export type NumberRange = { min?: number; max?: number; whole?: boolean; step?: number };

/** Says what a number must be, in the words of a complaint. */
function rangeText({ min, max, whole }: NumberRange): string {
  const noun = whole ? say("a whole number") : say("a number");
  if (min !== undefined && max !== undefined) return say("Needs {noun} from {min} to {max}.", { noun, min, max });
  if (min !== undefined) return say("Needs {noun} of at least {min}.", { noun, min });
  if (max !== undefined) return say("Needs {noun} of at most {max}.", { noun, max });
  return say("Needs {noun}.", { noun });
}

/** Reads `0.001`, `1e-3`, `1_000`; says what is wrong with anything else. */
function parseNumber(text: string, range: NumberRange): { value: number } | { problem: string } {
  const value = text.trim() === "" ? Number.NaN : Number(text.replace(/[_\s]/g, ""));
  const fits = Number.isFinite(value) && (!range.whole || Number.isInteger(value)) && value >= (range.min ?? -Infinity) && value <= (range.max ?? Infinity);
  return fits ? { value } : { problem: rangeText(range) };
}

/** `0.001` as `0.001`, `0.00001` as `1e-5`. */
export function printNumber(value: number): string {
  return value !== 0 && Math.abs(value) < 0.001 ? value.toExponential().replace(/e([+-])0*/, "e$1") : String(value);
}

/** A number; arrow keys step it. Fractions step by a tenth of their own size where no step is given. */
export function NumberInput({
  value,
  onValue,
  onProblem,
  min,
  max,
  whole,
  step,
  ...rest
}: NumberRange & {
  value: number;
  onValue: (value: number) => void;
  onProblem?: (problem: string | null) => void;
} & Omit<ComponentProps<"input">, "value" | "onChange" | "min" | "max" | "step">) {
  const range = { min, max, whole };
  return (
    <ParsedInput
      inputMode={whole ? "numeric" : "decimal"}
      value={value}
      print={printNumber}
      parse={(text) => parseNumber(text, range)}
      step={(current, direction) => {
        const by = step ?? (whole ? 1 : current === 0 ? 0.1 : 10 ** Math.floor(Math.log10(Math.abs(current))));
        const next = Number((current + direction * by).toPrecision(12));
        return Math.min(max ?? Infinity, Math.max(min ?? -Infinity, next));
      }}
      onValue={onValue}
      onProblem={onProblem}
      {...rest}
    />
  );
}

/** The platform's own list, so that it works with a thumb and a screen reader alike. */
export function Select({ className, children, ...rest }: ComponentProps<"select">) {
  return (
    <span className="relative block min-w-0">
      <select className={cx(box, "appearance-none truncate pr-7", className)} {...rest}>
        {children}
      </select>
      <ChevronDown size={14} aria-hidden className="pointer-events-none absolute top-1/2 right-2 -translate-y-1/2 text-ink3" />
    </span>
  );
}

export function Switch({
  checked,
  onChecked,
  ...rest
}: {
  checked: boolean;
  onChecked: (checked: boolean) => void;
  id?: string;
  disabled?: boolean;
  "aria-label"?: string;
  "aria-describedby"?: string;
}) {
  return (
    <RadixSwitch.Root
      checked={checked}
      onCheckedChange={onChecked}
      className="inline-flex h-[18px] w-8 shrink-0 items-center rounded-full border border-line2 bg-sunk px-px transition-colors duration-100 disabled:opacity-50 data-[state=checked]:border-accent data-[state=checked]:bg-accent"
      {...rest}
    >
      <RadixSwitch.Thumb className="block size-3.5 rounded-full bg-ink3 transition-transform duration-100 data-[state=checked]:translate-x-3.5 data-[state=checked]:bg-on-accent" />
    </RadixSwitch.Root>
  );
}
