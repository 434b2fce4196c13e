"use client";

import { type ComponentProps, type KeyboardEvent, useId, useLayoutEffect, useRef, useState } from "react";
import { say } from "../../core/language/say.ts";
import { cx } from "./cx.ts";

/** A stretch of the text that is wrong, by offsets. */
export type CodeProblem = { start: number; end: number };
export type Completion = { insert: string; label: string; detail: string /** Where the caret goes, from the end of what is put in. */; caret?: number };

const text = "block w-full px-2 py-1.5 font-mono text-sm leading-[18px] whitespace-pre-wrap [overflow-wrap:anywhere]";

/** A field for a few lines of code, with what is wrong underlined and a list of what the word before the caret may become. */
export function CodeField({
  value,
  onValue,
  problem,
  complete,
  className,
  ...rest
}: {
  value: string;
  onValue: (value: string) => void;
  problem: CodeProblem | null;
  /** What may follow the word before the caret. */
  complete: (word: string) => Completion[];
} & Omit<ComponentProps<"textarea">, "value" | "onChange">) {
  const area = useRef<HTMLTextAreaElement>(null);
  const caret = useRef<number | null>(null);
  const list = useId();
  const [word, setWord] = useState<{ start: number; text: string } | null>(null);
  const [active, setActive] = useState(0);
  const found = word ? complete(word.text).slice(0, 7) : [];

  // After a completion the caret stands where one goes on writing, not at the end.
  useLayoutEffect(() => {
    if (caret.current !== null) area.current?.setSelectionRange(caret.current, caret.current);
    caret.current = null;
  });

  function lookAt(field: HTMLTextAreaElement): void {
    const before = field.value.slice(0, field.selectionStart);
    const typed = /[A-Za-z_]\w*$/.exec(before)?.[0] ?? "";
    setWord(typed !== "" && field.selectionStart === field.selectionEnd ? { start: before.length - typed.length, text: typed } : null);
    setActive(0);
  }

  function accept(one: Completion): void {
    if (!word) return;
    caret.current = word.start + one.insert.length - (one.caret ?? 0);
    onValue(value.slice(0, word.start) + one.insert + value.slice(word.start + word.text.length));
    setWord(null);
    area.current?.focus();
  }

  function onKeyDown(event: KeyboardEvent<HTMLTextAreaElement>): void {
    const one = found[active];
    if (!one) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") setActive((index) => (index + (event.key === "ArrowDown" ? 1 : -1) + found.length) % found.length);
    else if (event.key === "Tab" || event.key === "Enter") accept(one);
    else if (event.key === "Escape") setWord(null);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  const end = problem ? Math.max(problem.end, problem.start + 1) : 0;
  return (
    <div className="relative min-w-0">
      <div
        className={cx(
          "relative grid rounded-md border border-line2 bg-raise transition-colors duration-100 focus-within:border-ink3 hover:border-ink3",
          problem && "border-bad focus-within:border-bad",
          className,
        )}
      >
        {/* The same text underneath gives the field its height and carries the mark. */}
        <pre aria-hidden className={cx(text, "pointer-events-none col-start-1 row-start-1 min-h-[66px] text-transparent")}>
          {problem ? (
            <>
              {value.slice(0, problem.start)}
              <mark className="rounded-[2px] bg-bad-soft text-transparent underline decoration-bad decoration-wavy underline-offset-[3px]">
                {value.slice(problem.start, end) || " "}
              </mark>
              {value.slice(end)}
            </>
          ) : (
            value
          )}
          {"\n"}
        </pre>
        <textarea
          ref={area}
          value={value}
          spellCheck={false}
          autoComplete="off"
          autoCapitalize="off"
          role="combobox"
          aria-expanded={found.length > 0}
          aria-controls={list}
          aria-activedescendant={found[active] ? `${list}-${active}` : undefined}
          className={cx(text, "col-start-1 row-start-1 h-full resize-none overflow-hidden bg-transparent text-ink outline-none placeholder:text-ink3")}
          onChange={(event) => {
            onValue(event.target.value);
            lookAt(event.target);
          }}
          onKeyDown={onKeyDown}
          onBlur={() => setWord(null)}
          onClick={() => setWord(null)}
          {...rest}
        />
      </div>
      {found.length > 0 && (
        <div
          id={list}
          role="listbox"
          aria-label={say("Completions")}
          className="appear absolute inset-x-0 top-full z-20 mt-1 rounded-lg border border-line2 bg-raise p-1 shadow-float"
        >
          {found.map((one, index) => (
            <div
              key={one.label}
              id={`${list}-${index}`}
              role="option"
              aria-selected={index === active}
              tabIndex={-1}
              className={cx("cursor-default rounded-md px-2 py-1", index === active && "bg-hover")}
              onPointerMove={() => setActive(index)}
              // The field must keep the focus.
              onMouseDown={(event) => {
                event.preventDefault();
                accept(one);
              }}
            >
              <span className="block truncate font-mono text-sm">{one.label}</span>
              {index === active && <span className="block text-sm text-ink2">{one.detail}</span>}
            </div>
          ))}
        </div>
      )}
    </div>
  );
}
