import { guessLayout, type Layout, PICTURE_LIMITS as limits, type PictureTask, pictureEnding, type RefusedFile, systemFile } from "../../core/data/pictures.ts";
import { printCount } from "../../core/language/numbers.ts";
import { say } from "../../core/language/say.ts";
import type { Archive, ArchiveEntry } from "./archive.ts";
import { damaged, type ImageHeader, readImageHeader } from "./imageHeader.ts";
import { IngestError } from "./source.ts";

/** The picture files of an archive by their paths, what the paths say, and what else is there. */
export type PictureFiles = { entries: Map<string, ArchiveEntry>; layout: Layout; others: string[] };

/** Sorts the files of an archive. @throws IngestError DATASET_EMPTY, DATASET_ONE_CLASS */
export function sortFiles({ entries }: Archive, task?: PictureTask): PictureFiles {
  const pictures = new Map<string, ArchiveEntry>();
  const others: string[] = [];
  for (const entry of entries) {
    if (systemFile.test(entry.path)) continue;
    if (pictureEnding.test(entry.path)) pictures.set(entry.path, entry);
    else others.push(entry.path);
  }
  if (pictures.size === 0)
    throw new IngestError(
      "DATASET_EMPTY",
      say("There is no picture among the {length} files. PNG and JPEG are read; put the pictures of each class into a folder of its own.", { length: entries.length }),
    );
  const layout = guessLayout([...pictures.keys()], task);
  if (layout.task === "image-classification") {
    const labels = new Set(layout.placed.map(({ label }) => label));
    if (labels.size > limits.classes)
      throw new IngestError(
        "DATASET_TOO_MANY_CLASSES",
        say("There are {size} folders of pictures; the limit is {classes}.", { size: printCount(labels.size), classes: printCount(limits.classes) }),
      );
    if (labels.size < 2) {
      const [only = ""] = labels;
      throw new IngestError(
        "DATASET_ONE_CLASS",
        say("Every picture is of one class{only}: there is nothing to tell apart. Put the pictures of each class into a folder of its own, or masks beside them.", {
          only: only ? `, '${only}'` : "",
        }),
      );
    }
  } else if (layout.placed.length === 0)
    throw new IngestError("DATASET_EMPTY", say("No picture has a mask. Put them into images/ and masks/ under the same names, or beside each other as x.png and x_mask.png."));
  return { entries: pictures, layout, others };
}

/** The header of a picture, from its first bytes where they say enough. */
export function probe(archive: Archive, entry: ArchiveEntry): ImageHeader {
  const header = readImageHeader(archive.readHead(entry), entry.path) ?? readImageHeader(archive.read(entry), entry.path);
  if (header === null) throw damaged(entry.path, say("it ends before its picture begins"));
  return header;
}

/** Files that cannot be used: all are counted, the first are named. */
export class Refusals {
  static readonly NAMED = 200;
  count = 0;
  readonly first: RefusedFile[] = [];

  /** Keeps what is wrong with one file; what is wrong with the whole archive is thrown on. */
  add(file: string, error: unknown): void {
    if (!(error instanceof IngestError) || error.code.startsWith("ARCHIVE_")) throw error;
    this.count++;
    if (this.first.length < Refusals.NAMED) this.first.push({ file, code: error.code, message: error.message });
  }

  /** Where nothing at all is left: the reason of the first file by name is the whole's; which of them was refused first is chance. */
  get reason(): IngestError {
    const [first] = this.first.toSorted((a, b) => (a.file < b.file ? -1 : 1));
    if (!first) return new IngestError("DATASET_EMPTY", say("There is no picture that can be used."));
    return new IngestError(
      first.code,
      this.count === 1 ? first.message : say("{message} No other file of the {count} can be used either.", { message: first.message, count: this.count }),
    );
  }
}
