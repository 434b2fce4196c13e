import { join } from "node:path";
import type { Config } from "../config.ts";
import { type FileStore, openFileStore } from "./files.ts";
import { openBucket } from "./s3.ts";
import { openSharedStore } from "./shared.ts";

/** The store that the settings name. */
export function openStore({
  DATA_DIR,
  S3_ENDPOINT: endpoint,
  S3_BUCKET: bucket,
  S3_REGION: region,
  S3_ACCESS_KEY_ID: accessKeyId,
  S3_SECRET_ACCESS_KEY: secretAccessKey,
}: Pick<Config, "DATA_DIR" | "S3_ENDPOINT" | "S3_BUCKET" | "S3_REGION" | "S3_ACCESS_KEY_ID" | "S3_SECRET_ACCESS_KEY">): FileStore {
  const folder = join(DATA_DIR, "files");
  if (endpoint === null || bucket === null || accessKeyId === null || secretAccessKey === null) return openFileStore(folder);
  return openSharedStore(folder, openBucket({ endpoint, bucket, region, accessKeyId, secretAccessKey }));
}
