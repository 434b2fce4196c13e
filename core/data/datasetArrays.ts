import type { Manifest } from "./manifest.ts";
import { encodeNpyHeader } from "./npy.ts";

type Stored = Manifest["splits"]["train"]["input"];
/** An array of a data set under the name that NumPy knows it by. `file`: where it lies; `content`: what it is, where it lies nowhere. */
export type DatasetArray = { name: string; dtype: Stored["dtype"] | "text"; shape: number[] } & (
  | { file: string; sha256: string /** Rows lie within one another in the file, and are to be written out. */; window?: Stored["window"] }
  | { content: Uint8Array }
);

/**
 * The arrays of a data set as its `.npz` has them: `train_x`, `train_y`, `validation_x`, …; the lengths and further inputs by their
 * names; and the names of classes and columns as texts. What is read from such a file is the same data set.
 */
export function datasetArrays({ splits, classes, columns }: Pick<Manifest, "splits" | "classes" | "columns">): DatasetArray[] {
  const arrays: DatasetArray[] = [];
  for (const part of ["train", "validation"] as const) {
    const { rows, input, target, lengths, more = {} } = splits[part];
    const add = (name: string, { file, dtype, shape, sha256, window }: Stored) =>
      arrays.push({ name: `${part}_${name}`, dtype, shape: [rows, ...shape], file, sha256, ...(window ? { window } : {}) });
    add("x", input);
    add("y", target);
    if (lengths) add("lengths", lengths);
    for (const [name, array] of Object.entries(more)) add(name, array);
  }
  if (classes.length > 0) arrays.push(textArray("class_names", classes));
  if (columns.length > 0) arrays.push(textArray("feature_names", columns));
  return arrays;
}

/** Texts as NumPy keeps them: UTF-32, each as wide as the longest. */
function textArray(name: string, texts: readonly string[]): DatasetArray {
  const points = texts.map((text) => [...text].map((sign) => sign.codePointAt(0) ?? 0));
  const width = Math.max(1, ...points.map(({ length }) => length));
  const head = encodeNpyHeader(`<U${width}`, [texts.length]);
  const content = new Uint8Array(head.length + texts.length * width * 4);
  content.set(head);
  const view = new DataView(content.buffer, head.length);
  for (const [row, signs] of points.entries()) for (const [at, sign] of signs.entries()) view.setUint32((row * width + at) * 4, sign, true);
  return { name, dtype: "text", shape: [texts.length], content };
}
