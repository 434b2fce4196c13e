import { choose, type Part, partsOf } from "./message.ts";

/** The texts of a language other than English, by their English. What is missing is said in English. */
export type Language = {
  /** As HTML and Intl write it: `de`, `pt-BR`. */
  code: string;
  texts: Readonly<Record<string, string>>;
};

declare global {
  /** Set before any other module is read: by `server/language.ts` in our processes, by a script in the page's head in browsers. */
  var tensorloomLanguage: Language | undefined;
}

export type Gaps = Readonly<Record<string, string | number>>;

/** The language that everything is said in. */
export function languageCode(): string {
  return globalThis.tensorloomLanguage?.code ?? "en";
}

/** What stands for an English text in the language of this installation, with its gaps still open. */
export function translate(english: string): string {
  const texts = globalThis.tensorloomLanguage?.texts;
  return (texts && Object.hasOwn(texts, english) && texts[english]) || english;
}

let rules = new Intl.PluralRules("en");

/** How the language counts. */
export function pluralRules(): Intl.PluralRules {
  const code = languageCode();
  if (rules.resolvedOptions().locale !== code && code !== "en-XA") rules = new Intl.PluralRules(code);
  return rules;
}

/**
 * A text as people read it: the English is its key. `say("{done} of {total} epochs", { done, total })`;
 * `say("{count, plural, one {# row} other {# rows}}", { count })`. A text without gaps is taken as it stands, braces included.
 * Sentences with elements inside are drawn by `Say` (app/ui/Say.tsx).
 */
export function say(english: string, gaps?: Gaps): string {
  const text = translate(english);
  return gaps ? fill(partsOf(text, false), gaps, "") : text;
}

function fill(parts: readonly Part[], gaps: Gaps, count: string): string {
  let text = "";
  for (const part of parts) {
    if (typeof part === "string") text += part;
    else if (part.kind === "count") text += count;
    else if (part.kind === "gap") text += gaps[part.name];
    else if (part.kind === "tag") text += fill(part.inner, gaps, count);
    else text += fill(choose(part, gaps[part.name], pluralRules()), gaps, String(gaps[part.name]));
  }
  return text;
}
