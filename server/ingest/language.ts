import type { LanguagePlan } from "../../core/data/language.ts";
import { encodeText, makeText, type Text } from "../../core/data/text.ts";
import { printCount } from "../../core/language/numbers.ts";
import { say } from "../../core/language/say.ts";
import { type Examples, IngestError, type Prepared } from "./source.ts";

/** A vocabulary is learned, and token numbers are counted, a piece of the text at a time. */
const PIECE_CHARS = 1 << 16;

/**
 * One long text as windows of tokens, each with what comes next at every step. The end of the text is for validation, none of which is in
 * training, and the vocabulary is that of the training part alone.
 */
export function prepareLanguage(text: string, { tokenizer, context, validationShare }: LanguagePlan): Omit<Prepared, "source" | "licence"> {
  const { train: first, validation: last } = cutText(text, validationShare);
  const learned = makeText([...piecesOf(first)], tokenizer);
  const [train, validation] = [encodeWhole(first, learned), encodeWhole(last, learned)];
  for (const [name, part] of Object.entries({ training: train, validation }))
    if (part.length <= context)
      throw new IngestError(
        "DATASET_EMPTY",
        say("The {name} part of the text is {count} tokens long, but a window takes {context}. Show fewer tokens at once, or bring more text.", {
          name,
          count: printCount(part.length),
          context: context + 1,
        }),
      );
  const data = new BigInt64Array(train.length + validation.length);
  for (let at = 0; at < train.length; at++) data[at] = BigInt(train[at] ?? 0);
  for (let at = 0; at < validation.length; at++) data[train.length + at] = BigInt(validation[at] ?? 0);
  const windowsFrom = (start: number, length: number): Examples => {
    const window = { rows: Math.floor((length - 1) / context), length: context, stride: context };
    const part = (at: number) => ({ dtype: "int64" as const, shape: [data.length], data, window: { ...window, first: at } });
    return { input: part(start), target: part(start + 1) };
  };
  return {
    task: "language-model",
    preprocess: { dtype: "int64", scale: 1, mean: [0], std: [1] },
    classes: [],
    columns: [],
    targetName: "the next token",
    text: { ...learned, charactersPerToken: last.length / validation.length },
    splits: { train: windowsFrom(0, train.length), validation: windowsFrom(train.length, validation.length) },
  };
}

/** A text in two at a share of its length, at the next end of a line or word. */
export function cutText(text: string, validationShare: number): { train: string; validation: string } {
  const wanted = Math.floor(text.length * (1 - validationShare));
  const cut = endOfPiece(text, wanted);
  return { train: text.slice(0, cut), validation: text.slice(cut) };
}

/** A text in pieces that no word goes on across. */
export function* piecesOf(text: string): Generator<string> {
  for (let at = 0; at < text.length; ) {
    const end = endOfPiece(text, at + PIECE_CHARS);
    yield text.slice(at, end);
    at = end;
  }
}

/** The first place from `from` on that stands behind a line end, or else before a space; `from` itself where there is none for long. */
function endOfPiece(text: string, from: number): number {
  if (from >= text.length) return text.length;
  if (text[from - 1] === "\n") return from;
  const near = text.slice(from, from + 4_096);
  const line = near.indexOf("\n");
  if (line >= 0) return from + line + 1;
  const space = near.search(/\s/);
  if (space >= 0) return from + space;
  // Halves of one character stay together.
  return from + (/[\uDC00-\uDFFF]/.test(near[0] ?? "") ? 1 : 0);
}

function encodeWhole(text: string, how: Text): Int32Array {
  let numbers = new Int32Array(Math.max(1024, text.length));
  let count = 0;
  for (const piece of piecesOf(text))
    for (const token of encodeText(piece, how)) {
      if (count === numbers.length) {
        const wider = new Int32Array(count * 2);
        wider.set(numbers);
        numbers = wider;
      }
      numbers[count++] = token;
    }
  return numbers.subarray(0, count);
}
