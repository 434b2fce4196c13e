import { open } from "node:fs/promises";
import { deflateRawSync } from "node:zlib";
import type { Manifest } from "../../core/data/manifest.ts";
import { beginOf, itemSizeBytes, readNpyHeader } from "../../core/data/npy.ts";
import { taskNamed } from "../../core/tasks/index.ts";
import { boundaryOf } from "../../core/training/boundary.ts";
import type { Evaluation } from "../../core/training/evaluation.ts";
import type { RunEvent } from "../../core/training/events.ts";
import { type LatentMap, mapRows } from "../../core/training/latentMap.ts";
import type { Average } from "../../core/training/metrics/average.ts";
import { confusion as confusionOfRows } from "../../core/training/metrics/confusion.ts";
import { deriveValues } from "../../core/training/metrics/index.ts";
import { pixelConfusion } from "../../core/training/metrics/pixelConfusion.ts";
import type { TrainSpec } from "../../core/training/spec.ts";
import { datasetFolder } from "../ingest/write.ts";
import type { FileStore } from "../storage/files.ts";
import type { LoadedRun } from "./load.ts";

/** What is said of a run's evaluations beside what the engine says: which rows they are of, and what would have been right. */
export class Samples {
  readonly #spec: Pick<TrainSpec, "sampleRows" | "points" | "lattice">;
  readonly #targets: readonly number[][];
  readonly #areBytes: boolean;
  readonly #classes: readonly number[];
  readonly #average: Average;

  /** `targets` are those of `sampleRows`, in the same order; `classes` those of the points' rows, where the data set has any. `average`: how figures of classes become one. */
  constructor(
    spec: Pick<TrainSpec, "sampleRows" | "points" | "lattice">,
    options: { targets: readonly number[][]; areBytes?: boolean; classes?: readonly number[]; average?: Average },
  ) {
    this.#spec = spec;
    this.#targets = options.targets;
    this.#areBytes = options.areBytes ?? false;
    this.#classes = options.classes ?? [];
    this.#average = options.average ?? "macro";
  }

  /** Puts an evaluation into the form that is kept. */
  describe(event: Extract<RunEvent, { type: "evaluated" }>): Evaluation {
    const confusion = event.tensors[confusionOfRows.name] ?? event.tensors[pixelConfusion.name];
    const classes = confusion?.shape[0] ?? 0;
    const outputs = event.samples.y ?? Object.values(event.samples)[0] ?? [];
    const latent = this.#place(event);
    const { lattice } = this.#spec;
    const boundary = lattice && boundaryOf(lattice, event.samples.lattice ?? []);
    return {
      step: event.step,
      epoch: event.epoch,
      values: { ...event.values, ...deriveValues(event.tensors, this.#average) },
      confusion: confusion === undefined ? null : Array.from({ length: classes }, (_, row) => confusion.data.slice(row * classes, (row + 1) * classes)),
      samples: this.#spec.sampleRows.flatMap((row, at) => {
        const output = outputs[at];
        if (output === undefined) return [];
        if (this.#areBytes) return [{ row, target: [], output: [], bytes: deflateRawSync(Uint8Array.from(output, Number)).toString("base64") }];
        return [{ row, target: this.#targets[at] ?? [], output }];
      }),
      ...(latent ? { latent } : {}),
      ...(boundary ? { boundary } : {}),
    };
  }

  #place(event: Extract<RunEvent, { type: "evaluated" }>): LatentMap | null {
    const { points } = this.#spec;
    const placed = points && mapRows(event.samples[points.output] ?? []);
    return placed ? { ...placed, rows: points.rows, classes: [...this.#classes] } : null;
  }
}

/** Reads what a run's evaluations are compared with. */
export async function openSamples(
  files: FileStore,
  { datasetId, spec, manifest, ownManifest, average }: Pick<LoadedRun, "datasetId" | "spec" | "manifest" | "ownManifest" | "average">,
): Promise<Samples> {
  const areBytes = taskNamed(manifest.task).show !== undefined;
  const read = (of: Manifest, rows: readonly number[]) => readTargets(files, datasetId, of.splits.validation, rows);
  const isOfClasses = ownManifest.classes.length > 0 && ownManifest.splits.validation.target.shape.length === 0;
  return new Samples(spec, {
    targets: areBytes ? [] : await read(manifest, spec.sampleRows),
    areBytes,
    average,
    classes: spec.points && isOfClasses ? (await read(ownManifest, spec.points.rows)).map(([first = 0]) => first) : [],
  });
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
      await file.read(bytes, 0, rowBytes, offset + beginOf(array, row));
      out.push(bytes);
    }
    return out;
  } finally {
    await file.close();
  }
}
