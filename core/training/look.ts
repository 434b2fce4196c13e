import { z } from "zod";
import type { Checked } from "../graph/check.ts";
import type { Graph } from "../graph/document.ts";
import type { NodePath } from "../graph/path.ts";
import { say } from "../language/say.ts";
import { bodyInputs } from "../layers/input.ts";
import { printNumber } from "./printNumber.ts";

/** JSON has no NaN: such a value is `null`. */
const Value = z.number().nullable();

/** What one node did in one step. Times are in ms, norms Euclidean over all of its weights, of gradients before they are clipped. */
const NodeLook = z.strictObject({
  forwardMs: z.number(),
  backwardMs: z.number(),
  /** Of nodes whose weights took the step. */
  gradient: Value.optional(),
  weight: Value.optional(),
  /** How far the weights moved. */
  update: Value.optional(),
  /** Of nodes that set low numbers to 0: their units, and those that were 0 in every row of the batch. */
  units: z.int().optional(),
  dead: z.int().optional(),
});
type NodeLook = z.infer<typeof NodeLook>;

/** A step as it was looked at. `stepMs` is all of it but the looking; `inputs` holds the sizes of its batch by the names of the program's inputs. */
export const Look = z.strictObject({
  step: z.int(),
  stepMs: z.number(),
  inputs: z.record(z.string(), z.array(z.int())),
  nodes: z.record(z.string(), NodeLook),
});
export type Look = z.infer<typeof Look>;

/** How large the symbols of a graph's shapes were in the step that was looked at: `B` and `T`. */
export function sizesOf(look: Look, graph: Graph, checked: Checked): { [symbol: string]: number } {
  const sizes: { [symbol: string]: number } = {};
  for (const { name, node } of bodyInputs(graph)) {
    const shape = checked.types.get(node.id)?.outputs.y?.shape ?? [];
    const real = look.inputs[name] ?? [];
    if (real.length !== shape.length) continue;
    for (const [axis, dim] of shape.entries()) if (typeof dim === "string" && real[axis] !== undefined) sizes[dim] = real[axis];
  }
  return sizes;
}

/** What the node at `path` and all those inside it did together; null where it did nothing. */
export function lookAt(look: Look, path: NodePath): NodeLook | null {
  const inside = Object.entries(look.nodes).flatMap(([node, one]) => (node === path || node.startsWith(`${path}/`) ? [one] : []));
  const [first] = inside;
  if (!first || inside.length === 1) return first ?? null;
  const total = (of: (one: NodeLook) => number | null | undefined) => inside.reduce((sum, one) => sum + (of(one) ?? 0), 0);
  const norm = (name: "gradient" | "weight" | "update") => {
    const known = inside.filter((one) => one[name] !== undefined);
    if (known.length === 0) return {};
    return { [name]: known.some((one) => one[name] === null) ? null : Math.hypot(...known.map((one) => one[name] ?? 0)) };
  };
  const units = total((one) => one.units);
  return {
    forwardMs: total((one) => one.forwardMs),
    backwardMs: total((one) => one.backwardMs),
    ...norm("gradient"),
    ...norm("weight"),
    ...norm("update"),
    ...(units > 0 ? { units, dead: total((one) => one.dead) } : {}),
  };
}

/** Something that a node's look can be coloured by. */
export type Measure = {
  id: "gradient" | "update" | "dead" | "time";
  title: string;
  doc: string;
  /** Null where it does not apply to the node. */
  of(node: NodeLook, look: Look): number | null;
  /** How strongly the node glows, from 0 to 1, beside the values of all nodes. */
  level(value: number, all: readonly number[]): number;
  /** What is wrong with a value; null where nothing is. */
  remark(value: number, all: readonly number[]): string | null;
  print(value: number): string;
};

const percent = (share: number) => `${Number((100 * share).toPrecision(share >= 0.0995 ? 3 : 2))}%`;

/** Between the least and the greatest by their powers of ten: what vanishes does so by factors. */
function byPowers(value: number, all: readonly number[]): number {
  const positive = all.filter((one) => one > 0);
  if (value <= 0 || positive.length === 0) return 0;
  const [low, high] = [Math.log10(Math.min(...positive)), Math.log10(Math.max(...positive))];
  // Values within one power of ten of each other are alike.
  return high - low < 1 ? 0.6 : 0.15 + (0.85 * (Math.log10(value) - low)) / (high - low);
}

/** Below this share of the largest gradient a layer hardly hears of its errors. */
const VANISHED = 1e-5;
/** A step ought to move weights by about a thousandth of their size. */
const UPDATE = { low: 1e-6, high: 0.1 };

export const measures: readonly Measure[] = [
  {
    id: "gradient",
    title: "Gradient",
    doc: "The size of the gradient at a node's weights. Where it is next to nothing, the node hears too little of its errors to learn.",
    of: ({ gradient }) => gradient ?? null,
    level: byPowers,
    remark: (value, all) => {
      if (value === 0) return say("No gradient reaches it, so it does not learn.");
      return value < VANISHED * Math.max(...all) ? say("Its gradient has all but vanished beside that of other layers.") : null;
    },
    print: printNumber,
  },
  {
    id: "update",
    title: "Update",
    doc: "How far a step moves a node's weights, as a share of their size. About 0.1% is healthy.",
    of: ({ update, weight }) => (update == null || weight == null || weight === 0 ? null : update / weight),
    level: (value) => (value <= 0 ? 0 : Math.min(1, Math.max(0.1, (Math.log10(value) + 6) / 5))),
    remark: (value) => {
      if (value > UPDATE.high) return say("Each step changes much of its weights: the learning rate may be too high.");
      return value < UPDATE.low ? say("Its weights hardly move: the learning rate may be too low.") : null;
    },
    print: percent,
  },
  {
    id: "dead",
    title: "Dead",
    doc: "Units of a ReLU or its like that were 0 for every row of the batch: they give nothing and learn nothing.",
    of: ({ units, dead }) => (units ? (dead ?? 0) / units : null),
    level: (value) => value,
    remark: (value) => (value >= 0.5 ? say("Half of its units or more are silent. A lower learning rate or LeakyReLU can help.") : null),
    print: percent,
  },
  {
    id: "time",
    title: "Time",
    doc: "The node's share of a training step: forward and backward, without the optimizer.",
    of: ({ forwardMs, backwardMs }, { stepMs }) => (stepMs > 0 ? Math.min(1, (forwardMs + backwardMs) / stepMs) : null),
    level: (value, all) => value / Math.max(...all, Number.MIN_VALUE),
    remark: () => null,
    print: percent,
  },
];

/** How nodes glow by one measure: those to which it applies, by path. */
export type Glow = Map<NodePath, { level: number; title: string; text: string; remark: string | null }>;

/** The glow of the nodes at these paths. */
export function glowOf(look: Look, paths: readonly NodePath[], measure: Measure): Glow {
  const values = paths.flatMap((path): [NodePath, number][] => {
    const node = lookAt(look, path);
    const value = node && measure.of(node, look);
    return value === null || value === undefined ? [] : [[path, value]];
  });
  const all = values.map(([, value]) => value);
  return new Map(
    values.map(([path, value]) => [
      path,
      { level: Math.min(1, Math.max(0, measure.level(value, all))), title: measure.title, text: measure.print(value), remark: measure.remark(value, all) },
    ]),
  );
}
