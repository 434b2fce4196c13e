import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { z } from "zod";
import { decodePicture } from "./decode.ts";
import { splitRows } from "./shuffle.ts";
import type { BuiltinDataset, Examples } from "./source.ts";

const SIDE = 64;
const BYTES = 3 * SIDE * SIDE;
const CLASSES = ["Smileys & Emotion", "People & Body", "Animals & Nature", "Food & Drink", "Travel & Places", "Activities", "Objects", "Symbols", "Flags"];

const Listed = z.array(z.object({ unified: z.string(), short_name: z.string(), image: z.string().regex(/^[\w-]+\.png$/), category: z.string(), has_img_google: z.boolean() }));

type Picture = { classIndex: number; code: string; planes: Uint8Array };

/**
 * Google's emoji, 64×64, in Unicode's categories; the variants by skin tone are left out, and so are the five swatches of the tones
 * themselves, of which none could be checked against the others. Pictures that are nearly the same stand on one side of the split.
 */
export const emoji: BuiltinDataset = {
  id: "emoji",
  name: "Emoji",
  description: "1,906 emoji in colour, 64 × 64, in nine categories. Variants of one picture are kept together, so that none is checked with its twin. For fine-tuning.",
  async prepare() {
    const folder = dirname(createRequire(import.meta.url).resolve("emoji-datasource-google/package.json"));
    const listed = Listed.parse(JSON.parse(await readFile(join(folder, "emoji.json"), "utf8")));
    const pictures: Picture[] = [];
    for (const { unified, image, category, has_img_google } of listed) {
      const classIndex = CLASSES.indexOf(category);
      if (classIndex < 0 || !has_img_google) continue;
      const { planes } = await decodePicture(await readFile(join(folder, "img/google/64", image)), image, { size: SIDE, fit: "stretch", colour: "rgb" });
      pictures.push({ classIndex, code: unified, planes });
    }
    const groups = groupTwins(pictures);
    const byClass = CLASSES.map((_, index) => groups.filter(([first]) => first?.classIndex === index));
    const { train, validation } = splitRows(byClass, 1999);
    // Groups are taken apart again and their pictures mixed, so that a batch holds no family.
    const mixed = (part: Picture[][]) => splitRows([part.flat()], 2015, 0).train;
    const parts = { train: mixed(train), validation: mixed(validation) };
    return {
      task: "image-classification",
      preprocess: { dtype: "uint8", scale: 1 / 255, ...momentsOf(parts.train) },
      classes: CLASSES,
      columns: [],
      targetName: "category",
      source: "Noto Color Emoji, Google; from the npm package emoji-datasource-google 16.0.0",
      licence: "Apache-2.0 (pictures), MIT (package)",
      splits: { train: examplesOf(parts.train), validation: examplesOf(parts.validation) },
    };
  },
};

/** Mean difference of coarse pixels, of 255, up to which two pictures count as the same. */
const TWIN_DIFFERENCE = 4;
const COARSE = 8;

/** Pictures in groups: the same sign for a man, a woman and a person, and whatever else looks nearly the same. */
function groupTwins(pictures: readonly Picture[]): Picture[][] {
  const leader = pictures.map((_, i) => i);
  const find = (i: number): number => {
    let at = i;
    while (leader[at] !== at) at = leader[at] = leader[leader[at] ?? at] ?? at;
    return at;
  };
  const join = (a: number, b: number) => {
    leader[find(b)] = find(a);
  };
  const families = new Map<string, number>();
  const coarse = pictures.map(({ planes }) => coarsen(planes));
  for (const [i, { code, classIndex }] of pictures.entries()) {
    const family = familyOf(code);
    const known = families.get(family);
    if (known === undefined) families.set(family, i);
    else join(known, i);
    for (let other = 0; other < i; other++) if (pictures[other]?.classIndex === classIndex && isTwin(coarse[i], coarse[other])) join(other, i);
  }
  const groups = new Map<number, Picture[]>();
  for (const [i, picture] of pictures.entries()) groups.set(find(i), [...(groups.get(find(i)) ?? []), picture]);
  return [...groups.values()];
}

/** `1F469-200D-1F52C` and `1F468-200D-1F52C`, a woman and a man in science, are one family. */
function familyOf(code: string): string {
  const parts = code.split("-").filter((part) => !["FE0F", "200D", "2640", "2642", "27A1"].includes(part));
  return parts
    .map((part) => (/^1F(468|469|9D1)$/.test(part) ? "adult" : /^1F(466|467|9D2)$/.test(part) ? "child" : /^1F(55[0-9A-F]|56[0-7])$/.test(part) ? "clock" : part))
    .join("-");
}

/** 8×8 means of each channel. */
function coarsen(planes: Uint8Array): Float32Array {
  const cell = SIDE / COARSE;
  const means = new Float32Array(3 * COARSE * COARSE);
  for (let at = 0; at < BYTES; at++) {
    const [channel, y, x] = [Math.floor(at / (SIDE * SIDE)), Math.floor(at / SIDE) % SIDE, at % SIDE];
    const place = (channel * COARSE + Math.floor(y / cell)) * COARSE + Math.floor(x / cell);
    means[place] = (means[place] ?? 0) + (planes[at] ?? 0) / cell ** 2;
  }
  return means;
}

function isTwin(a: Float32Array | undefined, b: Float32Array | undefined): boolean {
  if (!a || !b) return false;
  let sum = 0;
  const most = TWIN_DIFFERENCE * a.length;
  for (let i = 0; i < a.length && sum <= most; i++) sum += Math.abs((a[i] ?? 0) - (b[i] ?? 0));
  return sum <= most;
}

function momentsOf(pictures: readonly Picture[]): { mean: number[]; std: number[] } {
  const plane = SIDE * SIDE;
  const moments = [0, 1, 2].map((channel) => {
    let [sum, square] = [0, 0];
    for (const { planes } of pictures)
      for (let at = channel * plane; at < (channel + 1) * plane; at++) {
        const value = (planes[at] ?? 0) / 255;
        sum += value;
        square += value * value;
      }
    const mean = sum / (pictures.length * plane);
    return { mean, std: Math.sqrt(square / (pictures.length * plane) - mean ** 2) };
  });
  return { mean: moments.map(({ mean }) => mean), std: moments.map(({ std }) => std) };
}

function examplesOf(pictures: readonly Picture[]): Examples {
  const data = new Uint8Array(pictures.length * BYTES);
  for (const [i, { planes }] of pictures.entries()) data.set(planes, i * BYTES);
  return {
    input: { dtype: "uint8", shape: [pictures.length, 3, SIDE, SIDE], data },
    target: { dtype: "int64", shape: [pictures.length], data: BigInt64Array.from(pictures, ({ classIndex }) => BigInt(classIndex)) },
  };
}
