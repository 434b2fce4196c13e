"use client";

import { SquareFunction } from "lucide-react";
import { Popover } from "radix-ui";
import { useState } from "react";
import { evaluateExpression, readExpression } from "../../core/expression/evaluate.ts";
import { type FunctionHelp, functionHelp } from "../../core/expression/functions.ts";
import type { ExpressionProblem } from "../../core/expression/parse.ts";
import type { TensorType } from "../../core/graph/shape.ts";
import { say } from "../../core/language/say.ts";
import type { Inputs } from "../../core/layers/kit.ts";
import { Button } from "../ui/Button.tsx";
import { CodeField, type Completion } from "../ui/CodeField.tsx";
import { TextInput } from "../ui/Field.tsx";

/** The text of an expression: read and checked against what comes in while it is being typed, with all functions at hand. */
export function ExpressionField({
  value,
  onValue,
  problem,
  hint,
  ...rest
}: {
  value: string;
  onValue: (value: string) => void;
  /** What is wrong with it. */
  problem: ExpressionProblem | null;
  /** Stands below while nothing is. */
  hint: string;
  id?: string;
  placeholder?: string;
}) {
  const names = namesIn(value);
  return (
    <div className="col-span-2 space-y-1">
      <CodeField value={value} onValue={onValue} problem={problem} complete={(word) => completions(word, names)} aria-invalid={problem ? true : undefined} {...rest} />
      <div className="flex items-start justify-between gap-2">
        {problem ? (
          <p role="alert" className="min-w-0 text-sm text-bad">
            {value.includes("\n")
              ? say("Line {line}, column {column}: {message}", { line: problem.line, column: problem.column, message: problem.message })
              : say("Column {column}: {message}", { column: problem.column, message: problem.message })}
            {problem.hint && <span className="text-ink2"> {problem.hint}</span>}
          </p>
        ) : (
          <p className="text-sm text-ink2">{hint}</p>
        )}
        <Functions onPick={(one) => onValue(`${value}${value === "" || /\s$/.test(value) ? "" : " "}${one.name}(`)} />
      </div>
    </div>
  );
}

/** The first thing that is wrong, in the text or between the text and what is wired in, as far as that is known. */
export function findInputProblem(value: string, inputs: Inputs<TensorType>): ExpressionProblem | null {
  const read = readExpression(value);
  if ("problem" in read) return read.problem;
  const types: { [name: string]: TensorType } = {};
  for (const { name } of read.expression.inputs) {
    const type = inputs[name];
    // What is not wired yet is said of the port.
    if (type === undefined || Array.isArray(type)) return null;
    types[name] = type;
  }
  const evaluated = evaluateExpression(read.expression, types);
  return "problem" in evaluated ? evaluated.problem : null;
}

function namesIn(value: string): string[] {
  const read = readExpression(value);
  return "problem" in read
    ? read.inputs
    : [...read.expression.inputs.map(({ name }) => name), ...read.expression.statements.flatMap(({ targets }) => targets.map(({ name }) => name))];
}

function completions(word: string, names: readonly string[]): Completion[] {
  const lower = word.toLowerCase();
  const own = [...new Set(names)]
    .filter((name) => name !== word && name.toLowerCase().startsWith(lower))
    .map((name) => ({ insert: name, label: name, detail: say("A name in this text.") }));
  const fits = (one: FunctionHelp) => [one.name, ...one.also].some((name) => name.toLowerCase().startsWith(lower));
  const known = functionHelp
    .filter(fits)
    .sort((a, b) => Number(!a.name.startsWith(lower)) - Number(!b.name.startsWith(lower)) || a.name.length - b.name.length)
    .map((one) => ({ insert: `${one.name}()`, caret: 1, label: one.signature, detail: one.doc }));
  // A whole word that stands for itself needs no list.
  return known.length === 1 && own.length === 0 && known[0]?.label.startsWith(`${word}(`) && word.length > 3 ? [] : [...own, ...known];
}

/** Everything that may be called, by group, with a search. */
function Functions({ onPick }: { onPick: (one: FunctionHelp) => void }) {
  const [query, setQuery] = useState("");
  const [open, setOpen] = useState(false);
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const found = functionHelp.filter((one) => words.every((word) => `${one.name} ${one.also.join(" ")} ${one.doc} ${one.group}`.toLowerCase().includes(word)));
  const groups = [...new Set(found.map(({ group }) => group))];
  return (
    <Popover.Root
      open={open}
      onOpenChange={(next) => {
        setOpen(next);
        setQuery("");
      }}
    >
      <Popover.Trigger asChild>
        <Button size="sm" kind="quiet">
          <SquareFunction size={13} aria-hidden /> {say("Functions")}
        </Button>
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content
          side="left"
          align="start"
          sideOffset={10}
          collisionPadding={12}
          aria-label={say("Functions")}
          className="appear z-50 flex max-h-[min(560px,var(--radix-popover-content-available-height))] w-[360px] flex-col rounded-xl border border-line2 bg-panel shadow-float outline-none max-sm:w-[calc(100vw-24px)]"
        >
          <div className="border-b border-line p-2.5">
            <TextInput aria-label={say("Find a function")} placeholder={say("Find a function")} value={query} onChange={(event) => setQuery(event.target.value)} />
          </div>
          <div className="min-h-0 flex-1 overflow-y-auto px-2.5 pb-3">
            {found.length === 0 && <p className="px-1 pt-3 text-ink2">{say("No function fits “{query}”.", { query: query.trim() })}</p>}
            {groups.map((group) => (
              <section key={group} aria-label={group}>
                <h3 className="section-name px-1 pt-3 pb-1 first-letter:uppercase">{group}</h3>
                {found
                  .filter((one) => one.group === group)
                  .map((one) => (
                    <button
                      key={one.name}
                      type="button"
                      className="block w-full rounded-md px-1.5 py-1 text-left hover:bg-hover"
                      onClick={() => {
                        setOpen(false);
                        onPick(one);
                      }}
                    >
                      <code className="block font-mono text-sm [overflow-wrap:anywhere]">{one.signature}</code>
                      <span className="block text-sm text-ink2">{one.doc}</span>
                    </button>
                  ))}
              </section>
            ))}
          </div>
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}
