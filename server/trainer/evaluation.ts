import { open } from "node:fs/promises";
import type { Manifest } from "../../core/data/manifest.ts";
import { itemSizeBytes, readNpyHeader } from "../../core/data/npy.ts";
import type { Evaluation } from "../../core/training/evaluation.ts";
import type { RunEvent } from "../../core/training/events.ts";
import { deriveValues } from "../../core/training/metrics/index.ts";
import { datasetFolder } from "../ingest/write.ts";
import type { FileStore } from "../storage/files.ts";

/** The figures of an evaluation: those the engine says, and those that follow from its sums. */
export function valuesOf({ values, tensors }: Pick<Extract<RunEvent, { type: "evaluated" }>, "values" | "tensors">): Evaluation["values"] {
  return { ...values, ...deriveValues(tensors) };
}

/** Puts an evaluation into the form that is kept. `targets` are those of `sampleRows`, in the same order. */
export function describeEvaluation(event: Extract<RunEvent, { type: "evaluated" }>, sampleRows: readonly number[], targets: readonly number[][]): Evaluation {
  const { confusion } = event.tensors;
  const classes = confusion?.shape[0] ?? 0;
  const outputs = event.samples.y ?? Object.values(event.samples)[0] ?? [];
  return {
    step: event.step,
    epoch: event.epoch,
    values: valuesOf(event),
    confusion: confusion === undefined ? null : Array.from({ length: classes }, (_, row) => confusion.data.slice(row * classes, (row + 1) * classes)),
    samples: sampleRows.flatMap((row, at) => {
      const output = outputs[at];
      return output === undefined ? [] : [{ row, target: targets[at] ?? [], output }];
    }),
  };
}

/** The targets of these rows, read where they lie. */
export async function readTargets(files: FileStore, datasetId: string, split: Manifest["splits"]["validation"], rows: readonly number[]): Promise<number[][]> {
  const bytes = await readRows(files, datasetId, split.target, split.rows, rows);
  return bytes.map((row) => {
    const { buffer, byteOffset, byteLength } = row;
    if (split.target.dtype === "int64") return Array.from(new BigInt64Array(buffer, byteOffset, byteLength / 8), Number);
    return Array.from(split.target.dtype === "float32" ? new Float32Array(buffer, byteOffset, byteLength / 4) : row);
  });
}

/** Rows of a data set's array as bytes. */
export async function readRows(files: FileStore, datasetId: string, array: Manifest["splits"]["train"]["input"], count: number, rows: readonly number[]): Promise<Uint8Array[]> {
  const file = await open(files.path(`${datasetFolder(datasetId)}/${array.file}`), "r");
  try {
    const head = new Uint8Array(16_384);
    const { bytesRead } = await file.read(head, 0, head.length, 0);
    const { offset } = readNpyHeader(head.subarray(0, bytesRead), (await file.stat()).size);
    const rowBytes = array.shape.reduce((product, size) => product * size, itemSizeBytes[array.dtype]);
    const out: Uint8Array[] = [];
    for (const row of rows) {
      if (row >= count) throw new RangeError(`Row ${row} is beyond the ${count} rows of ${array.file}.`);
      const bytes = new Uint8Array(rowBytes);
      await file.read(bytes, 0, rowBytes, offset + row * rowBytes);
      out.push(bytes);
    }
    return out;
  } finally {
    await file.close();
  }
}
