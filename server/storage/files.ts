import { createHash } from "node:crypto";
import { createReadStream, type ReadStream } from "node:fs";
import { mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";

/**
 * Where files live: an object store in one folder. Keys are ours (`runs/<id>/step-40.safetensors`), never a person's words.
 * A key either holds the whole object or does not exist: objects appear by rename, after their bytes are on the disk.
 */
export type FileStore = {
  /** Writes an object and returns its size and SHA-256. Replaces an older one in one step. */
  put(key: string, content: Uint8Array | AsyncIterable<Uint8Array>): Promise<StoredFile>;
  /** Where the object is, or is to be, on this machine: for the engine, which maps and writes files itself. */
  path(key: string): string;
  read(key: string): Promise<Uint8Array>;
  stream(key: string): ReadStream;
  /** Size and SHA-256 as the bytes are now; null where there is no such object. */
  inspect(key: string): Promise<StoredFile | null>;
  remove(key: string): Promise<void>;
  /** Removes every object whose key begins with `folder/`. */
  removeFolder(folder: string): Promise<void>;
};

export type StoredFile = { key: string; sizeBytes: number; sha256: string };

const keyForm = /^[a-z0-9][a-z0-9_-]*(\/[a-z0-9][a-z0-9._-]*)+$/i;

/** @throws TypeError where a key is not of our own making: a bug, or an attack that got too far. */
function checkKey(key: string): string {
  if (key.length > 512 || !keyForm.test(key) || key.includes("..")) throw new TypeError(`Not a storage key: ${JSON.stringify(key.slice(0, 80))}`);
  return key;
}

export function openFileStore(root: string): FileStore {
  const base = resolve(root);
  const path = (key: string) => join(base, checkKey(key));

  return {
    path,
    async put(key, content) {
      const target = path(key);
      await makeFolder(base, dirname(target));
      // A name of its own, so that two writers of one key never share a half-written file.
      const temporary = `${target}.${process.pid}-${Math.random().toString(36).slice(2)}.tmp`;
      const hash = createHash("sha256");
      let sizeBytes = 0;
      try {
        const file = await open(temporary, "wx");
        try {
          for await (const bytes of content instanceof Uint8Array ? [content] : content) {
            await writeAll(file, bytes);
            hash.update(bytes);
            sizeBytes += bytes.length;
          }
          await file.sync();
        } finally {
          await file.close();
        }
        await rename(temporary, target);
      } catch (error) {
        await rm(temporary, { force: true });
        throw error;
      }
      await syncFolder(dirname(target));
      return { key, sizeBytes, sha256: hash.digest("hex") };
    },
    async read(key) {
      const buffer = await readFile(path(key));
      // A Buffer's slice() shares memory where a Uint8Array's copies; nobody should have to know which one this is.
      return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
    },
    stream: (key) => createReadStream(path(key)),
    async inspect(key) {
      const file = path(key);
      const found = await stat(file).catch(absent);
      if (found === null) return null;
      return { key, sizeBytes: found.size, sha256: await sha256Of(file) };
    },
    remove: (key) => rm(path(key), { force: true }),
    removeFolder: (folder) => rm(path(folder), { recursive: true, force: true }),
  };
}

/** SHA-256 of a file, in hex, without holding it in memory. */
export async function sha256Of(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const bytes of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(bytes as Uint8Array);
  return hash.digest("hex");
}

/** write(2) may take less than it was given (a file-size limit does so without an error), so it is asked again for the rest. */
async function writeAll(file: { write(bytes: Uint8Array, offset: number): Promise<{ bytesWritten: number }> }, bytes: Uint8Array): Promise<void> {
  for (let offset = 0; offset < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, offset);
    if (bytesWritten === 0) throw new Error("The disk took no more bytes.");
    offset += bytesWritten;
  }
}

/** Makes a folder and the ones above it, each one's name safe on the disk before anything is put inside. */
async function makeFolder(base: string, folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true });
  if (first === undefined) return;
  for (let at = folder; at.length >= dirname(first).length && at.startsWith(dirname(base)); at = dirname(at)) await syncFolder(at);
}

/** A rename is on the disk only once its folder is. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function absent(error: NodeJS.ErrnoException): null {
  if (error.code === "ENOENT") return null;
  throw error;
}
