import { createHash } from "node:crypto";
import { createReadStream, type ReadStream } from "node:fs";
import { mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";

/**
 * Where files live: in one folder that all machines see, or in a bucket of which each machine keeps copies (`shared.ts`). Keys are ours (`runs/<id>/step-40.safetensors`), never a person's words.
 * A key either holds the whole object or does not exist: objects appear by rename, after their bytes are on the disk.
 */
export type FileStore = {
  /** Whether the files are in a bucket, which may be away, and `path` is the place of a copy. */
  isShared: boolean;
  /** Writes an object and returns its size and SHA-256. Replaces an older one in one step. */
  put(key: string, content: Uint8Array | AsyncIterable<Uint8Array>): Promise<StoredFile>;
  /** Where the object is, or is to be, on this machine: for the engine, which maps and writes files itself. */
  path(key: string): string;
  /**
   * Sees to it that an object is at its path on this machine, with the bytes of this SHA-256 where one is given, and returns the path. To be called before `path`, `read` and
   * `stream` are used for reading. In a folder that all machines see there is nothing to do, and nothing is checked. @throws Gone, Damaged, AppError STORE_AWAY
   */
  bring(key: string, sha256?: string | null): Promise<string>;
  /** Hands over what the engine or a limited process wrote at its path, before a row speaks of it. @throws AppError STORE_AWAY */
  publish(key: string): Promise<void>;
  read(key: string): Promise<Uint8Array>;
  stream(key: string): ReadStream;
  /** Size and SHA-256 as the bytes are now; null where there is no such object. */
  inspect(key: string): Promise<StoredFile | null>;
  remove(key: string): Promise<void>;
  /** The objects whose keys begin with `folder/`. */
  list(folder: string): Promise<{ key: string; modifiedMs: number }[]>;
  /** Removes every object whose key begins with `folder/`. */
  removeFolder(folder: string): Promise<void>;
  /** Removes copies that were not wanted for a week. Returns how many. */
  tidy(now?: number): Promise<number>;
};

/** There is no such object. It has the code that a file has which is not there. */
export class Gone extends Error {
  readonly code = "ENOENT";
  constructor(key: string) {
    super(`There is no ${key} in the store.`);
  }
}

/** An object's bytes are not those that were put there. */
export class Damaged extends Error {
  constructor(key: string) {
    super(`${key} does not have the bytes that it was stored with.`);
  }
}

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
    isShared: false,
    path,
    bring: async (key) => path(key),
    publish: async () => {},
    tidy: async () => 0,
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
    async list(folder) {
      const found: { key: string; modifiedMs: number }[] = [];
      for (const entry of await readdir(dirname(path(`${folder}/any`)), { recursive: true, withFileTypes: true }).catch(none)) {
        const file = join(entry.parentPath, entry.name);
        const known = entry.isFile() ? await stat(file).catch(absent) : null;
        if (known !== null) found.push({ key: relative(base, file).replaceAll("\\", "/"), modifiedMs: known.mtimeMs });
      }
      return found;
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
export async function makeFolder(base: string, folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true });
  if (first === undefined) return;
  for (let at = folder; at.length >= dirname(first).length && at.startsWith(dirname(base)); at = dirname(at)) await syncFolder(at);
}

/** A rename is on the disk only once its folder is. */
export async function syncFolder(folder: string): Promise<void> {
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

function none(error: NodeJS.ErrnoException): [] {
  absent(error);
  return [];
}
