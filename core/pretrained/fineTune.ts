import { Drawing, layer } from "../architectures/draw.ts";
import type { Manifest } from "../data/manifest.ts";
import { type Checked, checkGraph } from "../graph/check.ts";
import type { Body, Graph, Tuning } from "../graph/document.ts";
import { type BodyStep, pathOf } from "../graph/path.ts";
import { defaultSettings } from "../training/recipes.ts";
import type { RunSettings } from "../training/settings.ts";
import type { Pretrained, PretrainedPictures, PretrainedText } from "./pretrained.ts";

/** How much of a pretrained network learns. */
export const DEPTHS = ["head", "last", "all"] as const;
export type Depth = (typeof DEPTHS)[number];

export type FineTunePlan = {
  depth: Depth;
  /** Width and height that pictures are brought to inside the network; of texts, how many tokens are read. */
  size: number;
  graph: Graph;
  settings: Omit<RunSettings, "datasetId">;
};

/** A recommended network is done in this time, so that one sees soon whether the data are any good. */
const SOON_SECONDS = 180;

/** Of networks that can learn from the data, with the seconds each would take: the largest that is done soon, or else the quickest. */
export function recommend(able: readonly { id: string; seconds: number }[]): string | null {
  const bySize = [...able].sort((a, b) => b.seconds - a.seconds);
  return (bySize.find(({ seconds }) => seconds <= SOON_SECONDS) ?? bySize.at(-1))?.id ?? null;
}

/** Which data a network can be fine-tuned on; the sentence says why not. */
export function whyNotFineTune({ title, takes }: Pretrained, { task, splits, text }: Pick<Manifest, "task" | "splits" | "text">): string | null {
  if (takes === "texts") {
    if (task !== "text-classification" || !text) return `${title} reads texts: choose a data set of texts in classes.`;
    if (!splits.train.texts && text.unit !== "pieces") return "These texts were read in before they were kept as they came, which this network needs: add them once more.";
    return null;
  }
  if (task !== "image-classification") return `${title} sees pictures: choose a data set of pictures in classes.`;
  const [channels = 0] = splits.train.input.shape;
  return channels === 1 || channels === 3 ? null : `${title} takes pictures in grey or colour, not of ${channels} channels.`;
}

/**
 * A network that tells this data set's classes apart: the pictures brought to the size and scale that the weights know, or texts as it reads
 * them; the pretrained part; and a new last layer. The last layer learns first; with `last` the upper part follows more slowly, with `all` the rest too.
 */
export function planFineTune(network: Pretrained, manifest: Manifest, wanted: { depth?: Depth | undefined; size?: number | undefined } = {}): FineTunePlan {
  const { rows, input } = manifest.splits.train;
  const depth = wanted.depth ?? depthFor(rows);
  const classes = manifest.classes.length;
  const settings = settingsFor(network, manifest, depth);
  if (network.takes === "texts") return { depth, size: network.reads.tokens, graph: tune(drawTextGraph(network, classes), network, depth), settings };
  const [channels = 3, height = 1, width = 1] = input.shape;
  const size = wanted.size ?? sizeFor(network, Math.max(height, width));
  return { depth, size, graph: tune(drawGraph(network, classes, { channels, height, width, size }), network, depth), settings };
}

/** Few pictures teach a last layer and little more; thousands can move the whole network. */
export function depthFor(rows: number): Depth {
  return rows < 100 ? "head" : rows < 5_000 ? "last" : "all";
}

/** Pictures are made no larger than is of use: what is not in them cannot be learned from them. */
function sizeFor({ size: { trained, smallest } }: PretrainedPictures, side: number): number {
  return Math.min(trained, Math.max(smallest, Math.ceil((1.5 * side) / 32) * 32));
}

function drawGraph(network: PretrainedPictures, classes: number, form: { channels: number; height: number; width: number; size: number }): Graph {
  const { channels, height, width, size } = form;
  const { mean, std } = network.normalize;
  const d = new Drawing();
  d.input("x", { shape: [channels, height, width], standardize: false });
  if (channels === 1) d.put("colour", layer("tile", { dims: [3, 1, 1] }, "Grey to colour"));
  if (height !== size || width !== size) d.put("resize", layer("upsample", { size: [size, size], mode: "bilinear" }, `Resize to ${size} × ${size}`));
  d.put("normalize", layer("expression", { expression: scaling(mean, std) }, "Scale as the weights know it"));
  d.put(network.backbone.id, network.backbone.part());
  if (network.gives === "maps") {
    d.put("pool", layer("adaptive_avg_pool2d", { output_size: 1 }));
    d.put("flatten", layer("flatten"));
  }
  d.put("dropout", layer("dropout", { p: 0.2 }));
  d.put("head", layer("linear", { out_features: classes }, "New head"));
  d.output();
  return d.graph();
}

/** (x − mean) / std, with a number for all channels or one for each. */
function scaling(mean: number | readonly number[], std: number | readonly number[]): string {
  if (typeof mean === "number") return `(x - ${mean}) / ${std}`;
  return `stack([${mean.map((one, channel) => `(x[:, ${channel}] - ${one}) / ${typeof std === "number" ? std : std[channel]}`).join(", ")}], axis=1)`;
}

function drawTextGraph(network: PretrainedText, classes: number): Graph {
  const d = new Drawing();
  d.input("x", { shape: ["T"], dtype: "int64" });
  d.put(network.backbone.id, network.backbone.part());
  // Vectors of length 1 have small numbers, which a new layer would be slow to make anything of.
  d.put("scale", layer("expression", { expression: `x * ${Math.sqrt(network.features).toFixed(2)}` }, "Numbers about 1 in size"));
  d.put("dropout", layer("dropout", { p: 0.2 }));
  d.put("head", layer("linear", { out_features: classes }, "New head"));
  d.output();
  return d.graph();
}

/** Says in the graph which part learns, when and how fast. Batch norms keep the averages they came with throughout. */
function tune(graph: Graph, { backbone, stages, upperStages }: Pretrained, depth: Depth): Graph {
  const upper = stages.length - upperStages;
  const tuningOf = (path: string): Tuning | undefined => {
    const at = stages.indexOf(path);
    if (at < 0) return undefined;
    if (at >= upper) return { lrScale: LR_SCALES.last, fromEpoch: THAW_EPOCHS.last };
    return depth === "all" ? { lrScale: LR_SCALES.rest, fromEpoch: THAW_EPOCHS.rest } : { frozen: true };
  };
  const tuned = (body: Body, before: string): Body => ({
    ...body,
    nodes: body.nodes.map((node) => {
      const path = `${before}${node.id}`;
      const tuning = tuningOf(path);
      if (tuning) return { ...node, tuning };
      const inner = node.bodies?.body;
      return inner && stages.some((stage) => stage.startsWith(`${path}/`)) ? { ...node, bodies: { body: tuned(inner, `${path}/`) } } : node;
    }),
  });
  return {
    ...graph,
    nodes: graph.nodes.map((node) => {
      if (node.id !== backbone.id) return node;
      if (depth === "head") return { ...node, tuning: { frozen: true } };
      const body = node.bodies?.body;
      return body ? { ...node, tuning: { evaluates: true }, bodies: { body: tuned(body, "") } } : node;
    }),
  };
}

const THAW_EPOCHS = { last: 3, rest: 6 };
const LR_SCALES = { last: 0.07, rest: 0.02 };

function settingsFor(network: Pretrained, { splits, task }: Manifest, depth: Depth): Omit<RunSettings, "datasetId"> {
  const { rows } = splits.train;
  const batchSize = rows < 2_000 ? 16 : 32;
  const epochs = network.takes === "texts" ? (depth === "head" ? 10 : rows < 500 ? 10 : 6) : depth === "head" ? 20 : rows < 500 ? 14 : rows < 5_000 ? 10 : 8;
  // Smoothed answers keep a new head on few pictures from being surer and surer of what it learned by heart.
  return { ...defaultSettings(task, rows), batchSize: Math.min(batchSize, rows), epochs, lr: 3e-3, lossParams: { label_smoothing: 0.1 } };
}

/** Multiply-adds a second that one core of an ordinary machine makes of such networks in training. */
const PER_CORE_AND_SECOND = 3e9;
/** A step goes forward once and back about twice as far. */
const STEP = 3;

/** Cores that a training makes use of, and those that a measurement has. */
const CORES = { training: 4, measured: 2 };

/** Multiply-adds that a training makes in a second: reckoned from what was measured of passes forward on this machine (`measured`), where something was. */
export function trainingRate(cores: number, measured: number | null): number {
  const used = Math.max(1, Math.min(CORES.training, cores));
  return measured === null ? PER_CORE_AND_SECOND * used : measured * Math.max(1, used / CORES.measured);
}

/** About how long fine-tuning takes: what is frozen sees each picture once, what learns sees it in every epoch. */
export function secondsOf(
  graph: Graph,
  { epochs }: Pick<RunSettings, "epochs">,
  { splits }: Pick<Manifest, "splits">,
  /** Multiply-adds a second. */ rate: number,
  /** Steps of a row, where rows are sequences: work is counted for one of them. */ steps = 1,
): { seconds: number; scratchSeconds: number } {
  const checked = checkGraph(graph);
  const all = steps * checked.totals.multiplyAdds;
  const learning = all - steps * frozenWork(checked, graph);
  const [train, validation] = [splits.train.rows, splits.validation.rows];
  const seconds = ((all - learning) * (train + validation) + epochs * learning * (STEP * train + validation)) / rate;
  return { seconds: Math.ceil(seconds) + 2, scratchSeconds: Math.ceil((epochs * all * (STEP * train + validation)) / rate) + 2 };
}

/** What the frozen nodes take of one pass. */
function frozenWork(checked: Checked, body: Body, steps: readonly BodyStep[] = []): number {
  return body.nodes.reduce((sum, { id, tuning, bodies }) => {
    if (tuning?.frozen) return sum + (checked.multiplyAdds.get(pathOf(steps, id)) ?? 0);
    return sum + Object.entries(bodies ?? {}).reduce((inner, [role, one]) => inner + frozenWork(checked, one, [...steps, { node: id, role }]), 0);
  }, 0);
}
