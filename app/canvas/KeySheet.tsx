"use client";

import { useEffect, useState } from "react";
import { Button } from "../ui/Button.tsx";
import { cx } from "../ui/cx.ts";
import { Dialog } from "../ui/Dialog.tsx";
import { type Command, commands } from "./commands.ts";
import { isMac, printKeys, readKeys } from "./keys.ts";
import { bindKeys, keysOf, resetKeys, useKeys } from "./useKeys.ts";
import { useStudio } from "./useStudio.ts";

const GROUPS: readonly Command["group"][] = ["Edit", "Arrange", "Go", "See", "Train"];

/** What cannot be said as a command: the pointer's part. */
const POINTER = [
  ["Select", "click, Shift+click for more"],
  ["Select an area", "drag over the canvas"],
  ["Move the view", "Space+drag, or the middle button"],
  ["Zoom", "wheel, or pinch"],
  ["Wire", "drag from dot to dot, or click both"],
  ["Add what fits a wire", "let the wire go over nothing"],
  ["Add a layer here", "double-click the canvas"],
  ["Put a layer on a wire", "drag it onto the wire"],
  ["Take a node out of its wires", "Alt+drag, or shake it"],
  ["Open a block or zone", "double-click it"],
] as const;

/** All commands with their keys, straight from the list of commands; a click on a key gives the command another. */
export default function KeySheet() {
  const open = useStudio((s) => s.keysShown);
  const own = useKeys((s) => s.own);
  const [waiting, setWaiting] = useState<Command | null>(null);
  const [said, setSaid] = useState("");
  const mac = isMac();
  useEffect(() => {
    if (!waiting) return;
    const onKeyDown = (event: KeyboardEvent) => {
      const keys = readKeys(event, mac);
      event.preventDefault();
      event.stopPropagation();
      if (keys === null) return;
      setWaiting(null);
      if (keys === "Escape") return setSaid("");
      const lost = bindKeys(waiting, keys);
      setSaid(`${waiting.title} is now ${printKeys(keys, mac)}.${lost.length > 0 ? ` ${lost.map(({ title }) => title).join(", ")} no longer has it.` : ""}`);
    };
    window.addEventListener("keydown", onKeyDown, true);
    return () => window.removeEventListener("keydown", onKeyDown, true);
  }, [waiting, mac]);
  return (
    <Dialog title="Shortcuts" open={open} onOpen={(keysShown) => useStudio.setState({ keysShown })} width="max-w-3xl">
      <div className="flex flex-wrap items-center justify-between gap-2 border-b border-line px-4 py-2">
        <p role="status" className="text-ink2">
          {waiting ? `Press the keys for “${waiting.title}”. Esc leaves it as it is.` : said || "Click a shortcut to change it."}
        </p>
        {Object.keys(own).length > 0 && (
          <Button
            size="sm"
            onClick={() => {
              resetKeys();
              setSaid("All shortcuts are as they came.");
            }}
          >
            Reset all
          </Button>
        )}
      </div>
      <div className="gap-8 p-4 sm:columns-2">
        {GROUPS.map((group) => (
          <section key={group} className="mb-5">
            <h3 className="section-name pb-1">{group}</h3>
            <ul>
              {commands
                .filter((command) => command.group === group && (keysOf(command).length > 0 || command.keys.length > 0 || !command.under) && !command.id.startsWith("nudge"))
                .map((command) => (
                  <li key={command.id} className="flex break-inside-avoid items-center justify-between gap-3">
                    <span className="min-w-0 truncate">{command.title}</span>
                    <button
                      type="button"
                      aria-label={`Change the shortcut of ${command.title}`}
                      aria-pressed={waiting === command}
                      className={cx(
                        "figures min-h-6 shrink-0 whitespace-pre rounded px-1.5 py-[3px] text-ink2 hover:bg-hover hover:text-ink",
                        waiting === command && "bg-accent-soft text-accent",
                      )}
                      onClick={() => setWaiting(command)}
                    >
                      {waiting === command
                        ? "…"
                        : keysOf(command)
                            .map((keys) => printKeys(keys, mac))
                            .join("  ") || "none"}
                    </button>
                  </li>
                ))}
              {group === "Edit" && <Row title="Move, move far" keys={mac ? "arrows  ⇧arrows" : "arrows  Shift+arrows"} />}
            </ul>
          </section>
        ))}
        <section className="break-inside-avoid">
          <h3 className="section-name pb-1">Pointer</h3>
          <ul>
            {POINTER.map(([title, how]) => (
              <Row key={title} title={title} keys={how} plain />
            ))}
          </ul>
        </section>
      </div>
    </Dialog>
  );
}

function Row({ title, keys, plain }: { title: string; keys: string; plain?: boolean }) {
  return (
    <li className="flex break-inside-avoid items-baseline justify-between gap-3 py-[3px]">
      <span>{title}</span>
      <span className={plain ? "text-right text-ink2" : "figures whitespace-pre px-1.5 text-ink2"}>{keys}</span>
    </li>
  );
}
