"use client";

import { useEffect, useState } from "react";
import { say } from "../../core/language/say.ts";
import { Button } from "../ui/Button.tsx";
import { cx } from "../ui/cx.ts";
import { Dialog } from "../ui/Dialog.tsx";
import { type Command, commands } from "./commands.ts";
import { isMac, printKeys, readKeys } from "./keys.ts";
import { bindKeys, keysOf, resetKeys, useKeys } from "./useKeys.ts";
import { useStudio } from "./useStudio.ts";

const GROUPS: readonly { group: Command["group"]; title: string }[] = [
  { group: "Edit", title: say("Edit") },
  { group: "Arrange", title: say("Arrange") },
  { group: "Go", title: say("Go") },
  { group: "See", title: say("See") },
  { group: "Train", title: say("Train") },
];

/** What cannot be said as a command: the pointer's part. */
const POINTER = [
  [say("Select"), say("click, Shift+click for more")],
  [say("Select an area"), say("drag over the canvas")],
  [say("Move the view"), say("Space+drag, or the middle button")],
  [say("Zoom"), say("wheel, or pinch")],
  [say("Wire"), say("drag from dot to dot, or click both")],
  [say("Add what fits a wire"), say("let the wire go over nothing")],
  [say("Add a layer here"), say("double-click the canvas")],
  [say("Put a layer on a wire"), say("drag it onto the wire")],
  [say("Take a node out of its wires"), say("Alt+drag, or shake it")],
  [say("Open a block or zone"), say("double-click it, or click it and press Tab")],
  [say("Leave it again"), say("Tab, or Esc, with nothing selected")],
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
      setSaid(
        lost.length > 0
          ? say("{title} is now {keys}. {lost} no longer has it.", { title: waiting.title, keys: printKeys(keys, mac), lost: lost.map(({ title }) => title).join(", ") })
          : say("{title} is now {keys}.", { title: waiting.title, keys: printKeys(keys, mac) }),
      );
    };
    window.addEventListener("keydown", onKeyDown, true);
    return () => window.removeEventListener("keydown", onKeyDown, true);
  }, [waiting, mac]);
  return (
    <Dialog title={say("Shortcuts")} open={open} onOpen={(keysShown) => useStudio.setState({ keysShown })} width="max-w-3xl">
      <div className="flex flex-wrap items-center justify-between gap-2 border-b border-line px-4 py-2">
        <p role="status" className="text-ink2">
          {waiting ? say("Press the keys for “{title}”. Esc leaves it as it is.", { title: waiting.title }) : said || say("Click a shortcut to change it.")}
        </p>
        {Object.keys(own).length > 0 && (
          <Button
            size="sm"
            onClick={() => {
              resetKeys();
              setSaid(say("All shortcuts are as they came."));
            }}
          >
            {say("Reset all")}
          </Button>
        )}
      </div>
      <div className="gap-8 p-4 sm:columns-2">
        {GROUPS.map(({ group, title }) => (
          <section key={group} className="mb-5">
            <h3 className="section-name pb-1">{title}</h3>
            <ul>
              {commands
                .filter((command) => command.group === group && (keysOf(command).length > 0 || command.keys.length > 0 || !command.under) && !command.id.startsWith("nudge"))
                .map((command) => (
                  <li key={command.id} className="flex break-inside-avoid items-center justify-between gap-3">
                    <span className="min-w-0 truncate">{command.title}</span>
                    <button
                      type="button"
                      aria-label={say("Change the shortcut of {title}", { title: command.title })}
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
                            .join("  ") || say("none")}
                    </button>
                  </li>
                ))}
              {group === "Edit" && <Row title={say("Move, move far")} keys={mac ? "arrows  ⇧arrows" : "arrows  Shift+arrows"} />}
            </ul>
          </section>
        ))}
        <section className="break-inside-avoid">
          <h3 className="section-name pb-1">{say("Pointer")}</h3>
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
