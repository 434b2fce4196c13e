import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { AwsClient } from "aws4fetch";
import { AppError } from "../errors.ts";

/** Where a bucket is and how to get in. Any server that speaks S3 with signatures of version 4 will do. */
export type BucketPlace = { endpoint: string; bucket: string; region: string; accessKeyId: string; secretAccessKey: string };

export type StoredObject = { key: string; sizeBytes: number; modifiedMs: number };

/** One bucket, spoken to over HTTP. Whatever it answers is read as what it says it is; what cannot be had in time is `STORE_AWAY`. */
export type Bucket = {
  /** Sends a file whole, in parts where it is large; the object appears when the last byte is there. @throws AppError STORE_AWAY */
  put(key: string, file: string, known: { sizeBytes: number; sha256: string }): Promise<void>;
  /** Writes an object to an open file; a connection that breaks is taken up where it broke. Null where there is none. @throws AppError STORE_AWAY */
  get(key: string, file: FileHandle): Promise<{ sizeBytes: number; sha256: string } | null>;
  /** Size, and SHA-256 as it was sent. @throws AppError STORE_AWAY */
  head(key: string): Promise<{ sizeBytes: number; sha256: string | null } | null>;
  remove(key: string): Promise<void>;
  /** All objects whose keys begin so. @throws AppError STORE_AWAY */
  list(prefix: string): Promise<StoredObject[]>;
};

/** Above this an object is sent in parts of this size: S3 takes 10,000, 320 GB. */
const PART_BYTES = 32 << 20;
/** What one request may take, ms: a part over a slow line. */
const REQUEST_MS = 300_000;
/** How often a request is tried before the store counts as away, and the wait after the first, ms. */
const TRIES = 3;
const WAIT_MS = 200;
const HASH_HEADER = "x-amz-meta-sha256";

export class StoreAway extends AppError {
  constructor(cause: unknown) {
    super("STORE_AWAY", "The file store does not answer at the moment: try again in a minute. Nothing was lost.", { cause });
  }
}

export function openBucket({ endpoint, bucket, region, accessKeyId, secretAccessKey }: BucketPlace): Bucket {
  const client = new AwsClient({ accessKeyId, secretAccessKey, region, service: "s3", retries: 0 });
  const base = `${endpoint.replace(/\/+$/, "")}/${encodeURIComponent(bucket)}`;

  /** One request, tried again while nobody answers or the server says that it cannot now. */
  async function ask(method: string, path: string, { body, headers = {} }: { body?: Uint8Array<ArrayBuffer>; headers?: { [name: string]: string } } = {}): Promise<Response> {
    let cause: unknown;
    for (let attempt = 0; attempt < TRIES; attempt++) {
      if (attempt > 0) await sleep(WAIT_MS * 4 ** (attempt - 1));
      try {
        const answer = await client.fetch(`${base}${path}`, {
          method,
          ...(body ? { body } : {}),
          headers: { ...headers, "x-amz-content-sha256": hashOf(body ?? new Uint8Array()) },
          redirect: "error",
          signal: AbortSignal.timeout(REQUEST_MS),
        });
        if (answer.status < 500 && answer.status !== 429) return answer;
        cause = new Error(`${method} answered ${answer.status}: ${await wordsOf(answer)}`);
      } catch (error) {
        cause = error;
      }
    }
    throw new StoreAway(cause);
  }

  /** @throws StoreAway also where the store says no: it was set up otherwise than it is, and waits for a person. */
  async function done(answer: Response, ...fine: number[]): Promise<Response> {
    if (answer.ok || fine.includes(answer.status)) return answer;
    throw new StoreAway(new Error(`The store answered ${answer.status}: ${await wordsOf(answer)}`));
  }

  async function putInParts(key: string, file: FileHandle, { sizeBytes, sha256 }: { sizeBytes: number; sha256: string }): Promise<void> {
    const begun = await (await done(await ask("POST", `/${key}?uploads=`, { headers: { [HASH_HEADER]: sha256 } }))).text();
    const upload = encodeURIComponent(tag(begun, "UploadId") ?? "");
    try {
      const parts: string[] = [];
      for (let at = 0; at < sizeBytes; at += PART_BYTES) {
        const body = await readPart(file, at, Math.min(PART_BYTES, sizeBytes - at));
        const { headers } = await done(await ask("PUT", `/${key}?partNumber=${parts.length + 1}&uploadId=${upload}`, { body }));
        parts.push(`<Part><PartNumber>${parts.length + 1}</PartNumber><ETag>${headers.get("etag") ?? ""}</ETag></Part>`);
      }
      const list = new TextEncoder().encode(`<CompleteMultipartUpload>${parts.join("")}</CompleteMultipartUpload>`);
      const answer = await (await done(await ask("POST", `/${key}?uploadId=${upload}`, { body: list }))).text();
      // This one request may fail after it has said 200.
      if (answer.includes("<Error>")) throw new StoreAway(new Error(answer.slice(0, 500)));
    } catch (error) {
      await ask("DELETE", `/${key}?uploadId=${upload}`).catch(() => {});
      throw error;
    }
  }

  return {
    async put(key, path, known) {
      const file = await open(path, "r");
      try {
        if (known.sizeBytes > PART_BYTES) await putInParts(key, file, known);
        else await done(await ask("PUT", `/${key}`, { body: await readPart(file, 0, known.sizeBytes), headers: { [HASH_HEADER]: known.sha256 } }));
      } finally {
        await file.close();
      }
    },

    async get(key, file) {
      const hash = createHash("sha256");
      let sizeBytes = 0;
      let cause: unknown;
      for (let attempt = 0; attempt < TRIES; attempt++) {
        const answer = await ask("GET", `/${key}`, { headers: sizeBytes > 0 ? { range: `bytes=${sizeBytes}-` } : {} });
        if (answer.status === 404) return null;
        await done(answer);
        // A store that knows no ranges begins anew.
        let skip = answer.status === 206 ? 0 : sizeBytes;
        try {
          for await (const bytes of answer.body ?? []) {
            const fresh = bytes.subarray(Math.min(skip, bytes.length));
            skip -= bytes.length - fresh.length;
            for (let offset = 0; offset < fresh.length; ) offset += (await file.write(fresh, offset, fresh.length - offset, sizeBytes + offset)).bytesWritten;
            hash.update(fresh);
            sizeBytes += fresh.length;
          }
          return { sizeBytes, sha256: hash.digest("hex") };
        } catch (error) {
          // What this disk refuses is none of the store's doing.
          if (typeof (error as NodeJS.ErrnoException).code === "string" && /^E(NOSPC|DQUOT|IO|BADF|ROFS)$/.test((error as { code: string }).code)) throw error;
          cause = error;
        }
      }
      throw new StoreAway(cause);
    },

    async head(key) {
      const answer = await ask("HEAD", `/${key}`);
      if (answer.status === 404) return null;
      await done(answer);
      return { sizeBytes: Number(answer.headers.get("content-length") ?? 0), sha256: answer.headers.get(HASH_HEADER) };
    },

    async remove(key) {
      await done(await ask("DELETE", `/${key}`), 404);
    },

    async list(prefix) {
      const found: StoredObject[] = [];
      for (let next = ""; ; ) {
        const page = await (await done(await ask("GET", `?list-type=2&prefix=${encodeURIComponent(prefix)}${next && `&continuation-token=${encodeURIComponent(next)}`}`))).text();
        for (const [, entry = ""] of page.matchAll(/<Contents>(.*?)<\/Contents>/gs))
          found.push({ key: tag(entry, "Key") ?? "", sizeBytes: Number(tag(entry, "Size")), modifiedMs: Date.parse(tag(entry, "LastModified") ?? "") });
        next = tag(page, "NextContinuationToken") ?? "";
        if (next === "") return found;
      }
    },
  };
}

async function readPart(file: FileHandle, position: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const part = new Uint8Array(length);
  for (let at = 0; at < length; ) {
    const { bytesRead } = await file.read(part, at, length - at, position + at);
    if (bytesRead === 0) throw new Error("The file became shorter while it was sent.");
    at += bytesRead;
  }
  return part;
}

const hashOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** Text of the first element of this name. Keys are ours and tokens are opaque: there is nothing else to unfold but the five entities. */
function tag(xml: string, name: string): string | null {
  const [, text] = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml) ?? [];
  return text?.replace(/&(quot|apos|lt|gt|amp|#34|#39|#x2B|#x2F);/gi, (_, entity: string) => entities[entity.toLowerCase()] ?? "") ?? null;
}

const entities: { [name: string]: string } = { quot: '"', "#34": '"', apos: "'", "#39": "'", lt: "<", gt: ">", amp: "&", "#x2b": "+", "#x2f": "/" };

/** What a store says of a refusal; its page may be long, and names no secret. */
async function wordsOf(answer: Response): Promise<string> {
  const text = await answer.text().catch(() => "");
  return [tag(text, "Code"), tag(text, "Message")].filter(Boolean).join(": ") || text.slice(0, 200);
}
