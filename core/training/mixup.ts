import type { Manifest } from "../data/manifest.ts";
import type { Graph } from "../graph/document.ts";
import { say } from "../language/say.ts";
import { float32, type ProgramBuilder, type Value } from "../layers/kit.ts";
import { bodyTargets } from "../layers/target.ts";

/**
 * Mixup (Zhang et al. 2018): each row of a training batch is blended with another row of it, and the loss is blended alike. One share
 * for a batch, λ = max(β, 1 − β) with β ~ Beta(α, α): λ·x[i] + (1 − λ)·x[p[i]] for a permutation p, and λ·L(y, t) + (1 − λ)·L(y, t[p]).
 * λ is the larger share, so that `t` stays the class that a row is mostly of, which training accuracy counts. Validation rows stay whole.
 * @see https://arxiv.org/abs/1710.09412
 */
export type Mixed = { inputs: { [name: string]: Value } /** Targets of the rows that were blended in. */; target: Value /** λ, one number. */; share: Value };

const IN_TRAINING = { flag: "training" } as const;

/** Draws λ and the permutation from the run's seeded generator, and blends the inputs while training. */
export function mixRows(b: ProgramBuilder, alpha: number, inputs: { [name: string]: Value }, target: Value): Mixed {
  const entries = Object.entries(inputs);
  const [like] = entries[0] ?? [];
  const first = like === undefined ? undefined : inputs[like];
  if (!first) throw new Error("A model that is trained has an input.");
  const one = float32([]);
  const [share, other, ...mixed] = b.if(
    IN_TRAINING,
    () => {
      // Two shares that sum to 1, of Dirichlet(α, α): each is Beta(α, α), and the larger of them is λ.
      const shares = b.call("aten::_sample_dirichlet", [b.call("aten::new_full", [first, { ints: [2] }, alpha], float32([2]))], float32([2]));
      const lambda = b.call("aten::max", [shares], one);
      const rows = b.call("aten::randperm", [{ size: [first, 0] }], { dtype: "int64", shape: first.type.shape.slice(0, 1) });
      const taken = (value: Value) => b.call("aten::index_select", [value, 0, rows], value.type);
      return [lambda, taken(target), ...entries.map(([, value]) => b.call("aten::lerp.Tensor", [taken(value), value, lambda], value.type))];
    },
    () => [b.call("aten::new_full", [first, { ints: [] }, 1], one), target, ...entries.map(([, value]) => value)],
    [one, target.type, ...entries.map(([, value]) => value.type)],
  );
  if (!share || !other) throw new Error("A branch gives what it was asked for.");
  return { inputs: Object.fromEntries(entries.map(([name, value], i) => [name, mixed[i] ?? value])), target: other, share };
}

/** The loss of blended rows; of whole ones just their loss. `lossOf` writes the loss against one set of targets. */
export function mixLosses(b: ProgramBuilder, { share, target: other }: Mixed, target: Value, lossOf: (target: Value) => Value): Value {
  const one = float32([]);
  const [loss] = b.if(
    IN_TRAINING,
    () => [b.call("aten::lerp.Tensor", [lossOf(other), lossOf(target), share], one)],
    () => [lossOf(target)],
    [one],
  );
  if (!loss) throw new Error("A branch gives what it was asked for.");
  return loss;
}

export const MIXED_TARGET = say(
  "Mixup blends the losses of two targets, and a loss wired from the Target sees one: set mixup to 0, or choose a loss from the list and remove the Target.",
);

/** Why rows of this data set cannot be blended for a graph, with what to do; null where they can. */
export function whyNoMixup({ task, splits: { train } }: Pick<Manifest, "task" | "splits">, graph: Graph): string | null {
  if (bodyTargets(graph).length > 0) return MIXED_TARGET;
  if (task !== "image-classification" && task !== "tabular-classification")
    return say("Mixup blends pictures or rows of measured numbers whose target is a class: set it to 0 for this data set.");
  const categories = Object.keys(train.more ?? {});
  if (categories.length > 0)
    return say(
      "Mixup blends measured numbers, but {categories} {count, plural, one {is a category} other {are categories}}: set it to 0, or leave {count, plural, one {it} other {them}} out.",
      { categories: categories.join(", "), count: categories.length },
    );
  return null;
}
