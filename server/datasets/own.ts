import { randomUUID } from "node:crypto";
import { z } from "zod";
import { ArrayPlan, ArraysFound } from "../../core/data/arrays.ts";
import { LanguagePlan } from "../../core/data/language.ts";
import type { Manifest } from "../../core/data/manifest.ts";
import { TableForm, TablePlan } from "../../core/data/table.ts";
import { printCount } from "../../core/language/numbers.ts";
import { say } from "../../core/language/say.ts";
import { Prisma } from "../../prisma/generated/client.ts";
import type { Database } from "../database/client.ts";
import { AppError, notFound } from "../errors.ts";
import { DatasetAnswer, type IngestAnswer, runChild } from "../ingest/child.ts";
import { publishDataset } from "../ingest/place.ts";
import { TableFacts } from "../ingest/tableFacts.ts";
import { TextFacts, TextQuestion } from "../ingest/textFacts.ts";
import { findUpload, inTurn, rootOf } from "../ingest/upload.ts";
import { datasetFolder, hashManifest } from "../ingest/write.ts";
import { Id, Name } from "../input.ts";
import { deleteWithFolder } from "../storage/deletion.ts";
import type { FileStore } from "../storage/files.ts";

type Owner = { db: Database; files: FileStore; orgId: string };

const FileName = z.string().trim().min(1).max(200);
/** `form` is what the person knows better than the guess. */
export const InspectTable = z.strictObject({ uploadId: Id, fileName: FileName, form: TableForm.partial().default({}) });
export const CreateTable = z.strictObject({ uploadId: Id, fileName: FileName, name: Name, plan: TablePlan });

const Refused = z.strictObject({ ok: z.literal(false), failure: z.strictObject({ code: z.string(), message: z.string() }) });

/** What is in the columns of an uploaded table. The upload stays, for the table to be made from it. */
export async function inspectOwnTable({ files, orgId }: Owner, { uploadId, fileName, form }: z.infer<typeof InspectTable>) {
  const upload = await findUpload(files, orgId, uploadId);
  return inTurn(() =>
    runChild(["table-facts", rootOf(files), upload.key, fileName], z.discriminatedUnion("ok", [TableFacts, Refused]), {
      input: JSON.stringify(form),
      fileBytes: upload.sizeBytes,
    }),
  );
}

export const InspectArrays = z.strictObject({ uploadId: Id });
export const CreateArrays = z.strictObject({ uploadId: Id, fileName: FileName, name: Name, plan: ArrayPlan });

/** What is in an uploaded NumPy file, and what it is taken for. */
export async function inspectOwnArrays({ files, orgId }: Owner, { uploadId }: z.infer<typeof InspectArrays>) {
  const upload = await findUpload(files, orgId, uploadId);
  return inTurn(() => runChild(["array-facts", rootOf(files), upload.key], z.discriminatedUnion("ok", [ArraysFound, Refused]), { fileBytes: upload.sizeBytes }));
}

export const InspectText = z.strictObject({ uploadId: Id, question: TextQuestion });
export const CreateText = z.strictObject({ uploadId: Id, fileName: FileName, name: Name, plan: LanguagePlan });

/** What a tokenizer makes of an uploaded text, or of a column of an uploaded table. */
export async function inspectOwnText({ files, orgId }: Owner, { uploadId, question }: z.infer<typeof InspectText>) {
  const upload = await findUpload(files, orgId, uploadId);
  return inTurn(() =>
    runChild(["text-facts", rootOf(files), upload.key], z.discriminatedUnion("ok", [TextFacts, Refused]), { input: JSON.stringify(question), fileBytes: upload.sizeBytes }),
  );
}

export const createOwnText = (owner: Owner, order: z.infer<typeof CreateText>) => createOwn(owner, "text", order);
export const createOwnTable = (owner: Owner, order: z.infer<typeof CreateTable>) => createOwn(owner, "table", order);
export const createOwnArrays = (owner: Owner, order: z.infer<typeof CreateArrays>) => createOwn(owner, "arrays", order);

/** A data set from an upload, ready to be learned from; where it cannot be, why, and the upload stays for another plan. */
async function createOwn(
  { db, files, orgId }: Owner,
  kind: "table" | "arrays" | "text",
  { uploadId, fileName, name, plan }: { uploadId: string; fileName: string; name: string; plan: unknown },
) {
  const upload = await findUpload(files, orgId, uploadId);
  const datasetId = randomUUID();
  const discard = () => files.removeFolder(datasetFolder(datasetId)).catch(() => {});
  const answer = await inTurn(() => runChild([kind, rootOf(files), upload.key, fileName, datasetId], DatasetAnswer, { input: JSON.stringify(plan), fileBytes: upload.sizeBytes }));
  if (!answer.ok) {
    await discard();
    return answer;
  }
  try {
    const { manifest, sizeBytes } = answer;
    await publishDataset(files, datasetId, manifest);
    await db.dataset.create({
      data: { id: datasetId, orgId, name, description: describe(manifest), status: "ready", manifest, manifestHash: hashManifest(manifest), sizeBytes },
    });
  } catch (error) {
    await discard();
    throw error;
  }
  await files.remove(upload.key).catch(() => {});
  return { ok: true as const, datasetId };
}

function describe({ task, columns, targetName, classes, text, series, splits: { train, validation } }: Manifest): string {
  const rows = printCount(train.rows + validation.rows);
  const { shape } = train.input;
  if (task === "language-model")
    return say("A text to be gone on with: {rows} windows of {shape} tokens, {count} different ones.", {
      rows,
      shape: String(shape[0]),
      count: printCount(text?.tokens.length ?? 0),
    });
  if (series)
    return say("{name}: {count} values, of which each {shape} are forecast from the {shape2} before.", {
      name: series.name,
      count: printCount(series.length),
      shape: String(train.target.shape[0]),
      shape2: String(shape[0]),
    });
  const from = text
    ? `from texts of up to ${shape[0]} tokens`
    : columns.length > 0
      ? `from ${columns.length} ${columns.length === 1 ? "number" : "numbers"} a row`
      : `from rows of [${shape.join(", ")}]`;
  return classes.length === 0
    ? say("{targetName}, {from}: {rows} rows.", { targetName, from, rows })
    : say("One of {count} values of {targetName}, {from}: {rows} rows.", { count: classes.length, targetName, from, rows });
}

/** A data set that the limited process reads out of another one. @throws AppError PRETRAINED_UNREADABLE */
export async function createRead({ db, files, orgId }: Owner, said: { name: string; description: string }, read: (datasetId: string) => Promise<IngestAnswer>) {
  const id = randomUUID();
  const discard = () => files.removeFolder(datasetFolder(id)).catch(() => {});
  const answer = await read(id);
  if (!answer.ok) {
    await discard();
    throw new AppError("PRETRAINED_UNREADABLE", answer.failure.message);
  }
  const { manifest, sizeBytes } = answer;
  try {
    await publishDataset(files, id, manifest);
    await db.dataset.create({ data: { id, orgId, ...said, status: "ready", manifest, manifestHash: hashManifest(manifest), sizeBytes } });
  } catch (error) {
    await discard();
    throw error;
  }
  return { id, manifest };
}

/** Removes a data set of one's own that no run has learned from, with its files; models that had chosen it have none then. */
export async function deleteDataset(owner: Owner, datasetId: string): Promise<void> {
  // Whose it is comes first: a mark is put into no folder of somebody else's.
  if ((await owner.db.dataset.count({ where: { id: datasetId, orgId: owner.orgId } })) === 0) throw notFound("data set");
  await deleteWithFolder(owner.files, datasetFolder(datasetId), () => deleteRow(owner, datasetId));
}

async function deleteRow({ db, orgId }: Owner, datasetId: string): Promise<void> {
  await db.$transaction(async (tx) => {
    const found = await tx.dataset.findUnique({ where: { id: datasetId, orgId }, select: { builtin: true, name: true } });
    if (!found) throw notFound("data set");
    if (found.builtin !== null) throw new AppError("IN_USE", say("This data set comes with the product and stays."));
    const runs = await tx.run.findMany({
      where: { orgId, datasetId },
      orderBy: { createdAt: "desc" },
      select: { id: true, number: true, model: { select: { name: true } } },
    });
    if (runs.length > 0) {
      const some = runs.slice(0, 5).map(({ number, model }) => `run ${number} of ${model.name}`);
      throw new AppError(
        "IN_USE",
        say("{name} is what {some}{count} learned from. Delete {n, plural, one {that run} other {those runs}} first.", {
          name: found.name,
          some: some.join(", "),
          count: runs.length > 5 ? say(" and {count} more", { count: runs.length - 5 }) : "",
          n: runs.length,
        }),
        {
          details: { runs: runs.slice(0, 100).map(({ id, number, model }) => ({ runId: id, number, model: model.name })) },
        },
      );
    }
    await tx.model.updateMany({ where: { orgId, datasetId }, data: { datasetId: null, settings: Prisma.DbNull } });
    await tx.dataset.delete({ where: { id: datasetId, orgId } });
  });
}
