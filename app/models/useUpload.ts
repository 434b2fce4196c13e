"use client";

import { useEffect, useRef, useState } from "react";
import { say } from "../../core/language/say.ts";
import { uploadFile } from "../ui/upload.ts";

export type Work<T> = { kind: "idle" } | { kind: "busy"; text: string; share: number | null } | { kind: "failed"; message: string } | { kind: "answered"; answer: T };

/** A file, or one that has yet to be put together. */
export type Source = File | { name: string; pack: (onProgress: (share: number) => void, signal: AbortSignal) => Promise<File> };

/** Sends a file and then asks the server to read it. Leaving stops what is under way. */
export function useUpload<T>(read: (file: File, uploadId: string) => Promise<T>): { work: Work<T>; start: (source: Source) => void; reset: () => void } {
  const [work, setWork] = useState<Work<T>>({ kind: "idle" });
  const stop = useRef<AbortController | null>(null);
  useEffect(() => () => stop.current?.abort(), []);

  async function run(source: Source, signal: AbortSignal): Promise<void> {
    try {
      let file: File;
      if (source instanceof File) file = source;
      else {
        setWork({ kind: "busy", text: say("Packing {name}", { name: source.name }), share: 0 });
        file = await source.pack((share) => setWork({ kind: "busy", text: say("Packing {name}", { name: source.name }), share }), signal);
      }
      setWork({ kind: "busy", text: say("Sending {name}", { name: file.name }), share: 0 });
      let reached = 0;
      const { uploadId } = await uploadFile(
        file,
        ({ share, waiting }) => {
          if (!waiting) reached = share;
          setWork({
            kind: "busy",
            text: waiting ? say("Waiting for the connection to send {name}", { name: file.name }) : say("Sending {name}", { name: file.name }),
            share: reached,
          });
        },
        signal,
      );
      setWork({ kind: "busy", text: say("Reading {name}", { name: file.name }), share: null });
      const answer = await read(file, uploadId);
      if (!signal.aborted) setWork({ kind: "answered", answer });
    } catch (error) {
      if (!signal.aborted) setWork({ kind: "failed", message: error instanceof Error ? error.message : String(error) });
    }
  }

  return {
    work,
    start: (source) => {
      stop.current?.abort();
      stop.current = new AbortController();
      void run(source, stop.current.signal);
    },
    reset: () => {
      stop.current?.abort();
      setWork({ kind: "idle" });
    },
  };
}
