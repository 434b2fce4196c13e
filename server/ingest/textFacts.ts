import { z } from "zod";
import { LanguagePlan } from "../../core/data/language.ts";
import { TableForm, TablePlan } from "../../core/data/table.ts";
import { encodeText, makeText, type Text, UNKNOWN } from "../../core/data/text.ts";
import { say } from "../../core/language/say.ts";
import { cutText, piecesOf } from "./language.ts";
import { checkSize, isReadable } from "./ownTexts.ts";
import { IngestError } from "./source.ts";
import { readTable } from "./tableFile.ts";
import { readTextFile } from "./textFile.ts";

/** How texts are to be looked at: a file that is one long text, or a column of a table. */
export const TextQuestion = z.discriminatedUnion("of", [
  LanguagePlan.pick({ tokenizer: true, validationShare: true }).extend({ of: z.literal("file") }),
  z.strictObject({ of: z.literal("column"), form: TableForm, text: TablePlan.shape.text.unwrap().unwrap() }),
]);
export type TextQuestion = z.infer<typeof TextQuestion>;

/** What a person is shown of texts before they are kept. */
export const TextFacts = z.strictObject({
  ok: z.literal(true),
  texts: z.int(),
  characters: z.int(),
  tokens: z.int(),
  /** How many different tokens there are, the two reserved ones with them, and the most frequent of them. */
  size: z.int(),
  vocabulary: z.array(z.strictObject({ token: z.string(), count: z.int() })),
  /** What share of the tokens is not in the vocabulary: of a long text of those held back, else of all. */
  unknownShare: z.number(),
  /** How long a text is in tokens, where there are many, and how many are cut. */
  lengths: z.strictObject({ middle: z.int(), most: z.int(), cut: z.int() }).nullable(),
  /** The first tokens. */
  first: z.array(z.string()),
});
export type TextFacts = z.infer<typeof TextFacts>;

const VOCABULARY_SHOWN = 400;
const FIRST_SHOWN = 160;

/** What a tokenizer makes of texts. */
export async function inspectText(file: string, question: TextQuestion): Promise<TextFacts> {
  if (question.of === "file") {
    const whole = await readWhole(file);
    const { train, validation } = cutText(whole, question.validationShare);
    const text = makeText([...piecesOf(train)], question.tokenizer);
    const [known, held] = [countTokens(piecesOf(train), text), countTokens(piecesOf(validation), text)];
    return { ...said(text, train), texts: 1, characters: whole.length, tokens: known.tokens + held.tokens, unknownShare: held.unknown / Math.max(1, held.tokens), lengths: null };
  }
  const { tokenizer, column, length } = question.text;
  const texts: string[] = [];
  let characters = 0;
  await readTable(file, question.form, (cells, line) => {
    const text = cells[column] ?? "";
    if (!isReadable(text, tokenizer)) return;
    texts.push(text);
    characters += text.length;
    checkSize(characters, `The texts up to line ${line}`);
  });
  const [first] = texts;
  if (first === undefined) throw new IngestError("DATASET_EMPTY", say("This column holds no text."));
  const text = makeText(texts, tokenizer);
  const lengths: number[] = [];
  let [tokens, unknown] = [0, 0];
  for (const one of texts) {
    const counted = countTokens([one], text);
    tokens += counted.tokens;
    unknown += counted.unknown;
    lengths.push(counted.tokens);
  }
  lengths.sort((a, b) => a - b);
  const cut = lengths.filter((count) => count > length).length;
  return {
    ...said(text, first),
    texts: texts.length,
    characters,
    tokens,
    unknownShare: unknown / Math.max(1, tokens),
    lengths: { middle: lengths[lengths.length >> 1] ?? 0, most: lengths.at(-1) ?? 0, cut },
  };
}

/** A file that is one text. @throws IngestError TEXT_TOO_LARGE, TEXT_ENCODING, DATASET_EMPTY */
export async function readWhole(file: string): Promise<string> {
  const parts: string[] = [];
  let characters = 0;
  for await (const part of readTextFile(file)) {
    parts.push(part);
    characters += part.length;
    checkSize(characters, "The letters of this file");
  }
  const whole = parts.join("").replaceAll("\r\n", "\n");
  if (whole.trim() === "") throw new IngestError("DATASET_EMPTY", say("The file holds no text."));
  return whole;
}

function said(text: Text, example: string): Pick<TextFacts, "ok" | "size" | "vocabulary" | "first"> {
  const { tokens, counts = [] } = text;
  const own = tokens.map((token, number) => ({ token, count: counts[number] ?? 0 })).slice(UNKNOWN + 1);
  return {
    ok: true,
    size: tokens.length,
    vocabulary: own.sort((a, b) => b.count - a.count).slice(0, VOCABULARY_SHOWN),
    first: encodeText(example.slice(0, 4 * FIRST_SHOWN), text)
      .slice(0, FIRST_SHOWN)
      .map((number) => tokens[number] ?? ""),
  };
}

function countTokens(pieces: Iterable<string>, text: Text): { tokens: number; unknown: number } {
  let [tokens, unknown] = [0, 0];
  for (const piece of pieces)
    for (const token of encodeText(piece, text)) {
      tokens++;
      if (token === UNKNOWN) unknown++;
    }
  return { tokens, unknown };
}
