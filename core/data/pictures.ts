import { z } from "zod";
import { splitIn } from "./split.ts";

/** What pictures of a person's own may be at most. */
export const PICTURE_LIMITS = {
  files: 100_000,
  unpackedBytes: 4 * 2 ** 30,
  /** How much larger an entry may become by unpacking, and from which size on that is looked at. */
  ratio: 100,
  ratioFromBytes: 2 ** 20,
  nameBytes: 255,
  /** Of one file. */
  fileBytes: 64 * 2 ** 20,
  megapixels: 25,
  side: { least: 16, most: 256 },
  classes: 1_000,
  colours: 64,
  arrayBytes: 2 ** 31 - 2 ** 20,
};

/** How a picture of another shape becomes a square: its whole with black at the sides, its middle, or its whole pulled into shape. */
export const Fit = z.enum(["pad", "crop", "stretch"]);
export type Fit = z.infer<typeof Fit>;

export const PictureTask = z.enum(["image-classification", "semantic-segmentation"]);
export type PictureTask = z.infer<typeof PictureTask>;

/** `given`: as the folders say, `train/` and `val/`. */
const PictureSplit = splitIn(["given", "random", "stratified"]);

/** How a folder of pictures becomes a data set: what a person has seen and corrected. */
export const PicturePlan = z.strictObject({
  task: PictureTask,
  /** Height and width of what the network sees, in pixels. */
  size: z.int().min(PICTURE_LIMITS.side.least).max(PICTURE_LIMITS.side.most),
  fit: Fit,
  colour: z.enum(["grey", "rgb"]),
  /**
   * What each folder, or each colour of the masks (`#rrggbb`), means. Equal names are one class. A folder without a name is left out;
   * of pixels whose colour has none nothing is known. Classes are numbered in this order.
   */
  labels: z
    .array(z.strictObject({ from: z.string().max(1_000), name: z.string().trim().min(1).max(120).nullable() }))
    .min(1)
    .max(4_096),
  split: PictureSplit,
});
export type PicturePlan = z.infer<typeof PicturePlan>;

/** A file that cannot be used, and why. */
export const RefusedFile = z.strictObject({ file: z.string(), code: z.string(), message: z.string() });
export type RefusedFile = z.infer<typeof RefusedFile>;

/** Files that are taken for pictures, by their names. Only PNG and JPEG can be read; the others are named as refused. */
export const pictureEnding = /\.(png|jpe?g|jpe|jfif|gif|webp|bmp|tiff?|svg|avif|heic|heif)$/i;
/** What systems put beside a person's own files. */
export const systemFile = /(^|\/)(__MACOSX\/|\._|\.DS_Store$|Thumbs\.db$|desktop\.ini$)/i;

/** What is done to pictures that are not as the network takes them. */
export const Conversion = z.enum(["rotated", "sixteen-bit", "cmyk", "to-grey", "to-colour", "transparent", "enlarged"]);
export type Conversion = z.infer<typeof Conversion>;

const Some = z.strictObject({ count: z.int(), first: z.array(z.string()) });

/** What a manifest keeps of how pictures were read. */
export const Pictures = z.strictObject({
  fit: Fit,
  colour: z.enum(["grey", "rgb"]),
  split: PictureSplit,
  /** Which folders or mask colours each class stands for, in class order. */
  labels: z.array(z.array(z.string())),
  refused: z.strictObject({ count: z.int(), first: z.array(RefusedFile) }),
  conversions: z.array(Some.extend({ what: Conversion })),
});
export type Pictures = z.infer<typeof Pictures>;

/** What a person is shown of a folder of pictures before it is read in. */
export const PictureFacts = z.strictObject({
  ok: z.literal(true),
  task: PictureTask,
  /** Whether folders say what is for training and what for validation. */
  hasGivenSplit: z.boolean(),
  /** Pictures that can be used, as far as their first bytes tell. */
  pictures: z.int(),
  /** Folders with pictures in them, or colours of the masks with their share of the pixels; in class order. */
  labels: z.array(z.strictObject({ from: z.string(), name: z.string().nullable(), train: z.int(), validation: z.int(), unsplit: z.int(), pixelShare: z.number().nullable() })),
  /** Colours that masks have beside those listed; they count as the nearest one where the masks are JPEG. */
  moreColours: z.int(),
  /** Files without a class or a mask, held back by the folders, or no pictures. */
  passedOver: z.array(Some.extend({ why: z.enum(["no-label", "no-mask", "second-validation", "other-file"]) })),
  refused: z.strictObject({ count: z.int(), first: z.array(RefusedFile) }),
  /** Width and height of the pictures, the middle one of each and its range. */
  width: z.strictObject({ least: z.int(), middle: z.int(), most: z.int() }),
  height: z.strictObject({ least: z.int(), middle: z.int(), most: z.int() }),
  colourPictures: z.int(),
  /** Small ones, as PNG in base64. */
  /** Some of them as squares, padded; `aspect`: width by height of what lies within. */
  preview: z.array(z.strictObject({ file: z.string(), label: z.string(), png: z.string(), aspect: z.number().positive().default(1) })),
});
export type PictureFacts = z.infer<typeof PictureFacts>;

/** A plan to begin with. */
export function guessPicturePlan(facts: PictureFacts): PicturePlan {
  const { width, height } = facts;
  const shape = width.middle / height.middle;
  const isSquare = width.least / height.most > 0.9 && width.most / height.least < 1.1;
  const longest = Math.max(width.middle, height.middle);
  return {
    task: facts.task,
    size: [32, 64, 128].findLast((size) => size <= Math.max(32, longest / 2)) ?? 64,
    fit: isSquare || (shape > 0.9 && shape < 1.1) ? "stretch" : facts.task === "semantic-segmentation" ? "pad" : "crop",
    colour: facts.colourPictures > 0 ? "rgb" : "grey",
    labels: facts.labels.map(({ from, name }) => ({ from, name })),
    split: { how: facts.hasGivenSplit ? "given" : facts.task === "image-classification" ? "stratified" : "random", validationShare: 0.2, seed: 1 },
  };
}

/** Class names in order: equal names are one class. */
export function classesOf({ labels }: Pick<PicturePlan, "labels">): string[] {
  return [...new Set(labels.map(({ name }) => name).filter((name) => name !== null))];
}

/** Where a picture of this size comes to lie in a square, in pixels: what lies outside is cut off, what is empty is black. Beside it a mask says nothing. */
export function place(width: number, height: number, size: number, fit: Fit): { x: number; y: number; width: number; height: number } {
  if (fit === "stretch") return { x: 0, y: 0, width: size, height: size };
  const scale = size / (fit === "pad" ? Math.max(width, height) : Math.min(width, height));
  const [w, h] = [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
  return { x: Math.floor((size - w) / 2), y: Math.floor((size - h) / 2), width: w, height: h };
}

/**
 * A square of pixels as it is stored, channels first; grey where that is asked for.
 * @param pixels row by row, `step` bytes a pixel of which the first three are red, green and blue
 * @see ITU-R BT.601 (weights of the grey)
 */
export function toPlanes(pixels: ArrayLike<number>, step: 3 | 4, size: number, colour: PicturePlan["colour"]): Uint8Array {
  const plane = size * size;
  const planes = new Uint8Array(colour === "grey" ? plane : 3 * plane);
  for (let at = 0; at < plane; at++) {
    const [r = 0, g = 0, b = 0] = [pixels[at * step], pixels[at * step + 1], pixels[at * step + 2]];
    if (colour === "grey") planes[at] = (r * 299 + g * 587 + b * 114 + 500) / 1000;
    else {
      planes[at] = r;
      planes[plane + at] = g;
      planes[2 * plane + at] = b;
    }
  }
  return planes;
}

/** What a path in a folder of pictures says of its file. */
export type Placed = { path: string; label: string; split: "train" | "validation" | null; mask: string | null };
export type Layout = {
  task: PictureTask;
  hasGivenSplit: boolean;
  placed: Placed[];
  /** Folders say that these are for a second check, or nothing says what they show. */
  passedOver: { why: "no-label" | "no-mask" | "second-validation"; path: string }[];
};

const trainWords = new Set(["train", "training"]);
const validationWords = new Set(["val", "valid", "validation", "dev"]);
const testWords = new Set(["test", "testing"]);
const pictureWords = new Set(["images", "image", "imgs", "img", "pictures", "photos", "jpegimages", "input", "inputs"]);
const maskWords = new Set(["masks", "mask", "segmentation", "segmentations", "segmentationclass", "annotations", "labels", "groundtruth", "ground_truth", "gt"]);
const maskEnding = /[_\-. ](mask|masks|seg|segmentation|label|labels|gt)$/i;

/** What the paths of all pictures say: classes by folder or by the first part of the name, or pairs of a picture and its mask. `task` where a person knows it. */
export function guessLayout(paths: readonly string[], task?: PictureTask): Layout {
  const files = withoutCommonRoot(paths.map((path) => ({ path, folders: path.split("/").slice(0, -1), stem: stemOf(path) })));
  const pairs = task === "image-classification" ? null : findPairs(files, task === "semantic-segmentation");
  if (pairs) return pairs;
  const read = files.map((file) => ({ file, ...readFolders(file.folders) }));
  const split = chooseSplit(read.map(({ part }) => part));
  const noFolders = read.every(({ rest }) => rest.length === 0);
  const byName = noFolders ? namePrefixes(files.map(({ stem }) => stem)) : null;
  const placed: Placed[] = [];
  const passedOver: Layout["passedOver"] = [];
  for (const [at, { file, part, rest }] of read.entries()) {
    const label = byName ? (byName[at] ?? "") : (rest[0] ?? "");
    if (part === "test" && split.testIsSecond) passedOver.push({ why: "second-validation", path: file.path });
    else if (label === "" && !(noFolders && byName === null)) passedOver.push({ why: "no-label", path: file.path });
    else placed.push({ path: file.path, label, split: split.given ? sideOf(part) : null, mask: null });
  }
  return { task: "image-classification", hasGivenSplit: split.given, placed, passedOver };
}

type File = { path: string; folders: string[]; stem: string };
type Part = "train" | "validation" | "test" | null;

/** Paths below the folder that all of them share, unless that folder says something. */
function withoutCommonRoot(files: File[]): File[] {
  let shared = files;
  for (;;) {
    const root = shared[0]?.folders[0];
    if (root === undefined || partOf(root) !== null || shared.some(({ folders }) => folders[0] !== root)) return shared;
    // A last folder with nothing beside it may be the one class there is, but tells nothing apart.
    shared = shared.map((file) => ({ ...file, folders: file.folders.slice(1) }));
  }
}

function stemOf(path: string): string {
  return (path.split("/").at(-1) ?? "").replace(/\.[^.]*$/, "");
}

function partOf(folder: string): Part {
  const word = folder.toLowerCase();
  return trainWords.has(word) ? "train" : validationWords.has(word) ? "validation" : testWords.has(word) ? "test" : null;
}

/** The folder that names a part, taken out of the others. */
function readFolders(folders: readonly string[]): { part: Part; rest: string[] } {
  const at = folders.findIndex((folder) => partOf(folder) !== null);
  return at < 0 ? { part: null, rest: [...folders] } : { part: partOf(folders[at] as string), rest: folders.filter((_, index) => index !== at) };
}

function chooseSplit(parts: readonly Part[]): { given: boolean; testIsSecond: boolean } {
  const has = new Set(parts);
  const given = has.has("train") && (has.has("validation") || has.has("test")) && !has.has(null);
  return { given, testIsSecond: given && has.has("validation") && has.has("test") };
}

function sideOf(part: Part): "train" | "validation" | null {
  return part === "test" ? "validation" : part;
}

/** `cat` of `cat.12`, `cat_12` and `cat (12)`, where that makes a few groups of several files each. */
function namePrefixes(stems: readonly string[]): string[] | null {
  const prefixes = stems.map((stem) => /^(.*?[^\d\s._()-])[\s._-]*\(?\d+\)?$/.exec(stem)?.[1] ?? "");
  const kinds = new Set(prefixes);
  return !kinds.has("") && kinds.size >= 2 && kinds.size <= stems.length / 2 ? prefixes : null;
}

/** Pictures with their masks: in folders of those names, or beside each other with an ending. Null where there are none, or too few to be sure. */
function findPairs(files: readonly File[], isSure: boolean): Layout | null {
  const pictures: { file: File; key: string }[] = [];
  const masks = new Map<string, string>();
  for (const file of files) {
    const words = file.folders.map((folder) => folder.toLowerCase());
    const isMask = words.some((word) => maskWords.has(word)) || maskEnding.test(file.stem);
    const stem = isMask ? file.stem.replace(maskEnding, "") : file.stem;
    const key = [...words.filter((word) => !maskWords.has(word) && !pictureWords.has(word)), stem.toLowerCase()].join("/");
    if (isMask) masks.set(key, file.path);
    else pictures.push({ file, key });
  }
  const paired = pictures.filter(({ key }) => masks.has(key)).length;
  // A folder named "labels" among folders of classes is a class.
  if (!isSure && (paired === 0 || paired < pictures.length / 2)) return null;
  const read = pictures.map(({ file, key }) => ({ file, part: readFolders(file.folders).part, mask: masks.get(key) }));
  const split = chooseSplit(read.map(({ part }) => part));
  const placed: Placed[] = [];
  const passedOver: Layout["passedOver"] = [];
  const used = new Set<string>();
  for (const { file, part, mask } of read) {
    if (mask !== undefined) used.add(mask);
    if (mask === undefined) passedOver.push({ why: "no-mask", path: file.path });
    else if (part === "test" && split.testIsSecond) passedOver.push({ why: "second-validation", path: file.path });
    else placed.push({ path: file.path, label: "", split: split.given ? sideOf(part) : null, mask });
  }
  for (const mask of masks.values()) if (!used.has(mask)) passedOver.push({ why: "no-mask", path: mask });
  return { task: "semantic-segmentation", hasGivenSplit: split.given, placed, passedOver };
}

/** `2` before `10`, else by code points. */
export function inNaturalOrder(a: string, b: string): number {
  return a.localeCompare(b, "en", { numeric: true });
}
