import type { Manifest } from "./manifest.ts";

type Text = NonNullable<Manifest["text"]>;

/** What fills a row behind its own tokens. */
export const PADDING = 0;
/** What stands for a token that the vocabulary does not have. */
export const UNKNOWN = 1;
const RESERVED = ["<pad>", "<unk>"];
/** How an unknown token is shown. */
const REPLACEMENT = "\uFFFD";

/** The pieces that a text is read in. */
export function splitText(text: string, { lowercase }: Pick<Text, "unit" | "lowercase">): string[] {
  return [...(lowercase ? text.toLowerCase() : text).normalize("NFC")];
}

/** A vocabulary of everything that occurs in these texts, behind the two reserved tokens, in order of code points. */
export function makeText(texts: readonly string[], how: Pick<Text, "unit" | "lowercase">): Text {
  const pieces = new Set(texts.flatMap((text) => splitText(text, how)));
  return { ...how, tokens: [...RESERVED, ...[...pieces].sort()] };
}

/** Token numbers of a text. */
export function encodeText(text: string, how: Text): number[] {
  const numbers = new Map(how.tokens.map((token, number) => [token, number]));
  return splitText(text, how).map((piece) => numbers.get(piece) ?? UNKNOWN);
}

/** The text that token numbers stand for, without its padding. */
export function decodeText(numbers: ArrayLike<number>, { tokens }: Pick<Text, "tokens">): string {
  return Array.from(numbers, (number) => (number === PADDING ? "" : number === UNKNOWN ? REPLACEMENT : (tokens[number] ?? REPLACEMENT))).join("");
}
