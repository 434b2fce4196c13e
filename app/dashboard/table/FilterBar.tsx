"use client";

import { useQuery } from "@tanstack/react-query";
import { ListFilter, Search, X } from "lucide-react";
import { useEffect, useId, useState } from "react";
import { say } from "../../../core/language/say.ts";
import { type Filter, OPERATORS, type Operator, readColumn, STATS, type View, writeFilter } from "../../../core/runs/view.ts";
import { Button } from "../../ui/Button.tsx";
import { Select, TextInput } from "../../ui/Field.tsx";
import { Popover } from "../../ui/Popover.tsx";
import { useTRPC } from "../../ui/trpc.ts";
import { columnTitle } from "./columns.ts";

const WORDS: { [operator in Operator]: string } = { "=": "is", "!=": say("is not"), "<": "<", "<=": "≤", ">": ">", ">=": "≥", "~": "contains" };
const STATES = ["queued", "running", "paused", "finished", "cancelled", "failed"];

/** What is looked for: words, and conditions on any column. */
export function FilterBar({ view, onView }: { view: View; onView: (change: Partial<View>) => void }) {
  return (
    <>
      <SearchField value={view.search} onValue={(search) => onView({ search })} />
      {view.filters.map((filter, index) => (
        <FilterChip
          key={`${index} ${writeFilter(filter)}`}
          filter={filter}
          onFilter={(next) => onView({ filters: next ? view.filters.with(index, next) : view.filters.toSpliced(index, 1) })}
        />
      ))}
      <AddFilter onAdd={(filter) => onView({ filters: [...view.filters, filter] })} disabled={view.filters.length >= 20} />
    </>
  );
}

function SearchField({ value, onValue }: { value: string; onValue: (value: string) => void }) {
  const [draft, setDraft] = useState(value);
  useEffect(() => setDraft(value), [value]);
  // Asking while somebody types would ask for what nobody means.
  useEffect(() => {
    if (draft === value) return;
    const timer = setTimeout(() => onValue(draft), 250);
    return () => clearTimeout(timer);
  }, [draft, value, onValue]);
  return (
    <span className="relative w-52 max-sm:flex-1 max-sm:basis-40">
      <Search size={13} aria-hidden className="pointer-events-none absolute top-1/2 left-2 -translate-y-1/2 text-ink3" />
      <TextInput
        type="search"
        aria-label={say("Find runs")}
        placeholder={say("Number, tag, note, model")}
        className="pl-7"
        maxLength={200}
        value={draft}
        onChange={(event) => setDraft(event.target.value)}
      />
    </span>
  );
}

function FilterChip({ filter, onFilter }: { filter: Filter; onFilter: (filter: Filter | null) => void }) {
  const [open, setOpen] = useState(false);
  const words = `${columnTitle(filter.column)} ${WORDS[filter.operator]} ${filter.value === "" ? "empty" : filter.value}`;
  return (
    <span className="inline-flex h-7 max-w-72 items-center rounded-md border border-accent bg-accent-soft text-accent">
      <Popover
        label={say("Change the filter")}
        open={open}
        onOpen={setOpen}
        className="w-72"
        trigger={
          <button type="button" className="truncate pl-2.5" title={words}>
            {words}
          </button>
        }
      >
        <FilterForm
          filter={filter}
          action={say("Change")}
          onDone={(next) => {
            setOpen(false);
            onFilter(next);
          }}
        />
      </Popover>
      <button type="button" aria-label={say("Remove the filter {words}", { words })} className="grid size-7 shrink-0 place-items-center" onClick={() => onFilter(null)}>
        <X size={13} />
      </button>
    </span>
  );
}

function AddFilter({ onAdd, disabled }: { onAdd: (filter: Filter) => void; disabled: boolean }) {
  const [open, setOpen] = useState(false);
  return (
    <Popover
      label={say("Add a filter")}
      open={open}
      onOpen={setOpen}
      className="w-72"
      trigger={
        <Button disabled={disabled}>
          <ListFilter size={13} /> {say("Filter")}
        </Button>
      }
    >
      <FilterForm
        filter={{ column: "state", operator: "=", value: "finished" }}
        action={say("Add filter")}
        onDone={(filter) => {
          setOpen(false);
          onAdd(filter);
        }}
      />
    </Popover>
  );
}

function FilterForm({ filter, action, onDone }: { filter: Filter; action: string; onDone: (filter: Filter) => void }) {
  const [draft, setDraft] = useState(filter);
  const column = readColumn(draft.column);
  const isState = column?.kind === "own" && column.name === "state";
  const operators: readonly Operator[] = isState ? ["=", "!="] : column?.kind === "metric" ? [">=", "<=", ">", "<", "=", "!="] : OPERATORS.toReversed();
  const number = column?.kind === "metric";
  const wrong = number && (draft.value.trim() === "" || !Number.isFinite(Number(draft.value)));
  return (
    <form
      className="space-y-2"
      onSubmit={(event) => {
        event.preventDefault();
        if (!wrong) onDone(draft);
      }}
    >
      <ColumnSelect
        label={say("Column")}
        value={draft.column}
        onValue={(id) => {
          const next = readColumn(id);
          const state = next?.kind === "own" && next.name === "state";
          setDraft({ column: id, operator: next?.kind === "metric" ? ">=" : "=", value: state ? "finished" : "" });
        }}
      />
      <div className="grid grid-cols-[92px_minmax(0,1fr)] gap-2">
        <Select
          aria-label={say("Comparison")}
          value={draft.operator}
          onChange={(event) => setDraft({ ...draft, operator: OPERATORS.find((one) => one === event.target.value) ?? "=" })}
        >
          {operators.map((operator) => (
            <option key={operator} value={operator}>
              {WORDS[operator]}
            </option>
          ))}
        </Select>
        {isState ? (
          <Select aria-label={say("Value")} value={draft.value} onChange={(event) => setDraft({ ...draft, value: event.target.value })}>
            {STATES.map((state) => (
              <option key={state}>{state}</option>
            ))}
          </Select>
        ) : (
          <TextInput
            aria-label={say("Value")}
            aria-invalid={wrong && draft.value !== "" ? true : undefined}
            inputMode={number ? "decimal" : "text"}
            maxLength={200}
            autoFocus
            value={draft.value}
            onChange={(event) => setDraft({ ...draft, value: event.target.value })}
          />
        )}
      </div>
      <Button type="submit" kind="primary" className="w-full" disabled={wrong}>
        {action}
      </Button>
    </form>
  );
}

/** Every column there is, by what it says. */
export function ColumnSelect({
  label,
  value,
  onValue,
  metrics = true,
  none,
}: {
  label: string;
  value: string;
  onValue: (id: string) => void;
  /** Offers metrics too. */
  metrics?: boolean;
  /** A choice of none, by this name. */
  none?: string;
}) {
  const trpc = useTRPC();
  const id = useId();
  const { data } = useQuery(trpc.runs.columns.queryOptions(undefined, { staleTime: 30_000 }));
  const own = (["state", "model", "data", "creator", "tags", "notes", "number", "created", "took", "epochs", "steps", "locked"] as const).filter(
    (name) => metrics || !["took", "steps", "number", "notes"].includes(name),
  );
  const there = [...own, ...(data?.settings ?? []), ...(data?.metrics.flatMap((key) => STATS.map((stat) => `${key}:${stat}`)) ?? [])];
  return (
    <Select id={id} aria-label={label} value={value} onChange={(event) => onValue(event.target.value)}>
      {none !== undefined && <option value="">{none}</option>}
      {value !== "" && !there.includes(value) && <option value={value}>{columnTitle(value)}</option>}
      <optgroup label={say("The run")}>
        {own.map((name) => (
          <option key={name} value={name}>
            {columnTitle(name)}
          </option>
        ))}
      </optgroup>
      <optgroup label={say("Settings")}>
        {data?.settings.map((key) => (
          <option key={key} value={key}>
            {columnTitle(key)}
          </option>
        ))}
      </optgroup>
      {metrics && (
        <optgroup label={say("Metrics")}>
          {data?.metrics.flatMap((key) =>
            STATS.map((stat) => (
              <option key={`${key}:${stat}`} value={`${key}:${stat}`}>
                {columnTitle(`${key}:${stat}`)}
              </option>
            )),
          )}
        </optgroup>
      )}
    </Select>
  );
}
