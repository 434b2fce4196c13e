"use client";

import { Dialog } from "../ui/Dialog.tsx";
import { type Command, commands } from "./commands.ts";
import { isMac, printKeys } from "./keys.ts";
import { useStudio } from "./useStudio.ts";

const GROUPS: readonly Command["group"][] = ["Edit", "Go", "See", "Train"];

/** What cannot be said as a command: the pointer's part. */
const POINTER = [
  ["Select", "click, Shift+click for more"],
  ["Select an area", "drag over the canvas"],
  ["Move the view", "Space+drag, or the middle button"],
  ["Zoom", "wheel, or pinch"],
  ["Wire", "drag from dot to dot, or click both"],
  ["Add a layer here", "double-click the canvas"],
  ["Put a layer on a wire", "drag it onto the wire"],
  ["Open a block or zone", "double-click it"],
] as const;

/** All commands with their keys, straight from the list of commands. */
export function KeySheet() {
  const open = useStudio((s) => s.keysShown);
  const mac = isMac();
  return (
    <Dialog title="Shortcuts" open={open} onOpen={(keysShown) => useStudio.setState({ keysShown })} width="max-w-2xl">
      <div className="gap-8 p-4 sm:columns-2">
        {GROUPS.map((group) => (
          <section key={group} className="mb-5 break-inside-avoid">
            <h3 className="section-name pb-1">{group}</h3>
            <dl>
              {commands
                .filter((command) => command.group === group && command.keys.length > 0 && !command.id.startsWith("nudge"))
                .map((command) => (
                  <Row key={command.id} title={command.title} keys={command.keys.map((keys) => printKeys(keys, mac)).join("  ")} />
                ))}
              {group === "Edit" && <Row title="Move, move far" keys={mac ? "arrows  ⇧arrows" : "arrows  Shift+arrows"} />}
            </dl>
          </section>
        ))}
        <section className="break-inside-avoid">
          <h3 className="section-name pb-1">Pointer</h3>
          <dl>
            {POINTER.map(([title, how]) => (
              <Row key={title} title={title} keys={how} plain />
            ))}
          </dl>
        </section>
      </div>
    </Dialog>
  );
}

function Row({ title, keys, plain }: { title: string; keys: string; plain?: boolean }) {
  return (
    <div className="flex items-baseline justify-between gap-3 py-[3px]">
      <dt>{title}</dt>
      <dd className={plain ? "text-right text-ink2" : "figures whitespace-pre text-ink2"}>{keys}</dd>
    </div>
  );
}
