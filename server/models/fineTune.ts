import { availableParallelism } from "node:os";
import { z } from "zod";
import { Manifest } from "../../core/data/manifest.ts";
import { checkGraph } from "../../core/graph/check.ts";
import type { Graph } from "../../core/graph/document.ts";
import { untuned } from "../../core/graph/tuning.ts";
import { printCount } from "../../core/language/numbers.ts";
import { say } from "../../core/language/say.ts";
import { DEPTHS, depthFor, planFineTune, recommend, secondsOf, trainingRate, whyNotFineTune } from "../../core/pretrained/fineTune.ts";
import { findPretrained, pretrained } from "../../core/pretrained/index.ts";
import { findOpened } from "../../core/pretrained/opened.ts";
import type { PretrainedText } from "../../core/pretrained/pretrained.ts";
import type { RunSettings } from "../../core/training/settings.ts";
import type { Config } from "../config.ts";
import type { Database } from "../database/client.ts";
import { createRead } from "../datasets/own.ts";
import { AppError, notFound } from "../errors.ts";
import { beginFetch, type WeightsState, weightsState } from "../hub/fetching.ts";
import { DatasetAnswer, runChild } from "../ingest/child.ts";
import { WeightsAnswer } from "../ingest/model.ts";
import { bringDataset } from "../ingest/place.ts";
import type { RereadOrder } from "../ingest/reread.ts";
import { inTurn, rootOf } from "../ingest/upload.ts";
import { Id } from "../input.ts";
import type { PreviewHost } from "../preview/host.ts";
import { requireManifest, startRun } from "../runs/start.ts";
import type { FileStore } from "../storage/files.ts";
import { startWeightsOf, weightsKey } from "./import.ts";
import { measurePace, readPace } from "./pace.ts";
import { placeModel } from "./place.ts";
import type { StartWeights } from "./startWeights.ts";

type Tuner = { db: Database; files: FileStore; config: Config; orgId: string; userId: string };

export const FineTune = z.strictObject({
  datasetId: Id,
  networkId: z.string().max(64),
  depth: z.enum(DEPTHS).optional(),
  /** Trains the same network from drawn weights too, to say what the pretrained ones are worth. */
  compare: z.boolean().default(false),
  idempotencyKey: z.string().min(8).max(100),
});

/** The networks that can be fine-tuned on a data set, the one to take first in front, each with what would be done and about how long it takes. */
export async function listFineTunes({ db, files, config, orgId }: Pick<Tuner, "db" | "files" | "config" | "orgId">, datasetId: string) {
  const row = await db.dataset.findUnique({ where: { id: datasetId, orgId }, select: { name: true, status: true, manifest: true } });
  if (!row) throw notFound("data set");
  const manifest = Manifest.nullable().parse(row.manifest);
  const paces = await Promise.all(pretrained.map((network) => readPace(files, network)));
  const listed = pretrained.map((network, at) => {
    const why = manifest ? whyNotFineTune(network, manifest) : say("The data set is still being read in.");
    const { id } = network;
    const pace = paces[at] ?? null;
    if (why !== null || !manifest) return { id, why: why ?? "", depth: null, plans: [], row: null };
    const plans = DEPTHS.map((depth) => {
      const { size, settings, graph } = planFineTune(network, manifest, { depth });
      const steps = network.takes === "texts" ? network.reads.tokens : 1;
      const rate = trainingRate(availableParallelism(), pace);
      return { depth, size, epochs: settings.epochs, rowMs: (1_000 * steps * checkGraph(graph).totals.multiplyAdds) / rate, ...secondsOf(graph, settings, manifest, rate, steps) };
    });
    /** What one row takes forward, measured on this machine or else reckoned. */
    const row = { ms: plans[0]?.rowMs ?? 0, isMeasured: pace !== null };
    return { id, why: null, depth: depthFor(manifest.splits.train.rows), plans: plans.map(({ rowMs: _, ...plan }) => plan), row };
  });
  const states = await Promise.all(pretrained.map((network) => weightsState(files, network, config.HUB === "on")));
  const networks = listed.flatMap((network, at) => (states[at] ? [{ ...network, weights: states[at] }] : []));
  const rows = manifest ? { train: manifest.splits.train.rows, validation: manifest.splits.validation.rows } : null;
  // What is here already is recommended: nobody is sent to wait for a file first.
  const isHere = ({ weights }: { weights: WeightsState }) => weights.at === "installed" || weights.at === "here";
  const able = networks.filter(isHere).flatMap(({ id, depth, plans }) => plans.filter((plan) => plan.depth === depth).map(({ seconds }) => ({ id, seconds })));
  const first = recommend(able);
  networks.sort((a, b) => Number(b.id === first) - Number(a.id === first));
  return { name: row.name, rows, classes: manifest?.classes.length ?? 0, networks };
}

/**
 * Makes a model of a pretrained network with a new head for a data set's classes, and starts its training. The same key gives the same run.
 * @throws AppError NOT_FOUND, CONFIG_RANGE where the network cannot learn from the data set, and as `startRun`
 */
export async function fineTune({ db, files, config, orgId, userId }: Tuner, input: z.infer<typeof FineTune>): Promise<{ modelId: string; runId: string }> {
  const { networkId, depth, compare, idempotencyKey } = input;
  const earlier = await db.run.findUnique({ where: { orgId_idempotencyKey: { orgId, idempotencyKey } }, select: { id: true, modelId: true } });
  if (earlier) return { modelId: earlier.modelId, runId: earlier.id };
  const network = findPretrained(networkId);
  if (!network) throw notFound("pretrained network");
  const { at } = await weightsState(files, network, config.HUB === "on");
  if (at !== "installed" && at !== "here")
    throw new AppError("WEIGHTS_ABSENT", say("The weights of {title} are not on this machine yet: fetch them first.", { title: network.title }));
  const chosen = await requireManifest(db, orgId, { datasetId: input.datasetId, task: undefined });
  const why = whyNotFineTune(network, chosen);
  if (why !== null) throw new AppError("CONFIG_RANGE", why, { details: { field: "datasetId" } });
  const { id: datasetId, manifest } = network.takes === "texts" ? await readFor({ db, files, orgId }, input.datasetId, chosen, network) : { id: input.datasetId, manifest: chosen };
  const plan = planFineTune(network, manifest, { depth });
  const settings: RunSettings = { ...plan.settings, datasetId };
  const key = weightsKey();
  const answer = await inTurn(() =>
    runChild(["pretrained", rootOf(files), network.id, key], WeightsAnswer, { input: JSON.stringify(plan.graph), fileBytes: network.weights.sizeBytes }),
  );
  if (!answer.ok || !answer.weights)
    throw new AppError("PRETRAINED_UNREADABLE", answer.ok ? say("{title} has no weights for this graph.", { title: network.title }) : answer.failure.message);
  await files.publish(key);
  const weights = startWeightsOf(answer.weights, `${network.title}, pretrained`);
  const { name } = await db.dataset.findUniqueOrThrow({ where: { id: input.datasetId, orgId }, select: { name: true } });
  const start = async (model: string, graph: Graph, startWeights: StartWeights | null, runKey: string) => {
    const modelId = await placeModel(db, orgId, { name: model.slice(0, 120), graph, startWeights, datasetId, settings });
    const { runId } = await startRun(db, config, { orgId, userId }, { modelId, settings, idempotencyKey: runKey });
    return { modelId, runId };
  };
  const tuned = await start(`${name} with ${network.title}`, plan.graph, weights, idempotencyKey).catch(async (error: unknown) => {
    await files.remove(key).catch(() => {});
    throw error;
  });
  if (compare) await start(`${name} from scratch`, untuned(plan.graph), null, scratchKey(idempotencyKey));
  return tuned;
}

/**
 * The data set that holds these texts as a network reads them: made once, and found again by the next fine-tuning.
 * @throws AppError PRETRAINED_UNREADABLE
 */
async function readFor({ db, files, orgId }: Pick<Tuner, "db" | "files" | "orgId">, datasetId: string, manifest: Manifest, network: PretrainedText) {
  if (manifest.readFor?.networkId === network.id) return { id: datasetId, manifest };
  const earlier = await db.dataset.findFirst({
    where: { orgId, status: "ready", manifest: { path: ["readFor"], equals: { datasetId, networkId: network.id } } },
    select: { id: true, manifest: true },
  });
  if (earlier) return { id: earlier.id, manifest: Manifest.parse(earlier.manifest) };
  const { name } = await db.dataset.findUniqueOrThrow({ where: { id: datasetId, orgId }, select: { name: true } });
  const order: z.input<typeof RereadOrder> = { datasetId, manifest };
  const rows = manifest.splits.train.rows + manifest.splits.validation.rows;
  await bringDataset(files, datasetId, manifest);
  return createRead(
    { db, files, orgId },
    {
      name: `${name}, for ${network.title}`.slice(0, 120),
      description: say("The {rows} texts of {name}, cut into pieces as the pretrained network {title} reads them, up to {tokens} of each.", {
        rows: printCount(rows),
        name,
        title: network.title,
        tokens: network.reads.tokens,
      }),
    },
    (id) => inTurn(() => runChild(["reread", rootOf(files), id, network.id], DatasetAnswer, { input: JSON.stringify(order), fileBytes: manifest.splits.train.rows * 4_096 })),
  );
}

/** Begins to fetch the weights of a network from its hub. @throws AppError NOT_FOUND, HUB_OFF */
export function fetchNetwork({ files, config }: Pick<Tuner, "files" | "config">, networkId: string): void {
  const network = findPretrained(networkId) ?? findOpened(networkId);
  if (network?.weights?.kind !== "hub") throw notFound("pretrained network");
  if (config.HUB === "off") throw new AppError("HUB_OFF", say("Whoever runs this machine has switched fetching from hubs off (HUB=off)."));
  void beginFetch(files, network.weights);
}

/** Measures how fast a network is here, where nobody did. @throws AppError NOT_FOUND, and as `measurePace` */
export async function measureNetwork(around: { files: FileStore; host: PreviewHost; orgId: string }, networkId: string): Promise<void> {
  const network = findPretrained(networkId);
  if (!network) throw notFound("pretrained network");
  await measurePace(around, network);
}

/** The key of the run that trains the same network from drawn weights. */
export function scratchKey(idempotencyKey: string): string {
  return `${idempotencyKey}:scratch`;
}
