import { statfs } from "node:fs/promises";
import { availableParallelism, freemem, hostname, loadavg, totalmem } from "node:os";
import { z } from "zod";

/** An agent's machine at its last report. `load` is the mean number of processes that wanted to run in the last minute. */
export const Machine = z.object({
  host: z.string(),
  cores: z.number(),
  load: z.number(),
  memoryBytes: z.number(),
  freeMemoryBytes: z.number(),
  /** Where data sets and checkpoints lie; null where that cannot be told. */
  diskFreeBytes: z.number().nullable(),
});

export async function readMachine(dataDir: string): Promise<z.infer<typeof Machine>> {
  const disk = await statfs(dataDir).catch(() => null);
  return {
    host: hostname(),
    cores: availableParallelism(),
    load: Math.round((loadavg()[0] ?? 0) * 100) / 100,
    memoryBytes: totalmem(),
    freeMemoryBytes: freemem(),
    diskFreeBytes: disk && disk.bavail * disk.bsize,
  };
}
