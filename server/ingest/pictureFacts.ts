import { inNaturalOrder, PICTURE_LIMITS as limits, type PictureFacts, type PictureTask, type Placed } from "../../core/data/pictures.ts";
import { type Archive, openArchive } from "./archive.ts";
import { decodeMask, decodePicture, encodeThumbnail, shown } from "./decode.ts";
import type { ImageHeader } from "./imageHeader.ts";
import { type PictureFiles, probe, Refusals, sortFiles } from "./pictureFiles.ts";

const PREVIEWS = 12;
const PREVIEW_SIDE = 64;
const NAMED = 10;
/** Masks whose colours are counted; the others are met when the set is read in. */
const MASKS_COUNTED = 200;
const MASK_SIDE = 128;

/** Looks at every file's first bytes and says what the archive most likely is. `task` where a person knows better. */
export async function inspectPictures(file: string, task?: PictureTask): Promise<PictureFacts> {
  const archive = await openArchive(file);
  try {
    const found = sortFiles(archive, task);
    const { layout } = found;
    const refused = new Refusals();
    const usable: { item: Placed; header: ImageHeader }[] = [];
    for (const item of layout.placed) {
      try {
        const header = probe(archive, entryOf(found, item.path));
        if (item.mask !== null) probe(archive, entryOf(found, item.mask));
        usable.push({ item, header });
      } catch (error) {
        refused.add(item.path, error);
      }
    }
    if (usable.length === 0) throw refused.reason;
    const items = usable.map(({ item }) => item);
    const masks = layout.task === "semantic-segmentation" ? await countColours(archive, found, evenly(usable, MASKS_COUNTED)) : null;
    const sizes = usable.map(({ header }) => shown(header));
    return {
      ok: true,
      task: layout.task,
      hasGivenSplit: layout.hasGivenSplit,
      pictures: usable.length,
      labels: masks ? masks.labels.map((label) => ({ ...label, train: 0, validation: 0, unsplit: 0 })) : countFolders(items),
      moreColours: masks?.more ?? 0,
      passedOver: countPassedOver(found),
      refused,
      width: rangeOf(sizes.map(({ width }) => width)),
      height: rangeOf(sizes.map(({ height }) => height)),
      colourPictures: usable.filter(({ header }) => header.channels >= 3).length,
      preview: await drawPreview(archive, found, evenly(items, PREVIEWS)),
    };
  } finally {
    archive.close();
  }
}

export function entryOf({ entries }: PictureFiles, path: string) {
  const entry = entries.get(path);
  if (!entry) throw new Error(`No entry ${path}`);
  return entry;
}

function countFolders(items: readonly Placed[]): PictureFacts["labels"] {
  const counts = new Map<string, { train: number; validation: number; unsplit: number }>();
  for (const { label, split } of items) {
    const count = counts.get(label) ?? { train: 0, validation: 0, unsplit: 0 };
    count[split ?? "unsplit"]++;
    counts.set(label, count);
  }
  return [...counts].sort(([a], [b]) => inNaturalOrder(a, b)).map(([from, count]) => ({ from, name: from.slice(0, 120), ...count, pixelShare: null }));
}

/** The colours of the masks. Those of JPEG masks are blurred: colours near a more frequent one are taken for it. */
async function countColours(archive: Archive, found: PictureFiles, usable: readonly { item: Placed; header: ImageHeader }[]) {
  const counts = new Map<number, number>();
  let [pixels, isBlurred] = [0, false];
  for (const { item, header } of usable) {
    if (item.mask === null) continue;
    try {
      const entry = entryOf(found, item.mask);
      isBlurred ||= isJpeg(item.mask);
      for (const colour of await decodeMask(archive.read(entry), item.mask, shown(header), { size: MASK_SIDE, fit: "stretch" })) {
        counts.set(colour, (counts.get(colour) ?? 0) + 1);
        pixels++;
      }
    } catch {
      // Said of the file when the set is read in.
    }
  }
  const frequent = [...counts].sort(([, a], [, b]) => b - a);
  const kept: [number, number][] = [];
  for (const [colour, count] of frequent) {
    if (kept.length >= limits.colours) break;
    if ((isBlurred || frequent.length > limits.colours) && (count < pixels / 200 || kept.some(([other]) => distance(colour, other) < 48))) continue;
    kept.push([colour, count]);
  }
  kept.sort(([a], [b]) => a - b);
  return {
    labels: kept.map(([colour, count]) => ({ from: toHex(colour), name: nameOf(colour, kept.length), pixelShare: count / pixels })),
    more: counts.size - kept.length,
  };
}

/** A name to begin with: masks say numbers or colours only. */
function nameOf(colour: number, count: number): string {
  if (colour === 0) return "background";
  if (count === 2) return "object";
  const isGrey = colour % 0x010101 === 0;
  return isGrey ? `class ${colour & 0xff}` : toHex(colour);
}

export const toHex = (colour: number): string => `#${colour.toString(16).padStart(6, "0")}`;
export const isJpeg = (path: string): boolean => /\.jp/i.test(path);

/** The largest difference of red, green or blue. */
export function distance(a: number, b: number): number {
  return Math.max(...[16, 8, 0].map((shift) => Math.abs(((a >> shift) & 0xff) - ((b >> shift) & 0xff))));
}

function countPassedOver({ layout, others }: PictureFiles): PictureFacts["passedOver"] {
  const groups = new Map<PictureFacts["passedOver"][number]["why"], string[]>();
  for (const { why, path } of layout.passedOver) groups.set(why, [...(groups.get(why) ?? []), path]);
  if (others.length > 0) groups.set("other-file", others);
  return [...groups].map(([why, paths]) => ({ why, count: paths.length, first: paths.slice(0, NAMED) }));
}

async function drawPreview(archive: Archive, found: PictureFiles, items: readonly Placed[]): Promise<PictureFacts["preview"]> {
  const preview: PictureFacts["preview"] = [];
  for (const { path, mask, label } of items) {
    try {
      const { planes, width, height } = await decodePicture(archive.read(entryOf(found, path)), path, { size: PREVIEW_SIDE, fit: "pad", colour: "rgb" });
      if (mask !== null) overlay(planes, await decodeMask(archive.read(entryOf(found, mask)), mask, { width, height }, { size: PREVIEW_SIDE, fit: "pad" }));
      preview.push({ file: path, label, png: (await encodeThumbnail(planes, PREVIEW_SIDE)).toString("base64"), aspect: width / height });
    } catch {
      // Said of the file when the set is read in.
    }
  }
  return preview;
}

/** Half of the mask's colour over the picture, where it is not black. */
function overlay(planes: Uint8Array, colours: Int32Array): void {
  for (const [at, colour] of colours.entries()) {
    if (colour <= 0) continue;
    for (const [channel, shift] of [16, 8, 0].entries()) {
      const place = channel * colours.length + at;
      planes[place] = ((planes[place] ?? 0) + ((colour >> shift) & 0xff)) / 2;
    }
  }
}

function rangeOf(values: number[]): PictureFacts["width"] {
  values.sort((a, b) => a - b);
  return { least: values[0] ?? 0, middle: values[values.length >> 1] ?? 0, most: values.at(-1) ?? 0 };
}

/** So many of a list, from its beginning to its end. */
function evenly<T>(items: readonly T[], count: number): T[] {
  if (items.length <= count) return [...items];
  return Array.from({ length: count }, (_, at) => items[Math.floor((at * items.length) / count)] as T);
}
