import { Drawing, layer } from "../architectures/draw.ts";
import type { Manifest } from "../data/manifest.ts";
import { type Checked, checkGraph } from "../graph/check.ts";
import type { Body, Graph, Tuning } from "../graph/document.ts";
import { type BodyStep, pathOf } from "../graph/path.ts";
import { defaultSettings } from "../training/recipes.ts";
import type { RunSettings } from "../training/settings.ts";
import type { Pretrained } from "./pretrained.ts";

/** How much of a pretrained network learns. */
export const DEPTHS = ["head", "last", "all"] as const;
export type Depth = (typeof DEPTHS)[number];

export type FineTunePlan = {
  depth: Depth;
  /** Width and height that pictures are brought to inside the network. */
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

/** Which pictures a network can be fine-tuned on; the sentence says why not. */
export function whyNotFineTune({ title }: Pretrained, { task, splits }: Pick<Manifest, "task" | "splits">): string | null {
  if (task !== "image-classification") return `${title} sees pictures: choose a data set of pictures in classes.`;
  const [channels = 0] = splits.train.input.shape;
  return channels === 1 || channels === 3 ? null : `${title} takes pictures in grey or colour, not of ${channels} channels.`;
}

/**
 * A network that tells this data set's classes apart: the pictures brought to the size and scale that the weights know, the pretrained part,
 * and a new last layer. The last layer learns first; with `last` the upper part follows more slowly, with `all` the rest too.
 */
export function planFineTune(network: Pretrained, manifest: Manifest, wanted: { depth?: Depth | undefined; size?: number | undefined } = {}): FineTunePlan {
  const { rows, input } = manifest.splits.train;
  const [channels = 3, height = 1, width = 1] = input.shape;
  const depth = wanted.depth ?? depthFor(rows);
  const size = wanted.size ?? sizeFor(network, Math.max(height, width));
  return { depth, size, graph: drawGraph(network, manifest.classes.length, { channels, height, width, size, depth }), settings: settingsFor(rows, depth) };
}

/** Few pictures teach a last layer and little more; thousands can move the whole network. */
export function depthFor(rows: number): Depth {
  return rows < 100 ? "head" : rows < 5_000 ? "last" : "all";
}

/** Pictures are made no larger than is of use: what is not in them cannot be learned from them. */
function sizeFor({ size: { trained, smallest } }: Pretrained, side: number): number {
  return Math.min(trained, Math.max(smallest, Math.ceil((1.5 * side) / 32) * 32));
}

function drawGraph(network: Pretrained, classes: number, form: { channels: number; height: number; width: number; size: number; depth: Depth }): Graph {
  const { channels, height, width, size, depth } = form;
  const { mean, std } = network.normalize;
  const d = new Drawing();
  d.input("x", { shape: [channels, height, width], standardize: false });
  if (channels === 1) d.put("colour", layer("tile", { dims: [3, 1, 1] }, "Grey to colour"));
  if (height !== size || width !== size) d.put("resize", layer("upsample", { size: [size, size], mode: "bilinear" }, `Resize to ${size} × ${size}`));
  d.put("normalize", layer("expression", { expression: `(x - ${mean}) / ${std}` }, "Scale as the weights know it"));
  d.put(network.backbone.id, network.backbone.part());
  d.put("pool", layer("adaptive_avg_pool2d", { output_size: 1 }));
  d.put("flatten", layer("flatten"));
  d.put("dropout", layer("dropout", { p: 0.2 }));
  d.put("head", layer("linear", { out_features: classes }, "New head"));
  d.output();
  return tune(d.graph(), network, depth);
}

/** Of the stages, the last fifth is what most tells one kind of picture from another. */
const LAST_SHARE = 0.2;

/** Says in the graph which part learns, when and how fast. Batch norms keep the averages they came with throughout. */
function tune(graph: Graph, { backbone, stages }: Pretrained, depth: Depth): Graph {
  const last = Math.max(1, Math.round(stages.length * LAST_SHARE));
  const upper = stages.length - last;
  const tuningOf = (id: string): Tuning | undefined => {
    const at = stages.indexOf(id);
    if (at < 0) return undefined;
    if (at >= upper) return { lrScale: LR_SCALES.last, fromEpoch: THAW_EPOCHS.last };
    return depth === "all" ? { lrScale: LR_SCALES.rest, fromEpoch: THAW_EPOCHS.rest } : { frozen: true };
  };
  return {
    ...graph,
    nodes: graph.nodes.map((node) => {
      if (node.id !== backbone.id) return node;
      if (depth === "head") return { ...node, tuning: { frozen: true } };
      const body = node.bodies?.body;
      if (!body) return node;
      const nodes = body.nodes.map((inner) => {
        const tuning = tuningOf(inner.id);
        return tuning ? { ...inner, tuning } : inner;
      });
      return { ...node, tuning: { evaluates: true }, bodies: { body: { ...body, nodes } } };
    }),
  };
}

const THAW_EPOCHS = { last: 3, rest: 6 };
const LR_SCALES = { last: 0.07, rest: 0.02 };

function settingsFor(rows: number, depth: Depth): Omit<RunSettings, "datasetId"> {
  const batchSize = rows < 2_000 ? 16 : 32;
  const epochs = depth === "head" ? 20 : rows < 500 ? 14 : rows < 5_000 ? 10 : 8;
  // Smoothed answers keep a new head on few pictures from being surer and surer of what it learned by heart.
  return { ...defaultSettings("image-classification", rows), batchSize: Math.min(batchSize, rows), epochs, lr: 3e-3, lossParams: { label_smoothing: 0.1 } };
}

/** Multiply-adds a second that one core of an ordinary machine makes of such networks in training. */
const PER_CORE_AND_SECOND = 3e9;
/** A step goes forward once and back about twice as far. */
const STEP = 3;

/** About how long fine-tuning takes: what is frozen sees each picture once, what learns sees it in every epoch. */
export function secondsOf(graph: Graph, { epochs }: Pick<RunSettings, "epochs">, { splits }: Pick<Manifest, "splits">, cores: number): { seconds: number; scratchSeconds: number } {
  const checked = checkGraph(graph);
  const all = checked.totals.multiplyAdds;
  const learning = all - frozenWork(checked, graph);
  const [train, validation] = [splits.train.rows, splits.validation.rows];
  const rate = PER_CORE_AND_SECOND * Math.max(1, Math.min(4, cores));
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
