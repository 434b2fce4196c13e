import { say } from "../../core/language/say.ts";

/** A folder of a person's own, with the paths below it. */
export type Folder = { name: string; files: { path: string; file: File }[] };
export type Dropped = { kind: "file"; file: File } | { kind: "folder"; folder: Promise<Folder> };

/** What was dropped: one file, a folder, or several things as one folder. To be called within the event, which alone may look. */
export function readDropped(data: DataTransfer): Dropped | null {
  const entries = Array.from(data.items, (item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  const [first] = entries;
  if (first && (entries.length > 1 || first.isDirectory)) return { kind: "folder", folder: readEntries(entries) };
  const [file] = data.files;
  return file ? { kind: "file", file } : null;
}

/** What was chosen as a folder; the first part of each path is its name. */
export function readChosen(list: FileList): Folder | null {
  const files = Array.from(list, (file) => ({ path: file.webkitRelativePath || file.name, file }));
  const [first] = files;
  return first ? { name: first.path.split("/")[0] ?? say("Folder"), files } : null;
}

async function readEntries(entries: readonly FileSystemEntry[]): Promise<Folder> {
  const files: Folder["files"] = [];
  const waiting = [...entries];
  for (let entry = waiting.pop(); entry; entry = waiting.pop()) {
    if (isFile(entry)) {
      const one = entry;
      files.push({ path: entry.fullPath.slice(1), file: await new Promise<File>((done, fail) => one.file(done, fail)) });
    } else if (isFolder(entry)) {
      const reader = entry.createReader();
      // A reader gives some entries at a time, until it gives none.
      for (let some = await readSome(reader); some.length > 0; some = await readSome(reader)) waiting.push(...some);
    }
  }
  files.sort((a, b) => (a.path < b.path ? -1 : 1));
  return { name: entries.length === 1 ? (entries[0]?.name ?? say("Folder")) : say("Pictures"), files };
}

const isFile = (entry: FileSystemEntry): entry is FileSystemFileEntry => entry.isFile;
const isFolder = (entry: FileSystemEntry): entry is FileSystemDirectoryEntry => entry.isDirectory;
const readSome = (reader: FileSystemDirectoryReader) => new Promise<FileSystemEntry[]>((done, fail) => reader.readEntries(done, fail));
