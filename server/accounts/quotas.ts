import { say } from "../../core/language/say.ts";
import type { Config } from "../config.ts";
import type { Tx } from "../database/client.ts";
import { AppError, notFound } from "../errors.ts";

/** What an organization may have, and what it has. */
export type Usage = Record<"storageBytes" | "running" | "queued", { used: number; limit: number }>;

/** What an organization may have: its own numbers, or the installation's. */
export async function limitsOf(tx: Tx, config: Config, orgId: string): Promise<{ storageBytes: number; running: number; queued: number }> {
  const own = await tx.organization.findUnique({ where: { id: orgId }, select: { storageLimitBytes: true, maxRunning: true, maxQueued: true } });
  if (!own) throw notFound("organization");
  return {
    storageBytes: own.storageLimitBytes === null ? config.STORAGE_LIMIT_GB * 2 ** 30 : Number(own.storageLimitBytes),
    running: own.maxRunning ?? config.MAX_RUNNING_RUNS,
    queued: own.maxQueued ?? config.MAX_QUEUED_RUNS,
  };
}

/** Bytes of an organization's own data sets, checkpoints and exports. What comes with the product is not counted. */
export async function storedBytes(tx: Tx, orgId: string): Promise<number> {
  const sums = await Promise.all([
    tx.dataset.aggregate({ where: { orgId, builtin: null }, _sum: { sizeBytes: true } }),
    tx.checkpoint.aggregate({ where: { orgId }, _sum: { sizeBytes: true } }),
    tx.artifact.aggregate({ where: { orgId }, _sum: { sizeBytes: true } }),
  ]);
  return sums.reduce((total, { _sum }) => total + Number(_sum.sizeBytes ?? 0), 0);
}

export async function readUsage(tx: Tx, config: Config, orgId: string): Promise<Usage> {
  const [limits, bytes, running, queued] = await Promise.all([
    limitsOf(tx, config, orgId),
    storedBytes(tx, orgId),
    tx.run.count({ where: { orgId, status: "running" } }),
    tx.run.count({ where: { orgId, status: "queued" } }),
  ]);
  return { storageBytes: { used: bytes, limit: limits.storageBytes }, running: { used: running, limit: limits.running }, queued: { used: queued, limit: limits.queued } };
}

const inGib = (bytes: number) => (bytes < 2 ** 30 ? `${Math.round(bytes / 2 ** 20)} MiB` : `${(bytes / 2 ** 30).toFixed(1)} GiB`);

/** @throws AppError STORAGE_FULL where an organization keeps as much as it may, or would with `more` bytes. */
export async function requireStorage(tx: Tx, config: Config, orgId: string, moreBytes = 0): Promise<void> {
  const [{ storageBytes: limit }, used] = await Promise.all([limitsOf(tx, config, orgId), storedBytes(tx, orgId)]);
  if (used + moreBytes > limit || used >= limit)
    throw new AppError(
      "STORAGE_FULL",
      say("This organization keeps {used} of the {limit} it may{moreBytes}: delete runs or data sets, or ask those who look after this installation for more.", {
        used: inGib(used),
        limit: inGib(limit),
        moreBytes: moreBytes > 0 ? say(", and this needs {moreBytes} more", { moreBytes: inGib(moreBytes) }) : "",
      }),
      { details: { used, limit } },
    );
}
