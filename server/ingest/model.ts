import { inflateRawSync } from "node:zlib";
import { z } from "zod";
import { writeSafetensors } from "../../core/export/safetensors.ts";
import type { Weights } from "../../core/export/tensor.ts";
import type { Graph } from "../../core/graph/document.ts";
import { GraphInvalid } from "../../core/graph/fold.ts";
import { readGraph } from "../../core/graph/migrate.ts";
import { importOnnx } from "../../core/import/onnx.ts";
import { importPyTorch } from "../../core/import/pytorch.ts";
import { findNonFinite, matchWeights, readWeightsFile, WeightsFileError } from "../../core/import/weights.ts";
import { say } from "../../core/language/say.ts";
import { lowerModel } from "../../core/program/lower.ts";
import type { FileStore } from "../storage/files.ts";
import { IngestError } from "./source.ts";

/** A weights file of ours in the store. */
const Stored = z.strictObject({ key: z.string(), sizeBytes: z.int(), sha256: z.string(), shapes: z.record(z.string(), z.array(z.int())), total: z.int() });

const Shape = z.array(z.int());
const Refused = z.strictObject({ ok: z.literal(false), failure: z.strictObject({ code: z.string(), message: z.string() }) });

/** `graph` is checked by whoever keeps it. */
export const OnnxAnswer = z.union([
  z.strictObject({
    ok: z.literal(true),
    graph: z.unknown(),
    from: z.enum(["document", "operators"]),
    notes: z.array(z.string()),
    classes: z.array(z.string()),
    weights: Stored.nullable(),
  }),
  Refused.extend({ unsupported: z.array(z.strictObject({ op: z.string(), node: z.string(), why: z.string() })) }),
  Refused,
]);

export const PyTorchAnswer = z.union([
  z.strictObject({ ok: z.literal(true), graph: z.unknown(), className: z.string(), notes: z.array(z.string()) }),
  Refused.extend({ lines: z.array(z.strictObject({ line: z.int(), text: z.string(), why: z.string() })) }),
  Refused,
]);

export const WeightsAnswer = z.union([
  z.strictObject({
    ok: z.literal(true),
    rows: z.array(
      z.strictObject({
        name: z.string(),
        shape: Shape,
        status: z.enum(["matched", "shape differs", "missing"]),
        found: z.strictObject({ name: z.string(), shape: Shape }).nullable(),
      }),
    ),
    unused: z.array(z.strictObject({ name: z.string(), shape: Shape })),
    prefix: z.union([z.strictObject({ remove: z.string() }), z.strictObject({ add: z.string() })]).nullable(),
    /** Null where nothing matched. */
    weights: Stored.nullable(),
  }),
  Refused,
]);

/** What is listed of a list that a hostile file could make endless. */
const LISTED = 500;

/** An uploaded ONNX file as a graph, and its weights as a file of ours. */
export async function readOnnxModel(files: FileStore, upload: string, target: string): Promise<z.input<typeof OnnxAnswer>> {
  const read = importOnnx(await files.read(upload));
  if (!read.ok) return { ok: false, failure: { code: read.code, message: read.message }, unsupported: read.unsupported.slice(0, LISTED) };
  const { graph, from, notes, classes, weights } = read;
  return {
    ok: true,
    graph,
    from,
    notes,
    classes: classes.slice(0, 10_000),
    weights: weights.size > 0 ? await storeWeights(files, target, weights, lowerModel(graph).weights.length) : null,
  };
}

/** Pasted PyTorch code as a graph. */
export function readPyTorchModel(code: string, className: string): z.input<typeof PyTorchAnswer> {
  const read = importPyTorch(code, className === "" ? {} : { className });
  if (!read.ok) return { ok: false, failure: { code: "PYTORCH_UNREADABLE", message: read.message }, lines: read.lines.slice(0, LISTED) };
  const { graph, notes } = read;
  return { ok: true, graph, className: read.className, notes };
}

/** What the reading process is told: the graph, and whether weights are taken even where some are no finite numbers. */
export const WeightsOrder = z.strictObject({ graph: z.unknown(), evenNonFinite: z.boolean() });

/** Those tensors of an uploaded weights file that belong to this graph, as a file of ours, and what became of each. */
export async function loadWeights(files: FileStore, upload: string, target: string, order: string): Promise<z.input<typeof WeightsAnswer>> {
  const { graph, evenNonFinite } = WeightsOrder.parse(JSON.parse(order));
  try {
    const program = lowerModel(readKeptGraph(graph));
    const tensors = readWeightsFile(await files.read(upload), (packed, sizeBytes) => inflateRawSync(packed, { maxOutputLength: Math.max(1, sizeBytes) }));
    const { rows, unused, prefix, weights } = matchWeights(program, tensors);
    const broken = evenNonFinite ? null : findNonFinite(weights);
    if (broken !== null)
      throw new WeightsFileError(
        "WEIGHTS_NONFINITE",
        say("{name} holds {number} that {count, plural, one {is} other {are}} NaN or infinite: training from them gives nothing but NaN. Nothing was changed.", {
          name: broken.name,
          number: broken.count === 1 ? say("a number") : say("{count} numbers", { count: broken.count }),
          count: broken.count,
        }),
      );
    return { ok: true, rows, unused: unused.slice(0, LISTED), prefix, weights: weights.size > 0 ? await storeWeights(files, target, weights, program.weights.length) : null };
  } catch (error) {
    if (error instanceof WeightsFileError || error instanceof GraphInvalid) return { ok: false, failure: { code: error.code, message: error.message } };
    throw error;
  }
}

/** A graph as it was handed to this process. @throws IngestError */
export function readKeptGraph(document: unknown): Graph {
  const read = readGraph(document);
  if (!("graph" in read)) throw new IngestError(read.code, read.message);
  return read.graph;
}

export async function storeWeights(files: FileStore, key: string, weights: Weights, total: number): Promise<z.input<typeof Stored>> {
  const { sizeBytes, sha256 } = await files.put(key, writeSafetensors(weights));
  return { key, sizeBytes, sha256, shapes: Object.fromEntries([...weights].map(([name, { shape }]) => [name, shape])), total };
}
