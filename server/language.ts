import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { gapsOf, partsOf } from "../core/language/message.ts";
import type { Language } from "../core/language/say.ts";
import { ConfigError, readEnvironment, root, settings } from "./config.ts";

/**
 * The language that this process speaks. A process imports this module before all others, since many texts are said while modules are read;
 * the page's head does the same for browsers (app/layout.tsx).
 */

const folder = join(root, "core/language");

/** Every English text, with the files that say it: `npm run strings` writes it. */
const Strings = z.record(z.string(), z.array(z.string()));
const Texts = z.record(z.string(), z.string());

/**
 * English under marks, for seeing which texts do not go through the catalogue: `⟦Save⟧`. CLDR's name for such a language.
 * @see https://cldr.unicode.org/development/cldr-split/pseudolocales
 */
const PSEUDO = "en-XA";

/**
 * Reads a language's catalogue, `core/language/<code>.json`: text by English text.
 * @returns undefined for English, which needs none.
 * @throws ConfigError where there is no such file, or a text cannot be read or has other gaps than its English.
 */
export function readLanguage(code: string): Language | undefined {
  if (code === "en") return undefined;
  if (code === PSEUDO) {
    const strings = Strings.parse(JSON.parse(readFileSync(join(folder, "strings.json"), "utf8")));
    return { code, texts: Object.fromEntries(Object.keys(strings).map((english) => [english, `⟦${english}⟧`])) };
  }
  const file = join(folder, `${code}.json`);
  if (!existsSync(file)) throw new ConfigError(`UI_LANGUAGE=${code} has no catalogue: core/language/${code}.json is not there. Use en, or write it as docs/languages.md says.`);
  const texts = Texts.parse(JSON.parse(readFileSync(file, "utf8")));
  for (const [english, text] of Object.entries(texts)) {
    const problem = findProblem(english, text);
    if (problem) throw new ConfigError(`core/language/${code}.json: “${english}” ${problem}`);
  }
  return { code, texts };
}

/** Why a translation cannot stand for its English, or null. */
function findProblem(english: string, text: string): string | null {
  try {
    const [wanted, given] = [english, text].map((one) => gapsOf(partsOf(one, true))) as [Set<string>, Set<string>];
    const strange = [...given].filter((name) => !wanted.has(name));
    return strange.length === 0 ? null : `has no gap ${strange.join(", ")} that its translation could fill.`;
  } catch (error) {
    return `is translated by a text that cannot be read: ${error instanceof Error ? error.message : error}`;
  }
}

const code = settings.UI_LANGUAGE.read.safeParse(readEnvironment().UI_LANGUAGE?.trim() || settings.UI_LANGUAGE.default);
// What is wrong with the setting is said where all settings are read.
if (code.success) globalThis.tensorloomLanguage = readLanguage(code.data);
