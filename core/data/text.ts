import { z } from "zod";
import { joinPairs, learnPairs } from "./bpe.ts";
import { cutIntoPieces, type Pieces, piecesOf, readSigns, SPACE } from "./unigram.ts";

/** What a text is cut into. `bpe`: words, of which the frequent ones stay whole and rare ones fall into frequent parts. */
export const TextUnit = z.enum(["characters", "words", "bpe"]);
export type TextUnit = z.infer<typeof TextUnit>;

/** What may be asked of a tokenizer at most. */
export const TEXT_LIMITS = { vocabulary: 32_768, leastVocabulary: 16, length: 4_096, characters: 32_000_000, context: 2_048 };

/** How text becomes token numbers: number 0 is padding, number 1 stands for what the vocabulary does not have. */
export const Text = z.strictObject({
  /** `pieces`: the likeliest pieces of a vocabulary that came with a pretrained network, which no text here taught. */
  unit: z.enum([...TextUnit.options, "pieces"]),
  lowercase: z.boolean(),
  /** The vocabulary: `tokens[n]` is what token number n stands for. Of `bpe` in the order in which parts were joined. */
  tokens: z.array(z.string()),
  /** Of `pieces`: the logarithm of how likely each token is. */
  scores: z.array(z.number()).optional(),
  /** How often each occurs in the training rows, token by token. */
  counts: z.array(z.int()).optional(),
  /** Rows end after this many tokens; `rows` went on in both parts together. */
  cut: z.strictObject({ length: z.int(), rows: z.int() }).optional(),
  /** Of a text that is to be gone on with: how many characters a token of the validation part has on average. */
  charactersPerToken: z.number().optional(),
});
export type Text = z.infer<typeof Text>;

/** A tokenizer that has yet to see its text. `vocabulary`: the most tokens it keeps, the two reserved ones with them. */
export const TokenizerPlan = z.strictObject({
  unit: TextUnit,
  lowercase: z.boolean(),
  vocabulary: z.int().min(TEXT_LIMITS.leastVocabulary).max(TEXT_LIMITS.vocabulary),
});
export type TokenizerPlan = z.infer<typeof TokenizerPlan>;

/** What fills a row behind its own tokens. */
export const PADDING = 0;
/** What stands for a token that the vocabulary does not have. */
export const UNKNOWN = 1;
export const RESERVED = ["<pad>", "<unk>"];
/** How an unknown token is shown. */
const REPLACEMENT = "\uFFFD";

/** Words with their apostrophes, numbers, and each other sign by itself. */
const words = /[\p{L}\p{M}]+(?:['’][\p{L}\p{M}]+)*|\p{N}+|[^\s\p{L}\p{M}\p{N}]/gu;
/** Pieces that nothing is joined across, which together are the whole text: a word has the space before it. */
const wholes = / ?[\p{L}\p{M}]+| ?\p{N}+| ?[^\s\p{L}\p{M}\p{N}]+|\s+(?!\S)|\s+/gu;

type How = { unit: TextUnit; lowercase: boolean };

/** A text as it is read, without what a tokenizer takes no notice of. */
const readable = (text: string, { lowercase }: Pick<Text, "lowercase">): string => (lowercase ? text.toLowerCase() : text).normalize("NFC");

/** The pieces that a text is read in; of `bpe` those within which parts are joined, of `pieces` its signs. */
export function splitText(text: string, how: Pick<Text, "unit" | "lowercase">): string[] {
  const read = readable(text, how);
  if (how.unit === "pieces") return readSigns(read);
  return how.unit === "characters" ? [...read] : (read.match(how.unit === "words" ? words : wholes) ?? []);
}

/**
 * Learns a vocabulary from texts, behind the two reserved tokens: everything that occurs, or as much of it as is wanted, the most
 * frequent first. Characters stand in order of code points, words in order of frequency. Equal texts give the same.
 */
export function makeText(texts: readonly string[], { unit, lowercase, vocabulary = Number.POSITIVE_INFINITY }: How & { vocabulary?: number }): Text {
  const how = { unit, lowercase };
  const pieces = countOf(texts, (text) => splitText(text, how));
  const room = vocabulary - RESERVED.length;
  const own = unit === "bpe" ? learnParts(pieces, room) : mostFrequent(pieces, room);
  if (unit === "characters") own.sort(byCodePoint);
  const text: Text = { ...how, tokens: [...RESERVED, ...own] };
  // Parts occur as often as they are left when all joining is done.
  const used = unit === "bpe" ? countOf(pieces.keys(), (piece) => partsOf(piece, lexiconOf(text)), pieces) : pieces;
  return { ...text, counts: text.tokens.map((token, number) => (number === UNKNOWN ? unknownAmong(used, text) : number === PADDING ? 0 : (used.get(token) ?? 0))) };
}

/** Token numbers of a text. */
export function encodeText(text: string, how: Text): number[] {
  const lexicon = lexiconOf(how);
  if (how.unit === "pieces") {
    lexicon.pieces ??= piecesOf(how.tokens, how.scores ?? [], RESERVED.length);
    return cutIntoPieces(readable(text, how), lexicon.pieces).map((piece) => (piece === null ? UNKNOWN : (lexicon.numbers.get(piece) ?? UNKNOWN)));
  }
  const pieces = splitText(text, how);
  return (how.unit === "bpe" ? pieces.flatMap((piece) => partsOf(piece, lexicon)) : pieces).map((token) => lexicon.numbers.get(token) ?? UNKNOWN);
}

/**
 * The tokens that a text begins with, at most one more than `most`, which says that there are more: long texts are not read to their end.
 * No piece reaches across a space, so that words cut off change nothing in front of them.
 */
export function encodeBeginning(text: string, how: Text, most: number): number[] {
  if (how.unit !== "pieces") return encodeText(text, how).slice(0, most + 1);
  const words = text.trim().split(/\s+/);
  const tokens: number[] = [];
  for (let at = 0; at < words.length && tokens.length <= most; at += most + 1) {
    const next = encodeText(words.slice(at, at + most + 1).join(" "), how);
    // What has no piece is one token, also where the cut falls into it.
    tokens.push(...(tokens.at(-1) === UNKNOWN && next[0] === UNKNOWN ? next.slice(1) : next));
  }
  return tokens.slice(0, most + 1);
}

/** The text that token numbers stand for, without its padding. Words come with a space between, since nothing is known of what stood there. */
export function decodeText(numbers: ArrayLike<number>, { tokens, unit = "characters" }: Pick<Text, "tokens"> & Partial<Pick<Text, "unit">>): string {
  const parts = Array.from(numbers)
    .filter((number) => number !== PADDING)
    .map((number) => (number === UNKNOWN ? REPLACEMENT : (tokens[number] ?? REPLACEMENT)));
  if (unit === "pieces") return parts.join("").replaceAll(SPACE, " ").trim();
  if (unit !== "words") return parts.join("");
  return parts
    .join(" ")
    .replace(/ (?=[.,;:!?%)\]}’”])/g, "")
    .replace(/(?<=[([{‘“]) /g, "");
}

/** What a token is called where it is listed: spaces and line ends can be seen. */
export function tokenText(token: string): string {
  return token.replaceAll(" ", "␣").replaceAll("\n", "⏎").replaceAll("\t", "⇥");
}

type Lexicon = { numbers: Map<string, number> /** Pieces that were taken apart before. */; known: Map<string, string[]>; pieces?: Pieces };
const lexicons = new WeakMap<readonly string[], Lexicon>();
const MOST_KNOWN = 100_000;

function lexiconOf({ tokens }: Pick<Text, "tokens">): Lexicon {
  let lexicon = lexicons.get(tokens);
  if (!lexicon) {
    // A text may have the letters of a reserved token, but never means it.
    lexicon = { numbers: new Map(tokens.slice(RESERVED.length).map((token, at) => [token, RESERVED.length + at])), known: new Map() };
    lexicons.set(tokens, lexicon);
  }
  return lexicon;
}

function partsOf(piece: string, { numbers, known }: Lexicon): string[] {
  let parts = known.get(piece);
  if (!parts) {
    parts = joinPairs([...piece], numbers);
    if (known.size >= MOST_KNOWN) known.clear();
    known.set(piece, parts);
  }
  return parts;
}

function learnParts(pieces: ReadonlyMap<string, number>, room: number): string[] {
  const characters = countOf(pieces.keys(), (piece) => [...piece], pieces);
  // Rare characters would leave no room for what is joined.
  const alphabet = mostFrequent(characters, Math.max(1, Math.floor(room / 2))).sort(byCodePoint);
  return learnPairs(pieces, alphabet, room);
}

/** How often each thing occurs; a source counts as often as `weights` says. */
function countOf(sources: Iterable<string>, split: (source: string) => readonly string[], weights?: ReadonlyMap<string, number>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const source of sources) {
    const weight = weights?.get(source) ?? 1;
    for (const one of split(source)) counts.set(one, (counts.get(one) ?? 0) + weight);
  }
  return counts;
}

function mostFrequent(counts: ReadonlyMap<string, number>, most: number): string[] {
  const sorted = [...counts].sort(([a, often], [b, seldom]) => seldom - often || byCodePoint(a, b));
  return sorted.slice(0, most).map(([one]) => one);
}

function unknownAmong(counts: ReadonlyMap<string, number>, text: Text): number {
  const { numbers } = lexiconOf(text);
  let total = 0;
  for (const [token, count] of counts) if (!numbers.has(token)) total += count;
  return total;
}

function byCodePoint(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
