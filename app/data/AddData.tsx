"use client";

import { type ComponentType, useEffect, useState } from "react";
import { Dialog } from "../ui/Dialog.tsx";
import { DropZone } from "../ui/DropZone.tsx";
import type { Dropped, Folder } from "../ui/dropped.ts";
import { AddArrays } from "./AddArrays.tsx";
import { AddPictures } from "./AddPictures.tsx";
import { AddTable } from "./AddTable.tsx";

/** What a person brings in. */
export type Picked = { kind: "file"; file: File } | { kind: "folder"; folder: Folder };

/** What takes a picked file from here on: sends it, shows what is in it, and makes it a data set. */
export type Adding = {
  picked: Picked;
  /** Back to picking; `problem` says why. */
  onOther: (problem?: string) => void;
  onAdded: (datasetId: string) => void;
};

/** The ways of reading, by what they take; the first that fits is used. */
const ways: readonly { takes: (picked: Picked) => boolean; Way: ComponentType<Adding> }[] = [
  { takes: (picked) => picked.kind === "folder" || /\.(zip|png|jpe?g)$/i.test(picked.file.name), Way: AddPictures },
  { takes: (picked) => picked.kind === "file" && /\.np[yz]$/i.test(picked.file.name), Way: AddArrays },
  { takes: () => true, Way: AddTable },
];

/** Brings in data of one's own: it is sent, looked at, corrected, and then read into a data set. */
export function AddData({ open, onOpen, dropped, onAdded }: { open: boolean; onOpen: (open: boolean) => void; dropped: Dropped | null; onAdded: (datasetId: string) => void }) {
  return (
    <Dialog title="Add data" open={open} onOpen={onOpen} width="max-w-4xl">
      <div className="p-4">
        <Steps dropped={dropped} onAdded={onAdded} />
      </div>
    </Dialog>
  );
}

function Steps({ dropped, onAdded }: { dropped: Dropped | null; onAdded: (datasetId: string) => void }) {
  const [picked, setPicked] = useState<Picked | null>(dropped?.kind === "file" ? dropped : null);
  const [problem, setProblem] = useState<string | null>(null);
  const [isListing, setListing] = useState(false);
  useEffect(() => {
    if (dropped?.kind === "folder") takeFolder(dropped.folder);
    // What is dropped on the page opens this anew.
  }, []);

  function takeFolder(folder: Promise<Folder>): void {
    setListing(true);
    folder
      .then((found) => setPicked({ kind: "folder", folder: found }))
      .catch((error: unknown) => setProblem(`The folder cannot be read. ${error instanceof Error ? error.message : String(error)}`))
      .finally(() => setListing(false));
  }

  const Way = picked && ways.find(({ takes }) => takes(picked))?.Way;
  if (picked && Way) {
    return (
      <Way
        picked={picked}
        onAdded={onAdded}
        onOther={(why) => {
          setPicked(null);
          setProblem(why ?? null);
        }}
      />
    );
  }
  return (
    <div className="space-y-3">
      <DropZone
        label="Data"
        accept=".csv,.tsv,.txt,.jsonl,.ndjson,.zip,.npy,.npz"
        busy={isListing ? { text: "Listing the folder", share: null } : null}
        onFile={(file) => {
          setProblem(null);
          setPicked({ kind: "file", file });
        }}
        onFolder={(folder) => {
          setProblem(null);
          takeFolder(folder);
        }}
      >
        A table (CSV, TSV or JSON lines, one sample a row), NumPy arrays (.npz, .npy), or pictures (PNG, JPEG) in a folder or zip: one folder a class, or pictures with masks. Up to
        512 MiB. You see what is in it before anything is kept.
      </DropZone>
      {problem !== null && (
        <p role="alert" className="[overflow-wrap:anywhere] text-bad">
          {problem}
        </p>
      )}
    </div>
  );
}
