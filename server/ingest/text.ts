import { encodeText, makeText, PADDING } from "../../core/data/text.ts";
import { splitRows } from "./shuffle.ts";
import { type Examples, IngestError, type Prepared } from "./source.ts";

/** A text and the number of its class. */
type Labelled = { text: string; target: number };

/**
 * Texts as rows of token numbers, padded to the longest, with the length of each. The vocabulary is that of the training rows: what
 * only a validation row has is unknown there too.
 */
export function prepareText(rows: readonly Labelled[], spec: { classes: string[]; targetName: string; lowercase: boolean; seed: number }): Omit<Prepared, "source" | "licence"> {
  const groups = spec.classes.map((_, index) => rows.filter(({ target }) => target === index));
  const { train, validation } = splitRows(groups, spec.seed);
  if (train.length === 0 || validation.length === 0) throw new IngestError("DATASET_EMPTY", `There are ${rows.length} texts: too few to split.`);
  const text = makeText(
    train.map((row) => row.text),
    { unit: "characters", lowercase: spec.lowercase },
  );
  const encode = (part: readonly Labelled[]) => part.map((row) => ({ tokens: encodeText(row.text, text), target: row.target }));
  const encoded = { train: encode(train), validation: encode(validation) };
  const longest = Math.max(...[...encoded.train, ...encoded.validation].map(({ tokens }) => tokens.length));
  return {
    task: "text-classification",
    preprocess: { dtype: "int64", scale: 1, mean: [0], std: [1] },
    classes: spec.classes,
    columns: [],
    targetName: spec.targetName,
    text,
    splits: { train: pad(encoded.train, longest), validation: pad(encoded.validation, longest) },
  };
}

function pad(rows: readonly { tokens: number[]; target: number }[], longest: number): Examples {
  const data = new BigInt64Array(rows.length * longest).fill(BigInt(PADDING));
  for (const [row, { tokens }] of rows.entries()) {
    if (tokens.length === 0) throw new IngestError("DATASET_EMPTY", "A text has no characters.");
    for (const [at, token] of tokens.entries()) data[row * longest + at] = BigInt(token);
  }
  const whole = (values: number[]) => ({ dtype: "int64" as const, shape: [rows.length], data: BigInt64Array.from(values, BigInt) });
  return {
    input: { dtype: "int64", shape: [rows.length, longest], data },
    lengths: whole(rows.map(({ tokens }) => tokens.length)),
    target: whole(rows.map(({ target }) => target)),
  };
}
