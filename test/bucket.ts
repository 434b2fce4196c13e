import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import S3rver from "@20minutes/s3rver";
import type { BucketPlace } from "../server/storage/s3.ts";

/** A real S3 server on this machine, with its objects in a folder of its own; it keeps its port when it is stopped and started. */
export type TestBucket = {
  place: BucketPlace;
  /** The same as settings. */
  settings: { [name: string]: string };
  /** Where the server keeps an object's bytes. */
  fileOf(key: string): string;
  /** From now on nobody answers. */
  stop(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
};

export async function openTestBucket(): Promise<TestBucket> {
  const directory = mkdtempSync(join(tmpdir(), "tensorloom-bucket-"));
  const name = "loom";
  let port = 0;
  let server: S3rver | null = null;
  const bucket: TestBucket = {
    place: { endpoint: "", bucket: name, region: "us-east-1", accessKeyId: "S3RVER", secretAccessKey: "S3RVER" },
    settings: {},
    fileOf: (key) => join(directory, name, `${key}._S3rver_object`),
    async start() {
      server = new S3rver({ address: "127.0.0.1", port, silent: true, directory, configureBuckets: [{ name }] });
      port = (await server.run()).port;
    },
    async stop() {
      const http = server?.httpServer;
      server = null;
      if (!http) return;
      const closed = new Promise((done) => http.once("close", done));
      http.close();
      http.closeAllConnections();
      await closed;
    },
    async close() {
      await bucket.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
  await bucket.start();
  bucket.place.endpoint = `http://127.0.0.1:${port}`;
  const { endpoint, accessKeyId, secretAccessKey } = bucket.place;
  bucket.settings = { S3_ENDPOINT: endpoint, S3_BUCKET: name, S3_ACCESS_KEY_ID: accessKeyId, S3_SECRET_ACCESS_KEY: secretAccessKey };
  return bucket;
}
