import { z } from "zod";
import { Manifest } from "../../core/data/manifest.ts";
import { readNpyHeader } from "../../core/data/npy.ts";
import { encodeBeginning, PADDING } from "../../core/data/text.ts";
import { say } from "../../core/language/say.ts";
import type { PretrainedText } from "../../core/pretrained/pretrained.ts";
import type { FileStore } from "../storage/files.ts";
import { readSentencePieces } from "./pretrained.ts";
import { type Examples, IngestError, type Prepared } from "./source.ts";
import { datasetFolder } from "./write.ts";

/** What the reading process is told: the data set whose texts are read anew. */
export const RereadOrder = z.strictObject({ datasetId: z.uuid(), manifest: Manifest });

const Texts = z.array(z.string());
type Row = { tokens: number[]; target: bigint; text: string };

/**
 * A data set of texts, its rows cut into tokens as a pretrained network reads them, all of one width: what a frozen network says of such rows can
 * be kept. Rows stay in their part, but for those of validation that this network could not tell from one of training.
 * @throws IngestError TEXTS_MISSING where the texts were not kept
 */
export async function rereadTexts(files: FileStore, datasetId: string, manifest: Manifest, network: PretrainedText): Promise<Prepared> {
  const text = readSentencePieces();
  const { tokens: width } = network.reads;
  let cutRows = 0;
  const readPart = async ({ texts, target, rows }: Manifest["splits"]["train"]): Promise<Row[]> => {
    if (!texts) throw new IngestError("TEXTS_MISSING", say("These texts were read in before they were kept as they came. Add them once more."));
    const read = async (file: string) => files.read(`${datasetFolder(datasetId)}/${file}`);
    const whole = Texts.parse(JSON.parse(Buffer.from(await read(texts.file)).toString()));
    const targets = classNumbers(await read(target.file));
    if (whole.length !== rows || targets.length !== rows)
      throw new IngestError("DATASET_SHAPE", say("The data set has {rows} rows, but {count} texts and {count2} classes.", { rows, count: whole.length, count2: targets.length }));
    return whole.map((one, row) => {
      const tokens = encodeBeginning(one, text, width);
      if (tokens.length > width) cutRows++;
      return { tokens: tokens.slice(0, width), target: targets[row] ?? 0n, text: one };
    });
  };
  const train = await readPart(manifest.splits.train);
  const known = new Set(train.map(({ tokens }) => tokens.join()));
  const heldBack = await readPart(manifest.splits.validation);
  const isKnown = ({ tokens }: Row) => known.has(tokens.join());
  const validation = heldBack.filter((row) => !isKnown(row));
  train.push(...heldBack.filter(isKnown));
  if (validation.length === 0) throw new IngestError("DATASET_EMPTY", say("Every validation text is in training too: there is nothing to check with."));
  const { classes, targetName, source, licence } = manifest;
  return {
    task: "text-classification",
    preprocess: { dtype: "int64", scale: 1, mean: [0], std: [1] },
    classes,
    columns: [],
    targetName,
    text: { ...text, ...(cutRows > 0 ? { cut: { length: width, rows: cutRows } } : {}) },
    readFor: { datasetId, networkId: network.id },
    splits: { train: arraysOf(train, width), validation: arraysOf(validation, width) },
    source,
    licence,
  };
}

function arraysOf(rows: readonly Row[], width: number): Examples {
  const data = new BigInt64Array(rows.length * width).fill(BigInt(PADDING));
  for (const [row, { tokens }] of rows.entries()) for (const [at, token] of tokens.entries()) data[row * width + at] = BigInt(token);
  return {
    input: { dtype: "int64", shape: [rows.length, width], data },
    target: { dtype: "int64", shape: [rows.length], data: BigInt64Array.from(rows, ({ target }) => target) },
    texts: rows.map(({ text }) => text),
  };
}

/** The class numbers of a file of ours. */
function classNumbers(file: Uint8Array): BigInt64Array {
  const { dtype, offset } = readNpyHeader(file);
  if (dtype !== "int64") throw new IngestError("DATASET_SHAPE", say("Class numbers are int64, but these are {dtype}.", { dtype }));
  return new BigInt64Array(new Uint8Array(file.subarray(offset)).buffer);
}
