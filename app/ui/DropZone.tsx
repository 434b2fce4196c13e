"use client";

import { Upload } from "lucide-react";
import { type ReactNode, useRef, useState } from "react";
import { say } from "../../core/language/say.ts";
import { cx } from "./cx.ts";
import { type Folder, readChosen, readDropped } from "./dropped.ts";
import { Progress } from "./Progress.tsx";

/** Takes one file, dropped or chosen, and a folder where that is asked for. While it is busy it says with what. */
export function DropZone({
  label,
  accept,
  busy,
  onFile,
  onFolder,
  children,
}: {
  /** The name of the file field. */
  label: string;
  /** Endings that the chooser offers; whatever is dropped is passed on. */
  accept: string;
  /** What is going on, and how far it is (0 to 1, or null where that is not known). */
  busy: { text: string; share: number | null } | null;
  onFile: (file: File) => void;
  /** Reading what is in a folder takes a while. */
  onFolder?: (folder: Promise<Folder>) => void;
  children: ReactNode;
}) {
  const field = useRef<HTMLInputElement>(null);
  const folderField = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping is a second way; the button inside is the first.
    <div
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        event.stopPropagation();
        setOver(false);
        const dropped = busy ? null : readDropped(event.dataTransfer);
        if (dropped?.kind === "file") onFile(dropped.file);
        else if (dropped) onFolder?.(dropped.folder);
      }}
      className={cx(
        "relative flex min-h-32 flex-col items-center justify-center gap-1.5 rounded-xl border border-dashed px-5 py-5 text-center",
        over ? "border-accent bg-accent-soft" : "border-line2",
      )}
    >
      {busy ? (
        <Progress {...busy} />
      ) : (
        <>
          <Upload size={18} aria-hidden className="text-ink3" />
          <p>
            {say("Drop {file} here, or", { file: onFolder ? say("a file or a folder") : say("the file") })}{" "}
            <button type="button" className="font-medium text-accent hover:underline" onClick={() => field.current?.click()}>
              {onFolder ? say("choose a file") : say("choose it")}
            </button>
            {onFolder && (
              <>
                {" "}
                {say("or")}{" "}
                <button type="button" className="font-medium text-accent hover:underline" onClick={() => folderField.current?.click()}>
                  {say("a folder")}
                </button>
              </>
            )}
          </p>
          <div className="max-w-prose text-sm text-ink2">{children}</div>
        </>
      )}
      <input
        ref={field}
        type="file"
        aria-label={label}
        accept={accept}
        className="sr-only"
        tabIndex={-1}
        onChange={(event) => {
          const [file] = event.target.files ?? [];
          event.target.value = "";
          if (file) onFile(file);
        }}
      />
      {onFolder && (
        <input
          ref={(input) => {
            folderField.current = input;
            // React knows no such attribute.
            input?.setAttribute("webkitdirectory", "");
          }}
          type="file"
          aria-label={say("{label} folder", { label })}
          className="sr-only"
          tabIndex={-1}
          onChange={(event) => {
            const folder = event.target.files && readChosen(event.target.files);
            event.target.value = "";
            if (folder) onFolder(Promise.resolve(folder));
          }}
        />
      )}
    </div>
  );
}
