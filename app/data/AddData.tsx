"use client";

import { type ComponentType, useEffect, useState } from "react";
import { looksDelimited } from "../../core/data/table.ts";
import { say } from "../../core/language/say.ts";
import { Dialog } from "../ui/Dialog.tsx";
import { DropZone } from "../ui/DropZone.tsx";
import type { Dropped, Folder } from "../ui/dropped.ts";
import { AddArrays } from "./AddArrays.tsx";
import { AddPictures } from "./AddPictures.tsx";
import { AddTable } from "./AddTable.tsx";
import { AddText } from "./AddText.tsx";

/** What a person brings in. A `.txt` is one long text unless its first lines say that it is a table. */
export type Picked = { kind: "file"; file: File; isText?: boolean } | { kind: "folder"; folder: Folder };

/** What takes a picked file from here on: sends it, shows what is in it, and makes it a data set. */
export type Adding = {
  picked: Picked;
  /** Back to picking; `problem` says why. */
  onOther: (problem?: string) => void;
  /** Reads the same file as a table, or as one long text. */
  onReadAs: (as: "table" | "text") => void;
  onAdded: (datasetId: string) => void;
};

/** The ways of reading, by what they take; the first that fits is used. */
const ways: readonly { takes: (picked: Picked) => boolean; Way: ComponentType<Adding> }[] = [
  { takes: (picked) => picked.kind === "folder" || /\.(zip|png|jpe?g)$/i.test(picked.file.name), Way: AddPictures },
  { takes: (picked) => picked.kind === "file" && /\.np[yz]$/i.test(picked.file.name), Way: AddArrays },
  { takes: (picked) => picked.kind === "file" && picked.isText === true, Way: AddText },
  { takes: () => true, Way: AddTable },
];

/** As much of a text file as says whether it is a table. */
const HEAD_BYTES = 1 << 16;

/** Brings in data of one's own: it is sent, looked at, corrected, and then read into a data set. */
export function AddData({ open, onOpen, dropped, onAdded }: { open: boolean; onOpen: (open: boolean) => void; dropped: Dropped | null; onAdded: (datasetId: string) => void }) {
  return (
    <Dialog title={say("Add data")} open={open} onOpen={onOpen} width="max-w-4xl">
      <div className="p-4">
        <Steps dropped={dropped} onAdded={onAdded} />
      </div>
    </Dialog>
  );
}

function Steps({ dropped, onAdded }: { dropped: Dropped | null; onAdded: (datasetId: string) => void }) {
  const [picked, setPicked] = useState<Picked | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [isListing, setListing] = useState(false);
  useEffect(() => {
    if (dropped?.kind === "folder") takeFolder(dropped.folder);
    else if (dropped) takeFile(dropped.file);
    // What is dropped on the page opens this anew.
  }, []);

  function takeFolder(folder: Promise<Folder>): void {
    setListing(true);
    folder
      .then((found) => setPicked({ kind: "folder", folder: found }))
      .catch((error: unknown) => setProblem(say("The folder cannot be read. {message}", { message: error instanceof Error ? error.message : String(error) })))
      .finally(() => setListing(false));
  }

  function takeFile(file: File): void {
    setProblem(null);
    if (!/\.(txt|md)$/i.test(file.name)) {
      setPicked({ kind: "file", file });
      return;
    }
    file
      .slice(0, HEAD_BYTES)
      .text()
      .then((head) => setPicked({ kind: "file", file, isText: !looksDelimited(head) }))
      .catch((error: unknown) => setProblem(say("The file cannot be read. {message}", { message: error instanceof Error ? error.message : String(error) })));
  }

  const Way = picked && ways.find(({ takes }) => takes(picked))?.Way;
  if (picked && Way) {
    return (
      <Way
        // Read otherwise, it is looked at anew.
        key={picked.kind === "file" ? String(picked.isText) : ""}
        picked={picked}
        onReadAs={(as) => picked.kind === "file" && setPicked({ ...picked, isText: as === "text" })}
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
        label={say("Data")}
        accept=".csv,.tsv,.txt,.md,.jsonl,.ndjson,.zip,.npy,.npz"
        busy={isListing ? { text: say("Listing the folder"), share: null } : null}
        onFile={takeFile}
        onFolder={(folder) => {
          setProblem(null);
          takeFolder(folder);
        }}
      >
        {say(
          "A table (CSV, TSV or JSON lines, one sample or one moment a row), a text (.txt), NumPy arrays (.npz, .npy), or pictures (PNG, JPEG) in a folder or zip: one folder a class, or pictures with masks. Up to 512 MiB. You see what is in it before anything is kept.",
        )}
      </DropZone>
      {problem !== null && (
        <p role="alert" className="[overflow-wrap:anywhere] text-bad">
          {problem}
        </p>
      )}
    </div>
  );
}
