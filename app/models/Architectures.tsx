"use client";

import { Search } from "lucide-react";
import { useMemo, useState } from "react";
import { type Architecture, architectures, type Choices } from "../../core/architectures/index.ts";
import { say } from "../../core/language/say.ts";
import { GraphDrawing } from "../canvas/GraphDrawing.tsx";
import { Button } from "../ui/Button.tsx";
import { Dialog } from "../ui/Dialog.tsx";
import { Field, NumberInput, TextInput } from "../ui/Field.tsx";
import { formatCount } from "../ui/format.ts";
import { Line } from "../ui/Panel.tsx";

/** Published networks to start from, each with its size and what it takes. */
export function Architectures({ disabled, onStart }: { disabled: boolean; onStart: (id: string, choices: Choices) => void }) {
  const [query, setQuery] = useState("");
  const [chosen, setChosen] = useState<Architecture | null>(null);
  const found = architectures.filter((architecture) => isFound(architecture, query));
  return (
    <section aria-labelledby="architectures">
      <div className="mb-3 flex flex-wrap items-center justify-between gap-3">
        <h2 id="architectures" className="text-lg font-semibold">
          {say("Architectures")}
        </h2>
        <span className="relative block w-56">
          <Search size={14} aria-hidden className="pointer-events-none absolute top-1/2 left-2 -translate-y-1/2 text-ink3" />
          <TextInput aria-label={say("Search architectures")} placeholder={say("Search")} className="pl-7" value={query} onChange={(event) => setQuery(event.target.value)} />
        </span>
      </div>
      {found.length === 0 ? (
        <p className="text-ink2">{say("None is called so. Try “image”, “text” or “mobile”.")}</p>
      ) : (
        <ul className="grid gap-3 sm:grid-cols-2 lg:grid-cols-3">
          {found.map((architecture) => (
            <li key={architecture.id} className="min-w-0">
              <button
                type="button"
                onClick={() => setChosen(architecture)}
                className="group block w-full rounded-xl border border-line bg-raise px-3.5 py-2.5 text-left hover:border-line2"
              >
                <span className="flex items-baseline justify-between gap-3">
                  <span className="font-semibold group-hover:underline">{architecture.title}</span>
                  <span className="figures text-ink2">{say("{parameters} parameters", { parameters: formatCount(architecture.parameters) })}</span>
                </span>
                <span className="mt-0.5 flex items-baseline justify-between gap-3 text-ink2">
                  <span>{architecture.task}</span>
                  <span className="figures">{printInput(architecture)}</span>
                </span>
              </button>
            </li>
          ))}
        </ul>
      )}
      <Dialog title={chosen?.title ?? ""} open={chosen !== null} onOpen={(open) => !open && setChosen(null)}>
        {chosen && <Chosen key={chosen.id} architecture={chosen} disabled={disabled} onStart={(choices) => onStart(chosen.id, choices)} />}
      </Dialog>
    </section>
  );
}

/** What there is to know of one, and the choices before it is drawn. */
function Chosen({ architecture, disabled, onStart }: { architecture: Architecture; disabled: boolean; onStart: (choices: Choices) => void }) {
  const { title, doc, input, parameters, source, licence, firstWeights, choices } = architecture;
  const graph = useMemo(() => architecture.build(), [architecture]);
  const [chosen, setChosen] = useState<Choices>({});
  const [problems, setProblems] = useState<{ classes?: string | null; channels?: string | null }>({});
  return (
    <div className="space-y-3.5 p-4">
      <div className="h-24 rounded-lg border border-line bg-bg p-3">
        <GraphDrawing graph={graph} label={say("Drawing of {title}", { title })} />
      </div>
      <p>{doc}</p>
      <dl>
        <Line name={say("Takes")}>{input.length === 1 ? say("token numbers") : printInput(architecture)}</Line>
        <Line name={say("Parameters as published")}>{formatCount(parameters)}</Line>
        <Line name={say("Names and numbers as in")} plain>
          <a href={source} target="_blank" rel="noreferrer" className="underline">
            {new URL(source).pathname.split("/").slice(1, 3).join("/")}
          </a>
          , {licence}
        </Line>
      </dl>
      <div>
        {(["classes", "channels"] as const).map((key) => {
          const choice = choices[key];
          return (
            choice && (
              <Field key={key} label={choice.label} problem={problems[key]}>
                {(ids) => (
                  <NumberInput
                    {...ids}
                    whole
                    min={1}
                    max={MOST[key]}
                    value={chosen[key] ?? choice.default}
                    onValue={(value) => setChosen({ ...chosen, [key]: value })}
                    onProblem={(problem) => setProblems((now) => ({ ...now, [key]: problem }))}
                  />
                )}
              </Field>
            )
          );
        })}
      </div>
      <p className="text-sm text-ink2">{say("First weights: {firstWeights} Published weights can be imported by name.", { firstWeights })}</p>
      <div className="flex justify-end">
        <Button kind="primary" disabled={disabled || Boolean(problems.classes || problems.channels)} onClick={() => onStart(chosen)}>
          {say("Open {title}", { title })}
        </Button>
      </div>
    </div>
  );
}

const MOST = { classes: 1_000_000, channels: 1024 };

/** `3×224×224` */
function printInput({ input }: Architecture): string {
  return input.length === 1 ? say("tokens") : input.join("×");
}

function isFound({ title, doc, task }: Architecture, query: string): boolean {
  const text = `${title} ${doc} ${task}`.toLowerCase();
  return query
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}
