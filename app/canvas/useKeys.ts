"use client";

import { create } from "zustand";
import { type Command, commands } from "./commands.ts";
import type { Keys } from "./keys.ts";

const KEY = "tensorloom.keys";

/** The keys that a person has given commands, by command; the others have those they came with. Kept by the browser. */
export const useKeys = create<{ own: { readonly [command: string]: readonly Keys[] } }>(() => ({ own: {} }));

export function openKeys(): void {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    const entries = typeof kept === "object" && kept !== null ? Object.entries(kept) : [];
    useKeys.setState({
      own: Object.fromEntries(entries.filter((entry): entry is [string, Keys[]] => Array.isArray(entry[1]) && entry[1].every((keys) => typeof keys === "string"))),
    });
  } catch {
    // Storage may be forbidden or hold something else: the keys are then those that commands came with.
  }
}

export function keysOf(command: Command): readonly Keys[] {
  const { own } = useKeys.getState();
  return Object.hasOwn(own, command.id) ? (own[command.id] ?? []) : command.keys;
}

/** Gives a command another key; whatever had it before loses it. Says what that was. */
export function bindKeys(command: Command, keys: Keys): Command[] {
  const others = commands.filter((other) => other.id !== command.id && keysOf(other).includes(keys));
  const own = { ...useKeys.getState().own, [command.id]: [keys] };
  for (const other of others) own[other.id] = keysOf(other).filter((one) => one !== keys);
  keep(own);
  return others;
}

/** Gives all commands the keys they came with. */
export function resetKeys(): void {
  keep({});
}

function keep(own: { [command: string]: readonly Keys[] }): void {
  useKeys.setState({ own });
  try {
    localStorage.setItem(KEY, JSON.stringify(own));
  } catch {
    // It then holds for this visit.
  }
}
