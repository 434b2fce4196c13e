"use client";

import { create } from "zustand";
import type { Answers, useTRPCClient } from "../ui/trpc.ts";
import { useGraph } from "./useGraph.ts";

type Client = ReturnType<typeof useTRPCClient>;
type News = Answers["models"]["watch"] extends AsyncIterable<infer T> ? T : never;
/** Somebody else who has the model open: where they are, and what they have selected. */
export type Person = NonNullable<News["people"]>[number] & { color: string };

/** How often at most others are told where the pointer is. */
const TELL_MS = 90;
/** Told again now and then, so that whoever has gone without a word is seen to have. */
const REMIND_MS = 20_000;
const COLORS = ["var(--series-1)", "var(--series-2)", "var(--accent)", "var(--warn)"];

/** Who else is here. */
export const usePeople = create<{ people: readonly Person[] }>(() => ({ people: [] }));

let cursor: { x: number; y: number } | null = null;
let tell: (() => void) | null = null;

export function setPeople(people: readonly Omit<Person, "color">[], ownId: string): void {
  const others = people.filter(({ clientId }) => clientId !== ownId);
  usePeople.setState({ people: others.map((person) => ({ ...person, color: COLORS[hash(person.clientId) % COLORS.length] ?? "var(--accent)" })) });
}

/** Says where the pointer is on the canvas, while others are here. */
export function pointAt(at: { x: number; y: number } | null): void {
  cursor = at && { x: Math.round(at.x), y: Math.round(at.y) };
  tell?.();
}

/** Tells others where this person is until it is called off. */
export function leavePeople(client: Client, modelId: string, clientId: string): () => void {
  let timer: ReturnType<typeof setTimeout> | null = null;
  let sending = false;
  const send = () => {
    timer = null;
    if (usePeople.getState().people.length === 0) return;
    if (sending) {
      timer = setTimeout(send, TELL_MS);
      return;
    }
    sending = true;
    const { scope, selection } = useGraph.getState();
    void client.models.point
      .mutate({ modelId, clientId, scope: [...scope], cursor, nodes: [...selection.nodes].slice(0, 100) })
      .catch(() => {
        // The next one says it.
      })
      .finally(() => {
        sending = false;
      });
  };
  tell = () => {
    timer ??= setTimeout(send, TELL_MS);
  };
  const own = tell;
  const stopGraph = useGraph.subscribe((now, before) => {
    if (now.selection !== before.selection || now.scope !== before.scope) own();
  });
  // Whoever comes is told where the others are.
  const stopPeople = usePeople.subscribe((now, before) => {
    if (now.people.length > before.people.length) own();
  });
  const reminder = setInterval(own, REMIND_MS);
  return () => {
    stopGraph();
    stopPeople();
    clearInterval(reminder);
    if (timer !== null) clearTimeout(timer);
    if (tell === own) tell = null;
    usePeople.setState({ people: [] });
  };
}

function hash(text: string): number {
  let value = 0;
  for (const letter of text) value = (value * 31 + letter.charCodeAt(0)) >>> 0;
  return value;
}
