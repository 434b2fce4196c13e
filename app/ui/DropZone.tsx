"use client";

import { Upload } from "lucide-react";
import { type ReactNode, useRef, useState } from "react";
import { cx } from "./cx.ts";

/** Takes one file, dropped or chosen. While it is busy it says with what. */
export function DropZone({
  label,
  accept,
  busy,
  onFile,
  children,
}: {
  /** The name of the file field. */
  label: string;
  /** Endings that the chooser offers; whatever is dropped is passed on. */
  accept: string;
  /** What is going on, and how far it is (0 to 1, or null where that is not known). */
  busy: { text: string; share: number | null } | null;
  onFile: (file: File) => void;
  children: ReactNode;
}) {
  const field = useRef<HTMLInputElement>(null);
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
        const [file] = event.dataTransfer.files;
        if (file && !busy) onFile(file);
      }}
      className={cx(
        "relative flex min-h-32 flex-col items-center justify-center gap-1.5 rounded-xl border border-dashed px-5 py-5 text-center",
        over ? "border-accent bg-accent-soft" : "border-line2",
      )}
    >
      {busy ? (
        <div role="status" className="w-full max-w-64 space-y-2">
          <p>{busy.text}</p>
          <div className="h-1 overflow-hidden rounded-full bg-sunk">
            <div
              className={cx("h-full bg-accent transition-[width] duration-100", busy.share === null && "breathe w-full")}
              style={busy.share === null ? undefined : { width: `${Math.round(busy.share * 100)}%` }}
            />
          </div>
        </div>
      ) : (
        <>
          <Upload size={18} aria-hidden className="text-ink3" />
          <p>
            Drop the file here, or{" "}
            <button type="button" className="font-medium text-accent hover:underline" onClick={() => field.current?.click()}>
              choose it
            </button>
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
    </div>
  );
}
