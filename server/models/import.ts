import { randomUUID } from "node:crypto";
import { z } from "zod";
import type { Graph } from "../../core/graph/document.ts";
import { say } from "../../core/language/say.ts";
import type { Config } from "../config.ts";
import type { Database } from "../database/client.ts";
import { notFound } from "../errors.ts";
import { runChild } from "../ingest/child.ts";
import { OnnxAnswer, PyTorchAnswer, WeightsAnswer, type WeightsOrder } from "../ingest/model.ts";
import { findUpload, inTurn, rootOf } from "../ingest/upload.ts";
import { Id, Name } from "../input.ts";
import type { FileStore } from "../storage/files.ts";
import { keptGraph } from "./graph.ts";
import { placeModel } from "./place.ts";
import { type StartWeights, setStartWeights } from "./startWeights.ts";

/** Who imports, and what with. */
export type Importer = { db: Database; files: FileStore; config: Config; orgId: string };

const FileName = z.string().trim().min(1).max(200);
export const ImportOnnx = z.strictObject({ uploadId: Id, fileName: FileName, projectId: Id.optional(), name: Name.optional() });
export const ImportPyTorch = z.strictObject({
  code: z.string().min(1).max(500_000, "The code has at most 500,000 characters."),
  /** Which class is the model, where the text has several; else the last one that no other uses. */
  className: z
    .string()
    .regex(/^[A-Za-z_]\w{0,99}$/)
    .optional(),
  /** False: only the graph is given back, for the canvas; nothing is kept. */
  create: z.boolean().default(true),
  projectId: Id.optional(),
  name: Name.optional(),
});
export const ImportWeights = z.strictObject({
  modelId: Id,
  uploadId: Id,
  fileName: FileName,
  /** Takes weights that are NaN or infinite too: said by a person who was told of them. */
  evenNonFinite: z.boolean().default(false),
});

/** A new model from an uploaded ONNX file, with its weights to start from; or the whole list of what cannot be said here. */
export async function importOnnxModel({ db, files, orgId }: Importer, { uploadId, fileName, projectId, name }: z.infer<typeof ImportOnnx>) {
  const upload = await findUpload(files, orgId, uploadId);
  const target = weightsKey();
  try {
    const answer = await inTurn(() => runChild(["onnx", rootOf(files), upload.key, target], OnnxAnswer, { fileBytes: upload.sizeBytes }));
    if (!answer.ok) return { ok: false as const, ...answer.failure, unsupported: "unsupported" in answer ? answer.unsupported : [] };
    const graph = keptGraph(answer.graph);
    const weights = answer.weights && startWeightsOf(answer.weights, fileName);
    if (weights) await files.publish(target);
    const modelId = await placeModel(db, orgId, { projectId, name: name ?? nameOf(fileName), graph, startWeights: weights }).catch(async (error: unknown) => {
      await files.remove(target).catch(() => {});
      throw error;
    });
    const { from, notes, classes } = answer;
    return { ok: true as const, modelId, from, notes, classes, matched: weights?.matched ?? 0, total: weights?.total ?? 0 };
  } finally {
    await files.remove(upload.key).catch(() => {});
  }
}

/** A graph from pasted code, in a new model where that is wanted; or the lines that could not be read. */
export async function importPyTorchModel({ db, orgId }: Importer, { code, className, create, projectId, name }: z.infer<typeof ImportPyTorch>) {
  const answer = await inTurn(() => runChild(["pytorch", className ?? ""], PyTorchAnswer, { input: code, wallMs: 20_000 }));
  if (!answer.ok) return { ok: false as const, ...answer.failure, lines: "lines" in answer ? answer.lines : [] };
  const graph: Graph = keptGraph(answer.graph);
  const modelId = create ? await placeModel(db, orgId, { projectId, name: name ?? answer.className, graph, startWeights: null }) : null;
  return { ok: true as const, modelId, graph, className: answer.className, notes: answer.notes };
}

/** Loads an uploaded weights file into a model: its next runs start from them. Says what became of each weight; refuses numbers that are not finite unless they were agreed to. */
export async function importModelWeights({ db, files, orgId }: Importer, { modelId, uploadId, fileName, evenNonFinite }: z.infer<typeof ImportWeights>) {
  const model = await db.model.findUnique({ where: { id: modelId, orgId, deletedAt: null }, select: { graph: true } });
  if (!model) throw notFound("model");
  const upload = await findUpload(files, orgId, uploadId);
  const graph = keptGraph(model.graph);
  const target = weightsKey();
  const order: z.input<typeof WeightsOrder> = { graph, evenNonFinite };
  // Asked again after a person has agreed, the file need not be sent again.
  let isAskedAgain = false;
  try {
    const answer = await inTurn(() => runChild(["weights", rootOf(files), upload.key, target], WeightsAnswer, { input: JSON.stringify(order), fileBytes: upload.sizeBytes }));
    if (!answer.ok) {
      isAskedAgain = answer.failure.code === "WEIGHTS_NONFINITE";
      return { ok: false as const, ...answer.failure };
    }
    const { rows, unused, prefix } = answer;
    const matched = rows.filter(({ status }) => status === "matched").length;
    if (matched === 0)
      return { ok: false as const, code: "WEIGHTS_MISMATCH" as const, message: say("None of the file's weights fit this model; nothing was changed."), rows, unused, prefix };
    if (answer.weights) await files.publish(target);
    if (answer.weights && !(await setStartWeights(db, files, { orgId, modelId }, startWeightsOf(answer.weights, fileName)))) throw notFound("model");
    return { ok: true as const, rows, unused, prefix, matched, total: rows.length };
  } finally {
    if (!isAskedAgain) await files.remove(upload.key).catch(() => {});
  }
}

export function weightsKey(): string {
  return `weights/${randomUUID()}.safetensors`;
}

export function startWeightsOf(
  { key, sizeBytes, sha256, shapes, total }: { key: string; sizeBytes: number; sha256: string; shapes: StartWeights["shapes"]; total: number },
  fileName: string,
): StartWeights {
  return { storageKey: key, sizeBytes, sha256, shapes, total, matched: Object.keys(shapes).length, fileName, importedAt: new Date().toISOString() };
}

/** `resnet18.onnx` → `resnet18` */
function nameOf(fileName: string): string {
  return (
    fileName
      .replace(/\.[^.]{1,12}$/, "")
      .trim()
      .slice(0, 120) || "Imported model"
  );
}
