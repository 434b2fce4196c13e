import { randomUUID } from "node:crypto";
import { mkdir, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { z } from "zod";
import { PictureFacts, PicturePlan, PictureTask } from "../../core/data/pictures.ts";
import type { Database } from "../database/client.ts";
import { runChild } from "../ingest/child.ts";
import { findUpload, inTurn, rootOf } from "../ingest/upload.ts";
import { datasetFolder } from "../ingest/write.ts";
import { Id, Name } from "../input.ts";
import type { FileStore } from "../storage/files.ts";

type Owner = { db: Database; files: FileStore; orgId: string };

const FileName = z.string().trim().min(1).max(200);
/** `task` is what the person knows better than the guess. */
export const InspectPictures = z.strictObject({ uploadId: Id, task: PictureTask.optional() });
export const CreatePictures = z.strictObject({ uploadId: Id, fileName: FileName, name: Name, plan: PicturePlan });

/** What a data set waits to be made from: an archive in its own folder. */
export const PictureOrder = z.strictObject({ fileName: z.string(), sizeBytes: z.int(), plan: PicturePlan });

/** Storage key of the archive that a data set is made from, until it is. */
export const sourceKey = (datasetId: string): string => `${datasetFolder(datasetId)}/source`;

const Answer = z.discriminatedUnion("ok", [PictureFacts, z.strictObject({ ok: z.literal(false), failure: z.strictObject({ code: z.string(), message: z.string() }) })]);

/** What is in an uploaded archive of pictures. The upload stays, for the data set to be made from it. */
export async function inspectOwnPictures({ files, orgId }: Owner, { uploadId, task }: z.infer<typeof InspectPictures>) {
  const upload = await findUpload(files, orgId, uploadId);
  return inTurn(() => runChild(["picture-facts", rootOf(files), upload.key, ...(task ? [task] : [])], Answer, { fileBytes: upload.sizeBytes }));
}

/** Has an archive read into a data set in the background, since that may take minutes; it survives a restart. Deleting the data set ends it. */
export async function createOwnPictures({ db, files, orgId }: Owner, { uploadId, fileName, name, plan }: z.infer<typeof CreatePictures>): Promise<{ datasetId: string }> {
  const upload = await findUpload(files, orgId, uploadId);
  const datasetId = randomUUID();
  const source = files.path(sourceKey(datasetId));
  await mkdir(dirname(source), { recursive: true });
  await rename(files.path(upload.key), source);
  const order: z.infer<typeof PictureOrder> = { fileName, sizeBytes: upload.sizeBytes, plan };
  try {
    await files.publish(sourceKey(datasetId));
    await db.dataset.create({ data: { id: datasetId, orgId, name, order } });
  } catch (error) {
    await rename(source, files.path(upload.key));
    await files.removeFolder(datasetFolder(datasetId)).catch(() => {});
    throw error;
  }
  return { datasetId };
}
