import { type NodePath, weightPrefix } from "../graph/path.ts";
import { say } from "../language/say.ts";
import type { Program } from "../program/program.ts";
import type { Tensor, Weights } from "./tensor.ts";

/** Weights that do not belong to a graph: each difference by name. */
export class WeightsError extends Error {
  readonly code = "WEIGHTS_MISMATCH";
  readonly missing: string[];
  readonly extra: string[];
  readonly differing: { name: string; expected: string; found: string }[];
  constructor(differences: Pick<WeightsError, "missing" | "extra" | "differing">) {
    const { missing, extra, differing } = differences;
    const parts = [
      ...(missing.length > 0 ? [`${list(missing)} ${missing.length === 1 ? "is" : "are"} missing`] : []),
      ...(extra.length > 0 ? [`${list(extra)} ${extra.length === 1 ? "has" : "have"} no place in the graph`] : []),
      ...(differing.length > 0 ? [list(differing.map(({ name, expected, found }) => `${name} should be ${expected} but is ${found}`))] : []),
    ];
    super(say("These weights belong to another graph: {parts}.", { parts: parts.join("; ") }));
    this.name = "WeightsError";
    this.missing = missing;
    this.extra = extra;
    this.differing = differing;
  }
}

/**
 * The program's weights, in its order, out of tensors that may hold more, such as a checkpoint with the optimizer's state.
 * With `exact`, more is an error too.
 * @throws WeightsError
 */
export function pickWeights(program: Program, tensors: Weights, options: { exact?: boolean } = {}): Map<string, Tensor> {
  const picked = new Map<string, Tensor>();
  const missing: string[] = [];
  const differing: WeightsError["differing"] = [];
  for (const { name, dtype, shape, node } of program.weights) {
    const tensor = tensors.get(name) ?? tensors.get(formerName(node, name));
    if (!tensor) missing.push(name);
    else if (tensor.dtype !== dtype || tensor.shape.join() !== shape.join()) differing.push({ name, expected: print({ dtype, shape }), found: print(tensor) });
    else picked.set(name, tensor);
  }
  const extra = options.exact ? [...tensors.keys()].filter((name) => !picked.has(name) && !differing.some((d) => d.name === name)) : [];
  if (missing.length > 0 || differing.length > 0 || extra.length > 0) throw new WeightsError({ missing, extra, differing });
  return picked;
}

/** Files written before names went without the role `body` have it. */
function formerName(node: NodePath, name: string): string {
  return node.replaceAll("/", ".") + name.slice(weightPrefix(node).length - 1);
}

function print({ dtype, shape }: Pick<Tensor, "dtype" | "shape">): string {
  return `${dtype} [${shape.join(", ")}]`;
}

function list(items: string[]): string {
  const shown = items.slice(0, 5);
  return items.length > shown.length ? `${shown.join(", ")} and ${items.length - shown.length} more` : shown.join(", ");
}
