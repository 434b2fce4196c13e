import { z } from "zod";
import { say } from "../../core/language/say.ts";
import type { Program } from "../../core/program/program.ts";
import type { Database, Tx } from "../database/client.ts";
import { AppError } from "../errors.ts";
import type { FileStore } from "../storage/files.ts";

/** Weights that a model's runs start from: a safetensors file of ours, what is in it, and where it came from. */
export const StartWeights = z.strictObject({
  storageKey: z.string(),
  sizeBytes: z.int(),
  sha256: z.string(),
  /** Name of the person's file. */
  fileName: z.string(),
  importedAt: z.iso.datetime(),
  /** How many of the model's weights the file had. */
  matched: z.int(),
  total: z.int(),
  shapes: z.record(z.string(), z.array(z.int())),
  /** The run that they came out of, where it was one. */
  runId: z.uuid().optional(),
});
export type StartWeights = z.infer<typeof StartWeights>;

export function readStartWeights(value: unknown): StartWeights | null {
  return StartWeights.nullable().catch(null).parse(value);
}

/** What people are shown of them. */
export function describeStartWeights(value: unknown) {
  const weights = readStartWeights(value);
  if (!weights) return null;
  const { fileName, importedAt, matched, total, sizeBytes, shapes } = weights;
  return { fileName, importedAt, matched, total, sizeBytes, shapes };
}

/** The storage key that a new run starts from. @throws AppError START_WEIGHTS_MISMATCH where the graph has changed since */
export function startKeyOf(value: unknown, program: Pick<Program, "weights">): string | null {
  const weights = readStartWeights(value);
  if (!weights) return null;
  const differing = program.weights.flatMap(({ name, shape }) => {
    const saved = weights.shapes[name];
    return saved && saved.join() !== shape.join() ? [{ name, expected: shape, found: saved }] : [];
  });
  const [first] = differing;
  if (first)
    throw new AppError(
      "START_WEIGHTS_MISMATCH",
      say("The weights of {fileName} no longer fit this graph: {name} is [{expected}] here and [{found}] there{count}. Take the change back, or let go of the imported weights.", {
        fileName: weights.fileName,
        name: first.name,
        expected: first.expected.join(", "),
        found: first.found.join(", "),
        count: differing.length > 1 ? say(", and {count} more differ", { count: differing.length - 1 }) : "",
      }),
      { details: { differing } },
    );
  if (!program.weights.some(({ name }) => name in weights.shapes))
    throw new AppError(
      "START_WEIGHTS_MISMATCH",
      say("None of the weights of {fileName} are in this graph any more. Let go of the imported weights, or take the change back.", { fileName: weights.fileName }),
      {
        details: { differing: [] },
      },
    );
  return weights.storageKey;
}

/** Gives a model other weights to start from, or none, and removes the former file once nothing speaks of it. */
export async function setStartWeights(db: Database, files: FileStore, { orgId, modelId }: { orgId: string; modelId: string }, weights: StartWeights | null): Promise<boolean> {
  const replaced = await db.$transaction(async (tx) => {
    const before = await tx.model.findUnique({ where: { id: modelId, orgId, deletedAt: null }, select: { startWeights: true } });
    if (!before) return null;
    // Prisma tells the JSON null from an empty column.
    await tx.$executeRaw`UPDATE "Model" SET "startWeights" = ${weights === null ? null : JSON.stringify(weights)}::jsonb, "updatedAt" = now() WHERE "id" = ${modelId}::uuid AND "orgId" = ${orgId}::uuid`;
    const key = readStartWeights(before.startWeights)?.storageKey;
    return key !== undefined && !(await isSpokenOf(tx, orgId, key)) ? key : "";
  });
  if (replaced) await files.remove(replaced).catch(() => {});
  return replaced !== null;
}

/** Copies of a model, and runs, share one file. */
async function isSpokenOf(tx: Tx, orgId: string, key: string): Promise<boolean> {
  const rows = await tx.$queryRaw<unknown[]>`
    SELECT 1 FROM "Model" WHERE "orgId" = ${orgId}::uuid AND "startWeights" ->> 'storageKey' = ${key}
    UNION ALL SELECT 1 FROM "Run" WHERE "orgId" = ${orgId}::uuid AND "startKey" = ${key} LIMIT 1`;
  return rows.length > 0;
}
