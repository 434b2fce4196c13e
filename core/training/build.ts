import { LENGTHS_INPUT, type Manifest } from "../data/manifest.ts";
import { encodeText, PADDING, UNKNOWN } from "../data/text.ts";
import { checkGraph } from "../graph/check.ts";
import type { Graph } from "../graph/document.ts";
import { GraphInvalid } from "../graph/fold.ts";
import { isTuned, tuningAt } from "../graph/tuning.ts";
import { bodyInputs } from "../layers/input.ts";
import { bodyOutputs } from "../layers/output.ts";
import { readParams } from "../layers/params.ts";
import { findFeatures } from "../program/features.ts";
import { lowerTypedTraining } from "../program/lower.ts";
import type { Program } from "../program/program.ts";
import { taskNamed } from "../tasks/index.ts";
import type { TaskRecord } from "../tasks/task.ts";
import { pointCount } from "./latentMap.ts";
import { measuredBy } from "./measured.ts";
import { goodDirection } from "./metrics/index.ts";
import { apartName, objectiveOf } from "./objective.ts";
import { findOptimizer } from "./optimizers/index.ts";
import { lrSchedule } from "./schedules/index.ts";
import type { EarlyStopping, RunSettings } from "./settings.ts";
import type { TrainSpec } from "./spec.ts";
import { targetInfo } from "./targets.ts";
import { shareWeights } from "./turns.ts";

const CHECKPOINT_EVERY_MS = 30_000;
/** Below this much work a step, handing parts of it to other cores costs more than it saves. */
const SINGLE_THREAD_MULTIPLY_ADDS = 5e6;

/** Looks at the nodes are to cost next to nothing. */
const LOOKS = { everyMs: 1_000, share: 0.005 };

/** What says more of a row is no longer drawn as a point. */
const MOST_POINT_NUMBERS = 256;

/**
 * The order that the engine carries out. File paths are the manifest's own, within the data set's folder, and the checkpoint
 * folder is `.`: the trainer puts its own places in front.
 * @throws GraphInvalid where the graph has errors or the loss does not go with its prediction.
 */
export function buildTrainSpec(graph: Graph, settings: RunSettings, manifest: Manifest): TrainSpec {
  const { train, validation } = manifest.splits;
  const task = taskNamed(manifest.task);
  const points = pointsOf(graph, task, validation.rows);
  const { program, metrics, types, rectified, breakpoints } = lowerOrder(graph, settings, manifest);
  const features = findFeatures(program, types, train.rows + validation.rows, widthOf(program, manifest));
  const crops = program.inputs
    .filter(({ name, shape }) => name !== "target" && name !== LENGTHS_INPUT && !train.more?.[name] && typeof shape[1] === "string")
    .map(({ name }) => name);
  const { stepsPerEpoch, dropLast } = planSteps(train.rows, settings);
  const optimizer = findOptimizer(settings.optimizer);
  return {
    version: 1,
    program,
    metrics,
    data: { train: splitOf(train, program, crops), validation: splitOf(validation, program, crops) },
    optimizer: optimizer.toSpec(readParams(optimizer.params, settings.optimizerParams).values, settings.weightDecay),
    ...furtherOf(settings, program),
    lr: { base: settings.lr, schedule: lrSchedule(settings, { stepsPerEpoch, totalSteps: stepsPerEpoch * settings.epochs }) },
    ...pacesOf(graph, program),
    ...(features.length > 0 ? { features } : {}),
    batchSize: settings.batchSize,
    epochs: settings.epochs,
    // What the validation rows say of a network that has seen one batch decides nothing.
    ...(settings.earlyStopping && !settings.oneBatch ? { earlyStopping: stoppingOf(settings.earlyStopping, task.judgedBy, metrics) } : {}),
    shuffle: true,
    ...(settings.bucketing && train.lengths && crops.length > 0 ? { bucketing: true } : {}),
    dropLast,
    ...(settings.oneBatch ? { oneBatch: true } : {}),
    seed: settings.seed,
    device: settings.device,
    precision: settings.precision,
    channelsLast: settings.channelsLast,
    gradClip: clipOf(settings),
    ...(settings.emaDecay > 0 ? { ema: { decay: settings.emaDecay } } : {}),
    accumulate: settings.accumulate,
    threads: checkGraph(graph).totals.multiplyAdds * settings.batchSize < SINGLE_THREAD_MULTIPLY_ADDS ? 1 : 0,
    checkpoint: { folder: ".", everyMs: CHECKPOINT_EVERY_MS },
    resumeFrom: null,
    startFrom: null,
    sampleRows: spread(validation.rows, task.samples),
    ...(points ? { points } : {}),
    ...(task.writes && manifest.text ? { generate: writingOf(settings, manifest.text, program, train.input.shape[0] ?? 1) } : {}),
    ...latticeOf(graph, manifest),
    looks: { ...LOOKS, rectified },
    ...(breakpoints.length > 0 ? { breakpoints } : {}),
  };
}

/** How far beyond the middle the plane of two columns is looked at, in standard deviations, and in how many places along each side. */
const LATTICE_REACH = 2.6;
const LATTICE_SIDE = 44;

/** The places of which a map of decisions is drawn, where two numbers decide a class. */
function latticeOf(graph: Graph, { classes, preprocess: { dtype, mean, std }, splits: { train } }: Manifest): Pick<TrainSpec, "lattice"> {
  const [input, ...others] = bodyInputs(graph);
  if (!input || others.length > 0 || classes.length === 0 || dtype !== "float32" || train.input.shape.join() !== "2" || train.target.shape.length > 0) return {};
  const corner = (sign: number): [number, number] => [(mean[0] ?? 0) + sign * LATTICE_REACH * (std[0] ?? 1), (mean[1] ?? 0) + sign * LATTICE_REACH * (std[1] ?? 1)];
  return { lattice: { input: input.name, low: corner(-1), high: corner(1), side: LATTICE_SIDE } };
}

/** The program of a run, with the types of its values. */
export function lowerOrder(graph: Graph, settings: RunSettings, manifest: Manifest): ReturnType<typeof lowerTypedTraining> {
  const task = taskNamed(manifest.task);
  const points = pointsOf(graph, task, manifest.splits.validation.rows);
  return lowerTypedTraining(graph, {
    preprocess: manifest.preprocess,
    ...objectiveOf(settings),
    mixup: settings.mixup,
    metrics: measuredBy(task, settings, manifest),
    target: targetInfo(manifest),
    ...(task.show ? { show: task.show } : {}),
    ...(points ? { keep: points.output } : {}),
  });
}

/** More texts than this of one run are not read. */
const MOST_TEXTS = 40;

/** After how many epochs each a language model writes. */
export const writesEvery = ({ epochs }: Pick<RunSettings, "epochs">): number => Math.ceil(epochs / MOST_TEXTS);

/** How the network goes on with the prompt after its epochs. An empty prompt, or one of which nothing is known, is the token that training saw most. */
function writingOf(settings: RunSettings, text: NonNullable<Manifest["text"]>, program: Program, context: number): TrainSpec["generate"] {
  const { writing } = settings;
  const prompt = encodeText(writing.prompt, text).filter((token) => token !== UNKNOWN);
  const input = program.inputs.find(({ name, dtype, shape }) => name !== "target" && dtype === "int64" && shape.length === 2);
  if (!input) return undefined;
  return {
    input: input.name,
    output: "y",
    prompt: prompt.length > 0 ? prompt.slice(0, 4096) : [mostFrequent(text)],
    tokens: writing.tokens,
    context,
    temperature: writing.temperature,
    everyEpochs: writesEvery(settings),
    without: [PADDING, UNKNOWN],
  };
}

function mostFrequent({ tokens, counts = [] }: NonNullable<Manifest["text"]>): number {
  let best = Math.min(UNKNOWN + 1, tokens.length - 1);
  for (let token = best; token < tokens.length; token++) if ((counts[token] ?? 0) > (counts[best] ?? 0)) best = token;
  return best;
}

/** @throws GraphInvalid where an optimizer has no weights, or two have the same. */
function furtherOf({ furtherOptimizers, lr }: RunSettings, { weights }: Program): Pick<TrainSpec, "furtherOptimizers"> {
  if (furtherOptimizers.length === 0) return {};
  const answer = shareWeights(furtherOptimizers, weights);
  if ("problems" in answer)
    throw new GraphInvalid(answer.problems.map(({ node, problem, hint }) => ({ severity: "error", code: "GRAPH_OPTIMIZER", message: problem, hint, node, fixes: [] })));
  return {
    furtherOptimizers: furtherOptimizers.map(({ optimizer, optimizerParams, weightDecay, lr: own }, index) => {
      const record = findOptimizer(optimizer);
      return {
        loss: apartName(index + 1),
        weights: answer.shares[index] ?? [],
        optimizer: record.toSpec(readParams(record.params, optimizerParams).values, weightDecay),
        lrFactor: own / lr,
      };
    }),
  };
}

/** The weights that the graph lets learn more slowly, faster or later than the rest, pace by pace. */
function pacesOf(graph: Graph, program: Program): Pick<TrainSpec, "paces"> {
  if (!isTuned(graph)) return {};
  const paces = new Map<string, NonNullable<TrainSpec["paces"]>[number]>();
  for (const { name, node, trainable } of program.weights) {
    const { lrScale: scale, fromEpoch } = tuningAt(graph, node);
    if (!trainable || (scale === 1 && fromEpoch === 0)) continue;
    const key = `${scale} ${fromEpoch}`;
    const pace = paces.get(key) ?? { weights: [], scale, fromEpoch };
    pace.weights.push(name);
    paces.set(key, pace);
  }
  return paces.size > 0 ? { paces: [...paces.values()] } : {};
}

function clipOf({ gradClipNorm, gradClipValue }: RunSettings): TrainSpec["gradClip"] {
  if (gradClipNorm > 0) return { kind: "norm", max: gradClipNorm };
  return gradClipValue > 0 ? { kind: "value", max: gradClipValue } : null;
}

/** The engine can watch the metric that the best checkpoint is chosen by where that is a mean over the rows; else it watches the loss. */
function stoppingOf({ watch, patience, minDelta }: EarlyStopping, judgedBy: string | null, metrics: TrainSpec["metrics"]): TrainSpec["earlyStopping"] {
  const judge = metrics.find(({ output, reduce }) => output === judgedBy && reduce === "mean");
  return watch === "metric" && judge
    ? { output: judge.output, better: goodDirection(`validation/${judge.output}`) ?? "higher", patience, minDelta }
    : { output: "loss", better: "lower", patience, minDelta };
}

/** The arrays by the names of the program's inputs. Sequences are cut to what a batch needs where the network takes any length. */
function splitOf({ rows, input, target, lengths, more }: Manifest["splits"]["train"], program: Program, crop: string[]): TrainSpec["data"]["train"] {
  const arrayOf = (name: string): TrainSpec["data"]["train"]["arrays"][string] => {
    const { file, window, shape } = name === "target" ? target : name === LENGTHS_INPUT && lengths ? lengths : (more?.[name] ?? input);
    return { file, ...(window ? { window: { ...window, length: shape[0] ?? 1 } } : {}) };
  };
  return {
    arrays: Object.fromEntries(program.inputs.map(({ name }) => [name, arrayOf(name)])),
    rows,
    ...(lengths && crop.length > 0 ? { lengths: { file: lengths.file, crop } } : {}),
  };
}

/**
 * Optimizer steps of one epoch. A last batch that is not full is used too, unless it holds a single row, of which batch norm
 * could take no variance.
 */
export function planSteps(rows: number, { batchSize, accumulate }: Pick<RunSettings, "batchSize" | "accumulate">): { stepsPerEpoch: number; dropLast: boolean } {
  const dropLast = rows > batchSize && rows % batchSize === 1;
  const batches = dropLast ? Math.floor(rows / batchSize) : Math.ceil(rows / batchSize);
  return { stepsPerEpoch: Math.ceil(batches / accumulate), dropLast };
}

/** How long rows are that are sequences and all of one length. */
function widthOf(program: Program, { splits: { train } }: Manifest): { [name: string]: number } {
  const [first, ...others] = program.inputs.filter(({ name }) => name !== "target");
  const size = first?.shape[1];
  return others.length === 0 && !train.lengths && typeof size === "string" ? { [size]: train.input.shape[0] ?? 1 } : {};
}

/** The rows to be drawn on a map, where the graph has an output for it that says some numbers of each row. */
function pointsOf(graph: Graph, task: TaskRecord, rows: number): TrainSpec["points"] {
  const node = bodyOutputs(graph).find(({ name }) => name === task.points)?.node;
  const type = node && checkGraph(graph).types.get(node.id)?.inputs.x;
  if (!task.points || !type || Array.isArray(type) || type.shape[0] !== "B") return undefined;
  const sizes = type.shape.slice(1).filter((size) => typeof size === "number");
  const width = sizes.reduce((product, size) => product * size, 1);
  return sizes.length === type.shape.length - 1 && sizes.length > 0 && width <= MOST_POINT_NUMBERS ? { output: task.points, rows: spread(rows, pointCount(width)) } : undefined;
}

/** `count` rows evenly spread over a split: rows next to each other may be alike. */
export function spread(rows: number, count: number): number[] {
  return Array.from({ length: Math.min(rows, count) }, (_, i) => Math.floor((i * rows) / Math.min(rows, count)));
}
