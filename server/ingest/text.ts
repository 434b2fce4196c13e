import { encodeText, makeText, PADDING, splitText, type TokenizerPlan } from "../../core/data/text.ts";
import { printCount } from "../../core/language/numbers.ts";
import { say } from "../../core/language/say.ts";
import { splitRows } from "./shuffle.ts";
import { type Examples, IngestError, type Prepared } from "./source.ts";

/** A text and the number of its class, or what was measured of it. */
export type Labelled = { text: string; target: number };

type TextSpec = {
  /** Empty where something was measured of each text. */
  classes: string[];
  targetName: string;
  tokenizer: Pick<TokenizerPlan, "unit" | "lowercase"> & Partial<Pick<TokenizerPlan, "vocabulary">>;
  /** Rows end after this many tokens; absent: all are whole. */
  length?: number;
  seed: number;
  validationShare?: number;
  /** Of each text, whether it is for validation, where that is not left to chance. */
  isHeldBack?: readonly boolean[];
  /** Whether every class is to have the same share in both parts; absent: yes. */
  stratified?: boolean;
};

/** Arrays of padded rows take this at most. */
const MOST_BYTES = 512 * 2 ** 20;

/**
 * Texts as rows of token numbers, padded to the longest, with the length of each. The vocabulary is that of the training rows: what
 * only a validation row has is unknown there too. Texts that read the same as far as they are kept stand in the same part, so that none is
 * known from training when it is validated.
 */
export function prepareText(rows: readonly Labelled[], spec: TextSpec): Omit<Prepared, "source" | "licence"> {
  const { classes, tokenizer, length: cutAt = Number.POSITIVE_INFINITY } = spec;
  const starts = rows.map((row) => ({ ...startOf(row.text, tokenizer, cutAt), target: row.target }));
  const { isHeldBack } = spec;
  const alike = groupBy(starts);
  const groups = spec.stratified === false || classes.length === 0 ? [alike] : classes.map((_, index) => alike.filter(([row]) => row?.target === index));
  const parts = isHeldBack
    ? { train: [starts.filter((_, at) => !isHeldBack[at])], validation: [starts.filter((_, at) => isHeldBack[at])] }
    : splitRows(groups, spec.seed, spec.validationShare);
  const [trainRows, heldBack] = [parts.train.flat(), parts.validation.flat()];
  if (trainRows.length === 0 || heldBack.length === 0) throw new IngestError("DATASET_EMPTY", say("There are {count} texts: too few to split.", { count: rows.length }));
  const learned = makeText(
    trainRows.map((row) => row.text),
    tokenizer,
  );
  let cutRows = 0;
  const encode = ({ text, isCut, target, begins }: Start): Encoded => {
    const tokens = encodeText(text, learned);
    if (isCut || tokens.length > cutAt) cutRows++;
    return { tokens: tokens.slice(0, cutAt), target, begins };
  };
  const train = trainRows.map(encode);
  const known = new Set(train.map(({ tokens }) => tokens.join()));
  const encoded = heldBack.map(encode);
  // Texts that differ only in what the vocabulary does not have are the same to the network.
  const validation = encoded.filter(({ tokens }) => !known.has(tokens.join()));
  train.push(...encoded.filter(({ tokens }) => known.has(tokens.join())));
  if (validation.length === 0) throw new IngestError("DATASET_EMPTY", say("Every validation text is in training too: there is nothing to check with. Take the copies out."));
  const longest = [...train, ...validation].reduce((most, { tokens }) => Math.max(most, tokens.length), 0);
  const sizeBytes = (train.length + validation.length) * longest * 8;
  if (sizeBytes > MOST_BYTES)
    throw new IngestError(
      "TEXT_TOO_LARGE",
      say("{length} texts of up to {longest} tokens take {value} MiB; the limit is {value2} MiB. Cut them at fewer tokens.", {
        length: printCount(rows.length),
        longest,
        value: Math.ceil(sizeBytes / 2 ** 20),
        value2: MOST_BYTES / 2 ** 20,
      }),
    );
  return {
    task: classes.length > 0 ? "text-classification" : "text-regression",
    preprocess: { dtype: "int64", scale: 1, mean: [0], std: [1] },
    classes,
    columns: [],
    targetName: spec.targetName,
    text: { ...learned, ...(cutRows > 0 ? { cut: { length: cutAt, rows: cutRows } } : {}) },
    splits: { train: pad(train, longest, classes.length > 0), validation: pad(validation, longest, classes.length > 0) },
  };
}

type Encoded = { tokens: number[]; target: number; begins: string };

/** `begins`: as much of the text as it came as other networks may want to read. */
type Start = Labelled & { isCut: boolean; begins: string };

/** Pretrained networks read no more than this of a text, in characters. */
const MOST_KEPT = 4_096;

/** As much of a text as can be read of it, since no piece is less than a token: what stands behind makes no difference. */
function startOf(text: string, tokenizer: TextSpec["tokenizer"], cutAt: number): Omit<Start, "target"> {
  const pieces = splitText(text, tokenizer);
  return { text: pieces.slice(0, cutAt).join(tokenizer.unit === "words" ? " " : ""), isCut: pieces.length > cutAt, begins: text.slice(0, MOST_KEPT) };
}

function groupBy(rows: readonly Start[]): Start[][] {
  const groups = new Map<string, Start[]>();
  for (const row of rows) {
    const group = groups.get(row.text);
    if (group) group.push(row);
    else groups.set(row.text, [row]);
  }
  return [...groups.values()];
}

function pad(rows: readonly Encoded[], longest: number, isClass: boolean): Examples {
  const data = new BigInt64Array(rows.length * longest).fill(BigInt(PADDING));
  for (const [row, { tokens }] of rows.entries()) {
    if (tokens.length === 0) throw new IngestError("DATASET_EMPTY", say("A text has nothing in it that can be read."));
    for (const [at, token] of tokens.entries()) data[row * longest + at] = BigInt(token);
  }
  const whole = (values: number[]) => ({ dtype: "int64" as const, shape: [rows.length], data: BigInt64Array.from(values, BigInt) });
  return {
    input: { dtype: "int64", shape: [rows.length, longest], data },
    lengths: whole(rows.map(({ tokens }) => tokens.length)),
    texts: rows.map(({ begins }) => begins),
    target: isClass ? whole(rows.map(({ target }) => target)) : { dtype: "float32", shape: [rows.length, 1], data: Float32Array.from(rows, ({ target }) => target) },
  };
}
