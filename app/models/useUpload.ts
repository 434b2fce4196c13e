"use client";

import { useEffect, useRef, useState } from "react";
import { uploadFile } from "../ui/upload.ts";

export type Work<T> = { kind: "idle" } | { kind: "busy"; text: string; share: number | null } | { kind: "failed"; message: string } | { kind: "answered"; answer: T };

/** Sends a file and then asks the server to read it. Leaving stops what is under way. */
export function useUpload<T>(read: (file: File, uploadId: string) => Promise<T>): { work: Work<T>; start: (file: File) => void; reset: () => void } {
  const [work, setWork] = useState<Work<T>>({ kind: "idle" });
  const stop = useRef<AbortController | null>(null);
  useEffect(() => () => stop.current?.abort(), []);

  async function run(file: File, signal: AbortSignal): Promise<void> {
    try {
      setWork({ kind: "busy", text: `Sending ${file.name}`, share: 0 });
      const { uploadId } = await uploadFile(file, (share) => setWork({ kind: "busy", text: `Sending ${file.name}`, share }), signal);
      setWork({ kind: "busy", text: `Reading ${file.name}`, share: null });
      const answer = await read(file, uploadId);
      if (!signal.aborted) setWork({ kind: "answered", answer });
    } catch (error) {
      if (!signal.aborted) setWork({ kind: "failed", message: error instanceof Error ? error.message : String(error) });
    }
  }

  return {
    work,
    start: (file) => {
      stop.current?.abort();
      stop.current = new AbortController();
      void run(file, stop.current.signal);
    },
    reset: () => {
      stop.current?.abort();
      setWork({ kind: "idle" });
    },
  };
}
