import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { arch, cpus, hostname } from "node:os";
import { fileURLToPath } from "node:url";
import type { Pretrained } from "../../core/pretrained/pretrained.ts";
import { PaceAnswer } from "../../core/preview/pace.ts";
import type { PreviewHost } from "../preview/host.ts";
import type { FileStore } from "../storage/files.ts";

const engineFile = fileURLToPath(new URL("../../native/build/tensorloom.node", import.meta.url));

/** How fast a network was measured to be on this machine, with the engine that is installed: multiply-adds a second forward; null before that. */
export async function readPace(files: FileStore, { id }: Pick<Pretrained, "id">): Promise<number | null> {
  const read = await readFile(files.path(await keyOf(id)), "utf8").catch(() => null);
  return read === null ? null : (PaceAnswer.safeParse(JSON.parse(read)).data?.perSecond ?? null);
}

/** Measures it in the process of the previews, once for a machine and an engine. @throws AppError QUEUE_FULL, PREVIEW_DROPPED, PREVIEW_FAILED */
export async function measurePace({ files, host, orgId }: { files: FileStore; host: PreviewHost; orgId: string }, { id }: Pick<Pretrained, "id">): Promise<number> {
  const known = await readPace(files, { id });
  if (known !== null) return known;
  const answer = await host.pace(orgId, `pace ${id}`, { networkId: id });
  await files.put(await keyOf(id), new TextEncoder().encode(JSON.stringify(answer)));
  return answer.perSecond;
}

/** Another machine, or another engine on it, is another speed. */
async function keyOf(id: string): Promise<string> {
  const engine = await stat(engineFile).catch(() => null);
  const what = [hostname(), arch(), cpus()[0]?.model ?? "", cpus().length, engine?.size ?? 0, Math.round(engine?.mtimeMs ?? 0), id];
  return `hub/pace-${createHash("sha256").update(JSON.stringify(what)).digest("hex")}.json`;
}
