import { NpyError } from "../data/npy.ts";
import { readSafetensors, SafetensorsError } from "../export/safetensors.ts";
import type { Tensor } from "../export/tensor.ts";
import { type Inflate, isZip, listZip, ZipError } from "../export/zip.ts";
import { say } from "../language/say.ts";
import type { Program } from "../program/program.ts";
import { castTensor } from "./constants.ts";
import { readNpz } from "./npz.ts";
import { OnnxError } from "./onnx-proto.ts";

/** A weights file that cannot be read: stable code (WEIGHTS_PICKLE, WEIGHTS_FORMAT, or the reader's own), one sentence. */
export class WeightsFileError extends Error {
  readonly code: string;
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "WeightsFileError";
    this.code = code;
  }
}

/** What turns a PyTorch file into one that can be read here. */
export const CONVERT_PICKLE =
  "python -c \"import sys, torch; from safetensors.torch import save_file; s = torch.load(sys.argv[1], map_location='cpu', weights_only=True); s = s.get('state_dict', s); save_file({k: v.clone().contiguous() for k, v in s.items() if torch.is_tensor(v)}, sys.argv[2])\" model.pt model.safetensors";

/**
 * The tensors of a safetensors or `.npz` file, told apart by their bytes, never by their names.
 * @throws WeightsFileError
 */
export function readWeightsFile(file: Uint8Array, inflate: Inflate): Map<string, Tensor> {
  try {
    if (isZip(file)) {
      if ([...listZip(file).keys()].some((name) => /(^|\/)(data\.pkl|version|constants\.pkl)$/.test(name))) throw pickled();
      return readNpz(file, inflate);
    }
    // Pickle's protocols 2 to 5, and the magic number of PyTorch's first format.
    if (file[0] === 0x80 && (file[1] ?? 0) >= 2 && (file[1] ?? 0) <= 5) throw pickled();
    if (file.length >= 9 && (file[8] === 0x7b || announcesHeader(file))) return readSafetensors(file).tensors;
  } catch (error) {
    if (error instanceof ZipError || error instanceof NpyError || error instanceof SafetensorsError || error instanceof OnnxError)
      throw new WeightsFileError(error.code, error.message, { cause: error });
    throw error;
  }
  throw new WeightsFileError("WEIGHTS_FORMAT", say("This is neither a safetensors file nor an .npz archive."));
}

/** Whether a file begins with the length of a header that it has room for, as safetensors do. */
function announcesHeader(file: Uint8Array): boolean {
  const length = new DataView(file.buffer, file.byteOffset).getBigUint64(0, true);
  return length >= 2n && length <= BigInt(file.length - 8);
}

/** The first tensor that holds NaN or an infinite number, and how many of its numbers do; null where all are finite. */
export function findNonFinite(tensors: ReadonlyMap<string, Tensor>): { name: string; count: number } | null {
  for (const [name, { data }] of tensors) {
    if (!(data instanceof Float32Array)) continue;
    let count = 0;
    for (const value of data) if (!Number.isFinite(value)) count++;
    if (count > 0) return { name, count };
  }
  return null;
}

function pickled(): WeightsFileError {
  return new WeightsFileError(
    "WEIGHTS_PICKLE",
    say("This is a pickled PyTorch file, which can run code when it is opened, so it is never opened here. Convert it on your machine: {CONVERT_PICKLE}", { CONVERT_PICKLE }),
  );
}

/** What became of one weight of the model. */
export type WeightMatch = {
  name: string;
  shape: number[];
  status: "matched" | "shape differs" | "missing";
  /** The tensor of the file that belongs to it, and its shape, unless it is missing. */
  found: { name: string; shape: number[] } | null;
};

export type Matching = {
  rows: WeightMatch[];
  /** Tensors of the file that the model has no place for. */
  unused: { name: string; shape: number[] }[];
  /** What was taken off the file's names, or put in front of them, so that they are the model's. */
  prefix: { remove: string } | { add: string } | null;
  weights: Map<string, Tensor>;
};

/**
 * Finds each weight of a program in a file by name. Where names go by another prefix (`model.`, `module.`, or a block of the graph),
 * that which lets the most weights match is used for all.
 */
export function matchWeights(program: Pick<Program, "weights">, tensors: ReadonlyMap<string, Tensor>): Matching {
  const prefix = findPrefix(program, tensors);
  const loose = looseNames(tensors);
  const weights = new Map<string, Tensor>();
  const used = new Set<string>();
  // What is written in the graph, number by number, belongs to no file.
  const asked = program.weights.filter(({ init }) => init.kind !== "values");
  const rows = asked.map(({ name, shape, dtype }): WeightMatch => {
    const exact = theirName(name, prefix);
    const theirs = exact !== null && !tensors.has(exact) ? (loose.get(looseName(exact)) ?? exact) : exact;
    const tensor = theirs === null ? undefined : tensors.get(theirs);
    if (!tensor || theirs === null) return { name, shape, status: "missing", found: null };
    used.add(theirs);
    const found = { name: theirs, shape: tensor.shape };
    if (tensor.shape.join() !== shape.join()) return { name, shape, status: "shape differs", found };
    weights.set(name, castTensor(tensor, dtype));
    return { name, shape, status: "matched", found };
  });
  const unused = [...tensors].flatMap(([name, { shape }]) => (used.has(name) ? [] : [{ name, shape }]));
  return { rows, unused, prefix, weights };
}

/** Parts of lists are `layers_0` in a flat graph and `layers.0` in a file: both are the same name here. */
function looseName(name: string): string {
  return name.replaceAll(/[._]+/g, ".");
}

/** Names of the file by their loose form, where only one has it. */
function looseNames(tensors: ReadonlyMap<string, Tensor>): Map<string, string> {
  const names = new Map<string, string>();
  const doubled = new Set<string>();
  for (const name of tensors.keys()) {
    const loose = looseName(name);
    if (names.has(loose)) doubled.add(loose);
    names.set(loose, name);
  }
  for (const loose of doubled) names.delete(loose);
  return names;
}

function theirName(name: string, prefix: Matching["prefix"]): string | null {
  if (prefix === null) return name;
  if ("remove" in prefix) return prefix.remove + name;
  return name.startsWith(prefix.add) ? name.slice(prefix.add.length) : null;
}

function findPrefix({ weights }: Pick<Program, "weights">, tensors: ReadonlyMap<string, Tensor>): Matching["prefix"] {
  const candidates = new Map<string, Matching["prefix"]>([["", null]]);
  // Any one weight that both have shows the prefix; the last ones count too, since a file may hold only a part.
  for (const { name } of [...weights.slice(0, 8), ...weights.slice(-8)]) {
    for (const theirs of tensors.keys()) {
      if (theirs !== name && theirs.endsWith(`.${name}`)) {
        const remove = theirs.slice(0, -name.length);
        candidates.set(`-${remove}`, { remove });
      } else if (theirs !== name && name.endsWith(`.${theirs}`)) {
        const add = name.slice(0, -theirs.length);
        candidates.set(`+${add}`, { add });
      }
      if (candidates.size > 64) break;
    }
  }
  let best: Matching["prefix"] = null;
  let most = -1;
  for (const candidate of candidates.values()) {
    const count = weights.filter(({ name, shape }) => {
      const theirs = theirName(name, candidate);
      return theirs !== null && tensors.get(theirs)?.shape.join() === shape.join();
    }).length;
    if (count > most) {
      most = count;
      best = candidate;
    }
  }
  return best;
}
