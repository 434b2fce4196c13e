import { findArchitecture } from "../../core/architectures/index.ts";
import { say } from "../../core/language/say.ts";
import { findOpened, opened } from "../../core/pretrained/opened.ts";
import type { Config } from "../config.ts";
import type { Database } from "../database/client.ts";
import { AppError, notFound } from "../errors.ts";
import { weightsState } from "../hub/fetching.ts";
import { runChild } from "../ingest/child.ts";
import { WeightsAnswer } from "../ingest/model.ts";
import { inTurn, rootOf } from "../ingest/upload.ts";
import type { FileStore } from "../storage/files.ts";
import { startWeightsOf, weightsKey } from "./import.ts";
import { placeModel } from "./place.ts";

type Opener = { db: Database; files: FileStore; config: Config; orgId: string };

/** The published networks that open on the canvas, and where their weights are; null where no hub has them. */
export function listOpened({ files, config }: Pick<Opener, "files" | "config">) {
  return Promise.all(opened.map(async ({ id, weights }) => ({ id, weights: weights && (await weightsState(files, { weights }, config.HUB === "on")) })));
}

/**
 * A new model with the graph of a published network, and its weights to start from where a hub has them.
 * @throws AppError NOT_FOUND, WEIGHTS_ABSENT before they were fetched, PRETRAINED_UNREADABLE
 */
export async function openNetwork({ db, files, config, orgId }: Opener, networkId: string): Promise<{ modelId: string }> {
  const network = findOpened(networkId);
  const graph = network && findArchitecture(network.architecture)?.build();
  if (!network || !graph) throw notFound("pretrained network");
  const { weights, title } = network;
  if (!weights) return { modelId: await placeModel(db, orgId, { name: title, graph, startWeights: null }) };
  if ((await weightsState(files, { weights }, config.HUB === "on")).at !== "here")
    throw new AppError("WEIGHTS_ABSENT", say("The weights of {title} are not on this machine yet: fetch them first.", { title }));
  const key = weightsKey();
  const answer = await inTurn(() => runChild(["pretrained", rootOf(files), network.id, key], WeightsAnswer, { input: JSON.stringify(graph), fileBytes: 2 * weights.sizeBytes }));
  if (!answer.ok || !answer.weights) throw new AppError("PRETRAINED_UNREADABLE", answer.ok ? say("{title} has no weights for this graph.", { title }) : answer.failure.message);
  await files.publish(key);
  try {
    return { modelId: await placeModel(db, orgId, { name: title, graph, startWeights: startWeightsOf(answer.weights, `${title}, pretrained`) }) };
  } catch (error) {
    await files.remove(key).catch(() => {});
    throw error;
  }
}
