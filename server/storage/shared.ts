import { open, readdir, rename, rm, stat, utimes } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { Damaged, type FileStore, Gone, makeFolder, openFileStore, type StoredFile, sha256Of, syncFolder } from "./files.ts";
import type { Bucket } from "./s3.ts";

/** Uploads are put together and read on the machine of the web process, and are gone within the hour. */
const isOfThisMachine = (key: string): boolean => key.startsWith("uploads/");

/** What this machine has not looked at for so long is brought anew when it is wanted. */
const KEPT_MS = 7 * 86_400_000;
/** Requests under way at once where there are many. */
const AT_ONCE = 8;

/**
 * Files in a bucket that machines share, each of which keeps what it works with in a folder of its own. The bucket is the truth: an object counts once it is
 * there, whole; what lies in the folder is a copy, which is compared with the expected SHA-256 before it is used and can be thrown away at any time.
 */
export function openSharedStore(root: string, bucket: Bucket): FileStore {
  const local = openFileStore(root);
  /** Copies that were seen to be right: their hash, by key, with the size and time they had then. */
  const seen = new Map<string, { sha256: string; sizeBytes: number; mtimeMs: number }>();
  const bringing = new Map<string, Promise<string>>();

  /** The copy's hash, read once for as long as the file stays as it is; null where there is none. */
  async function copyOf(key: string): Promise<StoredFile | null> {
    const found = await stat(local.path(key)).catch(() => null);
    if (!found?.isFile()) return null;
    const known = seen.get(key);
    if (known?.sizeBytes === found.size && known.mtimeMs === found.mtimeMs) return { key, sizeBytes: found.size, sha256: known.sha256 };
    const sha256 = await sha256Of(local.path(key));
    seen.set(key, { sha256, sizeBytes: found.size, mtimeMs: found.mtimeMs });
    return { key, sizeBytes: found.size, sha256 };
  }

  async function download(key: string, wanted: string | null): Promise<string> {
    const target = local.path(key);
    await makeFolder(root, dirname(target));
    const temporary = `${target}.${process.pid}-${Math.random().toString(36).slice(2)}.tmp`;
    try {
      const file = await open(temporary, "wx");
      try {
        const got = await bucket.get(key, file);
        if (got === null) throw new Gone(key);
        const expected = wanted ?? (await bucket.head(key))?.sha256 ?? got.sha256;
        if (got.sha256 !== expected) throw new Damaged(key);
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
    return target;
  }

  return {
    ...local,
    isShared: true,
    async put(key, content) {
      const file = await local.put(key, content);
      if (!isOfThisMachine(key)) await bucket.put(key, local.path(key), file);
      return file;
    },
    async bring(key, sha256 = null) {
      if (isOfThisMachine(key)) return local.path(key);
      const copy = await copyOf(key);
      if (copy !== null && (sha256 === null || copy.sha256 === sha256)) {
        const now = new Date();
        // Its time says when it was wanted last; the hash is still known.
        await utimes(local.path(key), now, now).catch(() => {});
        const { size, mtimeMs } = await stat(local.path(key));
        seen.set(key, { sha256: copy.sha256, sizeBytes: size, mtimeMs });
        return local.path(key);
      }
      const underWay = bringing.get(key) ?? download(key, sha256).finally(() => bringing.delete(key));
      bringing.set(key, underWay);
      return underWay;
    },
    async publish(key) {
      const file = await copyOf(key);
      if (file === null) throw new Gone(key);
      await bucket.put(key, local.path(key), file);
    },
    async inspect(key) {
      if (isOfThisMachine(key)) return local.inspect(key);
      const found = await bucket.head(key);
      if (found === null) return null;
      // Whoever put it there without its hash is asked for the bytes.
      if (found.sha256 === null) await download(key, null);
      return { key, sizeBytes: found.sizeBytes, sha256: found.sha256 ?? (await sha256Of(local.path(key))) };
    },
    async list(folder) {
      if (isOfThisMachine(`${folder}/`)) return local.list(folder);
      return (await bucket.list(`${folder}/`)).map(({ key, modifiedMs }) => ({ key, modifiedMs }));
    },
    async remove(key) {
      if (!isOfThisMachine(key)) await bucket.remove(key);
      await local.remove(key);
    },
    async removeFolder(folder) {
      if (!isOfThisMachine(`${folder}/`)) {
        const keys = (await bucket.list(`${folder}/`)).map(({ key }) => key);
        for (let at = 0; at < keys.length; at += AT_ONCE) await Promise.all(keys.slice(at, at + AT_ONCE).map((key) => bucket.remove(key)));
      }
      await local.removeFolder(folder);
    },
    async tidy(now = Date.now()) {
      let removed = 0;
      for (const kind of ["runs", "datasets", "weights"])
        for (const entry of await readdir(join(root, kind), { recursive: true, withFileTypes: true }).catch(() => [])) {
          const path = join(entry.parentPath, entry.name);
          const found = entry.isFile() ? await stat(path).catch(() => null) : null;
          if (found === null || now - found.mtimeMs < KEPT_MS) continue;
          // Only a copy may go: what the bucket does not have, or has otherwise, is kept here.
          const key = relative(root, path);
          const kept = entry.name.endsWith(".tmp") ? null : await bucket.head(key);
          if (!entry.name.endsWith(".tmp") && (kept === null || kept.sizeBytes !== found.size)) continue;
          await rm(path, { force: true });
          seen.delete(key);
          removed++;
        }
      return removed;
    },
  };
}
