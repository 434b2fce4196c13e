import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { z } from "zod";
import type { Tensor } from "../../core/export/tensor.ts";
import { matchWeights } from "../../core/import/weights.ts";
import { findPretrained } from "../../core/pretrained/index.ts";
import type { PackagedWeights } from "../../core/pretrained/pretrained.ts";
import { readTfjsWeights, TfjsWeights } from "../../core/pretrained/tfjs.ts";
import { lowerModel } from "../../core/program/lower.ts";
import type { FileStore } from "../storage/files.ts";
import { readKeptGraph, storeWeights, type WeightsAnswer } from "./model.ts";
import { IngestError } from "./source.ts";

const Model = z.object({ weightsManifest: z.array(z.object({ paths: z.array(z.string().regex(/^[\w-]+$/)), weights: TfjsWeights })).min(1) });

/** The weights of a pretrained network that belong to this graph, as a file of ours. @throws IngestError PRETRAINED_UNKNOWN, PRETRAINED_CORRUPT */
export async function loadPretrained(files: FileStore, id: string, target: string, document: unknown): Promise<z.input<typeof WeightsAnswer>> {
  const network = findPretrained(id);
  if (!network) throw new IngestError("PRETRAINED_UNKNOWN", `There are no weights called "${id}".`);
  const program = lowerModel(readKeptGraph(document));
  const { rows, unused, prefix, weights } = matchWeights(program, network.weights.convert(readPackage(network.weights)));
  const broken = rows.filter(({ name, status }) => name.startsWith(`${network.backbone.id}.`) && status !== "matched" && !name.endsWith("num_batches_tracked"));
  const [first] = broken;
  if (first || weights.size === 0)
    throw new IngestError(
      "PRETRAINED_CORRUPT",
      `The weights of ${network.title} do not fit: ${first ? `${first.name} ${first.found ? "has another shape" : "is missing"}` : "none belongs to this graph"}.`,
    );
  return { ok: true, rows, unused, prefix, weights: await storeWeights(files, target, weights, program.weights.length) };
}

/** All tensors of a packaged model, by its own names. The package keeps them as modules of base64 text. */
export function readPackage({ folder }: PackagedWeights): Map<string, Tensor> {
  const require = createRequire(import.meta.url);
  // What the package exports is its browser code, which is never loaded; the models lie beside it.
  const models = join(dirname(require.resolve("nsfwjs")), "../models", folder);
  const { weightsManifest } = Model.parse(require(join(models, "model.min.js")));
  const parts = weightsManifest.flatMap(({ paths }) => paths.map((path) => Buffer.from(z.string().parse(require(join(models, `${path}.min.js`))), "base64")));
  return readTfjsWeights(
    weightsManifest.flatMap(({ weights }) => weights),
    new Uint8Array(Buffer.concat(parts)),
  );
}
